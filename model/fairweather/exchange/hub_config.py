"""The configuration of a hub: what may be forecast in which round, and what describes the models.

Invariant: a round's tasks allow all that was exported into it, and a round that is added leaves
the others as they are. Guarded by ``tests/test_exchange_hub_config.py``.

All targets of a round are one modelling task: the hubs' samples may not span several, and a draw
here is one future of all targets together, under all scenarios (``compound_taskid_set`` is the
origin alone). Hence no bounds on the values: they would be those of all targets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fairweather.exchange import ExchangeError
from fairweather.exchange.hub_rows import TASK_IDS

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.codebook import Codebook

VERSION = "v6.0.0"
_AT = f"https://raw.githubusercontent.com/hubverse-org/schemas/main/{VERSION}"
FORMATS = ("csv", "parquet")
# Days after the origin within which a forecast from it may be handed in.
_OPEN = 1096
_UNITS = {
    "vote": "share of agreement, 0 to 1", "share": "share, 0 to 1", "count": "count a year",
    "anchor": "log(1 + cases)", "within": "as coded, see the description",
}  # fmt: skip
OBSERVABLE = ("target_end_date", "target", "unit")


def text(config: Mapping[str, Any]) -> str:
    """Write a configuration file."""
    return json.dumps(config, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def admin() -> dict[str, Any]:
    """Make the settings of the hub; whoever runs it puts names and addresses in."""
    return {
        "schema_version": f"{_AT}/admin-schema.json",
        "name": "Alignment of states under US pressure",
        "maintainer": "whoever runs this hub",
        "contact": {"name": "whoever runs this hub"},
        "repository": {"host": "github"},
        "file_format": list(FORMATS),
        "timezone": "US/Eastern",
    }


def target_data() -> dict[str, Any]:
    """Say how the target data are laid out."""
    return {
        "schema_version": f"{_AT}/target-data-schema.json",
        "observable_unit": list(OBSERVABLE),
        "date_col": "target_end_date",
        "time-series": {"versioned": False},
        "oracle-output": {"has_output_type_ids": False, "versioned": False},
    }


def metadata_schema() -> dict[str, Any]:
    """Make the schema of the files in ``model-metadata``."""
    name = {"type": "string", "pattern": "^[a-zA-Z0-9_+]+$", "maxLength": 16}
    words, yes = {"type": "string"}, {"type": "boolean"}
    properties = {
        "team_name": words, "team_abbr": name, "model_name": words, "model_abbr": name,
        "designated_model": yes, "data_inputs": words,
        "methods": {"type": "string", "maxLength": 200}, "methods_long": words,
        "ensemble_of_models": yes, "ensemble_of_hub_models": yes,
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Schema for Modeling Hub model metadata",
        "type": "object",
        "properties": properties,
        "additionalProperties": True,
        "required": ["team_name", "team_abbr", "model_name", "model_abbr", "designated_model",
                     "methods", "ensemble_of_models"],
    }  # fmt: skip


def metadata(team: str, model: str, readings: Iterable[str]) -> str:
    """Describe a model, as YAML (each value in JSON, which is YAML)."""
    from fairweather.readings import READINGS, get_reading

    found = list(readings)
    mixture = len(found) > 1
    known = [n for n in found if n in READINGS]
    claim = get_reading(known[0]).CLAIM if len(known) == 1 else "a reading of its own"
    methods = f"Hierarchical Bayesian model of latent alignment: {claim}."
    if mixture:
        methods = "Mixture of hierarchical Bayesian readings of alignment, by recorded weights."
    facts = {
        "team_name": "fairweather", "team_abbr": team,
        "model_name": "Mixture of readings" if mixture else " ".join(found) or model,
        "model_abbr": model, "designated_model": True,
        "methods": methods[:200],
        "methods_long": "Alignment of pairs of states and US pressure on states are latent yearly "
        "paths, each measured by coded indicators. Alignment answers pressure; indicators are "
        "drawn under given paths of US pressure (scenarios). Samples are futures of all targets "
        "together; shocks are the same under all scenarios.",
        "data_inputs": "the coded record of fairweather; hash and as-of date stand in tasks.json",
        "ensemble_of_models": mixture, "ensemble_of_hub_models": False,
    }  # fmt: skip
    lines = (f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in facts.items())
    return "\n".join(lines) + "\n"


def round_of(
    rows: pd.DataFrame, codebook: Codebook | None, model_id: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Lay out the round of an exported forecast.

    Parameters
    ----------
    rows : DataFrame
        Model output, from `fairweather.exchange.hub_rows.to_rows`.
    codebook : Codebook or None
        Names the targets.
    model_id : str
    facts : mapping
        Kept as the forecast's own, among the metadata of the round.

    Returns
    -------
    dict
        An item of ``rounds``.
    """
    task_ids = {
        name: {"required": None, "optional": _plain(rows[name].drop_duplicates())}
        for name in TASK_IDS
    }
    kinds = rows.groupby("output_type", sort=False)["output_type_id"]
    types: dict[str, Any] = {}
    for kind, levels in kinds:
        value = {"type": "double"}
        if kind == "quantile":
            ids = {"required": sorted(map(float, levels.unique()))}
            types[kind] = {"output_type_id": ids, "is_required": True, "value": value}
        elif kind == "sample":
            count = int(levels.nunique())
            params = {"type": "integer", "min_samples_per_task": count,
                      "max_samples_per_task": count,
                      "compound_taskid_set": ["origin_date"]}  # fmt: skip
            types[kind] = {"output_type_id_params": params, "is_required": False, "value": value}
        else:
            ids = {"required": None}
            types[kind] = {"output_type_id": ids, "is_required": False, "value": value}
    targets = task_ids["target"]["optional"]
    task = {"task_ids": task_ids, "output_type": types,
            "target_metadata": [_target(t, codebook) for t in targets]}  # fmt: skip
    return {
        "round_id_from_variable": True,
        "round_id": "origin_date",
        "model_tasks": [task],
        "submissions_due": {"relative_to": "origin_date", "start": 0, "end": _OPEN},
        "last_data_date": str(rows["origin_date"].iloc[0]),
        "additional_metadata": {"forecasts": {model_id: dict(facts)}},
    }


