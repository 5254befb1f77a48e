"""Many jobs on few workers: same results, and nothing lost when a worker or a job is."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from fairweather import clusters, farm
from fairweather.farm import FarmError, run, spawn_seeds

HERE = Path(__file__).parent
MODEL = HERE.parent / "model"
SEEDS = spawn_seeds(11, [f"job-{n}" for n in range(6)])


def draw(job):
    """What a real job does: some work, and numbers that its seed alone decides."""
    if "pids" in job:
        with open(job["pids"], "a") as file:
            file.write(f"{os.getpid()}\n")
    time.sleep(job.get("seconds", 0))
    return np.random.default_rng(job["seed"]).normal(size=3)


def poisoned(job):
    if job.get("poison"):
        with open(job["pids"], "a") as file:
            file.write(f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(job)


def touchy(job):
    job["touched"] = True
    if job["seed"] % 2:
        raise ValueError(f"seed {job['seed']} is odd")
    return job["seed"]


def surroundings(job):
    """Who does this, under which settings, and on which addresses it listens."""
    import psutil

    listens = [c.laddr.ip for c in psutil.Process().net_connections() if c.status == "LISTEN"]
    names = ("OMP_NUM_THREADS", "NPROC", "XLA_FLAGS")
    return os.getpid(), {name: os.environ.get(name) for name in names}, listens, os.getcwd()


def jobs(**more):
    return {key: {"seed": seed, **more} for key, seed in SEEDS.items()}


def same(left, right):
    return list(left) == list(right) and all(np.array_equal(left[k], right[k]) for k in left)


def local(task, work, **options):
    return run(task, work, quiet=True, **options)


# --- seeds -----------------------------------------------------------------------------------


def test_a_seed_depends_on_root_and_key_alone():
    assert spawn_seeds(11, reversed(SEEDS)) == SEEDS
    assert spawn_seeds(11, [*SEEDS, "one more"]).items() > SEEDS.items()
    assert len({*SEEDS.values(), *spawn_seeds(12, SEEDS).values()}) == 2 * len(SEEDS)
    assert spawn_seeds(0, [1])[1] != spawn_seeds(0, ["1"])["1"]
    assert all(0 <= seed < 2**63 and type(seed) is int for seed in SEEDS.values())


def test_seeds_do_not_change_with_the_process():
    code = "from fairweather.farm import spawn_seeds; print(spawn_seeds(11, ['job-0'])['job-0'])"
    for salt in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": str(MODEL), "PYTHONHASHSEED": salt},
        )  # fmt: skip
        assert int(said.stdout) == SEEDS["job-0"]


@pytest.mark.parametrize(("root", "key"), [(-1, "a"), (True, "a"), (1.5, "a"), (1, b"a")])
def test_bad_seeds_are_refused(root, key):
    with pytest.raises(FarmError, match=r"root seed|neither text"):
        spawn_seeds(root, [key])


# --- in this process and on this machine -------------------------------------------------------


def test_same_results_here_and_on_two_workers(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=nowhere")
    before, seen = dict(os.environ), []
    alone = local(draw, jobs(), workers=1, done=lambda key, _: seen.append(key))
    assert seen == list(SEEDS)
    seen.clear()
    backwards = dict(reversed(jobs().items()))
    both = local(draw, backwards, workers=2, done=lambda key, _: seen.append(key))
    assert list(both) == list(backwards) and sorted(seen) == sorted(SEEDS)
    assert same(alone, {key: both[key] for key in alone})
    assert list(tmp_path.iterdir()) == [] and dict(os.environ) == before
    assert capfd.readouterr() == ("", "")  # neither a bar nor Dask's log


def test_local_workers_are_single_threaded_and_private(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=nowhere")
    found = local(surroundings, jobs(), workers=2)
    pids = {pid for pid, *_ in found.values()}
    assert 1 <= len(pids) <= 2 and os.getpid() not in pids
    flags = "--xla_dump_to=nowhere --xla_cpu_multi_thread_eigen=false"
    for _, env, listens, where in found.values():
        assert env == {"OMP_NUM_THREADS": "1", "NPROC": "1", "XLA_FLAGS": flags}
        assert listens and set(listens) == {"127.0.0.1"} and where == os.getcwd()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_job_raises_names_it_and_spares_the_rest(workers):
    work = {"good": {"seed": 2}, "bad": {"seed": 3}, "fine": {"seed": 4}}
    kept = {}
    with pytest.raises(FarmError, match=r"1 of 3 refits failed: bad: ValueError: seed 3") as caught:
        local(touchy, work, workers=workers, done=kept.__setitem__, label="refits")
    assert caught.value.results == kept == {"good": 2, "fine": 4}
    assert list(caught.value.failures) == ["bad"]
    assert "in touchy" in caught.value.failures["bad"]
    assert work["good"] == {"seed": 2}  # the job's copy was touched, not ours


def test_a_job_that_kills_its_workers_is_named_and_alone_to_blame(tmp_path):
    pids = tmp_path / "pids"
    work = jobs() | {"poison": {"seed": 1, "poison": True, "pids": str(pids)}}
    work = {"poison": work.pop("poison"), **work}
    with pytest.raises(FarmError, match=r"1 of 7 jobs failed: poison: .*died 2 times") as caught:
        local(poisoned, work, workers=2, retries=1)
    assert len(pids.read_text().split()) == 2
    assert same(caught.value.results, local(draw, jobs(), workers=1))


def test_killed_local_worker_is_replaced(tmp_path):
    pids = tmp_path / "pids"
    work = {"long": {"seed": 1, "seconds": 1, "pids": str(pids)}, "short": {"seed": 2}}
    killer = threading.Thread(target=kill_first, args=(pids,))
    killer.start()
    found = local(draw, work, workers=2)
    killer.join()
    assert len(set(pids.read_text().split())) == 2
    assert same(found, local(draw, {k: {"seed": j["seed"]} for k, j in work.items()}, workers=1))


def kill_first(pids):
    until = time.monotonic() + 20
    while not (pids.exists() and pids.read_text().endswith("\n")):
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(int(pids.read_text().split()[0]), signal.SIGKILL)


def test_what_done_raises_ends_the_run():
    def full(key, result):
        raise OSError("disk full")

    started = time.monotonic()
    with pytest.raises(OSError, match="disk full"):
        local(draw, jobs() | {"long": {"seed": 1, "seconds": 300}}, workers=2, done=full)
    assert time.monotonic() - started < 30


SCRIPT = """
import sys, time
from fairweather import clusters, farm

