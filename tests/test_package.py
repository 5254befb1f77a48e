"""The package as it is installed: light to import, pinned by its lock, whole in its wheel."""

import importlib
import os
import re
import resource
import statistics
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, flags=re.MULTILINE)
}


def run(*args, path=ROOT / "model", **options):
    environment = os.environ | {"PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, *args], env=environment, capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_stays_light():
    heavy = ("arviz", "jax", "matplotlib.pyplot", "numba", "nutpie", "pymc", "pytensor")
    code = f"import sys, fairweather; print([m for m in {heavy} if m in sys.modules])"
    assert run("-c", code).strip() == "[]"


def test_help_is_quick():
    code = "from fairweather.cli import app_entry; app_entry()"
    seconds = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "forecast" in run("-c", code, "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Seconds of processor, not of clock: other work on the machine is no fault of this package.
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    # The first run may have to compile byte code.
    assert statistics.median(seconds[1:]) <= 0.5


def test_console_script_is_there():
    module, _, name = PROJECT["project"]["scripts"]["fairweather"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_citation_has_the_version_of_the_package():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version = re.search(r"^version: (\S+)$", citation, flags=re.MULTILINE).group(1)
    assert version == PROJECT["project"]["version"]


def test_lock_names_no_index_host_or_path():
    assert "://" not in LOCK
    assert not re.findall(r"^\s*-(?!-hash=sha256:)", LOCK, flags=re.MULTILINE)
    assert not re.findall(r"(?:^|\s)[~.]*/\S+", LOCK)
    comments = re.findall(r"#(.*)$", LOCK, flags=re.MULTILINE)
    assert not [line for line in comments if re.search(r"[/\\]|index|find-links", line)]


def test_lock_hashes_every_pin():
    blocks = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(PINS)
    assert not [block for block in blocks if "--hash=sha256:" not in block]


def test_lock_is_in_step_with_the_project():
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted += extra
    for requirement in map(Requirement, wanted):
        pin = PINS.get(canonicalize_name(requirement.name))
        assert pin and requirement.specifier.contains(pin), f"{requirement}: {pin}; run make lock"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (path,) = folder.glob("fairweather-*.whl")
    return path


def files_below(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix()
        for path in paths
        if path.suffix not in {".pyc", ".nbi", ".nbc"} and not path.name.startswith(".")
    }


@pytest.mark.parametrize(
    ("folder", "inside"),
    [("data", "_data/"), ("priors", "_priors/"), ("model/fairweather", "")],
)
def test_wheel_ships_every_file(wheel, folder, inside):
    wanted = files_below(ROOT / folder)
    assert wanted
    with zipfile.ZipFile(wheel) as archive:
        assert {f"fairweather/{inside}{name}" for name in wanted} <= set(archive.namelist())


def test_wheel_holds_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert tops == {"fairweather", f"fairweather-{PROJECT['project']['version']}.dist-info"}


def test_wheel_finds_its_own_data_away_from_the_checkout(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = "from fairweather import paths; print(paths.data_dir()); print(paths.priors_dir())"
    found = run("-c", code, path=tmp_path / "site", cwd=tmp_path).split("\n")[:2]
    package = tmp_path / "site" / "fairweather"
    assert [Path(line) for line in found] == [package / "_data", package / "_priors"]