def _target(name: str, codebook: Codebook | None) -> dict[str, Any]:
    known = codebook is not None and name in codebook
    one = codebook[name] if known else None
    return {
        "target_id": name[:30],
        "target_name": (one.label if known else name)[:100],
        "target_units": _UNITS.get(one.family, "as coded") if known else "as coded",
        "target_keys": {"target": name},
        "description": one.transform if known else "an indicator of another codebook",
        "target_type": "discrete" if known and one.family == "count" else "continuous",
        "is_step_ahead": True,
        "time_unit": "month",
    }


def tasks(found: Mapping[str, Any] | None, new: Mapping[str, Any]) -> dict[str, Any]:
    """Add a round to the tasks of a hub, or widen the round of the same origin.

    Parameters
    ----------
    found : mapping or None
        ``tasks.json`` as it is.
    new : mapping
        From `round_of`.

    Returns
    -------
    dict
        A new one; the other rounds are as they were.

    Raises
    ------
    ExchangeError
        The hub is of another schema or has other tasks, or its round other quantiles.
    """
    version, other = f"{_AT}/tasks-schema.json", "Export into a new folder."
    if found is None:
        return {
            "schema_version": version, "rounds": [dict(new)], "output_type_id_datatype": "double",
            "derived_task_ids": ["target_end_date"],
        }  # fmt: skip
    if found.get("schema_version") != version:
        raise ExchangeError(f"is of another schema than {VERSION}", file="tasks.json", remedy=other)
    rounds, there = [], False
    for one in found["rounds"]:
        try:
            sets = [set(task["task_ids"]) for task in one["model_tasks"]]
            if one["round_id"] != "origin_date" or sets != [set(TASK_IDS)]:
                raise KeyError("origin_date")
            origins = one["model_tasks"][0]["task_ids"]["origin_date"]["optional"]
        except (KeyError, TypeError) as err:
            raise ExchangeError("the hub has other tasks", file="tasks.json", remedy=other) from err
        here = origins == [new["last_data_date"]]
        there = there or here
        rounds.append(_widened(one, new) if here else one)
    return {**found, "rounds": rounds if there else [*rounds, dict(new)]}


def _widened(one: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Let the round of another model of the same origin hold this one too."""
    old, add = one["model_tasks"][0], new["model_tasks"][0]
    task_ids = {
        name: {"required": None, "optional": _union(old["task_ids"][name]["optional"],
                                                     add["task_ids"][name]["optional"])}
        for name in TASK_IDS
    }  # fmt: skip
    types = dict(old["output_type"])
    for kind, spec in add["output_type"].items():
        before = types.get(kind)
        if kind == "sample" and before is not None:
            a, b = before["output_type_id_params"], spec["output_type_id_params"]
            low = min(a["min_samples_per_task"], b["min_samples_per_task"])
            high = max(a["max_samples_per_task"], b["max_samples_per_task"])
            params = {**a, "min_samples_per_task": low, "max_samples_per_task": high}
            types[kind] = {**before, "output_type_id_params": params}
        elif before is not None and before != spec:
            raise ExchangeError(
                f"the round has other levels of output type {kind}", file="tasks.json",
                remedy="Export into a new folder.",
            )  # fmt: skip
        else:
            types[kind] = spec
    known = {t["target_id"] for t in old["target_metadata"]}
    targets = [t for t in add["target_metadata"] if t["target_id"] not in known]
    task = {"task_ids": task_ids, "output_type": types,
            "target_metadata": [*old["target_metadata"], *targets]}  # fmt: skip
    meta = dict(one.get("additional_metadata", {}))
    meta["forecasts"] = {**meta.get("forecasts", {}),
                         **new["additional_metadata"]["forecasts"]}  # fmt: skip
    return {**one, "model_tasks": [task], "additional_metadata": meta}


def _union(a: Iterable[Any], b: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys([*a, *b]))


def _plain(values: Any) -> list[Any]:
    return [v.item() if hasattr(v, "item") else v for v in values.tolist()]
