"""Small made-up forecasts to issue, and what a store looks like from outside."""

import os
from pathlib import Path

import fairweather
from fairweather.issued.store import Store


def forecast(k=0, **facts):
    """Files and facts of a forecast; each `k` gives another."""
    files = {"forecast.csv": f"year,value\n2025,{k}\n".encode(), "run.json": b'{"schema": 1}\n'}
    base = {
        "focal": "CHN-RUS", "origin": 2024, "horizon": 5, "seed": k,
        "data": {"as_of": None, "record_hash": "r" * 64}, "readings": {"elastic-side": 1.0},
        "priors": {"id": "default", "hash": "p" * 64}, "chance": {"probability": 0.15},
    }  # fmt: skip
    return files, base | facts


def store(location, count=0):
    """A store with some forecasts in it, and the list of what it said."""
    said = []
    made = Store(location, say=said.append)
    for k in range(count):
        made.issue(*forecast(k))
    return made, said


def environment():
    """Surroundings in which another process imports the package that is tested here."""
    return os.environ | {"PYTHONPATH": str(Path(fairweather.__file__).resolve().parents[1])}


def everything(root):
    """Every file below a folder and its content."""
    root = Path(root)
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def frozen(root):
    """Every file but the index, which is no part of what is archived."""
    return {name: data for name, data in everything(root).items() if "index.sqlite" not in name}


def overwrite(path, data):
    """Change a file although it is read-only."""
    path = Path(path)
    path.chmod(0o644)
    path.write_bytes(data)
