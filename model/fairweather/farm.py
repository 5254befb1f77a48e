"""Many independent jobs give the same results however many workers do them, in whatever order.

Each job carries its own seed, each worker process holds one job at a time, and a job is named in
the report of its failure, whether it raised or took its worker down with it.
Guarded by ``tests/test_farm.py``.

A worker that dies takes only the job it was doing with it: Dask's own count of deaths also blames
jobs that merely queued there, so the count is kept here. Where the jobs are done is
`fairweather.clusters`.
"""

from __future__ import annotations

import json
import pickle
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from fairweather.clusters import FarmError, check_address, cores, elsewhere, local, unfit

PATIENCE = 60.0  # seconds without a single usable worker before giving up
LOOK = 0.25  # seconds between two looks at who is alive
SAME = "Start its workers from the environment that this runs in."
Outcome = tuple[bool, Any]  # (True, pickled result) or (False, (headline, traceback))


def spawn_seeds(root_seed: int, keys: Iterable[Any]) -> dict[Any, int]:
    """Derive one seed for each key, which no other key has a say in.

    Parameters
    ----------
    root_seed : int
        Seed of the whole study, 0 or more.
    keys : iterable of str, int or tuple of these
        Names of the jobs; 1 and "1" are different names.

    Returns
    -------
    dict
        Key to seed, an integer from 0 to 2**63 - 1: it fits a signed 64-bit column.

    Raises
    ------
    FarmError
        If the root seed is negative or a key is of another type.

    Examples
    --------
    >>> few, many = spawn_seeds(7, ["a", "b"]), spawn_seeds(7, ["c", "b", "a"])
    >>> few["a"] == many["a"], few["a"] == few["b"]
    (True, False)
    """
    from hashlib import blake2b

    import numpy as np

    if isinstance(root_seed, bool) or not isinstance(root_seed, int | np.integer) or root_seed < 0:
        raise FarmError(f"the root seed is {root_seed!r}, not a whole number of 0 or more")
    seeds = {}
    for key in keys:
        try:
            # hash() differs from one process to the next; JSON text does not.
            name = json.dumps(key, allow_nan=False).encode()
        except (TypeError, ValueError):
            raise FarmError(f"the key {key!r} is neither text nor whole numbers") from None
        words = np.frombuffer(blake2b(name, digest_size=16).digest(), dtype="<u4")
        sequence = np.random.SeedSequence(int(root_seed), spawn_key=tuple(map(int, words)))
        seeds[key] = int(sequence.generate_state(1, np.uint64)[0] >> 1)
    return seeds


