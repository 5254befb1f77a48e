"""A record is sound when all of it can be read, the long record too; then it is summed up.

Guarded by ``tests/test_record.py`` and ``tests/test_cli.py``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fairweather.record import load_record


def check(data_dir: str | Path | None = None) -> pd.DataFrame:
    """Check the data and summarise them, for `fairweather data check`.

    Parameters
    ----------
    data_dir : str or Path, optional
        As in `load_record`.

    Returns
    -------
    DataFrame
        One row per indicator in codebook order: `indicator, latent, domain, family, default, rows,
        units, first_year, last_year, zeros` (share of rows that are zero; blank where zero has no
        meaning), `long_rows` (rows of the long record, not among `rows`), `source`.

    Raises
    ------
    RecordError, CodebookError
        As in `load_record`.

    Examples
    --------
    >>> int(check().set_index("indicator").loc["unga_votes", "first_year"])
    1992
    """
    record = load_record(data_dir, history=True)
    rows = record.observations
    panel_from = rows["indicator"].map(
        {one.id: one.first_year for one in record.codebook.indicators}
    )
    long = rows["year"] < panel_from
    grouped = rows[~long].groupby("indicator")
    found = grouped.agg(
        rows=("year", "size"),
        units=("unit", "nunique"),
        first_year=("year", "min"),
        last_year=("year", "max"),
        zeros=("value", lambda v: (v == 0).mean()),
    )
    entries = pd.DataFrame(
        [
            {
                "indicator": i.id,
                "latent": i.latent,
                "domain": i.domain,
                "family": i.family,
                "default": i.default,
                "source": i.source,
            }
            for i in record.codebook.indicators
        ]
    )
    table = entries.join(found, on="indicator")
    table["zeros"] = table["zeros"].where([i.true_zero for i in record.codebook.indicators])
    table["long_rows"] = table["indicator"].map(rows[long].value_counts("indicator"))
    whole = ["rows", "units", "first_year", "last_year", "long_rows"]
    table[whole] = table[whole].astype("Int64").fillna({"rows": 0, "units": 0, "long_rows": 0})
    return table[[c for c in table if c != "source"] + ["source"]]
