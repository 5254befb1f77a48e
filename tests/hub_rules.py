"""Rules of the hubverse, schema v6.0.0, as far as they concern what is exported.

A reduced copy of the JSON schemas (structure only), and the checks its validations make beyond
them: names of files, distinct rounds, targets that are described, samples that belong together.
"""

import json
import re

import jsonschema
import pandas as pd
import yaml

STANDARD = ["output_type", "output_type_id", "value"]
RESERVED = {"model_id", *STANDARD}
OUTPUT = re.compile(r"(\d{4}-\d{2}-\d{2}|[A-Za-z0-9_]+)-([A-Za-z0-9_]+)-([A-Za-z0-9_]+)")
METADATA = re.compile(r"([A-Za-z0-9_]+)-([A-Za-z0-9_]+)")


def closed(needed=(), /, **properties):
    return {"type": "object", "properties": properties, "additionalProperties": False,
            "required": list(needed)}  # fmt: skip


def listed(items, null=True):
    kind = ["array", "null"] if null else "array"
    return {"type": kind, "uniqueItems": True, "items": items}


TEXT, YES, WHOLE = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 1}
ANY = {"type": ["integer", "string"]}
VALUE = closed(["type"], type={"enum": ["double", "integer"]}, minimum={"type": "number"},
               maximum={"type": "number"})  # fmt: skip
NOTHING = closed(["required"], required={"type": "null"})


def tid(items):
    return closed(["required", "optional"], required=listed(items), optional=listed(items))


DAY = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
POINT = closed(["output_type_id", "value", "is_required"], output_type_id=NOTHING, value=VALUE,
               is_required=YES)  # fmt: skip
LEVELS = listed({"type": "number", "minimum": 0, "maximum": 1}, null=False)
QUANTILE = closed(
    ["output_type_id", "value", "is_required"], value=VALUE, is_required=YES,
    output_type_id=closed(["required"], required=LEVELS),
)  # fmt: skip
PARAMS = closed(
    ["type", "min_samples_per_task", "max_samples_per_task"],
    type={"enum": ["character", "integer"]}, max_length=WHOLE, min_samples_per_task=WHOLE,
    max_samples_per_task=WHOLE, compound_taskid_set=listed(TEXT, null=False),
)  # fmt: skip
SAMPLE = closed(["output_type_id_params", "value", "is_required"], output_type_id_params=PARAMS,
                value=VALUE, is_required=YES)  # fmt: skip
TARGET = closed(
    ["target_id", "target_name", "target_units", "target_type", "target_keys", "is_step_ahead"],
    target_id={"type": "string", "maxLength": 30}, target_name={"type": "string", "maxLength": 100},
    target_units={"type": "string", "maxLength": 100},
    target_keys={"type": ["object", "null"], "minProperties": 1, "maxProperties": 1,
                 "additionalProperties": TEXT},
    description=TEXT, is_step_ahead=YES, time_unit={"enum": ["day", "week", "month"]},
    target_type={"enum": ["continuous", "discrete", "date", "binary", "nominal", "ordinal",
                          "compositional"]},
    additional_metadata={"type": "object"},
)  # fmt: skip
TARGET |= {"if": {"properties": {"is_step_ahead": {"const": True}}},
           "then": {"required": ["time_unit"]}}  # fmt: skip
