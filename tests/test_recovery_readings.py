"""Each reading's worlds are made and fitted under it, and the table says what was found."""

import numpy as np
import pandas as pd
import pytest

from fairweather import recovery as r
from fairweather.calibration import SMALL, small_panel
from fairweather.errors import FairweatherError
from fairweather.priors import load_priors
from fairweather.readings import READINGS, get_reading
from fairweather.resume import CalibrationError
from fairweather.structure import draw_parameters

PRIORS = load_priors()
JOBS = []


def _quantity(truth, mean, sd, above=1.0):
    return {"group": "drivers", "rank": 3, "truth": truth, "mean": mean, "sd": sd,
            "lower": mean - 1.6 * sd, "upper": mean + 1.6 * sd, "above": above,
            "ess": 400.0}  # fmt: skip


def toy(job):
    JOBS.append(job)
    rng = np.random.default_rng(job["seed"])
    found = {
        name: _quantity(value, value + 0.1 * rng.normal(), 0.1, above=0.9)
        for name, value in job["known"].items()
        if np.ndim(value) == 0
    }
    return {"seed": job["seed"], "quantities": found, "failed": ""}


@pytest.mark.parametrize("reading", READINGS)
def test_known_coefficients_belong_to_the_reading_and_are_not_zero(reading):
    known = r.KNOWN[reading]
    drawn = draw_parameters(small_panel(r.LAYOUT), PRIORS, reading, np.random.default_rng(1),
                            known=known)  # fmt: skip
    for name, value in known.items():
        np.testing.assert_array_equal(drawn[name], value)
    assert all(np.all(np.asarray(value) != 0) for value in known.values())
    assert set(get_reading(reading).COEFFICIENTS) <= set(known)


def test_a_world_is_fitted_under_its_own_reading(tmp_path):
    JOBS.clear()
    table = r.recover(tmp_path / "run", worlds=3, layout=SMALL, known={
        k: {n: v for n, v in known.items() if n != "elasticity"} for k, known in r.KNOWN.items()
    }, task=toy, workers=1)  # fmt: skip
    assert len(JOBS) == 3 * len(READINGS)
    assert {job["reading"] for job in JOBS} == set(READINGS)
    for job in JOBS:
        assert ("coupling" in job["known"]) == (job["reading"] in ("elastic-side", "domains"))
    assert len({job["seed"] for job in JOBS}) == len(JOBS)
    assert set(table["reading"]) == set(READINGS)
    assert table.groupby(["reading", "quantity"]).size().eq(3).all()
    saved = pd.read_csv(tmp_path / "run" / "recovery.csv", keep_default_na=False)
    assert len(saved) == len(table)
    # All is kept: nothing is run a second time.
    r.recover(tmp_path / "run", worlds=3, layout=SMALL, known={
        k: {n: v for n, v in known.items() if n != "elasticity"} for k, known in r.KNOWN.items()
    }, task=toy, workers=1)  # fmt: skip
    assert len(JOBS) == 3 * len(READINGS)


def test_the_table_tells_hits_from_misses():
    results = {
        "w0": {"failed": "", "quantities": {"coupling": _quantity(0.3, 0.35, 0.1, 0.98),
                                            "exponent": _quantity(-3.0, 1.0, 1.0, 0.8),
                                            "elasticity[RUS]": _quantity(0.6, 0.5, 0.1),
                                            "drift": _quantity(0.01, 0.0, 1.0),
                                            "scope": _quantity(0.0, 0.0, 1.0)}},
        "w1": {"failed": "", "quantities": {"coupling": _quantity(0.3, 0.6, 0.1, 0.4)}},
        "w2": {"failed": "no luck", "quantities": {}},
    }  # fmt: skip
    known = {"mixed": {"coupling": 0.3, "exponent": -3.0, "elasticity": [0.6]}}
    table = r.tabulate(results, dict.fromkeys(results, "mixed"), known)
    # What is drawn from the prior in each world is no coefficient to be recovered.
    assert table["quantity"].tolist() == [
        "elasticity[RUS]", "coupling", "exponent", "coupling", ""
    ]  # fmt: skip
    hit, miss, other, lost = (table.iloc[k] for k in (1, 2, 3, 4))
    assert hit["z"] == pytest.approx(0.5) and hit["covered"] and hit["sign_found"]
    assert miss["quantity"] == "exponent" and miss["sign"] == pytest.approx(0.2)
    assert not miss["covered"] and not miss["sign_found"]
    assert not other["covered"] and not other["sign_found"]
    assert lost["failed"] == "no luck" and lost["quantity"] == ""
    means = r.summary(table).set_index("quantity")
    assert means.loc["coupling", "worlds"] == 2
    assert means.loc["coupling", "coverage"] == means.loc["coupling", "signs"] == 0.5
    assert means.loc["coupling", "mean"] == pytest.approx(0.475)


def test_what_cannot_be_recovered_is_refused(tmp_path):
    with pytest.raises(FairweatherError, match="unknown reading"):
        r.recover(tmp_path / "a", readings=["tea-leaves"], task=toy)
    with pytest.raises(CalibrationError, match="no coefficients"):
        r.recover(tmp_path / "a", readings=["drift"], known={}, task=toy)
    with pytest.raises(CalibrationError, match="no world"):
        r.recover(tmp_path / "a", worlds=0, task=toy)
    assert not (tmp_path / "a").exists()


@pytest.mark.slow
def test_a_strong_common_enemy_is_found(tmp_path):
    table = r.recover(tmp_path / "run", worlds=2, readings=["common-enemy"], draws=250, tune=400,
                      workers=1)  # fmt: skip
    found = table[table["quantity"] == "shared_pressure"]
    assert len(found) == 2 and found["sign_found"].all()
    assert (found["z"].abs() < 4).all() and (found["failed"] == "").all()