def run(
    task: Callable[[dict], Any],
    jobs: Mapping[str, dict],
    *,
    cluster: str | None = None,
    workers: int | None = None,
    done: Callable[[str, Any], None] | None = None,
    retries: int = 2,
    label: str = "jobs",
    quiet: bool = False,
) -> dict[str, Any]:
    """Do every job, here or on a Dask cluster, and return what each gave.

    Parameters
    ----------
    task : callable
        A function defined at the top of a module (or of the script), called as ``task(job)``. On
        a cluster elsewhere the module must be installed there. What it returns must pickle.
    jobs : mapping of str to dict
        Name of each job and what the task needs, its seed included (see `spawn_seeds`).
    cluster : str, optional
        Address of a running scheduler, ``tcp://host:port``. Without it worker processes are
        started on this machine, listening on the loopback device only, one thread each. Whoever
        can reach a scheduler can run code on its workers: keep it on a trusted network.
    workers : int, optional
        Worker processes to start here; the cores at hand if not given, never more than there are
        jobs. One means this very process, without Dask and with its own thread settings: what
        changes in the last digit with the threads of BLAS or XLA may then differ from workers.
        Not used with ``cluster``.
    done : callable, optional
        Called here as ``done(key, result)`` as soon as a result is in, to write it to disk. What
        it raises ends the run.
    retries : int
        How often a job whose worker died is given to another. An exception is not tried again:
        the same seed would raise it again.
    label : str
        What the progress bar calls the jobs.
    quiet : bool
        No progress bar.

    Returns
    -------
    dict of str to Any
        Results in the order of ``jobs``.

    Raises
    ------
    FarmError
        If jobs failed, after all others are done: it names them and carries the other results.
        Also if the scheduler cannot be reached, or has no worker that could do the jobs.

    Notes
    -----
    Local workers do not import the calling script, so that no ``if __name__ == "__main__"`` is
    needed. Each worker process holds one job at a time, whatever its threads: start the workers
    of a cluster with ``--nthreads 1`` and as many processes as there are cores. Ctrl-C stops
    local workers; on a cluster elsewhere a job that has begun runs to its end there.

    Examples
    --------
    >>> from fairweather.farm import run
    >>> import math
    >>> run(math.fsum, {"a": {1: 0, 2: 0}, "b": {3: 0}}, workers=1, quiet=True)
    {'a': 3.0, 'b': 3.0}
    """
    name = getattr(task, "__qualname__", None)
    if not callable(task) or name is None or "<" in name:
        raise FarmError(f"{task!r} is not a function defined at the top of a module")
    if workers is not None and workers < 1:
        raise FarmError(f"{workers} workers cannot do anything", remedy="Ask for 1 or more.")
    if retries < 0:
        raise FarmError(f"retries is {retries}, not a whole number of 0 or more")
    if cluster is not None:
        check_address(cluster)
    if not jobs:
        return {}
    results: dict[str, Any] = {}
    failures: dict[str, tuple[str, str]] = {}
    with _progress(label, len(jobs), quiet) as advance:

        def deliver(key: str, outcome: Outcome) -> None:
            fine, value = outcome
            if fine:
                results[key] = pickle.loads(value)
                if done is not None:
                    done(key, results[key])
            else:
                failures[key] = value
            advance()

        if cluster is None and (workers == 1 or len(jobs) == 1 or (workers or cores()) == 1):
            for key, job in jobs.items():
                # A copy, as a worker would get: the task may write into it.
                deliver(key, _attempt(task, pickle.loads(pickle.dumps(job))))
        else:
            count = min(workers or cores(), len(jobs))
            place = local(count) if cluster is None else elsewhere(cluster)
            with place as client:
                _Rounds(client, task, jobs, retries, deliver, cluster).drive(results)
    ordered = {key: results[key] for key in jobs if key in results}
    if failures:
        shown = "; ".join(f"{key}: {head}" for key, (head, _) in list(failures.items())[:5])
        more = f"; and {len(failures) - 5} more" if len(failures) > 5 else ""
        raise FarmError(
            f"{len(failures)} of {len(jobs)} {label} failed: {shown}{more}",
            results=ordered, failures={key: text for key, (_, text) in failures.items()},
        )  # fmt: skip
    return ordered


def _attempt(task: Callable[[dict], Any], job: dict) -> Outcome:
    """Do one job; what it raises comes back as text, as not every exception survives a pickle."""
    import cloudpickle

    try:
        return True, cloudpickle.dumps(task(job))
    except (Exception, SystemExit) as error:
        return False, (f"{type(error).__name__}: {error}", traceback.format_exc())


def _work(payload: bytes) -> Outcome:
    """Do one job on a worker; bytes keep Dask from looking for its own keys inside the job."""
    try:
        task, job = pickle.loads(payload)
    except Exception as error:
        return False, (f"{type(error).__name__}: {error}", traceback.format_exc())
    return _attempt(task, job)


@contextmanager
def _progress(label: str, total: int, quiet: bool) -> Iterator[Callable[[], None]]:
    from rich import progress as rp

    from fairweather.terminal import console

    columns = (
        rp.TextColumn("{task.description}"), rp.BarColumn(), rp.MofNCompleteColumn(),
        rp.TimeElapsedColumn(), rp.TimeRemainingColumn(),
    )  # fmt: skip
    with rp.Progress(*columns, console=console(stderr=True), disable=quiet) as bar:
        line = bar.add_task(label, total=total)
        yield lambda: bar.advance(line)


