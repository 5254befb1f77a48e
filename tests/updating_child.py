"""Updates to be killed: a process that forks one for each line it is told.

``python updating_child.py``; each line is ``ROOT SLOW [FILE DAY]``: in a fork, update the world
in ROOT, first taking FILE in as a release of DAY. Prints the process id of the fork when it is
about to begin, and how it ended. Imports are done once, here: a kill meets the update.
"""

import os
import sys
from types import SimpleNamespace

import fairweather.archive
import fairweather.coding.release
import fairweather.forecast
import fairweather.issued.freezing  # noqa: F401  (imported before the first fork)
import made_update as made
from fairweather.updating import run, update


def one(root, file="", day=""):
    world = SimpleNamespace(
        root=root, data=f"{root}/data", store=f"{root}/forecasts", results=f"{root}/results"
    )
    release = made.release(file, day) if file else None
    return update(made.asked(world, release=release)).status


def main():
    made.quick(setattr)
    # What follows the issue writes nothing.
    run._told = lambda done, *rest: done
    # Compiled and cached things are made before the first fork, not in each.
    made.renewed(None, made.panel_of(sys.argv[1]), made.READING)
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                print(one(*line.split()), flush=True)
            finally:
                os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print("ended", status, flush=True)


if __name__ == "__main__":
    main()
