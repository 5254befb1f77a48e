"""Every reader keeps one contract, and a damaged file is refused by file and remedy, never misread.

The suite runs over all formats: a sample in the publisher's layout lies in `tests/samples`, as
`<name>.csv` with further files as `<name>-2.csv`. Faults special to one layout are in
`test_formats_*.py`.
"""

import csv
import gzip
import io
import random
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairweather.errors import SourceError
from fairweather.formats import FORMATS, cells, door, get_format, streams

SAMPLES = Path(__file__).parent / "samples"
NAMES = sorted(FORMATS)
# Formats whose publisher lists equal rows that are different events.
EQUAL_ROWS_COUNT = {"visits-ceias"}
# Formats whose publisher writes Windows-1252 as well as UTF-8.
LATIN = {"sipri-register"}
# Formats without a header line.
NO_HEADER: set[str] = set()

# Columns that the coding functions ask for.
COLUMNS = {
    "ga_rollcalls": "rc date year session resolution kind yes no abstain nonvoting",
    "ga_votes": "rc iso3 vote",
    "sc_rollcalls": "rc date year resolution yes no abstain nonvoting chn rus usa gbr fra",
    "sc_votes": "rc iso3 vote",
    "sc_vetoes": "date year draft chn rus usa gbr fra",
    "sipri_arms": "supplier_iso3 recipient_iso3 year deals_delivering tiv_register_alloc "
    "deals_ordered tiv_ordered",
    "gsdb_us": "iso3 year us_active us_new us_trade us_arms us_military us_financial us_travel "
    "us_other",
    "ties_us": "iso3 year ties_us_active_impositions ties_us_active_impositions_nontrade "
    "ties_us_new_cases ties_us_new_impositions ties_us_new_threats",
    "ofac_months": "iso3 month active_entities additions removals",
    "trade_flows": "year exporter importer value source reporter",
    "mid_directed": "iso3_a iso3_b year cow_n_disputes cow_n_onsets cow_host_a_to_b",
    "icews": "source_iso3 target_iso3 year verbal_coop material_coop verbal_conf material_conf "
    "n_events",
    "gdelt": "month a_iso3 b_iso3 net_sum pos_day_sum neg_day_sum n_days_active n_days_in_file",
    "tci": "year exporter importer tci_sop4",
    "gdp": "iso3 cow year variable value unit source",
    "energy": "iso3 year fossil_net_ej fossil_net_complete total_energy_supply_tes_exajoules",
    "trips": "source traveller_iso3 host_iso3 year office n_trips",
    "coding_sheet": "indicator unit year rater value source note",
}
STATES_IN = re.compile(r"(^|_)iso3(_|$)|^exporter$|^importer$")


def samples(name):
    pattern = re.compile(rf"{re.escape(name)}(-\d+)?\.\w+")
    found = sorted(p for p in SAMPLES.iterdir() if pattern.fullmatch(p.name))
    assert found, f"no sample for {name}"
    return found


def text_sample(name):
    """The first sample that is text, and all of them."""
    paths = samples(name)
    return next(p for p in paths if p.suffix in (".csv", ".tsv", ".txt")), paths


def same(a, b):
    assert list(a) == list(b)
    for key in a:
        pd.testing.assert_frame_equal(a[key], b[key])


def read_with(name, changed, content, folder):
    """Read the samples with one of them replaced; give tables, or the refusal."""
    paths = []
    for path in samples(name):
        copy = folder / path.name
        copy.write_bytes(content if path == changed else path.read_bytes())
        paths.append(copy)
    form = get_format(name)
    try:
        tables = form.read(paths)
        form.coverage(tables)
    except SourceError as err:
        assert err.remedy, err
        assert err.file in {p.name for p in paths}, err
        return err
    assert tuple(tables) == form.TABLES
    return tables


def refused(name, changed, content, folder):
    found = read_with(name, changed, content, folder)
    assert isinstance(found, SourceError), f"{name} read what it should refuse"
    return found


def clean(name):
    return get_format(name).read(samples(name))