TASK = closed(
    ["task_ids", "output_type", "target_metadata"],
    task_ids={"type": "object", "additionalProperties": tid({}), "properties": {
        "origin_date": tid(DAY), "target_end_date": tid(DAY), "scenario_id": tid(ANY),
        "horizon": tid(ANY)}},
    output_type=closed(quantile=QUANTILE, mean=POINT, median=POINT, sample=SAMPLE),
    target_metadata={"type": "array", "items": TARGET},
)  # fmt: skip
FORMATS = {"type": "array", "items": {"enum": ["csv", "parquet", "arrow"]}}
ROUND = closed(
    ["round_id_from_variable", "round_id", "model_tasks", "submissions_due"],
    round_id_from_variable=YES, round_id=TEXT, round_name=TEXT,
    model_tasks={"type": "array", "items": TASK}, last_data_date=DAY, file_format=FORMATS,
    submissions_due=closed(["relative_to", "start", "end"], relative_to=TEXT,
                           start={"type": "integer"}, end={"type": "integer"}),
    derived_task_ids=listed(TEXT), additional_metadata={"type": "object"},
)  # fmt: skip
TASKS = closed(
    ["rounds", "schema_version"], schema_version={"const": "https://raw.githubusercontent.com/"
    "hubverse-org/schemas/main/v6.0.0/tasks-schema.json"},
    rounds={"type": "array", "items": ROUND}, derived_task_ids=listed(TEXT),
    output_type_id_datatype={
        "enum": ["auto", "character", "double", "integer", "logical", "Date"]},
)  # fmt: skip
ADMIN = closed(
    ["schema_version", "name", "maintainer", "contact", "repository", "file_format", "timezone"],
    schema_version={"pattern": "/v6.0.0/admin-schema.json$"}, name=TEXT, maintainer=TEXT,
    contact={"type": "object", "properties": {"name": TEXT, "email": TEXT}},
    repository={"type": "object", "properties": {"host": {"enum": ["github"]}}},
    file_format=FORMATS, timezone={"enum": ["US/Eastern", "Europe/Berlin"]},
)  # fmt: skip
DATA = closed(
    ["schema_version", "observable_unit", "date_col"],
    schema_version={"pattern": "/v6.0.0/target-data-schema.json$"},
    observable_unit=listed(TEXT, null=False), date_col={"type": ["string", "null"]},
    **{"time-series": closed(non_task_id_schema={"type": "object"}, versioned=YES),
       "oracle-output": closed(has_output_type_ids=YES, versioned=YES,
                               observable_unit=listed(TEXT, null=False))},
)  # fmt: skip


def read(root, name):
    return json.loads((root / "hub-config" / name).read_text())


def follows(schema, what):
    jsonschema.Draft202012Validator(schema).validate(what)


def check_config(root):
    """Every configuration file, alone and against the others."""
    tasks = read(root, "tasks.json")
    for schema, name in ((TASKS, "tasks.json"), (ADMIN, "admin.json"), (DATA, "target-data.json")):
        follows(schema, read(root, name))
    rounds = []
    for one in tasks["rounds"]:
        variable = one["round_id"]
        assert one["round_id_from_variable"] and one["submissions_due"]["relative_to"] == variable
        (task,) = one["model_tasks"]
        ids = task["task_ids"]
        assert not RESERVED & set(ids) and variable in ids
        rounds += [*(ids[variable]["required"] or []), *(ids[variable]["optional"] or [])]
        for kind in ids.values():
            both = [*(kind["required"] or []), *(kind["optional"] or [])]
            assert len(both) == len(set(both)) > 0
        keys = [t["target_keys"] for t in task["target_metadata"]]
        assert all(set(k) == {"target"} for k in keys)
        assert sorted(k["target"] for k in keys) == sorted(ids["target"]["optional"])
        sample = task["output_type"].get("sample")
        if sample:
            params = sample["output_type_id_params"]
            assert params["min_samples_per_task"] <= params["max_samples_per_task"]
            fixed = set(params["compound_taskid_set"])
            assert fixed <= set(ids)
            # A derived variable belongs to the set if all it is derived from do.
            assert ("target_end_date" in fixed) == ({"origin_date", "horizon"} <= fixed)
        assert set(tasks["derived_task_ids"]) <= set(ids)
    assert len(rounds) == len(set(rounds))
    unit = read(root, "target-data.json")
    names = {n for r in tasks["rounds"] for t in r["model_tasks"] for n in t["task_ids"]}
    assert set(unit["observable_unit"]) <= names and unit["date_col"] in names
    return tasks


