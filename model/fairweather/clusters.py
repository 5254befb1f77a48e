"""A cluster is borrowed and given back: after the block nothing of ours runs or is set.

Workers started here are single-threaded, listen on the loopback device only and go with the block,
also on Ctrl-C; a scheduler elsewhere is used and left running.
Guarded by ``tests/test_farm.py``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from fairweather.errors import FairweatherError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

CONNECT = 8.0  # seconds to reach a scheduler
ONE_THREAD = {
    name: "1"
    for name in (
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS",
        "NPROC",  # the only one that JAX 0.12 heeds
    )
}  # fmt: skip
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


class FarmError(FairweatherError):
    """Some jobs failed, or the farm could not work at all.

    Attributes
    ----------
    results : dict of str to Any
        What the other jobs returned.
    failures : dict of str to str
        For each job that failed, the traceback or what became of its worker.
    """

    def __init__(
        self,
        message: str,
        *,
        results: Mapping[str, Any] | None = None,
        failures: Mapping[str, str] | None = None,
        remedy: str | None = None,
    ) -> None:
        self.results = dict(results or {})
        self.failures = dict(failures or {})
        super().__init__(message, remedy=remedy)

    @property
    def reasons(self) -> dict[str, str]:
        """For each job that failed, the last line of what is known."""
        return {key: text.strip().splitlines()[-1] for key, text in self.failures.items()}


def cores() -> int:
    """Count the cores this process may use: affinity and container limits are heeded."""
    from dask.system import CPU_COUNT

    return CPU_COUNT


def check_address(address: str) -> None:
    """Refuse what is no address of a scheduler."""
    found = re.fullmatch(r"(?:tcp|tls)://(?:\[[0-9a-fA-F:.]+\]|[^\s:/\[\]@]+):(\d{1,5})", address)
    if found is None or not 0 < int(found[1]) < 65536:
        raise FarmError(
            f"'{address}' is no address of a scheduler",
            remedy="Write tcp://host:port, for example tcp://10.0.0.5:8786.",
        )


@contextmanager
def _surroundings() -> Iterator[None]:
    """Set what local workers inherit, also those that replace a dead one, and put it back."""
    from multiprocessing import spawn

    before, usual = dict(os.environ), spawn.get_preparation_data

    def lean(name: str) -> dict[str, Any]:
        data = usual(name)
        if name.startswith("Dask Worker"):
            # Else a script without an `if __name__ == "__main__"` would start itself again.
            data.pop("init_main_from_name", None)
            data.pop("init_main_from_path", None)
        return data

    os.environ.update(ONE_THREAD)
    os.environ["XLA_FLAGS"] = f"{before.get('XLA_FLAGS', '')} {XLA_ONE_THREAD}".strip()
    spawn.get_preparation_data = lean
    try:
        yield
    finally:
        spawn.get_preparation_data = usual
        # Dask sets more of its own, such as PYTHONHASHSEED, and leaves them.
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def local(count: int) -> Iterator[Client]:
    """Start worker processes on this machine; they and their folder go with the block."""
    import logging
    from multiprocessing import resource_tracker
    from tempfile import TemporaryDirectory

    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.worker.profile.enabled": False,
        "distributed.worker.http.routes": [],
        "distributed.scheduler.http.routes": [],
        "distributed.scheduler.work-stealing": False,
        "distributed.scheduler.active-memory-manager.start": False,
        # Compilers hold the interpreter for minutes: a silent worker is a busy one.
        "distributed.scheduler.worker-ttl": None,
    }
    # Started by a worker's launch it would lift the mask that hides Ctrl-C from that worker.
    resource_tracker.ensure_running()
    with ExitStack() as stack:
        folder = stack.enter_context(
            TemporaryDirectory(prefix="fairweather-farm-", ignore_cleanup_errors=True)
        )
        stack.enter_context(dask.config.set({**settings, "temporary-directory": folder}))
        stack.enter_context(_surroundings())
        with _interrupts_held():
            cluster = LocalCluster(
                n_workers=count, threads_per_worker=1, processes=True, host="127.0.0.1",
                protocol="tcp://", dashboard_address="127.0.0.1:0", local_directory=folder,
                scheduler_kwargs={"dashboard": False}, memory_limit=0,
                silence_logs=logging.ERROR,
            )  # fmt: skip
            stack.callback(_close, cluster)
            client = Client(cluster, timeout=CONNECT, set_as_default=False)
            stack.callback(client.close, timeout=10)
        yield client


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Answer Ctrl-C after the block only; half a cluster could not be closed.

    A terminal sends it to workers too. Threads and processes begun in the block, and whatever
    they begin later, never see it: they inherit the mask.
    """
    import signal
    from threading import current_thread, main_thread

    came: list[tuple] = []
    usual = None
    if current_thread() is main_thread():
        # Threads of others may take the signal in spite of the mask, and Python answers it here.
        usual = signal.signal(signal.SIGINT, lambda *call: came.append(call))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if usual is not None:
            signal.signal(signal.SIGINT, usual)
            if came and callable(usual):
                usual(*came[0])


