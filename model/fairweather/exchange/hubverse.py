"""Export of a forecast into a folder that is a hub of the hubverse.

Invariant: a file of model output that is there is never replaced by another, and a second export
of the same forecast changes nothing. Guarded by ``tests/test_exchange_hubverse.py``.

The rules are those of the hubverse's schema v6.0.0 and of its validations: names of files,
types of columns, one task for all samples that belong together.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.alone import alone
from fairweather.exchange import ExchangeError, hub_config, hub_rows, hub_targets
from fairweather.exchange.sources import Exported, Source

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.record import Record

TITLE = f"A hub of the hubverse, schema {hub_config.VERSION}"
SAMPLES = 100
_ABBREVIATION = re.compile(r"[A-Za-z0-9_+]{1,16}")
_TASKS = "hub-config/tasks.json"
_README = """# Target data

Written by `fairweather export hubverse` from its record: yearly codings made for that project from
the publishers named in its `data/sources.toml`, whose terms apply (some allow research use only).

`time-series.csv` has all years on record, also those before the hub's rounds: validate it with
`allow_extra_dates = TRUE`. `oracle-output.csv` appears when the first forecast year has come. Both
say what is known now: a release that revises a year changes its row.
"""


def export(
    source: Source, folder: str | Path, *, form: str = "csv", samples: int | None = None,
    model: str | None = None, record: Record | None = None,
) -> Exported:  # fmt: skip
    """Export a forecast into a hub; make the hub if the folder is new.

    Parameters
    ----------
    source : Source
    folder : str or Path
        New, empty, or a hub that this made.
    form : str
        ``csv`` or ``parquet``.
    samples : int, optional
        How many draws become samples, evenly along them. Default: 100, or all if there are fewer.
    model : str, optional
        Abbreviation of the model; default: the reading, or ``stacked``.
    record : Record, optional
        Where names of targets and target data come from; default: the one in use.

    Returns
    -------
    Exported

    Raises
    ------
    ExchangeError
        Not a hub, a hub with other tasks, or another forecast of the same model and origin is
        there; nothing is then written.
    RecordError
        Another command is exporting into the same folder.
    OSError
        The disk refuses.

    Examples
    --------
    >>> from fairweather.issued import Store
    >>> one = Source.of_issued(Store("forecasts").open("latest"))  # doctest: +SKIP
    >>> export(one, "hub").written  # doctest: +SKIP
    """
    if form not in hub_config.FORMATS:
        raise ExchangeError(
            f"there is no format '{form}'", remedy=f"Use {' or '.join(hub_config.FORMATS)}."
        )
    root = Path(folder)
    team, name = _names(source, model)
    model_id = f"{team}-{name}"
    count = len(source.draws["draws"].iloc[0]) if len(source.draws) else 0
    rows = hub_rows.to_rows(
        source.table, source.draws, min(SAMPLES, count) if samples is None else samples
    )
    record = _record() if record is None else record
    if root.exists() and not root.is_dir():
        raise ExchangeError(f"'{root.name}' is no folder", remedy="Name a new folder.")
    root.mkdir(parents=True, exist_ok=True)
    with alone(root, "is exporting into"):
        new = hub_config.round_of(rows, record.codebook, model_id, _facts(source))
        tasks = hub_config.tasks(_found_tasks(root, form), new)
        output = f"model-output/{model_id}/{rows['origin_date'].iloc[0]}-{model_id}.{form}"
        data = hub_rows.write(rows, form)
        there = _same_output(root, output, data, form)
        files = _files(root, tasks, team, name, source, record)
        return _put(root, files, output, data, there)


def read_output(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a file of model output back.

    Parameters
    ----------
    path : str or Path
        ``<origin>-<team>-<model>.csv`` or ``.parquet``.

    Returns
    -------
    table : DataFrame
        In the form of ``forecast.csv``.
    samples : DataFrame
        scenario, indicator, unit, target_year, draw (from 1), value.

    Examples
    --------
    >>> file = "hub/model-output/fairweather-drift/2024-12-31-fairweather-drift.csv"
    >>> table, samples = read_output(file)  # doctest: +SKIP
    """
    file = Path(path)
    rows = hub_rows.parse(file.read_bytes(), file.suffix[1:])
    return hub_rows.from_rows(rows, file.stem[len("YYYY-MM-DD-") :])


def _names(source: Source, model: str | None) -> tuple[str, str]:
    """Abbreviations of team and model, which hubs allow no dash in."""
    known = str(source.table["model_id"].iloc[0])
    team, _, rest = known.partition("-")
    name = (model or rest).replace("-", "_")
    for said, text in (("team", team), ("model", name)):
        if not _ABBREVIATION.fullmatch(text):
            raise ExchangeError(
                f"'{text}' cannot be the abbreviation of a {said}",
                remedy="Use up to 16 letters, digits, '_' and '+': --model NAME.",
            )
    return team, name


