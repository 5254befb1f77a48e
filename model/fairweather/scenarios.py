"""Scenarios are data: a path of US pressure per state, checked before any sampling.

Invariant: every scenario shifts pressure relative to each draw's own origin year, by exactly one
declared form per state; a state that is not named stays where it was, and ``current-weather``
names none. Guarded by ``tests/test_scenarios.py``.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.errors import ScenarioError
from fairweather.paths import data_dir

if TYPE_CHECKING:
    from fairweather.panel import Panel

BASELINE = "current-weather"
YEARS_GIVEN = 5
_FORMS = ("shift_sd", "to_years", "analogue")


@dataclass(frozen=True)
class Scenarios:
    """A checked set of scenarios.

    Attributes
    ----------
    table : dict
        Name -> ``{"label", "text", "state": {iso3: form}}``.
    content_hash : str
        SHA-256 over the canonical content.
    shipped : bool
        Whether this is the project's own file: only then may scenarios that do not concern the
        focal dyad be left out.
    """

    table: dict[str, dict[str, Any]]
    content_hash: str
    file: str = "scenarios.toml"
    shipped: bool = field(default=False, compare=False)

    @property
    def names(self) -> list[str]:
        """Names in the order of the file, the current weather first."""
        return list(self.table)

    def select(self, wanted: list[str]) -> Scenarios:
        """Keep some scenarios; the hash follows the content."""
        table = {k: v for k, v in self.table.items() if k in wanted}
        return replace(self, table=table, content_hash=_digest(table))


def load_scenarios(
    path: str | Path | None = None, states: list[str] | tuple[str, ...] | None = None
) -> Scenarios:
    """Read and check scenarios.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file; default the shipped one.
    states : list of str, optional
        If given, every state a scenario names must be among them.

    Returns
    -------
    Scenarios
        ``current-weather`` is added in front where the file does not define it.

    Raises
    ------
    ScenarioError
        Unreadable file, unknown state or key, two forms for one state, a path that is not five
        finite numbers.

    Examples
    --------
    >>> import fairweather as fw
    >>> fw.load_scenarios().names[0]
    'current-weather'
    """
    file = data_dir() / "scenarios.toml" if path is None else Path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as err:
        raise ScenarioError(
            f"cannot be read ({err.strerror})", file=file, remedy="Name an existing TOML file."
        ) from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ScenarioError(f"not valid TOML: {err}", file=file, remedy="Mend it.") from err
    tables = content.get("scenario")
    if set(content) != {"scenario"} or not isinstance(tables, dict):
        raise ScenarioError(
            f"expected only [scenario.<name>] tables, found {sorted(content)}", file=file,
            remedy="Write every scenario as [scenario.<name>].",
        )  # fmt: skip
    table = {name: _scenario(name, entry, file) for name, entry in tables.items()}
    same = {"label": "current weather", "text": "Pressure stays at its origin level.", "state": {}}
    base = table.pop(BASELINE, same)
    if base["state"]:
        raise ScenarioError(
            f"[scenario.{BASELINE}] moves {', '.join(base['state'])}, but all changes are measured "
            "against it", file=file, remedy="Leave it without states, or rename it.",
        )  # fmt: skip
    table = {BASELINE: base, **table}
    out = Scenarios(table, _digest(table), file.name, shipped=path is None)
    if states is not None:
        _known_states(out, tuple(states))
    return out


def check_scenarios(scenarios: Scenarios, panel: Panel) -> Scenarios:
    """Hold scenarios against a panel, before anything is sampled.

    Parameters
    ----------
    scenarios : Scenarios
    panel : Panel

    Returns
    -------
    Scenarios
        A file of the reader's own comes back whole; of the shipped file only the scenarios that
        move no state outside the focal dyad and no year outside the panel.

    Raises
    ------
    ScenarioError
        A scenario of the reader's own file names a state or a year the panel does not have.

    Examples
    --------
    >>> import fairweather as fw
    >>> panel = fw.load_panel(states=["CHN", "IRN", "RUS"], focal="CHN-IRN")
    >>> check_scenarios(fw.load_scenarios(), panel).names
    ['current-weather', 'ease-china']
    """
    if scenarios.shipped:
        pair = panel.focal.split("-")
        kept = [
            name for name, entry in scenarios.table.items()
            if set(entry["state"]) <= set(pair) and not _outside(entry, panel)
        ]  # fmt: skip
        return scenarios if kept == scenarios.names else scenarios.select(kept)
    _known_states(scenarios, panel.states)
    for name, entry in scenarios.table.items():
        years = _outside(entry, panel)
        if years:
            raise ScenarioError(
                f"[scenario.{name}] refers to {', '.join(map(str, years))}, but the panel runs "
                f"{panel.years[0]}-{panel.origin}", file=scenarios.file,
                remedy="Use years of the panel, or a longer panel.",
            )  # fmt: skip
    return scenarios


def shifts(
    scenarios: Scenarios, panel: Panel, pressure: np.ndarray, horizon: int, spread: float
) -> np.ndarray:
    """Lay the scenarios out as shifts of pressure against the origin year.

    Parameters
    ----------
    scenarios : Scenarios
        Checked against `panel`.
    panel : Panel
    pressure : ndarray, shape (draw, state, year)
        Draws of pressure of all states, log(1 + cases).
    horizon : int
        Years ahead.
    spread : float
        One SD in the same units.

    Returns
    -------
    ndarray, shape (scenario, draw, 2, horizon)
        For the two states of the focal dyad, in its order.
    """
    pair = panel.focal.split("-")
    out = np.zeros((len(scenarios.table), pressure.shape[0], 2, horizon))
    ahead = np.arange(1, horizon + 1)
    at = {int(y): k for k, y in enumerate(panel.years)}
    for s, entry in enumerate(scenarios.table.values()):
        for side, state in enumerate(pair):
            form = entry["state"].get(state)
            if form is None:
                continue
            path = pressure[:, panel.states.index(state)]
            if "shift_sd" in form:
                given = np.array(form["shift_sd"]) * spread
                out[s, :, side] = given[np.minimum(ahead, len(given)) - 1]
            elif "to_years" in form:
                first, last = form["to_years"]
                gap = path[:, at[first] : at[last] + 1].mean(axis=1) - path[:, -1]
                out[s, :, side] = gap[:, None] * np.minimum(ahead / form["over"], 1.0)
            else:
                a = form["analogue"]
                seen = pressure[:, panel.states.index(a["state"])].mean(axis=0)
                then = at[a["from"]] + np.minimum(ahead, a["to"] - a["from"])
                out[s, :, side] = seen[then] - seen[at[a["from"]]]
    return out


def _digest(table: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(table, sort_keys=False).encode()).hexdigest()


def _known_states(scenarios: Scenarios, states: tuple[str, ...]) -> None:
    for name, entry in scenarios.table.items():
        for state, form in entry["state"].items():
            for one in {state, form.get("analogue", {}).get("state", state)}:
                if one not in states:
                    raise ScenarioError(
                        f"[scenario.{name}] names the state '{one}', which is not in the panel",
                        file=scenarios.file, remedy=f"Use one of {', '.join(states)}.",
                    )  # fmt: skip


def _outside(entry: dict[str, Any], panel: Panel) -> list[int]:
    years = []
    for form in entry["state"].values():
        years += form.get("to_years", [])
        years += [form["analogue"][k] for k in ("from", "to")] if "analogue" in form else []
    return [y for y in years if not panel.years[0] <= y <= panel.origin]


def _scenario(name: str, entry: Any, file: Path) -> dict[str, Any]:
    where = f"[scenario.{name}]"
    if not isinstance(entry, dict):
        raise ScenarioError(f"{where} is not a table", file=file, remedy="Make it one.")
    _only(entry, ("label", "text", "state"), where, file)
    for key in ("label", "text"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise ScenarioError(
                f"{where} {key} is {entry.get(key)!r}, not a sentence", file=file,
                remedy=f"Give it a {key}.",
            )  # fmt: skip
    states = entry.get("state", {})
    if not isinstance(states, dict):
        raise ScenarioError(
            f"{where} state is not a table", file=file,
            remedy=f"Write [scenario.{name}.state.RUS] and a path under it.",
        )  # fmt: skip
    paths = {k: _form(f"[scenario.{name}.state.{k}]", v, file) for k, v in states.items()}
    return {"label": entry["label"], "text": entry["text"], "state": paths}


def _only(entry: dict[str, Any], known: tuple[str, ...], where: str, file: Path) -> None:
    for key in entry:
        if key not in known:
            raise ScenarioError(
                f"{where} has the unknown key '{key}'", file=file,
                remedy=f"Use {', '.join(known)}.",
            )  # fmt: skip


def _form(where: str, form: Any, file: Path) -> dict[str, Any]:
    if not isinstance(form, dict):
        raise ScenarioError(f"{where} is not a table", file=file, remedy="Make it one.")
    _only(form, (*_FORMS, "over"), where, file)
    given = [f for f in _FORMS if f in form]
    if len(given) != 1 or ("over" in form) != (given == ["to_years"]):
        raise ScenarioError(
            f"{where} gives {', '.join(form) or 'nothing'}", file=file,
            remedy="Give exactly one of shift_sd, to_years with over, or analogue.",
        )  # fmt: skip
    if "shift_sd" in form:
        values = form["shift_sd"]
        if not isinstance(values, list) or len(values) != YEARS_GIVEN or not all(
            _number(v) for v in values
        ):  # fmt: skip
            raise ScenarioError(
                f"{where} shift_sd = {values!r} is not a list of five finite numbers", file=file,
                remedy="Give one shift in SD for each of the next five years.",
            )  # fmt: skip
        return {"shift_sd": [float(v) for v in values]}
    if "to_years" in form:
        years, over = form["to_years"], form["over"]
        good = isinstance(years, list) and len(years) == 2 and all(map(_whole, years))
        if not good or years[0] > years[1] or not _whole(over) or over < 1:
            raise ScenarioError(
                f"{where} to_years = {years!r} over {over!r} is not a span of years", file=file,
                remedy="Write to_years = [2001, 2004] and over = 2.",
            )  # fmt: skip
        return {"to_years": list(years), "over": over}
    a = form["analogue"]
    if isinstance(a, dict):
        _only(a, ("state", "from", "to"), f"{where} analogue", file)
    good = isinstance(a, dict) and isinstance(a.get("state"), str)
    if not good or not _whole(a.get("from")) or not _whole(a.get("to")) or a["from"] >= a["to"]:
        raise ScenarioError(
            f"{where} analogue = {a!r} is not a state and two years", file=file,
            remedy='Write analogue = {state = "RUS", from = 2008, to = 2011}.',
        )  # fmt: skip
    return {"analogue": {k: a[k] for k in ("state", "from", "to")}}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
