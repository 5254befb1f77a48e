"""One look: from rows to a warning, held against what was issued, and nothing written."""

import datetime as dt
import io
import json
from types import SimpleNamespace

import pytest

import fairweather
import issued_made
import made_fit
from fairweather.monitor import Asked, MonitorError, watch
from fairweather.monitor.fitting import fit_running, last_run
from fairweather.monitor.show import as_json, show
from fairweather.monitor.words import headline
from monitor_made import GOOD, TODAY, fit, write
from test_monitor_earlier import issue

STATES = list(made_fit.STATES)


@pytest.fixture
def place(tmp_path):
    return issued_made.store(tmp_path / "store")[0]


@pytest.fixture
def asked(tmp_path, place):
    return Asked(
        rows=write(tmp_path / "rows.csv", *GOOD), store=place.place.location, horizon=3,
        results=str(tmp_path / "results"), today=TODAY, states=STATES,
    )  # fmt: skip


def look(asked, **more):
    said = []
    found = watch(Asked(**{**asked.__dict__, **more}), fit=fit, say=said.append)
    assert "made up" in said
    return found


def test_a_look_holds_today_against_the_last_issue(asked, place, tmp_path):
    issue(place, 1, readings={"drift": 1.0}, origin=2022)
    before = issued_made.everything(tmp_path)
    one = look(asked)
    assert (one.reading, one.warning.since, one.warning.now) == ("drift", 2022, 2025)
    assert one.issued == 0.12 and one.learned == pytest.approx(one.warning.then - 0.12)
    assert one.learned + one.happened == pytest.approx(one.warning.today - one.issued)
    assert one.nowcast.latents["since"].tolist() == [2022] * 3
    assert one.how == "made up" and "forecast 1, issued from 2022" in headline(one)
    # Neither the store nor anything else was written.
    assert issued_made.everything(tmp_path).keys() == before.keys()
    assert all(before[k] == v for k, v in issued_made.everything(tmp_path).items()
               if "index" not in k)  # fmt: skip


def test_without_an_issue_the_end_of_the_record_stands_in(asked):
    one = look(asked)
    assert one.earlier is None and one.issued is None and one.learned is None
    assert one.warning.since == 2024 and one.reading == "elastic-side"
    assert any("Nothing has been issued" in note for note in one.notes)


def test_without_rows_the_running_year_is_a_year_ahead(asked):
    one = look(asked, rows=None)
    assert one.influence is None and one.warning.now == 2025
    assert any("No rows of 2025" in note for note in one.notes)


def test_states_focal_reading_and_priors_are_those_of_the_issue(asked, place):
    issue(place, 1, readings={"drift": 1.0}, priors={"id": "sceptic", "hash": "p"})
    rows = write(asked.rows.parent / "few.csv", GOOD[0])
    one = look(asked, states=None, rows=rows)
    assert one.priors == "sceptic" and one.reading == "drift"
    assert not any("are not those of the issue" in note for note in one.notes)
    other = look(asked, rows=rows, reading="persistence", priors="default")
    said = " ".join(other.notes)
    assert "this is reading persistence" in said and "Priors are not" in said
    assert "States are not those of the issue" in said


def test_a_clock_set_back_is_told(asked, place):
    issue(place, 1)
    said = " ".join(look(asked, rows=None, today=dt.date(2023, 5, 1)).notes)
    assert "stands before the last issue" in said and "before the end of the record (2024)" in said


def test_rows_of_several_years_are_told(asked):
    late = "unga_votes,CHN-RUS,2026,2,1,0,3,2026-01-31,"
    rows = write(asked.rows.parent / "two.csv", GOOD[0], late)
    one = look(asked, rows=rows, today=dt.date(2026, 2, 1))
    assert one.warning.now == 2026 and any("several years" in note for note in one.notes)


def test_a_forecast_from_the_running_year_is_refused_before_any_fit(asked, place):
    issue(place, 1, origin=2025)
    with pytest.raises(MonitorError, match=r"starts from 2025, the running year is 2025.*import"):
        watch(asked, fit=None)


def test_everything_is_shown_and_is_json(asked, place):
    from rich.console import Console

    issue(place, 1)
    one = look(asked)
    out = Console(width=120, record=True, file=io.StringIO())
    show(one, out)
    text = out.export_text()
    for part in ("unga_votes", "alignment CHN-RUS", "pressure RUS", "all rows", "Provisional"):
        assert part in text
    assert "…" not in text
    made = as_json(one)
    back = json.loads(json.dumps(made, allow_nan=False))
    assert back["provisional"] and back["issued"]["probability"] == 0.12
    assert back["warning"]["parts"][2]["part"] == "alignment"
    votes = next(r for r in back["indicators"] if r["indicator"] == "unga_votes")
    assert votes["through"] == "2025-09-30" and votes["seen"] == 0.88


def test_the_fit_is_renewed_from_the_last_run(monkeypatch):
    def renew(before, panel, *, reading, priors, settings, say):
        assert (before, panel, reading, priors, settings) == ("B", made_fit.panel(), "drift", 1, 2)
        return SimpleNamespace(tree="tree", how="warm", why="nine rows differ")

    monkeypatch.setattr("fairweather.renewal.renew", renew)
    said = []
    found = fit_running(
        made_fit.panel(), reading="drift", priors=1, settings=2, before="B", say=said.append
    )
    assert found == ("tree", "warm: nine rows differ") and "6 dyads, 1992-2024" in said[0]


@pytest.mark.slow
def test_a_fit_of_the_running_year_tells_of_it(asked):
    def real(panel, *, reading, priors, settings, before, say):
        drawn = fairweather.fit(
            panel, reading=reading, priors=priors, draws=40, tune=40, chains=2, cores=1,
            random_seed=3, progressbar=False,
        )  # fmt: skip
        return drawn, "sampled"

    rows = write(asked.rows.parent / "few.csv", GOOD[0])
    three = Asked(**{**asked.__dict__, "states": ["CHN", "IND", "RUS"], "rows": rows})
    one = watch(three, fit=real, say=lambda text: None)
    assert 0 < one.warning.fell < 1 and one.warning.parts["change"].abs().min() > 0
    votes = one.nowcast.indicators.set_index("indicator").loc["unga_votes"]
    assert votes["lower_89"] < votes["median"] < votes["upper_89"]
    assert one.influence["indicator"].tolist() == ["unga_votes", "all rows"]


def test_the_newest_run_of_the_reading_and_pair_is_found(tmp_path):
    panel = made_fit.panel()
    base = {"schema": 1, "status": "complete", "contents": [], "data": {"states": STATES}}
    for name, more in {
        "a": {"created": "2026-01-01", "model": {"reading": "drift", "focal": "CHN-RUS"}},
        "b": {"created": "2026-02-01", "model": {"reading": "drift", "focal": "CHN-RUS"}},
        "c": {"created": "2026-03-01", "model": {"reading": "scope", "focal": "CHN-RUS"}},
        "d": {"created": "2026-04-01", "model": {"reading": "drift", "focal": "CHN-RUS"},
              "data": {"states": ["CHN", "RUS", "USA"]}},
        "e": {"created": "2026-05-01", "model": {"reading": "drift", "focal": "CHN-RUS"},
              "status": "failed-gate"},
        "f": {"created": "2026-06-01"},
    }.items():  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps(base | more))
    assert last_run(tmp_path, reading="drift", panel=panel).id == "b"
    assert last_run(tmp_path, reading="placebo", panel=panel) is None
