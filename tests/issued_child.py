"""Issue forecasts until told to stop; a process of its own, which imports only what a store needs.

``python issued_child.py STORE FIRST COUNT STEP``: forecasts FIRST, FIRST + STEP, ...
"""

import sys

from fairweather.issued.store import Store


def main(store, first, count, step):
    print("ready", flush=True)
    for k in range(first, first + count * step, step):
        files = {"forecast.csv": f"{k}\n".encode() * 50, "run.json": b"{}\n"}
        one = Store(store).issue(files, {"focal": "CHN-RUS", "origin": 2024, "seed": k})
        print(one.serial, one.new, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
