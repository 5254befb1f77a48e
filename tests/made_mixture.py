"""Small forecasts of several readings, and archived runs of them."""

from functools import cache

import fairweather as fw
import helpers
from fairweather import archive
from fairweather.forecast import forecast
from fairweather.scenarios import load_scenarios
from made_fit import fit, panel

READINGS = ("drift", "scope", "thermostat")
WEIGHTS = {"drift": 0.2, "scope": 0.5, "thermostat": 0.3}


def tree(reading, draws=20, **fixed):
    """A fit of a reading, with its own seed."""
    return fit(reading=reading, draws=draws, seed=3 + READINGS.index(reading), **fixed)


@cache
def one(reading, draws=20, horizon=2, seed=1, level=1.15):
    """Forecast of a reading under two weathers; 2 chains of `draws` draws. Not to be changed."""
    scenarios = load_scenarios().select(["current-weather", "ease-both"])
    made = tree(reading, draws, level=level + 0.1 * READINGS.index(reading))
    return forecast(made, panel(), scenarios=scenarios, horizon=horizon, random_seed=seed)


def each(**options):
    return {reading: one(reading, **options) for reading in READINGS}


def saved(folder, reading, fc=None, **options):
    """An archived run of a reading."""
    made = tree(reading)
    path = archive.save_results(
        made, one(reading) if fc is None else fc, gate=options.pop("gate", helpers.Gate()),
        results_dir=folder, **options,
    )  # fmt: skip
    return fw.open_results(path)
