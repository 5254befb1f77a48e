"""The tasks of a hub allow what is exported, grow by rounds, and refuse what does not fit."""

import copy

import jsonschema
import pandas as pd
import pytest

import hub_rules
from fairweather.codebook import load_codebook
from fairweather.exchange import ExchangeError, hub_config
from fairweather.exchange.hub_rows import COLUMNS


def rows(origin=2024, targets=("unga_votes", "us_mid"), samples=3, levels=(0.25, 0.5)):
    made = []
    for target in targets:
        kinds = [("quantile", q) for q in levels] + [("mean", float("nan"))]
        kinds += [("sample", float(k + 1)) for k in range(samples)]
        made += [(f"{origin}-12-31", "storm", target, "CHN-RUS", 12, f"{origin + 1}-12-31", *k, 0.5)
                 for k in kinds]  # fmt: skip
    return pd.DataFrame(made, columns=list(COLUMNS))


def laid_out(model="fairweather-drift", codebook=None, **options):
    return hub_config.round_of(rows(**options), codebook or load_codebook(), model, {"run": "x"})


def test_a_round():
    one = laid_out()
    hub_rules.follows(hub_rules.ROUND, one)
    (task,) = one["model_tasks"]
    params = task["output_type"]["sample"]["output_type_id_params"]
    assert params["min_samples_per_task"] == params["max_samples_per_task"] == 3
    assert params["compound_taskid_set"] == ["origin_date"]
    assert task["output_type"]["quantile"]["output_type_id"]["required"] == [0.25, 0.5]
    votes, mid = task["target_metadata"]
    assert votes["target_units"] == "share of agreement, 0 to 1"
    assert votes["target_type"] == "continuous" and mid["target_type"] == "discrete"
    assert votes["is_step_ahead"] is True and votes["time_unit"] == "month"
    assert votes["target_name"] == "Same votes in the UN General Assembly"


def test_every_indicator_can_be_a_target():
    book = load_codebook()
    one = laid_out(targets=tuple(book), codebook=book)
    hub_rules.follows(hub_rules.ROUND, one)


def test_an_indicator_of_another_codebook_is_named_by_its_id():
    (task,) = laid_out(targets=("own_codes",))["model_tasks"]
    assert task["target_metadata"][0]["target_name"] == "own_codes"


def test_without_samples_or_means():
    one = laid_out(samples=0)
    assert set(one["model_tasks"][0]["output_type"]) == {"quantile", "mean"}
    hub_rules.follows(hub_rules.ROUND, one)


def test_rounds_are_added_in_order_and_others_stay():
    found = hub_config.tasks(None, laid_out())
    hub_rules.follows(hub_rules.TASKS, found)
    before = copy.deepcopy(found)
    more = hub_config.tasks(found, laid_out(origin=2020, targets=("trade_cow",)))
    assert found == before and more["rounds"][0] == before["rounds"][0]
    assert len(more["rounds"]) == 2 and hub_config.tasks(more, laid_out()) == more


def test_a_second_model_widens_the_round():
    found = hub_config.tasks(None, laid_out())
    wide = hub_config.tasks(
        found, laid_out("fairweather-scope", targets=("us_mid", "trade_cow"), samples=5)
    )
    (one,) = wide["rounds"]
    (task,) = one["model_tasks"]
    assert task["task_ids"]["target"]["optional"] == ["unga_votes", "us_mid", "trade_cow"]
    assert [t["target_id"] for t in task["target_metadata"]] == [
        "unga_votes", "us_mid", "trade_cow"]  # fmt: skip
    params = task["output_type"]["sample"]["output_type_id_params"]
    assert (params["min_samples_per_task"], params["max_samples_per_task"]) == (3, 5)
    hub_rules.follows(hub_rules.TASKS, wide)
    # One that gave samples where the first gave none.
    found = hub_config.tasks(None, laid_out(samples=0))
    wide = hub_config.tasks(found, laid_out("fairweather-scope"))
    assert "sample" in wide["rounds"][0]["model_tasks"][0]["output_type"]


def test_what_does_not_fit_is_refused():
    found = hub_config.tasks(None, laid_out())
    with pytest.raises(ExchangeError, match="other levels of output type quantile"):
        hub_config.tasks(found, laid_out("fairweather-scope", levels=(0.1, 0.5)))
    with pytest.raises(ExchangeError, match=r"tasks.json: is of another schema than v6\.0\.0"):
        hub_config.tasks(found | {"schema_version": "v5"}, laid_out())
    for change in ({"round_id": "reference_date"}, {"model_tasks": []}, {"model_tasks": None}):
        other = copy.deepcopy(found)
        other["rounds"][0] |= change
        with pytest.raises(ExchangeError, match="the hub has other tasks"):
            hub_config.tasks(other, laid_out())


def test_the_other_files():
    hub_rules.follows(hub_rules.ADMIN, hub_config.admin())
    hub_rules.follows(hub_rules.DATA, hub_config.target_data())
    jsonschema.Draft202012Validator.check_schema(hub_config.metadata_schema())
    assert hub_config.text({"a": "ä"}) == '{\n  "a": "ä"\n}\n'


@pytest.mark.parametrize("readings", [["drift"], ["drift", "scope"], [], ["mine"]])
def test_metadata_of_models(readings):
    import yaml

    told = yaml.safe_load(hub_config.metadata("fairweather", "x", readings))
    hub_rules.follows(hub_config.metadata_schema(), told)
    assert told["ensemble_of_models"] is (len(readings) > 1)
    assert ("trend per dyad" in told["methods"]) == (readings == ["drift"])


def test_the_rules_used_here_can_refuse():
    """The reduced schema is no open door."""
    good = hub_config.tasks(None, laid_out())
    for spoil in (
        lambda t: t["rounds"][0].pop("round_id"),
        lambda t: t["rounds"][0]["model_tasks"][0]["target_metadata"][0].pop("time_unit"),
        lambda t: t["rounds"][0]["model_tasks"][0]["output_type"]["quantile"].pop("is_required"),
        lambda t: t["rounds"][0]["model_tasks"][0]["task_ids"]["unit"].pop("required"),
        lambda t: t["rounds"][0]["model_tasks"][0]["target_metadata"][0].update(time_unit="year"),
    ):
        bad = copy.deepcopy(good)
        spoil(bad)
        with pytest.raises(jsonschema.ValidationError):
            hub_rules.follows(hub_rules.TASKS, bad)
