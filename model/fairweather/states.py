"""The table of states says who is in the record and why, and holds each state once.

Guarded by ``tests/test_record.py``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from fairweather.checks import NUMBER, enforce, matches, read_text, rule

STATE_COLUMNS = (
    "iso3",
    "name",
    "role",
    "region",
    "years_two_cases",
    "years_three_kinds",
    "mean_cinc",
)
CHOSEN = "chosen"
ROLES = ("pressed", "contrast", CHOSEN)


def read_states(path: str | Path) -> pd.DataFrame:
    """Read the table of member states.

    Parameters
    ----------
    path : str or Path
        `states.csv`.

    Returns
    -------
    DataFrame
        Columns `STATE_COLUMNS`, in file order.

    Raises
    ------
    RecordError
        If a code is malformed or repeated, a role unknown or a number not a number.
    """
    path = Path(path)
    frame = read_text(path, STATE_COLUMNS)
    whole = [rule(matches("[0-9]+"), "not a whole number", "write a count of years")]
    schema = pa.DataFrameSchema(
        {
            "iso3": pa.Column(
                checks=[
                    rule(matches("[A-Z]{3}"), "iso3 is not an ISO3 code", "write three letters"),
                    rule(lambda s: ~s.duplicated(), "the state is repeated", "keep one row"),
                ]
            ),
            "name": pa.Column(checks=[rule(lambda s: s != "", "name is blank", "fill it in")]),
            "role": pa.Column(
                checks=[
                    rule(
                        lambda s: s.isin(ROLES),
                        "role is unknown",
                        f"write {', '.join(ROLES)}",
                    )
                ]
            ),
            "years_two_cases": pa.Column(checks=whole),
            "years_three_kinds": pa.Column(checks=whole),
            "mean_cinc": pa.Column(
                checks=[rule(matches(f"({NUMBER})?"), "mean_cinc is not a number", "write a share")]
            ),
        },
        checks=[
            # A state that somebody chose need be in no region and no capability table.
            rule(
                lambda f: (f["role"] == CHOSEN) | ((f["region"] != "") & (f["mean_cinc"] != "")),
                "region or mean_cinc is blank",
                "fill it in",
            )
        ],
    )
    frame = enforce(schema, frame, path)
    frame["mean_cinc"] = pd.to_numeric(frame["mean_cinc"], errors="coerce").astype("float64")
    years = ["years_two_cases", "years_three_kinds"]
    frame[years] = frame[years].astype("int64")
    return frame
