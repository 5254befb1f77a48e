"""How often something happened in some years against others, beyond what other pairs did.

Rates are gamma, counts Poisson. A unit's counts are divided by the dispersion its own years show,
so that a bunch of deals in one year does not count as so many separate proofs. Where others are
given, the pair's ratio is divided by theirs; several items are averaged on the log scale.

Invariant: prior rates of all years are exchangeable, so that a ratio starts even. Guarded by
``tests/test_claims_record.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fairweather.claims.evidence import Evidence
from fairweather.claims.measures.record_rows import DRAWS, SEED, Counts, counts, say, years_of

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record

_SHAPE = 0.5


def record_rate(record: Record, params: Mapping[str, Any]) -> Evidence:
    """Judge the ratio of rates in `years` over each span of `against`.

    Parameters
    ----------
    record : Record
    params : mapping
        `items` (see `record_rows.counts`), `years`, `against` (list of lists of years, all of which
        must hold), `side` ("above" or "below" one), optional `rival` (a unit whose rate in `years`
        must exceed the focal one, by the first item), `said`.

    Returns
    -------
    Evidence
        `value`: log2 of the ratio (1 is twice as often), the mean over spans; `shocks`: counts of
        the focal unit.

    Raises
    ------
    ClaimError
        If an item has no row in a year asked for.

    Examples
    --------
    >>> import fairweather as fw
    >>> params = {"items": [{"indicator": "exercises_chn_rus"}], "years": [[2012, 2024]],
    ...           "against": [[[1999, 2011]]], "side": "above", "said": "{ratio:.1f} times"}
    >>> bool(record_rate(fw.load_record(), params).holds.mean() > 0.9)
    True
    """
    inside = years_of(params["years"])
    spans = [years_of(span) for span in params["against"]]
    years = years_of([*inside, *(y for span in spans for y in span)])
    items = [counts(record, one, years) for one in params["items"]]
    now, prior = (log_ratios(items, inside, spans, blind=b) for b in (False, True))
    side = 1 if params.get("side", "above") == "above" else -1
    holds, before = ((side * r > 0).all(axis=0) for r in (now, prior))
    hits = [int(one.focal[inside].sum()) for one in items]
    away = [int(one.focal.sum()) - k for one, k in zip(items, hits, strict=True)]
    facts: dict[str, Any] = {
        "ratio": float(np.exp(np.median(now.mean(axis=0)))),
        "inside": sum(hits),
        "outside": sum(away),
        "items": ", ".join(one.name for one in items),
    }
    for number, each in enumerate(now, start=1):
        facts[f"ratio{number}"] = float(np.exp(np.median(each)))
    for number in range(len(items)):
        facts[f"inside{number + 1}"] = hits[number]
        facts[f"outside{number + 1}"] = away[number]
    lists = [one for one in items if not one.name.startswith("chronology")]
    if 0 < len(lists) < len(items):
        # The chronology is denser in some years than its exposure may tell.
        plain = side * log_ratios(lists, inside, spans, blind=False) > 0
        facts["lists_alone"] = float(plain.all(axis=0).mean())
    if "rival" in params:
        other = counts(record, {**params["items"][0], "unit": params["rival"]}, inside)
        gap, start = (
            log_ratio(items[0].focal[inside], other.focal, blind=b) for b in (False, True)
        )
        holds &= gap < 0
        before &= start < 0
        facts["rival"] = int(other.focal.sum())
        facts["rival_leads"] = float((gap < 0).mean())
    return Evidence(
        value=now.mean(axis=0) / np.log(2.0),
        holds=holds,
        note=say(params, facts),
        prior=float(before.mean()),
        shocks=sum(hits) + sum(away),
    )


def log_ratios(
    items: Sequence[Counts], inside: list[int], spans: Sequence[list[int]], *, blind: bool
) -> np.ndarray:
    """Draw the log ratio of rates, averaged over items.

    Parameters
    ----------
    items : sequence of Counts
    inside : list of int
    spans : sequence of list of int
        The years compared with.
    blind : bool
        From the prior alone.

    Returns
    -------
    ndarray, shape (span, draw)
    """
    out = []
    for span in spans:
        total = np.zeros(DRAWS)
        for number, one in enumerate(items):
            # One seed for the rate inside, whatever the span: a trough is compared with itself.
            seed = SEED + 10 * number
            total += _ratio(one.focal, one.exposure, inside, span, seed, blind)
            if one.others is not None:
                pooled = one.others.sum(axis=1)
                level = one.exposure * 0 + 1
                total -= _ratio(pooled, level, inside, span, seed + 5, blind)
        out.append(total / len(items))
    return np.array(out)


def log_ratio(first: pd.Series, second: pd.Series, *, blind: bool) -> np.ndarray:
    """Draw the log ratio of the yearly rates of two units in the same years.

    The first unit's rate is drawn as in `log_ratios`, so that both statements are joint.

    Parameters
    ----------
    first, second : Series
    blind : bool
        From the prior alone.

    Returns
    -------
    ndarray, shape (draw,)
    """
    scale = max(float(first.sum() + second.sum()), 1.0) / (len(first) + len(second))
    level = np.ones(len(first))
    return np.log(_rate(first, level, scale, [SEED, 0], blind)) - np.log(
        _rate(second, level, scale, [SEED, 2], blind)
    )


def dispersion(values: np.ndarray, expected: np.ndarray) -> float:
    """How much more counts scatter than Poisson counts would; at least 1.

    Examples
    --------
    >>> dispersion(np.array([0.0, 6.0]), np.array([3.0, 3.0]))
    6.0
    """
    good = expected > 0
    if good.sum() < 2:
        return 1.0
    chi = ((values[good] - expected[good]) ** 2 / expected[good]).sum()
    return float(max(1.0, chi / (good.sum() - 1)))


def _ratio(
    values: pd.Series, exposure: pd.Series, inside: list[int], span: list[int], seed: int,
    blind: bool,
) -> np.ndarray:  # fmt: skip
    # The span has a stream of its own, the years inside one for all spans.
    both = [*inside, *span]
    scale = max(float(values[both].sum()), 1.0) / float(exposure[both].sum())
    first = _rate(values[inside], exposure[inside].to_numpy(), scale, [seed, 0], blind)
    second = _rate(values[span], exposure[span].to_numpy(), scale, [seed, 1, span[0]], blind)
    return np.log(first) - np.log(second)


def _rate(
    values: pd.Series, exposure: np.ndarray, scale: float, seed: Sequence[int], blind: bool
) -> np.ndarray:
    from scipy.special import gammaincinv

    seen, effort = float(np.sum(values)), float(np.sum(exposure))
    spread = dispersion(np.asarray(values, float), exposure * seen / effort)
    if blind:
        seen = effort = 0.0
    # By quantiles: one stream then means one draw, whatever the shape.
    quantile = np.random.default_rng(seed).random(DRAWS)
    draws = gammaincinv(_SHAPE + seen / spread, quantile) / (_SHAPE / scale + effort / spread)
    return np.maximum(draws, 1e-12)