class _Rounds:
    """Hand one job at a time to each worker, and count the workers that each job outlived.

    A worker unfit for the jobs stops a run that is about to begin; one that joins later is left
    out as long as there are others.
    """

    def __init__(self, client, task, jobs, retries, deliver, address) -> None:
        from distributed import as_completed

        self.client, self.task, self.jobs, self.deliver = client, task, jobs, deliver
        self.retries, self.address = retries, address
        self.waiting, self.deaths = deque(jobs), Counter()
        self.running: dict[str, tuple[str, str, Any]] = {}  # Dask's key: job, worker, future
        self.workers: dict[str, str] = {}  # address: identity, of workers that can do the jobs
        self.refused: dict[str, str] = {}  # address: why it cannot
        self.idle: set[str] = set()
        self.arrived = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self.last_seen = time.monotonic()

    def drive(self, results: Mapping[str, Any]) -> None:
        """Go on until every job is done or has failed."""
        next_look, first = 0.0, True
        try:
            while self.waiting or self.running:
                if self.client.status in ("closing", "closed"):
                    raise self._stopped("the connection to the scheduler was lost", results)
                self._collect()
                if time.monotonic() >= next_look and self.client.status == "running":
                    self._look()
                    if self.refused and (first or not self.workers):
                        where, why = next(iter(self.refused.items()))
                        raise self._stopped(f"the worker at {where} {why}", results, SAME)
                    if time.monotonic() - self.last_seen > PATIENCE:
                        raise self._stopped("there is no worker to do the jobs", results, SAME)
                    first = first and not self.workers
                    next_look = time.monotonic() + LOOK
                self._hand_out()
                if not self.arrived.has_ready():
                    time.sleep(0.01)
        finally:
            left = [future for _, _, future in self.running.values()]
            if left and self.client.status == "running":
                self.client.cancel(left, force=True)

    def _stopped(
        self, message: str, results: Mapping[str, Any], remedy: str | None = None
    ) -> FarmError:
        return FarmError(
            f"{message}; {len(results)} of {len(self.jobs)} jobs are done",
            results={key: results[key] for key in self.jobs if key in results},
            remedy=remedy,
        )

    def _collect(self) -> None:
        """Take in what came back."""
        while self.arrived.has_ready():
            future, outcome = next(self.arrived)
            if future.key not in self.running:
                continue  # given up when its worker went
            key, worker, _ = self.running.pop(future.key)
            if future.status == "finished":
                self.deliver(key, outcome)
            elif future.status == "error":
                error = outcome[1]
                if type(error).__name__ == "KilledWorker":
                    # Several workers in a row had one address, and we missed it.
                    self._bury(key, worker, error.allowed_failures + 1)
                else:
                    self.deliver(key, (False, (f"{type(error).__name__}: {error}", repr(error))))
            else:  # the client lost touch with the scheduler for a while
                self.waiting.append(key)

    def _look(self) -> None:
        """See who is alive; a job whose worker is gone goes back, to the end of the line."""
        scheduler = self.client.scheduler
        try:
            found = self.client.sync(scheduler.identity, callback_timeout=30)["workers"]
        except (OSError, AttributeError):
            return  # the connection is gone; its status will say so
        # A worker that came back at the same address has another folder.
        present = {a: f"{w['name']} {w['local_directory']}" for a, w in found.items()}
        alive = {a: present[a] for a, w in found.items() if w["status"] == "running"}
        for dask_key, (key, worker, future) in list(self.running.items()):
            if present.get(worker) != self.workers.get(worker):
                del self.running[dask_key]
                future.cancel()
                self._bury(key, worker)
        known = {a for a in alive if self.workers.get(a) == alive[a]}
        new = [a for a in alive if a not in known and a not in self.refused]
        # Workers started here are this very environment.
        asked = new and self.address is not None
        checked = unfit(self.client, self.task, new) if asked else dict.fromkeys(new)
        self.refused = {a: why for a, why in self.refused.items() if a in alive} | {
            a: why for a, why in checked.items() if why
        }
        usable = known | {a for a, why in checked.items() if why is None}
        busy = {worker for _, worker, _ in self.running.values()}
        self.workers = {a: present[a] for a in present if a in usable or a in busy}
        self.idle = usable
        if self.workers:
            self.last_seen = time.monotonic()

    def _bury(self, key: str, worker: str, times: int = 1) -> None:
        """Count the death of the worker that did this job."""
        self.deaths[key] += times
        if self.deaths[key] <= self.retries:
            self.waiting.append(key)
            return
        text = f"its worker died {self.deaths[key]} times while doing it, last at {worker}"
        self.deliver(key, (False, (text, text)))

    def _hand_out(self) -> None:
        import cloudpickle

        busy = {worker for _, worker, _ in self.running.values()}
        for worker in self.idle:
            if not self.waiting:
                return
            if worker in busy:
                continue
            key = self.waiting.popleft()
            payload = cloudpickle.dumps((self.task, self.jobs[key]))
            future = self.client.submit(
                _work, payload, key=f"fairweather-{uuid4().hex}", workers=[worker], pure=False
            )
            self.running[future.key] = (key, worker, future)
            self.arrived.add(future)
