"""What is left out of a panel cannot be seen by the model, and nothing else is touched."""

from dataclasses import replace

import numpy as np
import pytest

from fairweather import names
from fairweather.engine.pack import pack
from fairweather.errors import CodebookError
from fairweather.holdout import HoldOutError, hold_out
from fairweather.model import build_model
from fairweather.panel import load_panel

STATES = ["CHN", "IND", "IRN", "RUS"]
CASES = {
    "years of everything": {"years": range(2018, 2022)},
    "an indicator of one dyad": {"indicators": "unga_votes", "units": "CHN-RUS"},
    "the anchor of pressure": {"indicators": ["gsdb_us_cases"], "units": ["RUS", "IRN"],
                               "years": [2014, range(2016, 2030)]},
    "a state": {"units": "IRN", "years": range(2000, 2013)},
    "an indicator": {"indicators": "trade_cow"},
    "all of the anchor": {"indicators": "gsdb_us_cases"},
}  # fmt: skip


@pytest.fixture(scope="module")
def panel():
    return load_panel(states=STATES)


def labelled(panel, name):
    """Rows of an indicator by unit and year."""
    latent = panel.record.codebook[name].latent
    frame = panel.rows[name]
    return frame.assign(
        label=np.array(panel.units(latent))[frame["unit"]], year=panel.years[frame["time"]]
    )


def matches(frame, name, indicators=None, units=None, years=None):
    """The conditions once more, row by row."""

    def several(x):
        return [x] if isinstance(x, str | int | range) else list(x)

    def one(row):
        fine = indicators is None or name in several(indicators)
        fine &= units is None or row.label in several(units)
        return fine and (
            years is None
            or any(row.year in y if isinstance(y, range) else row.year == y for y in several(years))
        )

    return np.array([one(row) for row in frame.itertuples()])


@pytest.mark.parametrize("case", CASES)
def test_exactly_the_matching_rows_are_left_out(panel, case):
    fewer, lost = hold_out(panel, **CASES[case]), 0
    for name in panel.rows:
        frame = labelled(panel, name)
        out = matches(frame, name, **CASES[case])
        lost += out.sum()
        if out.all():
            assert name not in fewer.rows
        else:
            want = panel.rows[name][~out].reset_index(drop=True)
            assert fewer.rows[name].equals(want), name
        keys = set(frame.loc[out, ["label", "year"]].itertuples(index=False, name=None))
        for table in (fewer.record.observations, fewer.record.ledger):
            own = table[table["indicator"] == name]
            assert keys.isdisjoint(zip(own["unit"], own["year"], strict=True))
    assert lost and len(fewer.record.observations) == len(panel.record.observations) - lost
    assert fewer.record.content_hash != panel.record.content_hash


@pytest.mark.parametrize("case", CASES)
def test_the_model_does_not_see_what_was_left_out(panel, case):
    rng, wild = np.random.default_rng(4), {}
    for name, frame in panel.rows.items():
        out = matches(labelled(panel, name), name, **CASES[case])
        frame = frame.copy()
        for column, least in {"value": 0, "partial": 0, "opposite": 0, "n": 1000}.items():
            frame.loc[out, column] = least + rng.uniform(0, 400, out.sum())
        wild[name] = frame
    other = replace(panel, rows=wild, anchor_fill=panel.anchor_fill + 50.0)
    one, two = (build_model(hold_out(p, **CASES[case])) for p in (panel, other))
    one, two = pack(one), pack(two)
    assert np.array_equal(one.f, two.f) and np.array_equal(one.i, two.i)
    # Seen, they would tell.
    assert not np.array_equal(pack(build_model(panel)).f, pack(build_model(other)).f)


def test_the_anchor_is_interpolated_as_the_panel_does_it(panel):
    (anchor,) = [i.id for i in panel.indicators(names.PRESSURE) if i.anchor]
    same = hold_out(panel, indicators="trade_cow")
    np.testing.assert_allclose(same.anchor_fill, panel.anchor_fill, rtol=1e-12)
    fewer = hold_out(panel, indicators=anchor, units="RUS", years=[2014, 2015])
    r, t = panel.states.index("RUS"), 2014 - int(panel.years[0])
    before, after = panel.anchor_fill[r, [t - 1, t + 2]]
    want = before + (after - before) * np.array([1, 2]) / 3
    np.testing.assert_allclose(fewer.anchor_fill[r, t : t + 2], want)
    tail = hold_out(panel, indicators=anchor, units="RUS", years=range(2014, 2100))
    assert (tail.anchor_fill[r, t:] == panel.anchor_fill[r, t - 1]).all()
    none = hold_out(panel, indicators=anchor)
    assert (none.anchor_fill == panel.anchor_mean).all()


def test_everything_else_stays(panel):
    before = {k: v.copy() for k, v in panel.rows.items()}
    fewer = hold_out(panel, years=range(2010, 2015))
    assert all(panel.rows[k].equals(before[k]) for k in before)
    for name in ("states", "dyads", "focal", "kinds", "anchor_mean", "reference", "spread"):
        assert getattr(fewer, name) == getattr(panel, name)
    for name in ("years", "left", "right", "complementarity", "movement"):
        assert np.array_equal(getattr(fewer, name), getattr(panel, name))
    assert fewer.record.as_of == panel.record.as_of


def test_holding_out_twice_is_holding_out_both(panel):
    twice = hold_out(hold_out(panel, units="CHN-RUS"), units="RUS")
    once = hold_out(panel, units=["CHN-RUS", "RUS"])
    assert twice.rows.keys() == once.rows.keys()
    assert all(twice.rows[k].equals(once.rows[k]) for k in once.rows)
    assert twice.record.content_hash == once.record.content_hash


def test_refusals(panel):
    for options, problem in [
        ({}, "nothing says what"),
        ({"indicators": "opec_ties", "units": "XXX"}, "opec_ties"),
        ({"units": ["CHN-RUS", "RUS-CHN"]}, "no dyad or state 'RUS-CHN'"),
        ({"units": "XXX"}, "no dyad or state 'XXX'"),
        ({"years": 1980}, "1980 is not among the years"),
        ({"years": ["2014"]}, "'2014' is no year"),
        ({"years": [True]}, "True is no year"),
        ({"years": range(2080, 2090)}, "no row matches"),
        ({"indicators": "trade_cow", "units": "RUS"}, "no row matches"),
        ({"indicators": []}, "no row matches"),
        ({"years": range(1900, 2100)}, "no row would be left"),
    ]:  # fmt: skip
        with pytest.raises((HoldOutError, CodebookError), match=problem):
            hold_out(panel, **options)
    unread = panel.record.codebook.by(latent=names.COMPLEMENTARITY)[0].id
    with pytest.raises(HoldOutError, match="has no rows in this panel"):
        hold_out(panel, indicators=unread)
