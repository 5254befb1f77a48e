"""The specification curve: the claims under a list of choices written down before any fit.

Invariant: every choice on the list is one a careful analyst could have made, none is added or
dropped after its result is seen, and all are reported.
Guarded by ``tests/test_contest_specifications.py``.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.contest.design import ContestError
from fairweather.paths import data_dir

if TYPE_CHECKING:
    from fairweather.panel import Panel
    from fairweather.priors import Priors

FILE = "specifications.toml"
KEYS = ("label", "reason", "reading", "priors", "hold", "first_year", "without_states",
        "without_indicators", "without_domain")  # fmt: skip
DRAWS, TUNE, CHAINS = 500, 300, 2


def load_specifications(path: str | Path | None = None) -> dict[str, dict[str, Any]]:
    """Read the choices.

    Raises
    ------
    ContestError
        Unreadable file, an unknown key, no label or reason, or contradictory choices.

    Examples
    --------
    >>> list(load_specifications())[0]
    'default'
    """
    file = data_dir() / FILE if path is None else Path(path)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))["specification"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as err:
        raise ContestError(
            f"no specifications can be read ({err})",
            file=file,
            remedy="Write [specification.NAME] tables.",
        ) from err
    for name, spec in table.items():
        problem = None
        if unknown := [k for k in spec if k not in KEYS]:
            problem = f"has the unknown key '{unknown[0]}'"
        elif missing := [k for k in ("label", "reason") if not spec.get(k)]:
            problem = f"lacks {' and '.join(missing)}"
        elif "without_domain" in spec and "without_indicators" in spec:
            problem = "leaves out indicators twice, by domain and by name"
        elif "priors" in spec and "hold" in spec:
            problem = "names a belief set and holds parts of another"
        if problem:
            raise ContestError(f"[specification.{name}] {problem}", file=file, remedy="Mend it.")
    return table


def lay_out(spec: dict[str, Any], states: tuple[str, ...], focal: str) -> Panel:
    """Lay out the panel of a choice."""
    from fairweather.panel import load_panel

    left = [s for s in states if s not in spec.get("without_states", ())]
    options: dict[str, Any] = {"states": left, "focal": focal}
    if "first_year" in spec:
        options["first_year"] = spec["first_year"]
    panel = load_panel(**options)
    gone = set(spec.get("without_indicators", ()))
    if "without_domain" in spec:
        gone |= {i.id for i in panel.indicators("alignment") if i.domain == spec["without_domain"]}
    if gone:
        panel = load_panel(**options, indicators=[i for i in panel_reads(panel) if i not in gone])
    return panel


def panel_reads(panel: Panel) -> list[str]:
    """Ids of everything a panel reads, drivers included."""
    return [i.id for i in panel.record.codebook.by(default=True)]


def beliefs(spec: dict[str, Any], priors: Priors) -> Priors:
    """Give the belief set of a choice: a named one, or the present one with values held."""
    from fairweather.priors import Prior, load_priors

    if "priors" in spec:
        return load_priors(spec["priors"])
    held = {
        name: Prior(name, "Fixed", {"value": float(value)}, "a choice of the curve", FILE)
        for name, value in spec.get("hold", {}).items()
    }
    return replace(priors, table={**priors.table, **held}) if held else priors


def judge_specification(job: dict[str, Any]) -> dict[str, Any]:
    """Fit one choice and judge what a single fit can speak to.

    Parameters
    ----------
    job : dict
        ``specification``, ``priors``, ``states``, ``focal``, ``seed``.

    Returns
    -------
    dict
        ``claims``: per claim value, lower, upper, probability, prior_probability; ``fit``: quality.
    """
    from fairweather.claims import assess
    from fairweather.inference import fit
    from fairweather.model import build_model
    from fairweather.readings import DEFAULT
    from fairweather.simulate import prior_tree

    spec = job["specification"]
    panel = lay_out(spec, job["states"], job["focal"])
    priors, reading = beliefs(spec, job["priors"]), spec.get("reading", DEFAULT)
    model = build_model(panel, reading=reading, priors=priors)
    tree = fit(model, draws=DRAWS, tune=TUNE, chains=CHAINS, random_seed=job["seed"],
               progressbar=False, cores=1)  # fmt: skip
    before = prior_tree(panel, reading=reading, priors=priors, draws=400, random_seed=1)
    table = assess(tree, panel, prior_tree=before, priors=priors)
    columns = ["value", "lower", "upper", "probability", "prior_probability"]
    claims = {
        r["claim_id"]: {c: _number(r[c]) for c in columns} | {"verdict": r["verdict"]}
        for r in table.to_dict("records")
    }
    divergences = int(tree["sample_stats"]["diverging"].sum())
    return {"claims": claims, "divergences": divergences, "max_rhat": _rhat(tree),
            "reading": reading, "rows": sum(map(len, panel.rows.values()))}  # fmt: skip


def _number(x: Any) -> float | None:
    return None if x is None or not np.isfinite(x) else round(float(x), 6)


def _rhat(tree: Any) -> float:
    """Worst R-hat of the numbers that speak for themselves."""
    from arviz_stats.base import array_stats

    data = tree["posterior"].to_dataset()
    worst = 1.0
    for x in data.data_vars.values():
        if x.ndim == 2:
            split = x.transpose("chain", "draw").to_numpy()
            if split.std() > 0:
                worst = max(worst, float(array_stats.rhat(split, chain_axis=-2, draw_axis=-1)))
    return round(worst, 4)
