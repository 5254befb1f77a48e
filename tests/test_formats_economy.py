"""Balances, shares and sizes follow from the publishers' rows as in the prepared copies."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from fairweather.errors import SourceError
from fairweather.formats import energy_institute, wits, world_bank
from fairweather.formats.complementarity import complementarity
from published import SOURCES, needs_sources

SAMPLES = Path(__file__).parent / "samples"
WITS = [SAMPLES / "wits.csv", SAMPLES / "wits-2.csv"]


def only(table, **key):
    for column, value in key.items():
        table = table[table[column] == value]
    return table.iloc[0] if len(table) == 1 else table


@pytest.mark.parametrize(
    ("reader", "old", "new", "match", "row"),
    [
        (energy_institute, "China,1984,CHN", "China,1984,", "China has no country code", 6),
        (energy_institute, "China,1984,CHN", "China,1984,CH", "unknown country code 'CH'", 6),
        (energy_institute, "coalcons_ej,4.87", "oilcons_ej,4.87", "stands twice", 3),
        (energy_institute, "coalcons_ej,4.87", "oil_tes_ej,4.87", "under two names", 3),
        (energy_institute, "coalcons_ej,4.87", "coalcons_ej,n/a", "not a number", 3),
        (energy_institute, "coalcons_ej,4.87", "coalcons_ej,-9", "not a number from 0", 3),
        (energy_institute, "oilprod_mt,114.6", "oilprod_mtt,114.6", "missing in 1984", None),
        (world_bank, "constant 2015 US$", "constant 2021 US$", "base year or meaning", 6),
        (world_bank, "NY.GDP.MKTP.KD", "NY.GDP.PCAP.KD", "publisher's list", 6),
        (world_bank, '"XKX"', '"KOS"', "three-letter codes", 8),
        (world_bank, '"XKX"', '"CHN"', "stands twice", 8),
        (world_bank, '"65000000000.5"', '"0"', "not above zero", 7),
        (world_bank, '"65000000000.5"', '".."', "not a number", 7),
        (world_bank, '"1975",', '"1975x",', "missing and .*unknown", 5),
        (world_bank, '"2024-06-28"', '"June 2024"', "when it was updated", 1),
        (wits, "          21436.76", "-1", "below", 4),
        (wits, "World,Fuels,Export,Export(US$ Mil)", "World,Fuel,Export,Export(US$ Mil)",
         "unknown product 'Fuel'", 6),
        (wits, "World,Fuels,Export,Export(US$ Mil)", "World,Minerals,Export,Export(US$ Mil)",
         "stands twice", 7),
        (wits, "\"Korea, Rep.\"", "Korea", "unknown state 'Korea'", 11),
        (wits, ",1999,", ",1999.0,", "missing and .*unknown", 1),
    ],
)  # fmt: skip
def test_faults_are_named_by_line(tmp_path, reader, old, new, match, row):
    text = (SAMPLES / f"{reader.NAME}.csv").read_text()
    assert old in text
    file = tmp_path / f"{reader.NAME}.csv"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(SourceError, match=match) as caught:
        reader.read([file])
    assert caught.value.row == row and caught.value.remedy


def test_a_release_without_total_energy_supply_is_refused(tmp_path):
    file = tmp_path / "e.csv"
    text = (SAMPLES / "energy-institute.csv").read_text()
    file.write_text(text.replace(",tes_ej,", ",primary_ej,"))
    with pytest.raises(SourceError, match="no variable tes_ej"):
        energy_institute.read([file])


def test_newer_names_of_fuel_use_are_the_same_use(tmp_path):
    text = (SAMPLES / "energy-institute.csv").read_text()
    for fuel in ("oil", "gas", "coal"):
        text = text.replace(f"{fuel}cons_ej", f"{fuel}_tes_ej")
    (tmp_path / "e.csv").write_text(text)
    new = energy_institute.read([tmp_path / "e.csv"])["energy"]
    pd.testing.assert_frame_equal(
        new, energy_institute.read([SAMPLES / "energy-institute.csv"])["energy"]
    )


def test_balances_are_production_less_use():
    table = energy_institute.read([SAMPLES / "energy-institute.csv"])["energy"]
    china = only(table, iso3="CHN", year=2023)
    assert china["oil_net_ej"] == pytest.approx(209.0 * 0.041868 - 32.1)
    assert china["fossil_net_complete"]
    # Japan is not listed as a producer: it has none, and a balance all the same.
    japan = only(table, iso3="JPN", year=2023)
    assert japan["fossil_net_ej"] == pytest.approx(-14.3)
    # In 1965 nobody's coal or gas production is listed: no balance.
    early = only(table, iso3="CHN", year=1965)
    assert not early["fossil_net_complete"] and pd.isna(early["fossil_net_ej"])


def test_the_ussr_is_russia_to_1984_and_no_longer():
    table = energy_institute.read([SAMPLES / "energy-institute.csv"])["energy"]
    assert only(table, iso3="RUS", year=1984)["entity"] == "USSR total"
    last = only(table, iso3="RUS", year=1985)
    assert last["entity"] == "as named" and last["oil_consumption_exajoules"] == 10.57
    assert set(table["iso3"]) == {"CHN", "RUS", "JPN"}


def test_sizes_are_long_and_without_aggregates():
    paths = [SAMPLES / "world-bank.csv", SAMPLES / "world-bank-2.csv"]
    table = world_bank.read(paths)["gdp"]
    assert set(table["iso3"]) == {"CHN", "CIV", "XKX", "RUS"}
    row = only(table, iso3="CHN", year=1960, variable="population")
    assert row["value"] == 667070000 and row["unit"] == "persons (SP.POP.TOTL)"
    assert set(table["source"]) == {"WDI_2024-06-28"}
    with pytest.raises(SourceError, match="already in world-bank"):
        world_bank.read([paths[0], paths[0]])


def test_a_gap_is_not_a_zero_and_nobody_trades_with_itself():
    flows = wits.read(WITS)["trade_flows"]
    assert only(flows, exporter="RUS", importer="CHN", year=2021, reporter="exporter")[
        "value"
    ] == pytest.approx(68679.25)
    assert only(flows, exporter="CHN", importer="RUS", year=2021, reporter="importer")[
        "value"
    ] == pytest.approx(72693.02)
    assert only(flows, exporter="RUS", importer="CHN", year=2019).empty
    assert not (flows["exporter"] == flows["importer"]).any()
    assert not only(flows, exporter="TWN", importer="CHN", year=2021).empty
    assert not set(flows["importer"]) & {"Unspecified", ""}


def test_totals_composition_and_fit():
    tables = wits.read(WITS)
    totals, parts, tci = tables["trade_totals"], tables["trade_composition"], tables["tci"]
    assert only(totals, iso3="RUS", flow="export", year=2021)["value"] == 492313.79
    key = ["iso3", "year", "flow", "scheme"]
    assert parts.groupby(key)["share"].sum().to_numpy() == pytest.approx(1)
    raw = only(parts, iso3="RUS", year=2021, flow="export", sector="Raw materials")
    assert raw["share"] == pytest.approx(0.389696, abs=1e-6)
    assert len(tci) == 2 and tci["tci_sop4"].between(0, 1).all()


def test_one_reporter_has_no_fit():
    tci = wits.read(WITS[:1])["tci"]
    assert tci.empty and tci["year"].dtype == "int64"


@needs_sources
def test_energy_equals_the_prepared_copy(tmp_path):
    known = pd.read_parquet(Path(SOURCES) / "trade/energy.parquet")
    names = {column: name for name, column in energy_institute.VARIABLES.items()}
    rows = known.melt(["iso3", "year", "entity"], list(names), "Var", "Value").dropna()
    soviet = rows["entity"] == "USSR total"
    raw = pd.DataFrame(
        {
            "Country": rows["iso3"].mask(soviet, "USSR"),
            "Year": rows["year"],
            "ISO3166_alpha3": rows["iso3"].mask(soviet, ""),
            "Var": rows["Var"].map(names),
            "Value": rows["Value"],
        }
    ).reindex(columns=list(energy_institute.COLUMNS))
    raw.to_csv(tmp_path / "e.csv", index=False)
    made = energy_institute.read([tmp_path / "e.csv"])["energy"].set_index(["iso3", "year"])
    known = known.astype({"year": "int64"}).set_index(["iso3", "year"])
    # Rows of the copy that hold only measures not read here.
    known = known.loc[known.index.isin(made.index), made.columns]
    assert len(known) == len(made) > 5000
    pd.testing.assert_frame_equal(made, known, check_dtype=False, check_like=True)


@needs_sources
def test_complementarity_equals_the_prepared_copy():
    folder = Path(SOURCES) / "trade"
    parts = pd.read_parquet(folder / "export_import_composition.parquet")
    known = pd.read_parquet(folder / "trade_complementarity_sop4.parquet")
    parts = parts[~parts["iso3"].isin(["WLD", "EUN"])]
    years = [1996, 2009, 2021]
    made = complementarity(parts[parts["year"].isin(years)])
    known = known[known["year"].isin(years)].astype({"exporter": "str", "importer": "str"})
    both = made.merge(known, on=["year", "exporter", "importer"], how="outer")
    assert len(both) == len(made) == len(known)
    assert (both["tci_sop4_x"] - both["tci_sop4_y"]).abs().max() < 1e-5


@needs_sources
def test_wits_shares_and_totals_equal_the_prepared_copy(tmp_path):
    folder = Path(SOURCES) / "trade"
    states = {"RUS": "Russian Federation", "CHN": "China", "SRB": "Serbia, FR(Serbia/Montenegro)"}
    parts = pd.read_parquet(folder / "export_import_composition.parquet")
    totals = pd.read_parquet(folder / "country_trade_totals.parquet")
    paths = []
    for iso3, name in states.items():
        part = parts[parts["iso3"] == iso3].assign(Partner="World")
        part["Indicator"] = part["flow"].str.title() + "(US$ Mil)"
        whole = totals[totals["iso3"] == iso3].assign(Partner="World", sector="All Products")
        whole["Indicator"] = whole["flow"].str.title() + "s (in US$ Mil)"
        rows = pd.concat([part, whole]).rename(columns={"sector": "Product categories"})
        wide = rows.pivot(
            index=["Partner", "Product categories", "Indicator"], columns="year", values="value"
        ).reset_index()
        wide = wide.assign(Reporter=name, **{"Indicator Type": ""})
        first = ["Reporter", "Partner", "Product categories", "Indicator Type", "Indicator"]
        wide = wide.reindex(columns=[*first, *range(2021, 1987, -1)])
        paths.append(tmp_path / f"en_{iso3}.csv")
        wide.to_csv(paths[-1], index=False)
    tables = wits.read(paths)
    for name, known in (("trade_composition", parts), ("trade_totals", totals)):
        key = [c for c in ("iso3", "year", "flow", "scheme", "sector") if c in known]
        known = known[known["iso3"].isin(states)].sort_values(key)[list(tables[name])]
        made = tables[name].sort_values(key)
        pd.testing.assert_frame_equal(
            made.reset_index(drop=True), known.reset_index(drop=True), check_dtype=False, rtol=1e-5
        )
