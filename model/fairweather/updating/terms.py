"""What a forecast is asked for, and which issued forecast it follows.

Invariant: a forecast follows one made on the same terms; the record, of which only the content
counts, is no part of them, nor are the clock, the machine and the version of the code.
Guarded by ``tests/test_updating_terms.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairweather import names
from fairweather.errors import ArchiveError

if TYPE_CHECKING:
    from fairweather.issued import Issued, Store
    from fairweather.priors import Priors
    from fairweather.samplers import Settings
    from fairweather.scenarios import Scenarios

EQUAL = "equal"


@dataclass(frozen=True)
class Terms:
    """Everything but the record that determines a forecast.

    Attributes
    ----------
    focal : str
    states : tuple of str or None
        None: all states of the record.
    weights : dict of str to float
        By reading, summing to one.
    where : dict
        Where the weights are from.
    priors : Priors
    scenarios : Scenarios
    horizon : int
        Years ahead.
    sampling : Settings
        What the sampler is asked for where it must sample.
    notes : tuple of str
        What the user should know about how the terms were settled.
    """

    focal: str
    states: tuple[str, ...] | None
    weights: dict[str, float]
    where: dict[str, Any]
    priors: Priors = field(repr=False)
    scenarios: Scenarios = field(repr=False)
    horizon: int
    sampling: Settings
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        """The reading of most weight; of several the first by name."""
        return min(self.weights, key=lambda r: (-self.weights[r], r))

    def facts(self) -> dict[str, Any]:
        """State the terms as strict JSON, the same on every machine."""
        return {
            "focal": self.focal,
            "states": None if self.states is None else sorted(self.states),
            "weights": _rounded(self.weights),
            "priors": self.priors.content_hash,
            "scenarios": self.scenarios.content_hash,
            "horizon": self.horizon,
            **sampled(self.sampling),
        }

    def of_run(self, reading: str, record_hash: str) -> dict[str, Any]:
        """State what determines the run of one reading."""
        out = {k: v for k, v in self.facts().items() if k != "weights"}
        return out | {"reading": reading, "record": record_hash}

    def same_as(self, facts: Mapping[str, Any]) -> bool:
        """Whether an issued forecast was made on these terms.

        One that was not issued by an update does not say its terms; what its facts say then
        decides.
        """
        kept = facts.get("update")
        if isinstance(kept, Mapping):
            return kept.get("terms") == self.facts()
        own, data = self.facts(), facts.get("data") or {}
        # A mixture says of each of its runs how that was sampled.
        each = list((facts.get("runs") or {"": facts}).values())
        return (
            facts.get("focal") == own["focal"]
            and data.get("as_of") is None
            and _rounded(facts.get("readings") or {}) == own["weights"]
            and (facts.get("priors") or {}).get("hash") == own["priors"]
            and (facts.get("scenarios") or {}).get("hash") == own["scenarios"]
            and facts.get("horizon") == own["horizon"]
            and all((run.get("seed") or {}).get("fit") == own["seed"] for run in each)
            and all((run.get("sampling") or {}).get(k) == own[k]
                    for run in each for k in ("chains", "draws", "tune", "target_accept"))
            and (self.states is None or sorted(data.get("states") or ()) == own["states"])
        )  # fmt: skip


def _rounded(weights: Mapping[str, float]) -> dict[str, float]:
    """Round away what dividing by a sum of nearly one does to weights."""
    return {r: round(float(weights[r]), 9) for r in sorted(weights)}


def sampled(settings: Settings) -> dict[str, Any]:
    """State what a sampler is asked for."""
    keys = ("chains", "draws", "tune", "seed", "target_accept")
    return {k: getattr(settings, k) for k in keys}


def settle(
    store: Store, *, focal: str | None, states: list[str] | None, readings: list[str] | None,
    weights: str | None, priors: str | None, scenarios: str | None, horizon: int,
    sampling: Settings,
) -> Terms:  # fmt: skip
    """Settle what is asked for: what was not said is as in the latest forecast of the pair.

    Parameters
    ----------
    store : Store
    focal : str, optional
        By default the project's own.
    states : list of str, optional
    readings : list of str, optional
        By default those of the latest forecast of the pair; if there is none those of a backtest.
    weights : str, optional
        A source of weights (`fairweather.ensemble.weights_from`); by default those of the latest
        forecast, if its readings are the same, else equal ones.
    priors, scenarios : str, optional
        Files or names; by default the shipped ones.
    horizon : int
        Years ahead.
    sampling : Settings

    Returns
    -------
    Terms

    Raises
    ------
    FairweatherError
        An unknown reading, or a source that gives no weights for the readings.
    """
    from fairweather.backtest.run import READINGS
    from fairweather.priors import load_priors
    from fairweather.readings import get_reading
    from fairweather.scenarios import load_scenarios

    pair = focal or names.FOCAL
    last = next(_of_pair(store, pair), None)
    known = dict(last.facts.get("readings") or {}) if last is not None else {}
    chosen = list(dict.fromkeys(readings or known or READINGS))
    for name in chosen:
        get_reading(name)
    notes = []
    if not readings:
        where = "the latest forecast" if known else "a backtest, as none has been issued yet"
        notes.append(f"readings as in {where}: {', '.join(chosen)}")
    found, where, told = _weights(weights, chosen, known, last)
    return Terms(
        pair, None if states is None else tuple(states), found, where, load_priors(priors),
        load_scenarios(scenarios), horizon, sampling, (*notes, *told),
    )  # fmt: skip


def _weights(
    source: str | None, readings: list[str], known: Mapping[str, float], last: Issued | None
) -> tuple[dict[str, float], dict[str, Any], list[str]]:
    if len(readings) == 1 and source is None:
        return {readings[0]: 1.0}, {"kind": EQUAL, "notes": []}, []
    if source is None and last is not None and set(known) == set(readings):
        kept = last.facts.get("weights")
        where = {k: v for k, v in kept.items() if k != "left_out"} if kept else {"kind": "given"}
        return dict(known), where, [f"weights as in forecast {last.serial}"]
    if source is None or source == EQUAL:
        share = 1.0 / len(readings)
        told = [] if source else ["weights: equal, as none are recorded for these readings"]
        return dict.fromkeys(readings, share), {"kind": EQUAL, "notes": []}, told
    from fairweather.ensemble import weights_from

    found, where = weights_from(source, readings)
    left = [r for r in readings if not found.get(r, 0.0) > 0]
    told = [f"{', '.join(left)}: weight zero, left out"] if left else []
    return {r: w for r, w in found.items() if w > 0}, where, [*told, *where.get("notes", [])]


def previous(store: Store, terms: Terms) -> tuple[Issued | None, bool]:
    """Find the forecast that a new one follows.

    Returns
    -------
    issued : Issued or None
        The latest on the same terms; if there is none the latest of the same pair.
    same : bool
        Whether the terms are the same.
    """
    first = None
    for one in _of_pair(store, terms.focal):
        first = first or one
        if terms.same_as(one.facts):
            return one, True
    return first, False


def _of_pair(store: Store, focal: str) -> Iterator[Issued]:
    """Open the forecasts of a pair, the newest first, in the order of their serials."""
    try:
        entries = store.entries()
    except ArchiveError:
        if any(not name.startswith(".") for name in store.place.names()):
            raise
        entries = []  # nothing was ever issued there
    for entry in reversed(entries):
        if entry["headline"].get("focal") == focal and entry["headline"].get("as_of") is None:
            yield store.open(entry["serial"])
