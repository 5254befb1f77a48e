"""A codebook entry is complete, typed and consistent, or it is refused by file and line."""

import shutil
import tomllib

import pytest

from fairweather import paths
from fairweather.codebook import FAMILIES, load_codebook
from fairweather.errors import CodebookError
from fairweather.names import DOMAINS

DATA = paths.data_dir()


@pytest.fixture
def book(tmp_path):
    for name in ("codebook.toml", "sources.toml"):
        shutil.copy(DATA / name, tmp_path / name)
    return tmp_path / "codebook.toml"


def test_committed_codebook():
    codebook = load_codebook()
    assert len(codebook) == len(list(codebook)) == len(codebook.indicators)
    assert "unga_votes" in codebook and "moon" not in codebook
    for latent, domains in DOMAINS.items():
        assert {i.domain for i in codebook.of(latent)} == set(domains)
        assert {i.family for i in codebook.of(latent)} <= set(FAMILIES[latent])
    assert {i.source for i in codebook.indicators} == set(codebook.sources)
    assert [i.id for i in codebook.indicators if i.anchor] == ["unga_votes", "gsdb_us_cases"]


def test_loads_from_file_or_folder(book):
    assert load_codebook(book) == load_codebook(book.parent) == load_codebook()


def test_indicator_is_frozen():
    with pytest.raises(AttributeError):
        load_codebook()["unga_votes"].sign = -1


def test_unknown_id():
    with pytest.raises(CodebookError, match="no indicator 'moon'"):
        load_codebook()["moon"]


def _line(path, text):
    return next(k for k, v in enumerate(path.read_text().splitlines(), 1) if v == text)


BAD = [
    ('latent = "alignment"', 'latent = "love"', "latent 'love' is unknown"),
    ('domain = "diplomatic"', 'domain = "verbal"', "domain 'verbal' is not one of"),
    ('family = "vote"', 'family = "driver"', "family 'driver' does not fit"),
    ("sign = 1", "sign = 2", "sign is 2"),
    ("sign = 1", "sign = true", "not a non-empty int"),
    ("sign = 1", 'sign = "1"', "not a non-empty int"),
    ("first_year = 1992", "first_year = 2030", "is after last_year"),
    ("residual_ar = 0.7", "residual_ar = 1.0", "residual_ar is 1.0"),
    ("release_lag_days = 60", "release_lag_days = -1", "negative"),
    ('source = "un_ga"', 'source = "gossip"', "not in sources.toml"),
    ("anchor = true", "anchor = 1", "not a non-empty bool"),
    ("anchor = true\n", "", "lacks the field 'anchor'"),
    ("anchor = true\n", "anchor = true\ncolour = 1\n", "unknown field 'colour'"),
    ("item_year_shift = false", "item_year_shift = 0.5", "not a non-empty bool"),
]


@pytest.mark.parametrize(("old", "new", "problem"), BAD)
def test_bad_entry_names_file_line_and_remedy(book, old, new, problem):
    text = book.read_text()
    assert old in text
    book.write_text(text.replace(old, new, 1))
    with pytest.raises(CodebookError) as caught:
        load_codebook(book)
    line = _line(book, "[indicator.unga_votes]")
    assert str(caught.value).startswith(f"codebook.toml, line {line}: [indicator.unga_votes]")
    assert problem in str(caught.value)
    assert caught.value.remedy


def test_all_missing_fields_are_named_at_once(book):
    text = book.read_text().replace("anchor = true\n", "", 1).replace("first_year = 1992\n", "", 1)
    book.write_text(text)
    with pytest.raises(CodebookError, match="lacks the field 'anchor', 'first_year'"):
        load_codebook(book)


def test_anchor_must_be_single_and_of_an_anchor_family(book):
    text = book.read_text()
    book.write_text(text.replace("anchor = true", "anchor = false", 1))
    with pytest.raises(CodebookError, match="latent 'alignment' has 0 anchors"):
        load_codebook(book)
    book.write_text(text.replace("anchor = false", "anchor = true", 1))
    with pytest.raises(CodebookError, match="anchor of family 'share'"):
        load_codebook(book)


def test_broken_files(book):
    text = book.read_text()
    book.write_text(text + "[stray]\nx = 1\n")
    with pytest.raises(CodebookError, match="expected only"):
        load_codebook(book)
    book.write_text("indicator.x = 3\n")
    with pytest.raises(CodebookError, match="is not a table"):
        load_codebook(book)
    book.write_text("x = [")
    with pytest.raises(CodebookError, match="not valid TOML"):
        load_codebook(book)
    book.unlink()
    with pytest.raises(CodebookError, match=r"codebook.toml: the file does not exist"):
        load_codebook(book)


def test_sources_are_complete(book):
    path = book.with_name("sources.toml")
    text = path.read_text()
    path.write_text(text.replace('publisher = "United Nations"\n', "", 1))
    with pytest.raises(CodebookError, match=r"sources.toml, line \d+: .*lacks .*'publisher'"):
        load_codebook(book)
    path.write_text(text.replace('read_on = "2026-11-24"', 'read_on = "24 November"', 1))
    with pytest.raises(
        CodebookError, match=r"sources.toml, line \d+: .*'24 November' is not a day"
    ):
        load_codebook(book)
    path.unlink()
    with pytest.raises(CodebookError, match=r"sources.toml: the file does not exist"):
        load_codebook(book)
    for entry in tomllib.loads(text)["source"].values():
        assert all(entry.values())
