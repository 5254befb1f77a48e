from pathlib import Path

from fairweather.claims.catalogue import load_claims
from fairweather.claims.page import catalogue_page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "claims.md"


def test_the_page_is_that_of_the_catalogue():
    assert PAGE.read_text(encoding="utf-8") == catalogue_page(load_claims())


def test_every_claim_is_on_the_page_once():
    page = catalogue_page(load_claims())
    for name, entry in load_claims().items():
        assert page.count(f"### {name}: ") == 1
        assert entry.get("reason", entry.get("why")) is not None
    assert "borne out from 0.9" in page and "49 claims" in page