print("started", flush=True)

def nap(job):
    time.sleep(job["seconds"])
    return job["seconds"]

work = {"a": {"seconds": 0}, "b": {"seconds": 0}, "c": {"seconds": float(sys.argv[1])}}
print(farm.run(nap, work, workers=2, done=lambda key, _: print("done", key, flush=True)))
"""


def start_script(folder, seconds):
    (folder / "script.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, "-W", "error", "script.py", str(seconds)], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(MODEL), "TMPDIR": str(folder)},
    )  # fmt: skip


def members(group):
    """Processes of a group that are alive; the dead that nobody has asked after do not count."""
    import psutil

    def belongs(process):
        try:
            return os.getpgid(process.pid) == group and process.status() != "zombie"
        except (ProcessLookupError, psutil.NoSuchProcess):
            return False

    return [process for process in psutil.process_iter() if belongs(process)]


def test_script_without_a_guard_runs_once(tmp_path):
    said, errors = start_script(tmp_path, 0).communicate(timeout=60)
    lines = said.splitlines()
    assert lines[0] == "started" and sorted(lines[1:4]) == ["done a", "done b", "done c"]
    assert lines[4:] == ["{'a': 0, 'b': 0, 'c': 0.0}"]
    assert re.search(r"jobs .* 3/3 ", errors) and len(errors.splitlines()) == 1, errors
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def interrupt(script, folder):
    """Press Ctrl-C as in a terminal: workers get it too. Say what was printed after that."""
    os.killpg(script.pid, signal.SIGINT)
    said, errors = script.communicate(timeout=30)
    assert errors.count("Traceback") == 1 and errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert [path.name for path in folder.iterdir()] == ["script.py"]
    until = time.monotonic() + 10
    while members(script.pid):
        assert time.monotonic() < until, members(script.pid)
        time.sleep(0.1)
    return said


def test_interrupt_closes_the_cluster_and_keeps_what_is_done(tmp_path):
    script = start_script(tmp_path, 300)
    lines = [script.stdout.readline().strip() for _ in range(3)]
    assert sorted(lines) == ["done a", "done b", "started"]
    time.sleep(0.5)
    assert interrupt(script, tmp_path) == ""


def test_interrupt_while_workers_start(tmp_path):
    script = start_script(tmp_path, 300)
    until = time.monotonic() + 30
    while not list(tmp_path.glob("fairweather-farm-*")):
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(0.2)
    assert interrupt(script, tmp_path) == "started\n"


@pytest.mark.parametrize("task", [lambda job: 1, None, "draw"])
def test_a_task_must_be_importable(task):
    with pytest.raises(FarmError, match="top of a module"):
        local(task, jobs())


def test_numbers_of_workers_and_retries_are_checked():
    with pytest.raises(FarmError, match="0 workers"):
        local(draw, jobs(), workers=0)
    with pytest.raises(FarmError, match="retries is -1"):
        local(draw, jobs(), retries=-1)
    assert local(draw, {}) == {}


# --- a scheduler elsewhere ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["localhost", "tcp://localhost", "http://a:1", "tcp://a:0", "tcp://a:99999", "a:1"]
)
def test_malformed_address_is_refused(address):
    with pytest.raises(FarmError, match="tcp://host:port"):
        local(draw, jobs(), cluster=address)


def test_nobody_at_the_address():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, not listening: nobody else gets this port
        started = time.monotonic()
        with pytest.raises(FarmError, match=r"no Dask scheduler answers at tcp://127"):
            local(draw, jobs(), cluster=f"tcp://127.0.0.1:{held.getsockname()[1]}")
    assert time.monotonic() - started < 12


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_something_else_at_the_address(monkeypatch, greeting):
    monkeypatch.setattr(clusters, "CONNECT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as other, ExitStack() as held:

        def greet():
            connection, _ = other.accept()
            held.enter_context(connection).sendall(greeting)

        threading.Thread(target=greet).start()
        with pytest.raises(FarmError, match="no Dask scheduler answers"):
            local(draw, jobs(), cluster=f"tcp://127.0.0.1:{other.getsockname()[1]}")


class Site:
    """A scheduler and workers as an operator starts them, each a process of its own."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.scheduler = self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0",
                                    "--scheduler-file", "address.json")  # fmt: skip
        until = time.monotonic() + 30
        while not (found := re.search(r"tcp://127\.0\.0\.1:\d+", self.log())):
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)
        self.address = found[0]

    def start(self, command, *options, path=(MODEL, HERE)):
        with open(self.folder / "log", "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{command}", "--no-dashboard", *options],
                cwd=self.folder, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
            )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, *, path=(MODEL, HERE)):
        return self.start("dask_worker", self.address, "--nthreads", "1", "--no-nanny",
                          "--host", "127.0.0.1", path=path)  # fmt: skip

    def log(self):
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.close()


