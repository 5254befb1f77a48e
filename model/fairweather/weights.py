"""Where the weights of a mixture of readings come from, and whether they are weights at all.

Invariant: weights are finite, non-negative and sum to one; whatever had to be done to make them so
is noted. Weights found on what a forecast is about are not used for it.
Guarded by ``tests/test_weights.py``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fairweather.errors import FairweatherError
from fairweather.readings import READINGS

EQUAL = "equal"
BACKTEST = "backtest.json"
CONTEST = "contest.json"
# Sums nearer to one than this are rounding.
_ROUNDING = 1e-6


class WeightsError(FairweatherError):
    """Weights that are none, or a source that does not give any."""


def share_out(weights: Mapping[str, float]) -> tuple[dict[str, float], list[str]]:
    """Check weights, leave out those of zero, and let the others sum to one.

    Parameters
    ----------
    weights : mapping of str to float
        By reading.

    Returns
    -------
    dict of str to float
        Largest first, then by name: the order does not hang on how they were given.
    list of str
        Notes on what was done to them.

    Raises
    ------
    WeightsError
        None, an unknown reading, a negative or infinite weight, or all of them zero.

    Examples
    --------
    >>> share_out({"drift": 1, "scope": 3, "placebo": 0})
    ({'scope': 0.75, 'drift': 0.25}, ['the weights summed to 4 and were divided by it'])
    """
    if not isinstance(weights, Mapping) or not weights:
        raise WeightsError("there are no weights", remedy="Give one weight for each reading.")
    kept = {}
    for name, value in weights.items():
        if name not in READINGS:
            raise WeightsError(
                f"there is no reading '{name}'", remedy=f"Readings: {', '.join(READINGS)}."
            )
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value < 0:
            raise WeightsError(
                f"the weight of '{name}' is {value!r}", remedy="Give a number, zero or more."
            )
        if value > 0:
            kept[name] = float(value)
    total = sum(kept.values())
    if not kept or not math.isfinite(total):
        raise WeightsError("no reading has any weight", remedy="Give one more than zero.")
    notes = []
    if abs(total - 1.0) > _ROUNDING:
        notes.append(f"the weights summed to {total:.6g} and were divided by it")
    order = sorted(kept, key=lambda name: (-kept[name], name))
    return {name: kept[name] / total for name in order}, notes


def weights_from(
    source: str | Path | Mapping[str, float], readings: Iterable[str] | None = None, *,
    latest: int | None = None,
) -> tuple[dict[str, float], dict[str, Any]]:  # fmt: skip
    """Read the weights of a mixture.

    Parameters
    ----------
    source : str, Path or mapping
        Folder of a backtest or its ``backtest.json``; a TOML or JSON file of ``reading = weight``,
        at the top or in a table ``weights``; ``equal``; or the weights themselves.
    readings : iterable of str, optional
        Those at hand. Others that a backtest had are left out, with a note.
    latest : int, optional
        The last origin whose weights may be used: weights of an origin rest on the years before
        it. Default: the last the backtest has, which are for a forecast made now.

    Returns
    -------
    weights : dict of str to float
        Largest first, zeros last; they sum to one.
    where : dict
        ``kind`` (``backtest``, ``file``, ``equal``, ``given``), ``notes``; ``sha256`` of a file;
        of a backtest ``origin``, ``years`` (target years they rest on), ``record``, ``priors``,
        ``seed``. No path and no clock.

    Raises
    ------
    WeightsError
        No such source, a contest, a backtest that lacks one of the readings, or no weights.

    Examples
    --------
    >>> weights_from("equal", ["drift", "scope"])
    ({'drift': 0.5, 'scope': 0.5}, {'kind': 'equal', 'notes': []})
    """
    names = None if readings is None else list(dict.fromkeys(readings))
    if isinstance(source, Mapping):
        found, where = dict(source), {"kind": "given"}
    elif str(source) == EQUAL:
        if not names:
            raise WeightsError("equal weights of which readings?", remedy="Name the readings.")
        found, where = dict.fromkeys(names, 1.0 / len(names)), {"kind": EQUAL}
    else:
        file = _file(Path(source))
        data, parsed = _parse(file)
        if "quality" in parsed and "settings" in parsed:
            found, where = _of_backtest(parsed, file, latest)
        else:
            table = parsed.get("weights", parsed)
            found, where = (table if isinstance(table, dict) else {}), {"kind": "file"}
        where["sha256"] = hashlib.sha256(data).hexdigest()
    notes: list[str] = where.pop("notes", [])
    if names is not None:
        found, more = _at_hand(found, names, from_backtest=where["kind"] == "backtest")
        notes += more
    shares, more = share_out(found)
    weights = shares | {name: 0.0 for name in found if name not in shares}
    # A restriction says itself that the rest was raised.
    return weights, where | {"notes": notes or more}


def _file(path: Path) -> Path:
    if path.is_dir():
        if (path / BACKTEST).is_file():
            return path / BACKTEST
        if (path / CONTEST).is_file():
            raise _of_contest()
        raise WeightsError(
            f"the folder '{path.name}' has no {BACKTEST}",
            remedy="Name the folder of a complete backtest: fairweather backtest.",
        )
    if not path.is_file():
        raise WeightsError(
            f"there are no weights at '{path}'",
            remedy="Name the folder of a backtest, a TOML or JSON file of reading = weight, "
            f"or write {EQUAL}.",
        )
    return path


def _of_contest() -> WeightsError:
    return WeightsError(
        "these are the weights of a contest: they weigh explanations given the weather that came, "
        "not forecasts of it",
        remedy="Use those of a backtest: fairweather backtest.",
    )


def _parse(file: Path) -> tuple[bytes, dict[str, Any]]:
    import tomllib

    try:
        data = file.read_bytes()
        text = data.decode("utf-8")
        parsed = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except OSError as err:
        raise WeightsError(
            f"cannot be read ({err.strerror or err})", file=file, remedy="Check the path."
        ) from err
    except (ValueError, RecursionError) as err:
        raise WeightsError(
            f"is no {'TOML' if file.suffix.lower() == '.toml' else 'JSON'} ({err})", file=file,
            remedy="Write reading = weight, one a line, in a .toml file.",
        ) from err  # fmt: skip
    if not isinstance(parsed, dict):
        raise WeightsError("holds no weights", file=file, remedy="Write reading = weight.")
    settings = parsed.get("settings")
    if isinstance(settings, dict) and settings.get("kind") == "contest":
        raise _of_contest()
    return data, parsed


def _of_backtest(
    parsed: Mapping[str, Any], file: Path, latest: int | None
) -> tuple[dict[str, float], dict[str, Any]]:
    """Pick the newest weights that may be used."""
    try:
        rows = [
            (int(r["origin"]), str(r["reading"]), float(r["weight"]), int(r["years"]))
            for r in parsed["weights"]
        ]
        settings = {k: parsed["settings"].get(k) for k in ("record", "priors", "seed")}
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise WeightsError(
            "is damaged: its weights cannot be read", file=file,
            remedy="Run the same backtest again; what is done is not done anew.",
        ) from err  # fmt: skip
    usable = [o for o, *_ in rows if latest is None or o <= latest]
    if not usable:
        first = min((o for o, *_ in rows), default=None)
        raise WeightsError(
            "has no weights" if first is None
            else f"its first weights are those of {first}, after what was known in {latest}",
            file=file, remedy="Run a backtest with earlier origins, or use equal weights.",
        )  # fmt: skip
    origin = max(usable)
    found = {r: w for o, r, w, _ in rows if o == origin}
    years = next(y for o, *_, y in rows if o == origin)
    notes = []
    if not years:
        notes.append(f"by {origin} too few years had come: the weights are equal")
    return found, {"kind": "backtest", "origin": origin, "years": years, **settings,
                   "notes": notes}  # fmt: skip


def _at_hand(
    found: Mapping[str, float], names: list[str], *, from_backtest: bool
) -> tuple[dict[str, float], list[str]]:
    """Keep the weights of the readings at hand."""
    lacks = [n for n in names if n not in found]
    if lacks:
        what = "the backtest had no" if from_backtest else "there is no weight of the"
        add = f"fairweather backtest --reading {','.join([*found, *lacks])}"
        raise WeightsError(
            f"{what} reading {', '.join(lacks)}",
            remedy=f"Leave it out, or add it: {add}." if from_backtest
            else "Give it a weight, zero if it is to be left out.",
        )  # fmt: skip
    over = {n: w for n, w in found.items() if n not in names}
    felt = [f"{n} ({w:.2g})" for n, w in over.items() if _positive(w)]
    if felt and not from_backtest:
        raise WeightsError(
            f"there is weight on {', '.join(felt)}, of which there is no forecast",
            remedy="Add its run, or take its weight out.",
        )
    notes = []
    if over and from_backtest:
        told = ", ".join(f"{n} ({w:.2g})" for n, w in over.items())
        notes = [f"the backtest weighed {told} too; the others were raised in proportion"]
    return {n: found[n] for n in names}, notes


def _positive(weight: Any) -> bool:
    return not isinstance(weight, (int, float)) or weight != 0
