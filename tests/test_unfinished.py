"""A fit that is stopped keeps its draws, says so, and is taken up by the same command."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

import fairweather as fw
from fairweather import cli
from fairweather.alone import alone
from fairweather.engine.chains import seeds
from fairweather.engine.keeping import ChainKeep, read_chain
from fairweather.engine.native import Density
from fairweather.engine.pack import pack
from fairweather.errors import ArchiveError, SamplerError
from fairweather.inference import fit
from fairweather.model import build_model
from fairweather.panel import load_panel
from fairweather.unfinished import draws_so_far

STATES = ["CHN", "IND", "RUS"]
SMALL = {"draws": 40, "tune": 60, "chains": 3, "random_seed": 5, "progressbar": False}


@pytest.fixture(scope="module")
def model():
    return build_model(load_panel(states=STATES, first_year=2012))


@pytest.fixture(scope="module")
def whole(model):
    return fit(model, **SMALL)


def same(a, b):
    one, two = a["posterior"].to_dataset(), b["posterior"].to_dataset()
    return all(np.array_equal(one[k], two[k]) for k in one.data_vars)


def test_draws_do_not_depend_on_how_many_chains_run_at_once(model, whole):
    assert same(whole, fit(model, **SMALL, cores=1))


def test_more_chains_leave_the_first_as_they_were(model, whole):
    fewer = fit(model, **{**SMALL, "chains": 2})
    first = whole["posterior"].to_dataset().isel(chain=slice(2))
    assert np.array_equal(first["half_life"], fewer["posterior"]["half_life"])
    assert seeds(5, 3)[:2] == seeds(5, 2) and len(set(seeds(5, 50))) == 50


def test_whole_chains_are_taken_up_and_cut_ones_sampled_anew(model, whole, tmp_path, monkeypatch):
    import nutpie

    assert same(whole, fit(model, **SMALL, keep=tmp_path))
    # Chain 1 was cut in the middle of a draw, chain 2 before its statistics were written.
    file = tmp_path / "chain-1.f8"
    file.write_bytes(file.read_bytes()[: -8 * 100])
    (tmp_path / "chain-2.npz").unlink()
    sampled = []
    true = nutpie.sample
    monkeypatch.setattr(
        nutpie, "sample", lambda *a, **k: sampled.append(k["seed"]) or true(*a, **k)
    )
    assert same(whole, fit(model, **SMALL, keep=tmp_path))
    assert sampled == seeds(5, 3)[1:]
    sampled.clear()
    assert same(whole, fit(model, **SMALL, keep=tmp_path)) and not sampled


def test_a_chain_cut_short_is_read_up_to_its_last_whole_draw(tmp_path):
    file = tmp_path / "chain-0.f8"
    assert len(read_chain(file, 3)) == 0
    file.write_bytes(np.arange(7.0).tobytes() + b"\0\0\0")
    assert read_chain(file, 3).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_ends_the_fit_in_one_sentence(model, tmp_path):
    # Writing anything to this device fails as on a full disk.
    os.symlink("/dev/full", tmp_path / "chain-1.f8")

    class Stubborn(ChainKeep):
        def _take_up(self):
            pass

    density = Density(model, pack(model))
    keep = Stubborn(1, density, 10, 0, tmp_path)
    keep.add(density.packed.centre)
    keep.add(density.packed.centre)
    with pytest.raises(SamplerError, match=r"not be written .*No space left.*Free some space"):
        keep.check()


def test_draws_of_another_fit_are_never_taken_up(model, whole, tmp_path):
    assert same(whole, fit(model, **SMALL, keep=tmp_path))
    with pytest.raises(SamplerError, match="another model or of other settings"):
        fit(model, **{**SMALL, "random_seed": 6}, keep=tmp_path)
    with pytest.raises(SamplerError, match="another model or of other settings"):
        fit(build_model(model.panel, reading="thermostat"), **SMALL, keep=tmp_path)
    (tmp_path / "fit.sha256").unlink()
    with pytest.raises(SamplerError, match="an unknown fit"):
        fit(model, **SMALL, keep=tmp_path)


def test_a_folder_that_vanishes_ends_the_fit(model, tmp_path):
    with pytest.raises(SamplerError, match="could not be written"):
        fit(model, **SMALL, keep=tmp_path / "gone")


COMMAND = [
    sys.executable, "-m", "fairweather.cli", "fit", "--states", "CHN,IND,RUS", "--chains", "2",
    "--tune", "100", "--seed", "3",
]  # fmt: skip


def start(tmp_path, draws):
    return subprocess.Popen(
        [*COMMAND, "--draws", str(draws), "--results", str(tmp_path)], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_for_draws(process, tmp_path):
    for _ in range(1200):
        time.sleep(0.05)
        files = list(tmp_path.glob("incomplete-*/chain-*.f8"))
        if files and max(f.stat().st_size for f in files) > 100_000:
            return files[0].parent
        assert process.poll() is None, process.stderr.read()
    raise AssertionError("no draws came")


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code", "reason"), [
    (signal.SIGKILL, -9, "stopped from outside"), (signal.SIGINT, 130, "interrupted"),
])  # fmt: skip
def test_a_killed_fit_keeps_its_draws_and_is_marked(tmp_path, how, code, reason):
    process = start(tmp_path, 200_000)
    folder = wait_for_draws(process, tmp_path)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    if how == signal.SIGINT:
        assert "what was whole is kept" in errors and "Traceback" not in errors
    [kept] = [p for p in tmp_path.iterdir() if not p.name.startswith(".")]
    assert kept == folder and json.loads((kept / "run.json").read_text())["status"] == "incomplete"
    shown = CliRunner().invoke(cli.app, ["show", str(kept)])
    assert shown.exit_code == 0 and reason in " ".join(shown.output.split())
    assert "0 of 2 chains are whole" in " ".join(shown.output.split())
    model = build_model(load_panel(states=STATES))
    tree = draws_so_far(kept, model)
    assert tree.attrs["complete"] is False and tree["posterior"].sizes["draw"] >= 1
    assert np.isfinite(tree["posterior"]["alignment"]).all()
    with pytest.raises(ArchiveError, match="another record, prior set or reading"):
        draws_so_far(kept, build_model(load_panel(states=STATES), reading="drift"))
    # Nothing one could quote, and no lock left behind.
    with pytest.raises(ArchiveError, match=r"has no posterior\.zarr"):
        _ = fw.open_results(kept).tree
    with alone(kept):
        pass


def test_damaged_chains_of_a_run_are_sampled_anew(model, whole, tmp_path):
    keep = tmp_path / "incomplete-x"
    keep.mkdir()
    assert same(whole, fit(model, **SMALL, keep=keep))
    (keep / "chain-0.npz").write_bytes((keep / "chain-0.npz").read_bytes()[:100])
    assert same(whole, fit(model, **SMALL, keep=keep))
    (keep / "fit.sha256").write_text("")
    assert same(whole, fit(model, **SMALL, keep=keep))


def test_two_at_once_are_refused(tmp_path, model):
    from fairweather.provenance import attributes
    from fairweather.samplers import Settings
    from fairweather.unfinished import unfinished

    attrs = attributes(model, Settings(), "nutpie")
    with unfinished(tmp_path, attrs) as keep, pytest.raises(
        fw.FairweatherError, match="is sampling the same fit"
    ), unfinished(tmp_path, attrs):  # fmt: skip
        pass
    assert not keep.exists()


def test_a_fit_refused_before_its_first_draw_leaves_nothing(tmp_path, model):
    from fairweather.provenance import attributes
    from fairweather.samplers import Settings
    from fairweather.unfinished import unfinished

    with pytest.raises(SamplerError), unfinished(tmp_path, attributes(model, Settings(), "nutpie")):
        raise SamplerError("no")
    assert list(tmp_path.iterdir()) == []