def _close(cluster: LocalCluster) -> None:
    """Close it within seconds, whatever its workers are at."""
    from asyncio import gather

    async def dismiss() -> None:
        leave = (nanny.close(timeout=2) for nanny in cluster.workers.values())
        await gather(*leave, return_exceptions=True)

    with _interrupts_held():
        # By itself the cluster would wait longer for a job under way.
        cluster.sync(dismiss)
        cluster.close(timeout=30)


@contextmanager
def elsewhere(address: str) -> Iterator[Client]:
    """Connect to a scheduler that others started, and leave it running."""
    import logging
    import socket
    from urllib.parse import urlsplit

    parts, deadline = urlsplit(address), time.monotonic() + CONNECT
    try:
        # Dask waits without end for a server that is no scheduler. A scheduler greets first: the
        # length of a short message, in 8 bytes.
        with socket.create_connection((parts.hostname, parts.port), timeout=CONNECT) as probe:
            probe.settimeout(max(1.0, deadline - time.monotonic()))
            if parts.scheme == "tcp":
                greeting = probe.recv(8, socket.MSG_WAITALL)
                if len(greeting) < 8 or int.from_bytes(greeting, "little") > 2**20:
                    raise OSError("something else answers")
    except OSError as error:
        raise _unreachable(address, error) from None
    from distributed import Client
    from distributed.utils import silence_logging_cmgr

    with silence_logging_cmgr(logging.ERROR):
        try:
            client = Client(address, timeout=CONNECT, set_as_default=False)
        except OSError as error:
            raise _unreachable(address, error) from None
        try:
            yield client
        finally:
            client.close(timeout=10)


def _unreachable(address: str, error: OSError) -> FarmError:
    return FarmError(
        f"no Dask scheduler answers at {address} ({error})",
        remedy="Start one there with `dask scheduler`, or check the address.",
    )


def unfit(client: Client, task: Callable, addresses: list[str]) -> dict[str, str | None]:
    """Say of each worker why it cannot do the jobs; None if it can."""
    from pkgutil import resolve_name

    from fairweather import __version__

    ask = {"workers": addresses, "on_error": "return"}
    module = task.__module__
    verdicts: dict[str, str | None] = {}
    for where, version in client.run(resolve_name, "fairweather:__version__", **ask).items():
        if isinstance(version, OSError):
            continue  # it left meanwhile
        if isinstance(version, Exception):
            verdicts[where] = f"cannot import fairweather ({version})"
        elif version != __version__:
            verdicts[where] = f"has fairweather {version}, here it is {__version__}"
        else:
            verdicts[where] = None
    if module not in ("__main__", "builtins") and not module.startswith("fairweather."):
        name = f"{module}:{task.__qualname__}"
        ask["workers"] = [where for where, why in verdicts.items() if why is None]
        for where, answer in client.run(resolve_name, name, **ask).items():
            if isinstance(answer, Exception):
                verdicts[where] = f"cannot import the task {name} ({answer})"
    return verdicts
