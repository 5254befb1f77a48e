"""What happened and what was expected are measured alike, and a change made by hand is found."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import made_fit
from fairweather import heldout, names
from fairweather.contest.windows import (
    STATISTICS,
    all_rows,
    change,
    pressed_ties,
    replications,
    scaled,
)
from fairweather.holdout import hold_out
from fairweather.scales import link

PANEL = made_fit.panel()
READ = [i.id for i in PANEL.indicators(names.ALIGNMENT)]
WINDOW = {"state": "RUS", "start": 2013, "end": 2016, "type": "hardship"}
OWN = [d for d in PANEL.dyads if "RUS" in d]


@pytest.fixture(scope="module")
def known():
    panel = hold_out(PANEL, indicators=READ, units=OWN, years=range(2013, 2020))
    return SimpleNamespace(panel=panel, reading="thermostat")


def as_happened(known, draws=20, move=None):
    """Draws of the held rows that are what happened, moved by hand if asked."""
    rows = heldout.held_cells(PANEL, known.panel)
    x = np.where(rows["family"] == "vote", rows["score"], rows["value"]).astype(float)
    x = np.repeat(x[None], draws, axis=0)
    return heldout._labelled(x if move is None else move(rows, x), rows)


def replicate(known, monkeypatch, drawn, windows=(WINDOW,)):
    monkeypatch.setattr(heldout, "held_draws", lambda *a: drawn)
    return pd.DataFrame(replications({}, known, PANEL, windows, 1))


# -- levels --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "value", "n", "want"),
    [
        ("vote", 0.75, 40, np.log(3.0)),
        ("vote", 1.0, 40, np.log((1 - 1e-6) / 1e-6)),
        ("count", 3.0, 2.0, np.log(2.0)),
        ("count", 0.0, 0.0, np.log(0.5)),
        ("share", 3.0, 10.0, np.log(3.5 / 7.5)),
        ("within", -1.5, np.nan, -1.5),
    ],
)
def test_links_by_hand(family, value, n, want):
    assert link(family, [value], [n]).tolist() == pytest.approx([want])


def test_every_row_of_alignment_has_a_level():
    rows = all_rows(PANEL)
    assert rows.groupby("indicator").size().to_dict() == {k: len(PANEL.rows[k]) for k in READ}
    assert np.isfinite(rows["level"]).all() and not rows.duplicated(
        ["indicator", "unit", "year"]).any()  # fmt: skip
    spread = rows.groupby("indicator")["level"].std(ddof=0)
    assert spread.to_numpy() == pytest.approx(1.0)
    # Up is closer: an indicator on which less is closer is turned round.
    turned = [i for i in PANEL.indicators(names.ALIGNMENT) if i.sign < 0]
    for ind in turned:
        assert rows.attrs["scale"][ind.id][2] < 0
    assert scaled(np.array([3.0]), (1.0, 2.0, -1.0)).tolist() == [-1.0]


# -- a change made by hand -----------------------------------------------------------------------


def made(level, units=("CHN-RUS", "IND-RUS", "CHN-IND"), years=range(2000, 2020)):
    items = [("a", "security"), ("b", "security"), ("c", "economic")]
    rows = pd.DataFrame(
        [(i, u, y, d) for i, d in items for u in units for y in years],
        columns=["indicator", "unit", "year", "domain"],
    )
    return rows, np.array([[level(*r) for r in rows.itertuples(index=False)]])


def test_the_change_is_found_with_sign_and_size():
    """Years within the episode, and those further off, have no say."""

    def level(item, unit, year, domain):
        size = {"a": 1.0, "b": 2.0, "c": -0.5}[item] * (2.0 if unit == "IND-RUS" else 1.0)
        wild = 99.0 if 2013 <= year < 2016 or year < 2010 or year > 2019 else 0.0
        # Four years after and three before, both ends included, count alike.
        return size * ((year >= 2016) + 4 * (year == 2016) - 3 * (year == 2010)) + wild

    rows, levels = made(level, years=range(2000, 2024))
    found = change(rows, levels, WINDOW, None)
    # Mean over items of a domain, then over domains: 3 (1.5 - 0.5) / 2.
    assert {k: float(v[0]) for k, v in found.items()} == pytest.approx(
        {"CHN-RUS": 1.5, "IND-RUS": 3.0, "": 2.25}
    )
    security = change(rows, levels, WINDOW, "security")
    assert security["CHN-RUS"] == pytest.approx(4.5) and security[""] == pytest.approx(6.75)
    assert change(rows, levels, WINDOW, "diplomatic") == {}
    assert change(rows, -levels, WINDOW, None)[""] == pytest.approx(-2.25)


def test_all_draws_are_measured_alike():
    rows, levels = made(lambda i, u, y, d: float(y >= 2016))
    many = change(rows, np.concatenate([levels, 3 * levels, -levels]), WINDOW, None)
    assert many[""].tolist() == pytest.approx([1.0, 3.0, -1.0])


def test_a_side_without_rows():
    rows, levels = made(lambda i, u, y, d: float(y >= 2016))
    lacks = ((rows["unit"] == "IND-RUS") & (rows["year"] >= 2013)).to_numpy()
    found = change(rows[~lacks], levels[:, ~lacks], WINDOW, None)
    assert set(found) == {"", "CHN-RUS"}
    early = (rows["year"] < 2013).to_numpy()
    assert change(rows[early], levels[:, early], WINDOW, None) == {}


# -- replications --------------------------------------------------------------------------------


def test_draws_of_what_happened_change_as_what_happened(known, monkeypatch):
    """The two go through one function and one scale."""
    out = replicate(known, monkeypatch, as_happened(known))
    assert set(out["statistic"]) == set(STATISTICS) and set(out["dyad"]) == {
        "",
        "pressed",
        "CHN-RUS",
    }
    assert len(out) == 3 * len(STATISTICS) and out["realised"].abs().min() > 0
    for column in ("replicated_mean", "replicated_lower", "replicated_upper"):
        np.testing.assert_allclose(out[column], out["realised"], atol=1e-4)
    one = out[out["statistic"] == "change"].iloc[0]
    assert one["episode_id"] == "RUS-hardship-2013" and one["reading"] == "thermostat"
    assert (one["state"], one["start"], one["end"], one["type"]) == ("RUS", 2013, 2016, "hardship")


def test_ties_with_pressed_partners_are_averaged_alone():
    """Iran is pressed before 2013 and India is not: the group is theirs to tell apart."""
    ties = pressed_ties(PANEL, WINDOW)
    assert "IRN-RUS" in ties and "IND-RUS" not in ties
    assert all("RUS" in d for d in ties)
    other = pressed_ties(PANEL, {**WINDOW, "state": "IRN"})
    assert "IRN-RUS" not in other, "a partner no more pressed than most"


def test_a_move_of_the_draws_is_seen_with_sign_and_size(known, monkeypatch):
    """Votes alone are moved, by half a logit, and only after the window: by hand from there."""

    def up(rows, x):
        at = (rows["family"] == "vote").to_numpy() & (rows["year"] >= 2016).to_numpy()
        x = x.copy()
        x[:, at] = 1 / (1 + np.exp(-(np.log(x[:, at] / (1 - x[:, at])) + 0.5)))
        return x

    before = replicate(known, monkeypatch, as_happened(known))
    after = replicate(known, monkeypatch, as_happened(known, move=up))
    keys = ["dyad", "statistic"]
    before, after = before.set_index(keys), after.set_index(keys)
    assert (after["realised"] == before["realised"]).all(), "what happened is what happened"
    gap = after["replicated_mean"] - before["replicated_mean"]
    (vote,) = [i for i in PANEL.indicators(names.ALIGNMENT) if i.id == "unga_votes"]
    others = [s for s in STATISTICS[1:] if s != f"change_{vote.domain}"]
    assert np.allclose(gap.loc[[("CHN-RUS", s) for s in others]], 0.0, atol=1e-4)
    rows = all_rows(PANEL)
    pair = rows[(rows["unit"] == "CHN-RUS") & (rows["domain"] == vote.domain)]
    near = pair[pair["year"].between(2010, 2019) & ~pair["year"].between(2013, 2015)]
    sides = near.groupby("indicator")["year"].agg(
        lambda y: bool((y < 2013).any() and (y >= 2016).any())
    )
    moved = [
        vote.sign * 0.5 / rows.attrs["scale"][i.id][1] if i.family == "vote" else 0.0
        for i in PANEL.indicators(names.ALIGNMENT)
        if sides.get(i.id, False)
    ]
    want = float(np.mean(moved))
    assert want > 0.02
    assert gap["CHN-RUS", f"change_{vote.domain}"] == pytest.approx(want, abs=2e-4)
    assert after.loc[("CHN-RUS", f"change_{vote.domain}"), "p_value"] == 0.0


def test_rows_that_were_known_do_not_vary(known, monkeypatch):
    """A window whose rows were all in the fit cannot be missed."""

    def wild(rows, x):
        return x * np.random.default_rng(1).uniform(0.2, 0.9, x.shape)

    quiet = {"state": "IND", "start": 2000, "end": 2001, "type": "easing"}
    drawn = as_happened(known, move=wild)
    out = replicate(known, monkeypatch, drawn, (WINDOW, quiet))
    other = out[out["state"] == "IND"]
    assert len(other) == 2 * len(STATISTICS) and set(other["dyad"]) == {"", "pressed"}
    for column in ("replicated_mean", "replicated_lower", "replicated_upper"):
        np.testing.assert_allclose(other[column], other["realised"], atol=1e-4)
    own = out[out["state"] == "RUS"]
    assert (own["replicated_lower"] < own["replicated_upper"]).all()


def test_a_cell_no_one_can_speak_of_is_missing_on_both_sides(known, monkeypatch):
    def silent(rows, x):
        x = x.copy()
        x[:, (rows["domain"] == "economic").to_numpy()] = np.nan
        return x

    out = replicate(known, monkeypatch, as_happened(known, move=silent))
    assert "change_economic" not in set(out["statistic"])
    assert not out.isna().any().any()
    whole = replicate(known, monkeypatch, as_happened(known))
    same = whole[whole["statistic"] == "change_security"]
    assert out[out["statistic"] == "change_security"]["realised"].tolist() == same[
        "realised"].tolist()  # fmt: skip
    assert set(out[out["statistic"] == "change"]["realised"]) != set(
        whole[whole["statistic"] == "change"]["realised"])  # fmt: skip


def test_a_window_without_rows_on_one_side_is_left_out(known, monkeypatch):
    early = {"state": "RUS", "start": 1992, "end": 1993, "type": "easing"}
    out = replicate(known, monkeypatch, as_happened(known), (early, WINDOW))
    assert set(out["start"]) == {2013}