def check_output(root, file):
    """A file of model output against its name, its round and the metadata of its model."""
    tasks, form = read(root, "tasks.json"), file.suffix[1:]
    assert form in read(root, "admin.json")["file_format"]
    found = OUTPUT.fullmatch(file.stem)
    assert found and file.parent.name == f"{found[2]}-{found[3]}"
    assert file.parent.parent == root / "model-output"
    told = yaml.safe_load((root / "model-metadata" / f"{file.parent.name}.yml").read_text())
    follows(read(root, "model-metadata-schema.json"), told)
    assert (told["team_abbr"], told["model_abbr"]) == (found[2], found[3])
    rows = pd.read_csv(file, dtype=str, keep_default_na=False) if form == "csv" else (
        pd.read_parquet(file).astype({"horizon": str}))  # fmt: skip
    (one,) = (
        r
        for r in tasks["rounds"]
        if found[1] in r["model_tasks"][0]["task_ids"]["origin_date"]["optional"]
    )
    task = one["model_tasks"][0]
    ids = list(task["task_ids"])
    assert sorted(rows.columns) == sorted([*ids, *STANDARD])
    assert rows["origin_date"].astype(str).unique().tolist() == [found[1]]
    for name in ids:
        if name not in tasks["derived_task_ids"]:
            allowed = {str(v) for v in task["task_ids"][name]["optional"]}
            assert set(rows[name].astype(str)) <= allowed, name
    months = (rows["target_end_date"].astype(str).str[:4].astype(int)
              - rows["origin_date"].astype(str).str[:4].astype(int)) * 12  # fmt: skip
    assert (months == rows["horizon"].astype(int)).all()
    assert not rows.duplicated([*ids, "output_type", "output_type_id"]).any()
    assert set(rows["output_type"]) <= set(task["output_type"])
    rows = rows.assign(value=rows["value"].astype(float))
    assert rows["value"].notna().all()
    quantiles = rows[rows["output_type"] == "quantile"]
    quantiles = quantiles.assign(level=quantiles["output_type_id"].astype(float))
    levels = task["output_type"]["quantile"]["output_type_id"]["required"]
    every = quantiles.sort_values("level").groupby(ids)
    assert every["level"].agg(tuple).map(tuple(levels).__eq__).all()
    assert every["value"].agg(lambda v: v.is_monotonic_increasing).all()
    check_samples(rows, task, ids)
    return rows


def check_samples(rows, task, ids):
    """All samples of a task are of the same combinations, one value of each fixed variable."""
    drawn = rows[rows["output_type"] == "sample"]
    if drawn.empty:
        return
    params = task["output_type"]["sample"]["output_type_id_params"]
    fixed = params["compound_taskid_set"]
    assert (drawn["output_type_id"].astype(float) > 0).all()
    by = drawn.groupby("output_type_id")
    assert (by[fixed].nunique() == 1).all(axis=None)
    free = [n for n in ids if n not in fixed]
    combinations = by.apply(lambda s: frozenset(s[free].itertuples(index=False, name=None)))
    assert combinations.nunique() == 1
    count = drawn.groupby(ids).size()
    low, high = (params[f"{k}_samples_per_task"] for k in ("min", "max"))
    assert count.between(low, high).all()


def check_targets(root):
    """Target data: their columns, one row an observable unit, oracle years of the rounds only."""
    data, tasks = read(root, "target-data.json"), read(root, "tasks.json")
    unit = data["observable_unit"]
    series = pd.read_csv(root / "target-data" / "time-series.csv", dtype=str)
    assert {"observation", "target"} <= set(series.columns) and len(series.columns) >= 3
    assert not {"value", "output_type", "output_type_id", "oracle_value"} & set(series.columns)
    assert not series.duplicated(unit).any()
    ids = [r["model_tasks"][0]["task_ids"] for r in tasks["rounds"]]
    targets = {t for i in ids for t in i["target"]["optional"]}
    assert set(series["target"]) <= targets
    oracle = root / "target-data" / "oracle-output.csv"
    if oracle.exists():
        rows = pd.read_csv(oracle, dtype=str)
        assert set(rows.columns) == {*unit, "oracle_value"} and len(rows)
        assert not rows.duplicated(unit).any()
        days = {d for i in ids for d in i["target_end_date"]["optional"]}
        assert set(rows["target_end_date"]) <= days
    return series


def check_hub(root):
    check_config(root)
    files = [p for p in (root / "model-output").rglob("*") if p.is_file()]
    for file in files:
        check_output(root, file)
    for file in (root / "model-metadata").iterdir():
        assert METADATA.fullmatch(file.stem) and file.suffix == ".yml"
    check_targets(root)
    hidden = [p for p in root.rglob(".*")]
    assert not hidden
    return sorted(p.name for p in files)