def _record() -> Record:
    from fairweather.record import load_record

    return load_record()


def _facts(source: Source) -> dict[str, Any]:
    """Say in the round which forecast this is, and from what it was made."""
    facts = source.facts
    data = facts.get("data") or {}
    return {
        "issued" if source.issued else "run": source.name,
        "readings": facts.get("readings"), "priors": (facts.get("priors") or {}).get("id"),
        "as_of": data.get("as_of"), "record": data.get("record_hash"),
    }  # fmt: skip


def _found_tasks(root: Path, form: str) -> dict[str, Any] | None:
    """Read the tasks of a hub that is there; refuse a folder that is something else."""
    file = root / _TASKS
    if not file.is_file():
        # Folders without a file, and admin.json alone, are what a stopped export may leave.
        begun = (root / "hub-config" / "admin.json").is_file()
        if not begun and any(p.is_file() and p.name[0] != "." for p in root.rglob("*")):
            raise ExchangeError(
                f"the folder '{root.name}' is no hub: it has no {_TASKS}",
                remedy="Name a new folder, or that of a hub.",
            )
        return None
    tasks, admin = (_json(root / "hub-config" / n) for n in ("tasks.json", "admin.json"))
    if form not in admin.get("file_format", []):
        raise ExchangeError(
            f"the hub takes no {form} files", file="admin.json",
            remedy=f"Choose another --format, or add '{form}' to file_format.",
        )  # fmt: skip
    return tasks


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("no object")
    except (ValueError, FileNotFoundError) as err:
        raise ExchangeError(
            f"cannot be used ({err})", file=file.name, remedy="Restore it from a copy."
        ) from err
    return found


def _same_output(root: Path, output: str, data: bytes, form: str) -> bool:
    """Whether this output is there; refuse if another of its name is."""
    file = root / output
    twins = [p for p in file.parent.glob(f"{file.stem}.*") if p.suffix != file.suffix]
    if twins:
        raise ExchangeError(
            f"the round is there as {twins[0].name}", remedy=f"Use --format {twins[0].suffix[1:]}."
        )
    if not file.exists():
        return False
    before = file.read_bytes()
    # Another release of the writer signs its files otherwise.
    same = before == data or (
        form == "parquet" and hub_rows.parse(before, form).equals(hub_rows.parse(data, form))
    )
    if not same:
        raise ExchangeError(
            f"{output} is there and says something else; it is left as it is",
            remedy="Give this forecast a name of its own: --model NAME. Or use a new folder.",
        )
    return True


def _files(
    root: Path, tasks: dict[str, Any], team: str, name: str, source: Source, record: Record
) -> dict[str, tuple[bytes, bool]]:
    """All files but the output: content, and whether one that is there is brought up to date."""
    readings = (source.facts.get("readings") or {}).keys()
    once = {
        "hub-config/admin.json": hub_config.text(hub_config.admin()),
        "hub-config/target-data.json": hub_config.text(hub_config.target_data()),
        "hub-config/model-metadata-schema.json": hub_config.text(hub_config.metadata_schema()),
        f"model-metadata/{team}-{name}.yml": hub_config.metadata(team, name, readings),
        "target-data/README.md": _README,
    }
    files = {k: (v.encode("utf-8"), False) for k, v in once.items()}
    files[_TASKS] = (hub_config.text(tasks).encode("utf-8"), True)
    targets, units = (set(source.table[c]) for c in ("indicator", "unit"))
    seen = hub_targets.known(record, targets & set(record.codebook), units)
    for file, rows, column in (
        ("target-data/time-series.csv", seen, hub_targets.SERIES),
        ("target-data/oracle-output.csv", hub_targets.foreseen(seen, tasks), hub_targets.ORACLE),
    ):
        before = (root / file).read_bytes() if (root / file).is_file() else None
        data = hub_targets.merged(before, rows, column)
        if data is not None:
            files[file] = (data, True)
    return files


def _put(
    root: Path, files: dict[str, tuple[bytes, bool]], output: str, data: bytes, there: bool
) -> Exported:
    """Write what is missing or out of date, the output last: with it the round is there."""
    written, same, notes = [], [], []
    for name, (content, renewed) in files.items():
        file = root / name
        before = file.read_bytes() if file.is_file() else None
        if before is None or (renewed and before != content):
            _write(file, content)
            written.append(name)
        else:
            same.append(name)
            if before != content:
                notes.append(f"{name} was there and is left as it is")
    if there:
        same.append(output)
    else:
        _write(root / output, data)
        written.append(output)
    if "target-data/oracle-output.csv" not in files:
        notes.append("no year that is forecast has come yet: there is no oracle-output.csv")
    return Exported(root, tuple(written), tuple(same), tuple(notes))


def _write(file: Path, data: bytes) -> None:
    """Write a file beside its place and move it there: it is whole or as it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        os.replace(draft, file)
    except OSError as err:
        raise OSError(err.errno, err.strerror or str(err), str(file)) from err
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
