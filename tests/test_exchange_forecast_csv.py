"""Every forecast the package makes passes its schema; what breaks it is named with a remedy."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairweather.ensemble import mix
from fairweather.exchange import ExchangeError
from fairweather.exchange.forecast_csv import (
    HORIZONS,
    OUTPUT_TYPES,
    SCHEMA,
    VERSION,
    check_forecast,
    parse_forecast,
    read_forecast,
)
from fairweather.forecast import forecast, forecast_table
from fairweather.readings import READINGS as ALL
from made_fit import fit, panel
from made_mixture import WEIGHTS, each, one

DOCS = Path(__file__).parents[1] / "docs" / "exchange.md"


@pytest.fixture(scope="module")
def made():
    return forecast_table(one("drift"), "fairweather-drift")


@pytest.mark.parametrize("reading", ALL)
def test_every_reading_makes_what_passes(reading):
    fc = forecast(fit(reading=reading, draws=5), panel(), horizon=2)
    table = forecast_table(fc, f"fairweather-{reading}")
    checked = check_forecast(table)
    assert len(checked) == len(table) and list(checked.columns) == list(SCHEMA)
    np.testing.assert_array_equal(checked["value"], table["value"])


def test_a_mixture_and_another_pair_pass():
    check_forecast(forecast_table(mix(each(), WEIGHTS), "fairweather-stacked"))
    p = panel("IND-IRN")
    check_forecast(forecast_table(forecast(fit(p, draws=5), p, horizon=10), "fairweather-x"))


def test_a_file_is_read_to_the_last_digit(made, tmp_path):
    file = tmp_path / "forecast.csv"
    made.to_csv(file, index=False, lineterminator="\n")
    found = read_forecast(file)
    assert found["value"].tolist() == made["value"].tolist()
    assert found["horizon"].dtype == int and found["output_type_id"].dtype == float
    assert found.equals(check_forecast(made)) and found.equals(parse_forecast(file.read_bytes()))


def test_nothing_is_changed(made):
    before = made.copy()
    check_forecast(made)
    pd.testing.assert_frame_equal(made, before)


def changed(made, row, column, value):
    out = made.astype(object)
    out.loc[row, column] = value
    return out


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [(0, "origin_date", "2024-06-30", "line 2: origin_date is not the last day of a year"),
     (0, "origin_date", "2024-12-32", "origin_date is not the last day"),
     (0, "origin_date", "", "origin_date is not the last day"),
     (3, "target_date", "2027-12-31", "line 5: horizon is not the years from .*2024-12-31 to"),
     (3, "horizon", 0, "horizon is not a whole number of years from 1 to 10"),
     (3, "horizon", 1.5, "horizon is not a whole number"),
     (3, "horizon", "one", "horizon is not a whole number"),
     (1, "scenario", "The Storm", r"line 3: scenario is malformed \(scenario = 'The Storm'\)"),
     (1, "indicator", "UNGA votes", "indicator is malformed"),
     (1, "unit", "RUS-CHN", "the pair RUS-CHN is not two states in alphabetical order"),
     (1, "unit", "CHN-CHN", "not two states in alphabetical order"),
     (1, "unit", "China", "unit is malformed"),
     (2, "output_type", "sample", "output_type is unknown .*Write one of quantile, mean"),
     (2, "output_type_id", None, "does not fit output_type quantile"),
     (2, "output_type_id", 1.0, "does not fit output_type quantile"),
     (2, "output_type_id", 0.0, "does not fit output_type quantile"),
     (2, "output_type_id", "half", "output_type_id is not a number"),
     (7, "output_type_id", 0.5, "line 9: output_type_id does not fit output_type mean"),
     (2, "value", None, "line 4: value is not a number"),
     (2, "value", "nan", "value is not a number"), (2, "value", "inf", "value is not a number"),
     (2, "value", "1e999", "value is not finite"), (2, "value", "٣", "value is not a number"),
     (2, "model_id", "fairweather", "model_id is malformed"),
     (1, "value", 99.0, "line 4: values of quantile fall where output_type_id rises"),
     (1, "output_type_id", 0.025, "line 3: a second row for the same forecast")],
)  # fmt: skip
def test_what_breaks_it_is_named(made, row, column, value, said):
    with pytest.raises(ExchangeError, match=said) as found:
        check_forecast(changed(made, row, column, value))
    assert str(found.value).startswith("forecast.csv, line ") and found.value.remedy


def test_columns(made):
    with pytest.raises(ExchangeError, match=r"line 1: the column 'unit' is missing"):
        check_forecast(made.drop(columns="unit"))
    with pytest.raises(ExchangeError, match=r"f.csv, line 1: the column 'note' is unknown"):
        check_forecast(made.assign(note=""), file="f.csv")
    with pytest.raises(ExchangeError, match="there is no row"):
        check_forecast(made.iloc[:0])


def points(kind, pairs, **changes):
    base = {
        "origin_date": "2024-12-31", "target_date": "2025-12-31", "horizon": 1, "scenario": "storm",
        "indicator": "unga_votes", "unit": "RUS", "output_type": kind, "model_id": "me-drift",
    }  # fmt: skip
    rows = [base | {"output_type_id": k, "value": v} | changes for k, v in pairs]
    return pd.DataFrame(rows)


def test_probabilities():
    check_forecast(points("pmf", [(0, 0.25), (1, 0.75)]))
    check_forecast(points("cdf", [(0.5, 0.0), (1.5, 0.4), (2.5, 0.4)]))
    check_forecast(points("median", [(None, 3.0)]))
    with pytest.raises(ExchangeError, match="line 2: the probabilities of this pmf do not sum"):
        check_forecast(points("pmf", [(0, 0.25), (1, 0.7)]))
    with pytest.raises(ExchangeError, match="line 3: value of a pmf is not from 0 to 1"):
        check_forecast(points("pmf", [(0, 0.25), (1, 1.25)]))
    with pytest.raises(ExchangeError, match="line 2: values of cdf fall"):
        check_forecast(points("cdf", [(2.5, 0.1), (1.5, 0.4)]))
    with pytest.raises(ExchangeError, match="line 2: output_type_id does not fit output_type cdf"):
        check_forecast(points("cdf", [(None, 0.1)]))


def test_two_models_may_stand_in_one_table():
    both = [points("mean", [(None, 1.0)]), points("mean", [(None, 2.0)], model_id="you-drift")]
    assert len(check_forecast(pd.concat(both))) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "is no UTF-8 CSV table"), (b"\xff\xfe\x00", "is no UTF-8 CSV table"),
     (b"a,b\n1,2\n", "the column 'origin_date' is missing"),
     (b'"a\n', "f.csv: is no UTF-8|the column 'origin_date' is missing")],
)  # fmt: skip
def test_files_that_are_none(tmp_path, data, said):
    file = tmp_path / "f.csv"
    file.write_bytes(data)
    with pytest.raises(ExchangeError, match=said):
        read_forecast(file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ExchangeError, match=r"no\.csv: cannot be read"):
        read_forecast(tmp_path / "no.csv")


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    column=st.sampled_from(sorted(SCHEMA)), row=st.integers(0, 15),
    value=st.one_of(st.text(max_size=8), st.integers(), st.floats(), st.none()),
)  # fmt: skip
def test_any_cell_is_taken_or_refused_in_words(made, column, row, value):
    """Nothing but a refusal, and what is taken says what was written."""
    few = changed(made.iloc[:16], row, column, value)
    try:
        taken = check_forecast(few)
    except ExchangeError as err:
        assert err.remedy and err.row is not None
    else:
        said = taken.loc[row, column]
        if value is None or (value == "" and not isinstance(said, str)):
            assert said != said  # a blank
        elif isinstance(said, str):
            assert said == str(value)
        else:
            assert said == float(value) or (said != said and float(value) != float(value))


def test_the_schema_is_documented():
    text = DOCS.read_text(encoding="utf-8")
    assert f"version {VERSION}" in text
    for name, column in SCHEMA.items():
        (line,) = re.findall(rf"^\| `{name}` \| (.*) \|$", text, re.MULTILINE)
        assert column.type in line, name
    for name in OUTPUT_TYPES:
        assert f"`{name}`" in text
    assert f"{HORIZONS[0]} to {HORIZONS[1]}" in text