def test_kill_9_on_a_real_cluster_changes_nothing(site, tmp_path):
    site.worker(), site.worker()
    assert same(local(draw, jobs(), cluster=site.address), local(draw, jobs(), workers=1))
    pids, seen = tmp_path / "pids", []
    work = jobs(seconds=0.3)
    work["job-0"] = {**work["job-0"], "seconds": 2, "pids": str(pids)}
    killer = threading.Thread(target=kill_first, args=(pids,))
    killer.start()
    found = local(draw, work, cluster=site.address, done=lambda key, _: seen.append(key))
    killer.join()
    victim, heir = pids.read_text().split()
    assert victim != heir and {int(victim), int(heir)} == {p.pid for p in site.processes[1:]}
    assert sorted(seen) == sorted(SEEDS)
    assert same(found, local(draw, jobs(), workers=1))


def test_workers_of_another_version_are_refused(site, tmp_path):
    (tmp_path / "old" / "fairweather").mkdir(parents=True)
    (tmp_path / "old" / "fairweather" / "__init__.py").write_text("__version__ = '0.0.1'\n")
    site.worker(path=(tmp_path / "old",))
    with pytest.raises(FarmError, match=r"has fairweather 0\.0\.1, here it is"):
        local(draw, jobs(), cluster=site.address)


def test_workers_without_the_task_are_refused(site):
    site.worker(path=(MODEL,))
    with pytest.raises(FarmError, match="cannot import the task test_farm:draw"):
        local(draw, jobs(), cluster=site.address)


def test_a_scheduler_without_workers(site, monkeypatch):
    monkeypatch.setattr(farm, "PATIENCE", 1.0)
    with pytest.raises(FarmError, match="no worker to do the jobs; 0 of 6 jobs are done"):
        local(draw, jobs(), cluster=site.address)


def test_a_lost_scheduler_leaves_what_is_done(site, monkeypatch):
    monkeypatch.setattr(clusters, "CONNECT", 2.0)
    site.worker()
    work = jobs() | {"long": {"seed": 1, "seconds": 300}}
    kept = {}

    def done(key, result):
        kept[key] = result
        if len(kept) == len(SEEDS):
            site.scheduler.kill()

    with pytest.raises(FarmError, match="connection to the scheduler was lost") as caught:
        local(draw, work, cluster=site.address, done=done)
    assert same(caught.value.results, local(draw, jobs(), workers=1)) and len(kept) == len(SEEDS)
