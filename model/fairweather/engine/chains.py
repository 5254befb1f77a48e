"""Chains side by side: each is a sampler of its own, with its own seed, work space and keeping.

Invariant: a chain's draws depend on the model, the settings and the chain's seed alone, not on
how many run at once or which ran before; a chain that was kept whole is not run again.
Guarded by ``tests/test_unfinished.py``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from fairweather.engine.keeping import ChainKeep
from fairweather.errors import SamplerError
from fairweather.samplers import Settings, could_not_sample
from fairweather.terminal import console

_POLL = 0.02
STATS = ("diverging", "energy", "n_steps", "step_size", "logp")


def seeds(root: int, chains: int) -> list[int]:
    """Seed of each chain; more chains leave those of the first ones as they were.

    Examples
    --------
    >>> seeds(1, 2) == seeds(1, 4)[:2]
    True
    """
    spawned = np.random.SeedSequence(root).spawn(chains)
    return [int(s.generate_state(1, np.uint32)[0]) for s in spawned]


def cores(settings: Settings) -> int:
    """How many chains run at once."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(settings.chains, settings.cores or here or 1))


def run(
    compiled: Callable[[ChainKeep], Any], keeps: list[ChainKeep], settings: Settings
) -> dict[str, np.ndarray]:
    """Sample every chain that is not yet whole.

    Parameters
    ----------
    compiled : callable
        Makes the nutpie model of one chain; its draws go to the chain's keep.
    keeps : list of ChainKeep
    settings : Settings

    Returns
    -------
    dict of str to ndarray, each (chain, draw)
        Statistics of the sampler, and ``gradients`` (chain,).

    Raises
    ------
    SamplerError
        A chain could not start or go on.
    KeyboardInterrupt
        Handed on once all chains have stopped.
    """
    import nutpie

    waiting = [k for k in range(settings.chains) if not keeps[k].whole]
    spawned, running = seeds(settings.seed, settings.chains), {}
    with _bar(settings, keeps) as show:
        try:
            while waiting or running:
                while waiting and len(running) < cores(settings):
                    k = waiting.pop(0)
                    running[k] = nutpie.sample(
                        compiled(keeps[k]), draws=settings.draws, tune=settings.tune, chains=1,
                        cores=1, seed=spawned[k], progress_bar=False, blocking=False,
                        target_accept=settings.target_accept,
                    )  # fmt: skip
                time.sleep(_POLL)
                show()
                for keep in keeps:
                    keep.check()
                for k in [k for k, s in running.items() if _finished(s)]:
                    keeps[k].finish(_stats(running.pop(k).wait(), settings))
        except RuntimeError as err:
            raise could_not_sample("nutpie", err) from err
        finally:
            for sampler in running.values():
                # A sampler that broke on its own refuses this too; the cause is on its way up.
                with suppress(BaseException):
                    sampler.cancel()
            for keep in keeps:
                keep.close()
    return {k: np.stack([keep.stats[k] for keep in keeps]) for k in keeps[0].stats}


def _finished(sampler: Any) -> bool:
    """Whether a chain is done; a sampler too busy to answer is not."""
    try:
        return sampler.is_finished
    except TimeoutError:
        return False


def _stats(tree: Any, settings: Settings) -> dict[str, np.ndarray]:
    """Statistics of one finished chain."""
    library = tree["sample_stats"].attrs.get("inference_library", "nutpie")
    if library != "nutpie":
        raise SamplerError(f"the draws come from {library}, not from nutpie")
    stats, warm = tree["sample_stats"].to_dataset(), tree["warmup_sample_stats"].to_dataset()
    out = {k: stats[k].isel(chain=0).to_numpy() for k in STATS if k in stats}
    if len(out["diverging"]) != settings.draws:
        raise SamplerError(f"nutpie returned {len(out['diverging'])} draws")
    out["gradients"] = np.array(int(stats["n_steps"].sum()) + int(warm["n_steps"].sum()))
    return out


@contextmanager
def _bar(settings: Settings, keeps: list[ChainKeep]) -> Any:
    """Progress of all chains, on stderr."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of "
               "{task.total} draws"), TimeElapsedColumn(), Remaining())  # fmt: skip
    screen, silent = console(stderr=True), not settings.progressbar
    with Progress(
        *columns, console=screen, transient=not screen.is_terminal, disable=silent
    ) as progress:
        total = settings.chains * (settings.draws + settings.tune)
        task = progress.add_task(f"sampling {settings.chains} chains", total=total)
        yield lambda: progress.update(task, completed=sum(keep.seen for keep in keeps))
