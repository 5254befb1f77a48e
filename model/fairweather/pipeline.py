"""One run from record to archive; whatever can be refused cheaply is refused before sampling.

Guarded by ``tests/test_cli.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fairweather import samplers as sampling
from fairweather.clock import Clock
from fairweather.errors import ArchiveError, ConvergenceError, RecordError
from fairweather.readings import DEFAULT, get_reading

if TYPE_CHECKING:
    import xarray as xr

    from fairweather.panel import Panel

Say = Callable[[str], None]
Archive = Callable[[Any, Any], Path]


@dataclass(frozen=True)
class Settings:
    """What a run may be asked; None leaves the choice to the library."""

    as_of: str | None = None
    reading: str = DEFAULT
    priors: str | None = None
    scenarios: str | None = None
    states: str | None = None
    focal: str | None = None
    draws: int | None = None
    tune: int | None = None
    chains: int = 4
    seed: int = 1
    results: str = "results"
    horizon: int = 5
    quiet: bool = False
    overwrite: bool = False
    sampler: str = sampling.DEFAULT
    target_accept: float = sampling.TARGET_ACCEPT


@dataclass
class Inputs:
    """Checked inputs of a run."""

    panel: Panel
    priors: Any
    scenarios: Any


def check(settings: Settings, clock: Clock, *, forecasts: bool) -> Inputs:
    """Read and check everything that a run needs, without sampling.

    Parameters
    ----------
    settings : Settings
    clock : Clock
    forecasts : bool
        Whether scenarios will be needed.

    Returns
    -------
    Inputs

    Raises
    ------
    FairweatherError
        Unwritable folder, unknown reading, malformed priors or scenarios, impossible date,
        unknown states.
    """
    from fairweather.archive import ensure_writable

    get_reading(settings.reading)
    sampling.get_sampler(settings.sampler)
    with clock("data"):
        from fairweather.panel import load_panel
        from fairweather.priors import load_priors

        priors = load_priors(settings.priors)
        scenarios = _scenarios(settings.scenarios) if forecasts else None
        options = {"focal": settings.focal} if settings.focal else {}
        panel = load_panel(as_of=settings.as_of, states=parse_states(settings.states), **options)
        if forecasts:
            from fairweather.draws import spans
            from fairweather.scenarios import check_scenarios

            scenarios = check_scenarios(scenarios, panel)
            spans(panel.years)
    # Last: it makes the folder, and a refused run writes nothing.
    ensure_writable(settings.results)
    return Inputs(panel, priors, scenarios)


def parse_states(text: str | None) -> list[str] | None:
    """Read ``CHN,RUS,IND``.

    Raises
    ------
    RecordError
        Fewer than two states.

    Examples
    --------
    >>> parse_states("chn, RUS")
    ['CHN', 'RUS']
    """
    if text is None:
        return None
    states = [s.strip().upper() for s in text.split(",") if s.strip()]
    if len(set(states)) < 2:
        raise RecordError(f"'{text}' names fewer than two states", remedy="Write CHN,RUS,IND.")
    return states


def run_fit(settings: Settings, inputs: Inputs, clock: Clock, say: Say, archive: Archive) -> Path:
    """Build and sample the model, judge the draws, and hand them on to be archived.

    Parameters
    ----------
    archive : callable
        Takes the tree and the gate's report, returns the folder of the run. Until it has, the
        draws are kept under ``incomplete-...``.

    Returns
    -------
    Path
        Folder of the run.

    Raises
    ------
    ConvergenceError
        If the draws do not meet the bar; they are archived under ``failed-...`` first.
    """
    panel = inputs.panel
    say(
        f"{len(panel.record.observations):,} rows, {len(panel.dyads)} dyads, "
        f"{panel.years[0]}-{panel.origin}; reading {settings.reading}, priors {inputs.priors.id}"
    )
    with clock("import"):
        from fairweather.archive import save_results
        from fairweather.gate import gate
        from fairweather.inference import fit
        from fairweather.model import build_model
        from fairweather.provenance import attributes
        from fairweather.unfinished import unfinished
    with clock("build"):
        model = build_model(panel, reading=settings.reading, priors=inputs.priors)
    asked = sampling.Settings(
        settings.draws or sampling.DRAWS, settings.tune or sampling.TUNE, settings.chains,
        settings.seed, settings.target_accept,
    )  # fmt: skip
    if settings.sampler == sampling.DEFAULT and not _compiled():
        say("compiling the engine, once on this machine: about half a minute")
    with unfinished(settings.results, attributes(model, asked, settings.sampler)) as keep:
        with clock("fit"):
            tree = fit(
                model, draws=asked.draws, tune=asked.tune, chains=asked.chains,
                random_seed=asked.seed, progressbar=not settings.quiet,
                sampler=settings.sampler, keep=keep, target_accept=asked.target_accept,
            )  # fmt: skip
        with clock("diagnostics"):
            report = gate(tree)
        if report.passed:
            return archive(tree, report)
        path = save_results(
            tree, gate=report, results_dir=settings.results, clock=clock,
            overwrite=settings.overwrite,
        )  # fmt: skip
    refuse(list(report.failures), path)


def _compiled() -> bool:
    """Whether this machine holds compiled kernels; only a message hangs on it."""
    here = Path(__file__).parent / "engine" / "__pycache__"
    return any(here.glob("density.finish*.nbc"))


def refuse(failures: list[str], path: Path) -> NoReturn:
    """Raise the error for draws that do not meet the bar."""
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    first = failures[0].rstrip(".") if failures else "no reason was given"
    cure = "a higher --target-accept (0.9)" if "divergent" in first else "more --draws or --tune"
    raise ConvergenceError(
        f"the draws do not meet the bar: {first}{more}; no forecast is made",
        remedy=f"They are kept in {path}. Ask for {cure}.",
    )


def run_forecast(
    settings: Settings, inputs: Inputs, tree: xr.DataTree, report: Any, clock: Clock, say: Say
) -> Path:
    """Forecast from a fit, assess the claims, draw the figures, archive everything.

    Returns
    -------
    Path
        Folder of the run.
    """
    from fairweather.archive import save_results
    from fairweather.claims import assess
    from fairweather.forecast import forecast

    panel = inputs.panel
    with clock("forecast"):
        fc = forecast(
            tree, panel, scenarios=inputs.scenarios, horizon=settings.horizon,
            random_seed=settings.seed, priors=inputs.priors,
        )  # fmt: skip
    with clock("claims"):
        verdicts = assess(tree, panel, fc, priors=inputs.priors)
    with clock("figures"):
        figures = draw(tree, panel, fc)
    say("writing the archive")
    return save_results(
        tree, fc, verdicts, gate=report, figures=figures, results_dir=settings.results,
        clock=clock, overwrite=settings.overwrite,
    )  # fmt: skip


def draw(tree: xr.DataTree, panel: Panel, fc: xr.DataTree) -> dict[str, Any]:
    """All figures of a run, by file stem."""
    from fairweather.figures.alignment import plot_alignment
    from fairweather.figures.pressure import plot_pressure
    from fairweather.figures.survival import plot_survival

    return {
        "alignment": plot_alignment(tree, panel),
        "survival": plot_survival(fc),
        "pressure": plot_pressure(tree, panel),
    }


def reopen(name: str, settings: Settings, clock: Clock) -> tuple[Inputs, xr.DataTree, Any]:
    """Take an archived fit up again, with the record it was made from.

    Parameters
    ----------
    name : str
        Folder of a run, or its id within the results folder.

    Raises
    ------
    ArchiveError
        No such run, or the record has changed since.
    ConvergenceError
        The run failed the gate.
    """
    from fairweather.archive import FAILED, ensure_writable
    from fairweather.gate import gate
    from fairweather.panel import load_panel
    from fairweather.unfinished import INCOMPLETE, what_is_left

    results = find_run(name, settings.results)
    if results.status == INCOMPLETE:
        raise ArchiveError(f"{results.id} is {what_is_left(results.path)}")
    if results.status == FAILED:
        refuse(results.run["diagnostics"]["failures"], results.path)
    with clock("data"):
        scenarios = _scenarios(settings.scenarios)
        data, model = results.run["data"], results.run["model"]
        panel = load_panel(
            as_of=data["as_of"], states=data["states"], first_year=data["years"][0],
            last_year=data["years"][1], focal=model["focal"],
        )  # fmt: skip
    if panel.record.content_hash != data["record_hash"]:
        raise ArchiveError(
            f"the record has changed since {results.id} was fitted",
            remedy="Fit again, or check out the version named in its run.json.",
        )
    ensure_writable(settings.results)
    tree = results.tree.load()
    with clock("diagnostics"):
        report = gate(tree)
    return Inputs(panel, None, scenarios), tree, report


def find_run(name: str, results_dir: str) -> Any:
    """Open a run by its folder, or by its id within the results folder.

    Raises
    ------
    ArchiveError
        No such run.
    """
    from fairweather.archive import open_results

    path, inside = Path(name), Path(results_dir) / name
    return open_results(inside if not path.is_dir() and inside.is_dir() else path)


def _scenarios(path: str | None) -> Any:
    from fairweather.scenarios import load_scenarios

    return load_scenarios(path)