def split(path):
    """Lines of explanation, delimiter, and the rows from the header on."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    best = max(",\t;|", key=lambda mark: max(line.count(mark) for line in lines))
    width = max(line.count(best) for line in lines) // 2
    start = next(n for n, line in enumerate(lines) if line.count(best) >= width)
    rows = list(csv.reader(io.StringIO("".join(lines[start:]), newline=""), delimiter=best))
    return "".join(lines[:start]), best, rows


def join(preamble, delimiter, rows):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return (preamble + out.getvalue()).encode("utf-8")


# The contract


@pytest.mark.parametrize("name", NAMES)
def test_a_format_keeps_the_contract(name):
    form = get_format(name)
    assert name == form.NAME
    assert form.TITLE and form.SOURCE and form.TABLES
    assert isinstance(form.INDICATORS, tuple)
    paths = samples(name)
    before = [p.read_bytes() for p in paths]
    first, second = form.read(paths), form.read(tuple(paths))
    same(first, second)
    assert [p.read_bytes() for p in paths] == before
    assert tuple(first) == form.TABLES
    for table, frame in first.items():
        assert not frame.empty
        if table in COLUMNS:
            assert set(COLUMNS[table].split()) <= set(frame.columns)
        assert isinstance(frame.index, pd.RangeIndex)
        for column in frame:
            # Text is text and numbers are numbers: no object columns of both.
            assert frame[column].dtype != object, f"{table}.{column}"
            if STATES_IN.search(column):
                assert set(frame[column].dropna()) <= cells.STATES
        if "year" in frame:
            assert pd.api.types.is_integer_dtype(frame["year"])
    copies = {table: frame.copy() for table, frame in first.items()}
    years = form.coverage(first)
    same(first, copies)
    assert all(type(y) is int for y in years) and 1800 < years[0] <= years[1] < 2100


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_refused_and_one_file_twice_changes_no_number(name):
    form = get_format(name)
    with pytest.raises(SourceError, match=r"\w"):
        form.read([])
    paths = samples(name)
    try:
        found = form.read([*paths, paths[0]])
    except SourceError as err:
        assert err.file and err.remedy
    else:
        same(found, clean(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_format_says_what_it_reads_and_who_guards_it(name):
    form = get_format(name)
    assert form.__doc__ and "Guarded by" in form.__doc__
    assert form.read.__doc__ and form.coverage.__doc__


def test_an_unknown_format_is_refused_with_the_list():
    with pytest.raises(SourceError, match="un-ga"):
        get_format("un-gaa")


# Faults that any file can have


@pytest.mark.parametrize("name", NAMES)
def test_packing_and_a_mark_of_order_change_nothing(name, tmp_path):
    path, _ = text_sample(name)
    raw = path.read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", raw)
    forms = [b"\xef\xbb\xbf" + raw, gzip.compress(raw), packed.getvalue(),
             raw.replace(b"\n", b"\r\n")]  # fmt: skip
    for form in forms:
        same(read_with(name, path, form, tmp_path), clean(name))


@pytest.mark.parametrize("name", NAMES)
def test_another_encoding_or_delimiter_is_refused(name, tmp_path):
    path, _ = text_sample(name)
    text = path.read_text(encoding="utf-8")
    assert refused(name, path, text.encode("utf-16"), tmp_path).row == 1
    assert refused(name, path, text.encode("utf-16-le"), tmp_path)
    if not text.isascii():
        latin = text.encode("cp1252", errors="replace")
        if name in LATIN:
            same(read_with(name, path, latin, tmp_path), clean(name))
        elif b"?" not in latin or text.count("?") == latin.count(b"?"):
            assert refused(name, path, latin, tmp_path).row
    preamble, delimiter, rows = split(path)
    other = "\t" if delimiter == ";" else ";"
    assert refused(name, path, join(preamble, other, rows), tmp_path).row


@pytest.mark.parametrize("name", [n for n in NAMES if n not in NO_HEADER])
def test_a_changed_header_is_refused(name, tmp_path):
    path, _ = text_sample(name)
    preamble, delimiter, rows = split(path)
    width = len(rows[0])
    for n in range(width):
        renamed = [[*rows[0][:n], "new name", *rows[0][n + 1 :]], *rows[1:]]
        error = refused(name, path, join(preamble, delimiter, renamed), tmp_path)
        # A header that is looked for by its first cell is not found at all without it.
        assert error.row in {preamble.count("\n") + 1, 1 if n == 0 else None}
        dropped = [row[:n] + row[n + 1 :] for row in rows]
        found = read_with(name, path, join(preamble, delimiter, dropped), tmp_path)
        if not isinstance(found, SourceError):
            same(found, clean(name))  # the column is optional
    extra = [[*row, "x"] for row in rows]
    assert refused(name, path, join(preamble, delimiter, extra), tmp_path).row
    twice = [[*row, row[0]] for row in rows]
    assert refused(name, path, join(preamble, delimiter, twice), tmp_path).row
    only = join(preamble, delimiter, rows[:1])
    assert refused(name, path, only, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_another_length_is_refused_by_its_line(name, tmp_path):
    path, _ = text_sample(name)
    preamble, delimiter, rows = split(path)
    for changed in (rows[1][:-1], [*rows[1], "x"]):
        content = join(preamble, delimiter, [rows[0], changed, *rows[2:]])
        found = refused(name, path, content, tmp_path)
        assert found.row == preamble.count("\n") + 2


@pytest.mark.parametrize("name", NAMES)
def test_a_repeated_row_changes_no_number(name, tmp_path):
    path, _ = text_sample(name)
    preamble, delimiter, rows = split(path)
    if name in EQUAL_ROWS_COUNT:
        pytest.skip("equal rows are different events")
    last = rows[-1]
    found = read_with(name, path, join(preamble, delimiter, [*rows, last]), tmp_path)
    if not isinstance(found, SourceError):
        same(found, clean(name))


@pytest.mark.parametrize("name", NAMES)
def test_another_form_of_date_or_code_is_never_another_result(name, tmp_path):
    path, _ = text_sample(name)
    preamble, delimiter, rows = split(path)
    seen = set()
    for n, row in enumerate(rows[1:], start=1):
        for place, cell in enumerate(row):
            day = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", cell)
            if day:
                other = f"{day[3]}/{day[2]}/{day[1]}"
            elif cell in cells.STATES:
                other = cell[:2]
            else:
                continue
            if (place, bool(day)) in seen:
                continue
            seen.add((place, bool(day)))
            changed = [r[:] for r in rows]
            changed[n][place] = other
            found = read_with(name, path, join(preamble, delimiter, changed), tmp_path)
            if isinstance(found, SourceError):
                assert found.row
            else:
                same(found, clean(name))  # the column is not read


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_bearable_file_is_refused(name, tmp_path, monkeypatch):
    path, paths = text_sample(name)
    form = get_format(name)
    others = [p for p in paths if p != path]
    (tmp_path / "folder.csv").mkdir()
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as stream:
        stream.truncate(5 * 1024**3)  # sparse: takes no room
    (tmp_path / "empty.csv").write_bytes(b"")
    monkeypatch.setattr(streams, "RATIO_FLOOR", 64 * 1024)
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(path.read_bytes() + b"\n" * 1024**2))
    zipped = tmp_path / "bomb.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", path.read_bytes() + b"\n" * 1024**2)
    for bad in ("folder.csv", "missing.csv", "huge.csv", "empty.csv", "bomb.csv.gz", "bomb.zip"):
        with pytest.raises(SourceError) as refusal:
            form.read([tmp_path / bad, *others])
        assert refusal.value.file == bad and refusal.value.remedy


FUZZ = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("name", NAMES)
@FUZZ
@given(share=st.floats(0, 1), packed=st.booleans())
def test_a_file_cut_anywhere_is_read_whole_or_refused(name, tmp_path, share, packed):
    path, _ = text_sample(name)
    raw = gzip.compress(path.read_bytes(), mtime=0) if packed else path.read_bytes()
    found = read_with(name, path, raw[: int(share * len(raw))], tmp_path)
    assert isinstance(found, SourceError) or not packed or share == 1


@pytest.mark.parametrize("name", NAMES)
@FUZZ
@given(seed=st.integers(0, 2**32))
def test_flipped_bytes_are_read_or_refused(name, tmp_path, seed):
    rng = random.Random(seed)
    path = rng.choice(samples(name))
    raw = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 4)):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    read_with(name, path, bytes(raw), tmp_path)


TOKENS = ("-9", "-0-", "..", "NA", "nan", "inf", "1e999", "9" * 30, "", "2015-02-30", "١٩٩٢", "{x}",
          "ZZZ", "=1+1", "0x10", "-1", "1,5", "null", "%s", "😀")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@FUZZ
@given(seed=st.integers(0, 2**32))
def test_a_strange_cell_is_read_or_refused(name, tmp_path, seed):
    rng = random.Random(seed)
    path, _ = text_sample(name)
    preamble, delimiter, rows = split(path)
    row = rng.choice(rows[1:])
    row[rng.randrange(len(row))] = rng.choice(TOKENS)
    read_with(name, path, join(preamble, delimiter, rows), tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_digits_of_another_script_are_no_number(name, tmp_path):
    """Python reads them as numbers, and a coding that does not would take them for nothing."""
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    path, _ = text_sample(name)
    preamble, delimiter, rows = split(path)
    whole = clean(name)
    for place in range(len(rows[0])):
        column = [row[place] for row in rows[1:]]
        if not all(re.fullmatch(r"(-?[0-9.]+)?", cell) for cell in column) or not any(column):
            continue
        changed = [list(row) for row in rows]
        for row in changed[1:]:
            row[place] = row[place].translate(arabic)
        found = read_with(name, path, join(preamble, delimiter, changed), tmp_path)
        if not isinstance(found, SourceError):
            same(found, whole)  # the column is not read


# The door itself

LAYOUT = {"a": cells.count(), "day": cells.iso_date(), "text": (), "unread": None}
GOOD = 'a,day,text,unread\n1,2001-01-01,é x,q\n\n2,2002-02-02,"two\nlines",q\n3,2001-01-01,t,q\n'


def opened(tmp_path, content, name="f.csv", layout=LAYOUT, **how):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return door.open_table(path, layout, **how)


def test_cells_are_stripped_text_and_rows_know_their_line(tmp_path):
    table = opened(tmp_path, GOOD.replace("2,2002", " 2 ,2002"))
    assert table.frame["a"].tolist() == ["1", "2", "3"]
    assert list(table.frame) == ["a", "day", "text"]
    assert [table.line(n) for n in (-1, 0, 1, 2)] == [1, 2, 4, 6]


@pytest.mark.parametrize(
    ("old", "new", "row", "words"),
    [
        ("3,2001-01-01", "x,2001-01-01", 6, "a = 'x'"),
        ("3,2001-01-01", "3,2001-02-31", 6, "no day"),
        ("3,2001-01-01", "3,01/01/2001", 6, "no day"),
        ("3,2001-01-01,t,q", "3,2001-01-01", 6, "may be cut"),
        ('"two\nlines"', '"two\nlines', 4, "not closed"),
        ("text,unread", "text", 1, r"\['unread'\] are missing"),
        ("text,unread", "text,text", 1, "twice"),
        ("t,q", "t\0,q", 6, "NUL"),
    ],
)
def test_a_fault_is_named_by_its_line(tmp_path, old, new, row, words):
    with pytest.raises(SourceError, match=words) as refusal:
        opened(tmp_path, GOOD.replace(old, new))
    assert refusal.value.row == row


def test_a_file_in_another_encoding_is_read_only_where_it_is_declared(tmp_path):
    latin = GOOD.encode("cp1252")
    with pytest.raises(SourceError, match="UTF-8") as refusal:
        opened(tmp_path, latin)
    assert refusal.value.row == 2
    table = opened(tmp_path, latin, encoding=("utf-8", "cp1252"))
    assert table.frame["text"][0] == "é x"


def test_a_preamble_is_skipped_by_count_or_by_the_first_cell(tmp_path):
    lines = "Title; with, commas\nGenerated 2025\n\n"
    for skip in (3, "a"):
        assert opened(tmp_path, lines + GOOD, skip=skip).line(0) == 5
    with pytest.raises(SourceError, match="no header"):
        opened(tmp_path, lines + GOOD, skip="b")


def test_a_table_without_header_takes_the_declared_order(tmp_path):
    table = opened(tmp_path, GOOD.split("\n", 1)[1], header=False)
    assert table.frame["a"].tolist() == ["1", "2", "3"] and table.line(0) == 1


def test_a_column_without_a_name_is_named_after_its_neighbour(tmp_path):
    table = opened(tmp_path, "a, ,b\n1,?,2\n", layout={"a": (), "a?": (), "b": ()})
    assert table.frame["a?"].tolist() == ["?"]


def test_an_optional_column_is_blank_when_absent(tmp_path):
    layout = {**LAYOUT, "more": cells.count()}
    assert opened(tmp_path, GOOD, layout=layout, optional=["more"]).frame["more"].eq("").all()


def test_an_archive_holds_one_table(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("b.csv", GOOD)
    with pytest.raises(SourceError, match="2 files"):
        opened(tmp_path, packed.getvalue(), "f.zip")


def test_a_bomb_is_stopped_while_it_unpacks(tmp_path):
    row = b"1,2001-01-01," + b"x" * 60_000 + b",q\n"
    raw = gzip.compress(b"a,day,text,unread\n" + row * 1_700)
    assert len(raw) < 300_000
    with pytest.raises(SourceError, match="unpacks"):
        opened(tmp_path, raw, "f.csv.gz")


def test_a_damaged_archive_of_any_packing_is_refused(tmp_path):
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            archive.writestr("a.csv", GOOD * 50)
        raw = packed.getvalue()
        for place in range(45, 90, 3):
            bad = raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :]
            with pytest.raises(SourceError) as refusal:
                opened(tmp_path, bad, "f.zip")
            assert refusal.value.remedy


def test_a_header_of_a_million_columns_is_refused_at_once(tmp_path):
    with pytest.raises(SourceError, match="the header has 1,000,004 columns, the layout 4"):
        opened(tmp_path, GOOD.replace("unread\n", "unread" + ",x" * 1_000_000 + "\n", 1))


def test_a_workbook_gives_the_same_cells(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    rows = [["a", "day", "text", "unread"], [1.0, pd.Timestamp("2001-01-01"), "é x", None]]
    for row in rows:
        book.active.append(row)
    path = tmp_path / "f.xlsx"
    book.save(path)
    table = door.open_table(path, LAYOUT)
    assert table.frame.iloc[0].tolist() == ["1", "2001-01-01", "é x"] and table.line(0) == 2
    book.active["A2"] = "#REF!"
    book.active["A2"].data_type = "e"
    book.save(path)
    with pytest.raises(SourceError, match="#REF!") as refusal:
        door.open_table(path, LAYOUT)
    assert refusal.value.row == 2
    book.create_sheet("more")
    book.save(path)
    with pytest.raises(SourceError, match="sheets"):
        door.open_table(path, LAYOUT)


def test_a_damaged_or_swollen_workbook_is_refused(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(list(LAYOUT))
    path = tmp_path / "f.xlsx"
    book.save(path)
    raw = path.read_bytes()
    for cut in range(0, len(raw), 997):
        path.write_bytes(raw[:cut])
        with pytest.raises(SourceError):
            door.open_table(path, LAYOUT)
    for place in range(0, len(raw), 613):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x41]) + raw[place + 1 :])
        with pytest.raises(SourceError):
            door.open_table(path, LAYOUT)
    path.write_bytes(raw)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/pad", b"\0" * (80 * 1024**2))
    with pytest.raises(SourceError, match="unpacks"):
        door.open_table(path, LAYOUT)


def test_a_workbook_with_a_row_far_below_is_refused_and_gaps_cost_nothing(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (list(LAYOUT), ["1", "2001-01-01", "x", ""]):
        book.active.append(row)
    for number, refused_as in ((900_000, None), (2_000_000, "at most 1,048,576 rows")):
        path = tmp_path / "f.xlsx"
        book.save(path)
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        sheet = "xl/worksheets/sheet1.xml"
        parts[sheet] = parts[sheet].replace(b'<row r="2"', f'<row r="{number}"'.encode())
        parts[sheet] = re.sub(rb' r="([A-D])2"', rf' r="\g<1>{number}"'.encode(), parts[sheet])
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        if refused_as:
            with pytest.raises(SourceError, match=refused_as):
                door.open_table(path, LAYOUT)
        else:
            table = door.open_table(path, LAYOUT)
            assert len(table.frame) == 1 and table.line(0) == number


def test_a_workbook_without_openpyxl_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(SourceError, match="openpyxl"):
        door.open_table(path, LAYOUT)


def test_a_refusal_counts_the_rest(tmp_path):
    table = opened(tmp_path, GOOD)
    with pytest.raises(SourceError, match="day 2001-01-01 is odd; 1 more") as refusal:
        table.refuse_if(table.frame["day"] == "2001-01-01", "day {day} is odd", "Mend it.")
    assert refusal.value.row == 2 and refusal.value.remedy == "Mend it."
