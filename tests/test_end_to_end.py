"""One small real run, from the committed record to the archive, through the command line."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import fairweather as fw
from fairweather.cli import app

STATES = "CHN,RUS,IRN,IND,JPN"


def run(*args):
    return CliRunner().invoke(app, [*args, "--states", STATES, "--quiet"])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    result = run("forecast", "--results", str(folder), "--draws", "1800", "--tune", "600",
                 "--target-accept", "0.9")  # fmt: skip
    assert result.exit_code == 0, result.output
    found = [p for p in folder.iterdir() if not p.name.startswith(".")]
    assert len(found) == 1 and not found[0].name.startswith("failed")
    return found[0]


def test_run_states_where_it_comes_from(small):
    record = json.loads((small / "run.json").read_text())
    assert record["status"] == "complete"
    assert record["diagnostics"]["passed"] and record["diagnostics"]["divergences"] == 0
    assert {"sample", "total"} <= set(record["timings"])
    tree = fw.open_results(small).tree
    assert tree.attrs["sampler"] == "nutpie"
    posterior = tree["posterior"].to_dataset()
    assert list(posterior["dyad"].values[:2]) == ["CHN-IND", "CHN-IRN"]
    assert posterior["year"].values[-1] == 2024


def test_durability_is_a_survival_curve(small):
    table = pd.read_csv(small / "durability.csv")
    columns = ["scenario", "horizon", "threshold", "probability", "lower", "upper", "mc_error"]
    assert list(table.columns[:7]) == columns
    assert table["probability"].between(0, 1).all()
    assert (table["lower"] <= table["upper"]).all() and (table["mc_error"] >= 0).all()
    wide = table.pivot_table(index=["scenario", "threshold"], columns="horizon",
                             values="probability")  # fmt: skip
    assert (np.diff(wide.to_numpy(), axis=1) <= 1e-12).all()
    assert {"current-weather", "ease-russia", "ease-china", "ease-both", "storm",
            "retrenchment"} <= set(table["scenario"])  # fmt: skip


def test_forecast_claims_and_figures_are_there(small):
    forecast = pd.read_csv(small / "forecast.csv")
    assert {"origin_date", "target_date", "horizon", "indicator", "unit", "output_type",
            "output_type_id", "value", "model_id"} <= set(forecast.columns)  # fmt: skip
    assert "unga_votes" in set(forecast["indicator"]) and forecast["value"].notna().all()
    claims = pd.read_csv(small / "claims.csv")
    assert {"C01", "C08", "C36", "C43"} <= set(claims["claim_id"])
    assert claims["note"].str.contains("preliminary, in-sample").all()
    numbers = claims[["probability", "prior_probability"]].to_numpy()
    assert ((numbers >= 0) & (numbers <= 1) | np.isnan(numbers)).all()
    for name in ("alignment", "survival", "pressure"):
        for ending in ("pdf", "png"):
            assert (small / "figures" / f"{name}.{ending}").stat().st_size > 5_000


def test_too_few_draws_fail_the_gate_and_are_kept(tmp_path):
    result = run("forecast", "--results", str(tmp_path), "--draws", "30", "--tune", "60",
                 "--as-of", "2016-12-31")  # fmt: skip
    assert result.exit_code == 3, result.output
    assert "the draws do not meet the bar" in result.output
    [kept] = [p for p in tmp_path.iterdir() if not p.name.startswith(".")]
    assert kept.name.startswith("failed-2016")
    assert (kept / "posterior.zarr").is_dir() and not (kept / "durability.csv").exists()
    record = json.loads((kept / "run.json").read_text())
    assert record["diagnostics"]["failures"] and record["data"]["years"] == [1992, 2016]
