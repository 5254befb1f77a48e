"""Tables show what was computed, and no digit more."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import helpers
from fairweather import tables, wording


def text(table, width=150):
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


@given(st.floats(0, 1), st.floats(0, 0.1))
def test_percent_is_within_half_a_step_and_never_certain(share, error):
    shown = wording.percent(share, error)
    step = wording.step_for(error)
    assert step >= min(100 * error, 10)
    if shown[0] in "<>":
        bound = float(shown[1:])
        assert bound in (step, 100 - step) or abs(bound - (100 - step)) < 1e-9
        assert 100 * share <= bound if shown[0] == "<" else 100 * share >= bound
    else:
        assert 0 < float(shown) < 100
        assert abs(float(shown) - 100 * share) <= step / 2 + 1e-9


@pytest.mark.parametrize(
    ("error", "shown"),
    [(0.0005, "83.5"), (0.004, "83"), (0.012, "84"), (0.03, "85"), (0.08, "80"), (0.5, "80")],
)
def test_rounding_follows_the_monte_carlo_error(error, shown):
    assert wording.percent(0.8349, error) == shown


def test_unknown_error_rounds_coarsely():
    assert wording.percent(0.8349, float("nan")) == "80"


def test_durability():
    table = helpers.durability_table(helpers.forecast())
    out = text(tables.durability(table))
    assert "2001-04 level" in out
    lines = {line.split("│")[1].strip(): line for line in out.splitlines() if "│" in line}
    assert list(lines) == ["Current weather", "Ease Russia", "Ease China", "Ease both", "Storm"]
    # exp(-0.03) = 97.0, interval 87 to 100; after five years 86, easing Russia 67.
    assert "97 [87, >99]" in lines["Current weather"]
    assert lines["Ease Russia"].rstrip(" │").endswith("-19")
    assert lines["Storm"].rstrip(" │").endswith("+9")
    assert "67 [" in lines["Ease Russia"]
    assert "against current weather" in out


def test_durability_of_another_threshold():
    table = helpers.durability_table(helpers.forecast())
    assert "1996-00 level" in text(tables.durability(table, "1996-00"))


def test_claims():
    out = text(tables.claims(helpers.claims()))
    assert "0.21 [-0.04, 0.47]" in out and "91 %" in out and "50 %" in out
    assert "undecided" in out and "borne out" in out and "in-sample" in out


def test_claims_without_numbers():
    frame = helpers.claims().assign(
        value=np.nan, lower=np.nan, probability=np.nan, prior_probability=np.nan,
        verdict="not testable here", statement="[bold]as written",
    )  # fmt: skip
    out = text(tables.claims(frame))
    assert "nan" not in out and "not testable here" in out and "[bold]as written" in out


def test_diagnostics():
    facts = {"passed": False, **helpers.FAILED.summary, "failures": helpers.FAILED.failures}
    out = text(tables.diagnostics(facts))
    for piece in ("gate", "failed", "max rhat", "1.004", "950", "divergences", "0.810"):
        assert piece in out
    assert "R-hat 1.052" not in out


def test_files(tmp_path):
    (tmp_path / "run.json").touch()
    out = text(tables.files(tmp_path))
    assert "run.json" in out and "verdicts" not in out
