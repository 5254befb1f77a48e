"""A record of three states and four indicators, cut from the shipped one, for tests that write."""

import re
from functools import cache
from pathlib import Path

import pandas as pd

from fairweather import paths

STATES = ("CHN", "IND", "RUS")
KEPT = ("unga_votes", "arms_deliveries", "gsdb_us_cases", "energy_fit")
ORDINAL = """
[indicator.closeness]
label = "Closeness as judged by raters"
latent = "alignment"
domain = "diplomatic"
family = "ordinal"
sign = 1
anchor = false
units = "pairs the raters coded"
first_year = 1992
last_year = 2024
zero = "no tie; absent row = not coded"
coverage = "What the raters coded."
item_year_shift = true
residual_ar = 0.0
transform = "0 none to 4 close"
source = "own"
release_lag_days = 0
why = "A reader's own judgement."
default = false
aside = "An ordinal scale has no measurement family."

"""
SOURCE = """
[source.own]
citation = "Codes of the reader."
publisher = "The reader"
licence = "None"
read = "By the reader"
note = "Several raters."
"""


@cache
def _texts() -> dict[str, str]:
    shipped = paths.shipped_data_dir()
    blocks = re.split(
        r"^(?=\[indicator\.)", (shipped / "codebook.toml").read_text("utf-8"), flags=re.M
    )
    kept = [b for b in blocks if b.split("]")[0].removeprefix("[indicator.") in KEPT]
    states = pd.read_csv(shipped / "states.csv", dtype=str)
    out = {
        "codebook.toml": "".join([*kept, ORDINAL]),
        "sources.toml": (shipped / "sources.toml").read_text("utf-8") + SOURCE,
        "states.csv": states[states["iso3"].isin(STATES)].to_csv(index=False),
    }
    for name in KEPT:
        rows = pd.read_csv(
            shipped / "observations" / f"{name}.csv", dtype=str, keep_default_na=False
        )
        own = rows["unit"].str[:3].isin(STATES) & rows["unit"].str[-3:].isin(STATES)
        out[f"observations/{name}.csv"] = rows[own].to_csv(index=False)
    head = ",".join(rows.columns)
    out["observations/closeness.csv"] = f"{head}\ncloseness,CHN-RUS,1992,ann,1,,,,own,1992-12-31\n"
    return out


def make(folder: Path) -> Path:
    """Write the small record into a new folder and return it."""
    (folder / "observations").mkdir(parents=True)
    for name, text in _texts().items():
        (folder / name).write_text(text, "utf-8")
    return folder
