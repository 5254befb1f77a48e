"""An update takes in, renews, issues and tells; what was done is not done again."""

import sys
from types import SimpleNamespace

import pytest

import made_update as made
from fairweather.errors import ArchiveError, ConvergenceError, SourceError
from fairweather.issued import Store
from fairweather.record import load_record
from fairweather.updating import renewing, run, update

# As it is, before any test puts made-up fits in its place.
FIT_AGAIN = renewing.fit_again


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A world in which one forecast has been issued; copied by each test."""
    w = made.world(tmp_path_factory.mktemp("base"))
    with pytest.MonkeyPatch.context() as patch:
        made.quick(patch.setattr)
        first = update(made.asked(w))
    return w, first


@pytest.fixture
def calls(monkeypatch):
    out = []
    made.quick(monkeypatch.setattr, out)
    stub = SimpleNamespace(influence=made.influence)
    monkeypatch.setitem(sys.modules, "fairweather.renewal", stub)
    return out


@pytest.fixture
def world(base, tmp_path, calls):
    import shutil

    shutil.copytree(base[0].root, tmp_path / "w", symlinks=True)
    root = tmp_path / "w"
    return SimpleNamespace(
        root=root, data=root / "data", store=str(root / "forecasts"), results=str(root / "results")
    )


def test_the_first_update_fits_cold_and_says_so(base):
    w, first = base
    assert first.status == "issued" and first.one.serial == 1 and first.before is None
    assert first.runs[made.READING].how == "cold" and first.rows is None
    assert any("this is the first" in note for note in first.notes)
    facts = first.one.facts
    assert facts["update"]["after"] is None and facts["readings"] == {made.READING: 1.0}
    assert facts["update"]["renewed"][made.READING]["how"] == "cold"
    assert len(Store(w.store).verify()) == 0


def test_nothing_new_issues_nothing(world, calls):
    before = made.everything(world)
    done = update(made.asked(world))
    assert done.status == "nothing-new" and done.one.serial == 1 and calls == []
    assert made.everything(world) == before


def test_a_release_is_taken_in_renewed_and_issued(world, calls):
    file = made.votes(world.root.parent)
    done = update(made.asked(world, release=made.release(file)))
    assert done.status == "issued" and done.one.serial == 2 and done.before.serial == 1
    run_before = done.before.facts["run"]
    assert calls == [(made.READING, run_before)]
    one = done.runs[made.READING]
    assert (one.how, one.k) == ("reweighted", 0.31) and one.why.startswith("few rows")
    assert done.taken["new"] == 3 and done.taken["folder"] == "2026-02-06"
    assert done.rows.to_dict("records") == [
        {"indicator": "unga_votes", "new": 3, "changed": 0, "withdrawn": 0}
    ]
    assert done.one.facts["origin"] == 2025 and done.one.facts["update"]["after"] == done.before.id
    assert done.influence["indicator"].tolist() == ["unga_votes"]
    # The votes of 2025 were foreseen by the first forecast: they are scored now.
    own = done.due[done.due["forecast"] == "issued"]
    assert own["serial"].tolist() == [1] and own["indicator"].tolist() == ["unga_votes"]
    assert own["status"].tolist() == ["provisional"]
    # The same again, with or without the file: nothing.
    whole = made.everything(world)
    for again in (made.asked(world, release=made.release(file)), made.asked(world)):
        done = update(again)
        assert done.status == "nothing-new" and done.one.serial == 2
    assert made.everything(world) == whole and len(calls) == 1


def test_defaults_are_those_of_the_latest_forecast(world, calls):
    done = update(made.asked(world, readings=None))
    assert done.status == "nothing-new" and set(done.terms.weights) == {made.READING}
    assert "readings as in the latest forecast: elastic-side" in done.notes


def test_other_terms_are_another_forecast(world, calls):
    done = update(made.asked(world, horizon=3))
    assert done.status == "issued" and done.one.serial == 2
    assert any("on these terms" in note for note in done.notes)
    # Both stand: each is up to date on its own terms.
    assert update(made.asked(world)).one.serial == 1
    assert update(made.asked(world, horizon=3)).one.serial == 2


def test_an_import_alone_is_finished_by_the_next_update(world, calls):
    from fairweather.coding.release import plan_release, take

    file = made.votes(world.root.parent)
    take(plan_release("un-ga", [file], data_dir=world.data, released="2026-02-06"))
    done = update(made.asked(world))
    assert done.status == "issued" and done.rows["new"].tolist() == [3] and done.taken is None


def test_runs_that_are_there_are_taken_up_as_they_came_about(world, calls, monkeypatch):
    file = made.votes(world.root.parent)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "issue", stop)
        with pytest.raises(KeyboardInterrupt):
            update(made.asked(world, release=made.release(file)))
    assert len(Store(world.store).entries()) == 1 and len(calls) == 1
    done = update(made.asked(world))
    assert done.status == "issued" and done.one.serial == 2 and len(calls) == 1
    one = done.runs[made.READING]
    # It says how the stopped update made it, not that it was found.
    assert one.taken_up and one.how == "reweighted" and one.k == 0.31
    assert done.one.facts["update"]["renewed"][made.READING]["how"] == "reweighted"


def test_the_issue_is_the_same_wherever_an_update_was_stopped(base, world, calls, tmp_path):
    import shutil

    shutil.copytree(world.root, tmp_path / "other")
    other = SimpleNamespace(
        **{
            k: type(getattr(world, k))(str(getattr(world, k)).replace("/w", "/other"))
            for k in ("root", "data", "store", "results")
        }
    )
    file = made.votes(tmp_path)
    done = update(made.asked(world, release=made.release(file)))
    # Stopped after the folder of the forecast and before its ledger entry.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fairweather.issued.book.Book.enter", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            update(made.asked(other, release=made.release(file)))
    assert Store(other.store).verify()["severity"].tolist() == ["unfinished"]
    again = update(made.asked(other))
    assert again.one.id == done.one.id and len(Store(other.store).verify()) == 0


def test_a_failed_fit_leaves_the_record_updated_and_issues_nothing(world, calls, monkeypatch):
    file = made.votes(world.root.parent)

    def failing(before, panel, reading, *rest):
        if reading == "drift":
            raise ConvergenceError("the draws do not meet the bar: half_life: R-hat 1.05.")
        return made.renewed(before, panel, reading)

    both = [made.READING, "drift"]
    with monkeypatch.context() as patch:
        patch.setattr(renewing, "fit_again", failing)
        with pytest.raises(ConvergenceError, match=r"1 of 2 readings .* drift: .* R-hat 1.05"):
            update(made.asked(world, release=made.release(file), readings=both))
    assert 2025 in set(load_record(world.data).observations["year"])
    assert len(Store(world.store).entries()) == 1
    # The reading that could be renewed was; the next update only makes what is missing.
    done = update(made.asked(world))
    assert done.status == "issued" and done.runs[made.READING].taken_up and calls == []


def test_a_release_that_revises_old_years(world, calls):
    update(made.asked(world, release=made.release(made.votes(world.root.parent))))
    file = made.votes(world.root.parent, "march.csv", russia="Y" * 9 + "A" + "N" * 2)
    done = update(made.asked(world, release=made.release(file, "2026-03-01")))
    assert done.status == "issued" and done.one.serial == 3
    assert done.rows.to_dict("records") == [
        {"indicator": "unga_votes", "new": 0, "changed": 2, "withdrawn": 0}
    ]
    # The first forecast is scored anew, on the revised value, and that is told.
    own = done.due[done.due["forecast"] == "issued"]
    assert own["serial"].tolist() == [1] and own["revisions"].tolist() == [1]
    assert own["value"].iloc[0] < 0.85


def test_a_release_that_withdraws_rows(world, calls):
    update(made.asked(world, release=made.release(made.votes(world.root.parent))))
    file = made.votes(world.root.parent, "april.csv", russia="Y" * 9 + "XXX")
    with pytest.raises(SourceError, match="missing from it"):
        update(made.asked(world, release=made.release(file, "2026-04-01")))
    assert len(Store(world.store).entries()) == 2
    done = update(made.asked(
        world, release=made.release(file, "2026-04-01", accept_withdrawals=True)
    ))  # fmt: skip
    assert done.status == "issued" and done.rows["withdrawn"].tolist() == [2]
    assert done.due is not None and done.due.empty


def test_a_dry_run_writes_nothing(world, calls):
    before = made.everything(world)
    names = sorted(p.name for p in world.root.iterdir())
    file = made.votes(world.root.parent)
    done = update(made.asked(world, release=made.release(file), dry_run=True))
    assert done.status == "dry-run" and done.taken["new"] == 3 and done.taken["folder"] is None
    assert update(made.asked(world, dry_run=True)).status == "nothing-new"
    assert made.everything(world) == before and calls == []
    assert sorted(p.name for p in world.root.iterdir()) == names


def test_refused_before_anything_is_taken_in(world, calls):
    before = made.everything(world)
    file = made.votes(world.root.parent)
    for bad in ({"readings": ["nonsense"]}, {"priors": "nowhere.toml"}, {"scenarios": "no.toml"}):
        with pytest.raises(Exception, match=r"nonsense|nowhere|cannot be read"):
            update(made.asked(world, release=made.release(file), **bad))
    assert made.everything(world) == before


def test_what_is_told_after_the_issue_cannot_undo_it(world, calls, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("no draws")

    stub = SimpleNamespace(influence=broken)
    monkeypatch.setitem(sys.modules, "fairweather.renewal", stub)
    done = update(made.asked(world, release=made.release(made.votes(world.root.parent))))
    assert done.status == "issued" and done.influence is None
    assert any("cannot be told: ZeroDivisionError: no draws" in n for n in done.notes)


def test_a_run_that_is_cut_does_not_bar_an_update(world, calls):
    from pathlib import Path

    for folder in Path(world.results).glob("[0-9]*"):
        (folder / "run.json").write_text("{")
    done = update(made.asked(world, release=made.release(made.votes(world.root.parent))))
    assert done.status == "issued" and done.runs[made.READING].how == "cold"


def test_a_record_that_is_another_is_told(world, calls):
    import shutil

    update(made.asked(world, release=made.release(made.votes(world.root.parent))))
    shutil.rmtree(world.data / "vintages")
    rows = world.data / "observations" / "unga_votes.csv"
    lines = rows.read_text().splitlines()
    rows.write_text("\n".join(lines[:-1]) + "\n")
    done = update(made.asked(world))
    assert done.status == "issued" and done.rows is None and done.influence is None
    assert any("record of the forecast before is not to be had" in n for n in done.notes)


def test_a_store_that_is_none(tmp_path, calls):
    w = made.world(tmp_path)
    (tmp_path / "forecasts").mkdir()
    (tmp_path / "forecasts" / "mine.txt").touch()
    with pytest.raises(ArchiveError, match="is no store"):
        update(made.asked(w))


def test_several_readings_are_issued_as_their_mixture(world, calls):
    both = [made.READING, "drift"]
    done = update(made.asked(world, readings=both))
    # The run of the one reading was there already.
    assert done.status == "issued" and [name for name, _ in calls] == ["drift"]
    facts = done.one.facts
    assert facts["readings"] == {"drift": 0.5, made.READING: 0.5}
    assert facts["weights"]["kind"] == "equal" and facts["best"] == "drift" == done.terms.best
    assert {"best-forecast.csv", "draws.parquet"} <= done.one.files.keys()
    # The mixture is the latest forecast now: its readings and weights are the default.
    again = update(made.asked(world, readings=None))
    assert again.status == "nothing-new" and again.one.serial == 2
    assert "weights as in forecast 2" in again.notes
    file = made.votes(world.root.parent)
    third = update(made.asked(world, readings=None, release=made.release(file)))
    assert third.one.serial == 3 and third.terms.weights == facts["readings"]
    assert {run.how for run in third.runs.values()} == {"reweighted"}


@pytest.mark.parametrize("stopped", [False, True])
def test_draws_are_kept_of_a_fit_that_is_stopped_and_not_of_one_that_failed(
    world, monkeypatch, stopped
):
    from pathlib import Path

    seen = {}

    def renew(before, panel, *, keep, settings, **named):
        seen.update(named, before=before, draws=settings.draws)
        (Path(keep) / "chain-0.f8").write_bytes(b"12345678")
        raise KeyboardInterrupt if stopped else ConvergenceError("R-hat 1.05")

    monkeypatch.setitem(sys.modules, "fairweather.renewal", SimpleNamespace(renew=renew))
    panel = made.panel_of(world.data)
    terms = update(made.asked(world, dry_run=True)).terms
    with pytest.raises(KeyboardInterrupt if stopped else ConvergenceError):
        FIT_AGAIN(None, panel, "drift", terms, world.results, print)
    left = list(Path(world.results).glob("incomplete-*"))
    assert len(left) == stopped
    assert seen["reading"] == "drift" and seen["priors"] is terms.priors and seen["draws"] == 20
