"""Membership follows from pressure received and size alone, never from how a state aligned.

The rule and its reasons are in ``docs/record.md``. Guarded by ``tests/test_coding.py``.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from fairweather import countries
from fairweather.coding.registry import LAST_YEAR, Sources
from fairweather.errors import SourceError
from fairweather.states import CHOSEN, STATE_COLUMNS

RULE_FIRST, RULE_LAST = 1992, 2022
MIN_YEARS = 5
MIN_CINC = 0.0014
KINDS = ("us_trade", "us_arms", "us_military", "us_financial", "us_travel")
US = "USA"
UN_MEMBERS = "un-members"

# World Bank regions (grouping in force to June 2025), for every state whose mean share of world
# capabilities in 1992-2022 reaches MIN_CINC; TWN is not in that grouping and is left out.
REGIONS = {
    "East Asia & Pacific": "CHN JPN KOR IDN PRK VNM THA AUS PHL MMR MYS SGP KHM",
    "Europe & Central Asia": (
        "RUS DEU GBR FRA ITA TUR UKR ESP POL NLD BEL GRC ROU KAZ SWE UZB CZE AUT BLR FIN PRT NOR "
        "HUN CHE SRB BGR AZE SVK DNK CSK"
    ),
    "Latin America & Caribbean": "BRA MEX COL ARG VEN PER CHL CUB ECU",
    "Middle East & North Africa": "IRN SAU EGY IRQ DZA ISR SYR MAR ARE KWT YEM LBY JOR OMN QAT",
    "North America": "USA CAN",
    "South Asia": "IND PAK BGD AFG LKA NPL",
    "Sub-Saharan Africa": "NGA ZAF ETH COD SDN AGO TZA KEN ERI SSD UGA CIV GHA CMR MOZ",
}
_REGION_OF = {iso: region for region, codes in REGIONS.items() for iso in codes.split()}
_OUTSIDE = {"TWN"}

NAMES = {
    "AFG": "Afghanistan",
    "BRA": "Brazil",
    "CHN": "China",
    "COD": "DR Congo",
    "CUB": "Cuba",
    "DEU": "Germany",
    "IND": "India",
    "IRN": "Iran",
    "JPN": "Japan",
    "KHM": "Cambodia",
    "LBY": "Libya",
    "MMR": "Myanmar",
    "NGA": "Nigeria",
    "PAK": "Pakistan",
    "PRK": "North Korea",
    "RUS": "Russia",
    "SAU": "Saudi Arabia",
    "SDN": "Sudan",
    "SYR": "Syria",
    "VEN": "Venezuela",
    "ZAF": "South Africa",
}


def measured_states(src: Sources) -> pd.DataFrame:
    """Size and pressure received of every state in the capability rows, by ISO3 code.

    Columns `mean_cinc, rows, nmc_name, years_two_cases, years_three_kinds, region`.
    """
    cinc = src.read("capabilities", ["iso3", "state", "year", "cinc"])
    cinc = cinc[cinc["year"].between(RULE_FIRST, RULE_LAST) & cinc["cinc"].notna()]
    size = cinc.groupby("iso3").agg(
        mean_cinc=("cinc", "mean"), rows=("cinc", "size"), nmc_name=("state", "last")
    )

    cases = src.read(
        "gsdb_us",
        ["iso3", "year", "us_active", *KINDS],
    )
    cases = cases[cases["year"].between(RULE_FIRST, RULE_LAST)]
    received = pd.DataFrame(
        {
            "years_two_cases": (cases["us_active"] >= 2).groupby(cases["iso3"]).sum(),
            "years_three_kinds": ((cases[list(KINDS)] > 0).sum(axis=1) >= 3)
            .groupby(cases["iso3"])
            .sum(),
        }
    )
    table = size.join(received).fillna({"years_two_cases": 0, "years_three_kinds": 0})
    table["region"] = table.index.map(_REGION_OF)
    return table


def compute_states(src: Sources) -> pd.DataFrame:
    """Apply the membership rule to the sources.

    Parameters
    ----------
    src : Sources
        The publishers' folder.

    Returns
    -------
    DataFrame
        One row per member: `iso3, name, role, region, years_two_cases, years_three_kinds,
        mean_cinc`; pressed states first, then contrast states, each by falling size.

    Raises
    ------
    SourceError
        If a large state has no region in the table of this module.
    """
    years = RULE_LAST - RULE_FIRST + 1
    table = measured_states(src)
    table = table.drop(index=US).sort_values("mean_cinc", ascending=False)
    large = table[(table["mean_cinc"] >= MIN_CINC) & table["region"].isna()]
    unknown = sorted(set(large.index) - _OUTSIDE)
    if unknown:
        raise SourceError(
            f"states {unknown} are large but have no region",
            file="nmc_v7_state_year.parquet",
            remedy="Add them to REGIONS in coding/states.py.",
        )

    pressed = (
        (table["years_two_cases"] >= MIN_YEARS)
        & (table["years_three_kinds"] >= MIN_YEARS)
        & (table["mean_cinc"] >= MIN_CINC)
        & (table["rows"] == years)
    )
    rest = table[~pressed & table["region"].notna() & (table["region"] != "North America")]
    contrast = rest.groupby("region")["mean_cinc"].idxmax()
    members = pd.concat(
        [
            table[pressed].assign(role="pressed"),
            table.loc[contrast].sort_values("mean_cinc", ascending=False).assign(role="contrast"),
        ]
    ).reset_index()
    members["name"] = members["iso3"].map(NAMES).fillna(members["nmc_name"])
    whole = ["years_two_cases", "years_three_kinds"]
    members[whole] = members[whole].astype(int)
    return members[["iso3", "name", "role", "region", *whole, "mean_cinc"]]


def choose_states(src: Sources, wanted: str | Iterable[str]) -> pd.DataFrame:
    """Describe states that somebody chose, with what the rule would look at.

    Parameters
    ----------
    src : Sources
        The sources folder.
    wanted : str or iterable of str
        ISO3 codes, or `un-members` for every member of the United Nations.

    Returns
    -------
    DataFrame
        Columns of `compute_states`, every `role` chosen; in the order asked.

    Raises
    ------
    SourceError
        If a code is unknown or repeated, or fewer than three states are named.
    """
    known = countries.table().set_index("iso3")
    if wanted == UN_MEMBERS:
        codes = sorted(countries.un_members(LAST_YEAR))
    else:
        codes = wanted.split(",") if isinstance(wanted, str) else list(wanted)
        codes = [c.strip() for c in codes]
    unknown = [c for c in codes if c not in known.index]
    if unknown or len(set(codes)) != len(codes) or len(codes) < 3:
        raise SourceError(
            f"states {unknown} are unknown" if unknown else f"{len(set(codes))} different states",
            remedy="Name three or more ISO3 codes once each, or un-members.",
        )
    table = measured_states(src).reindex(codes)
    table["name"] = known["name"].reindex(codes)
    table.update(compute_states(src).set_index("iso3")[["name"]])
    table["role"] = CHOSEN
    whole = ["years_two_cases", "years_three_kinds"]
    table[whole] = table[whole].fillna(0).astype(int)
    table["region"] = table["region"].fillna("")
    return table.rename_axis("iso3").reset_index()[list(STATE_COLUMNS)]
