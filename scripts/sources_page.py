"""Write docs/sources.md: which tables a build reads, with their columns, traced and not declared.

Run from the root of a checkout: ``.venv/bin/python scripts/sources_page.py SOURCES``.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from fairweather.coding import build, chronology
from fairweather.coding.registry import Sources
from fairweather.coding.states import compute_states
from fairweather.coding.tables import FILES
from fairweather.record import load_record

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sources.md"
HEAD = """# Prepared sources

`fairweather data build --sources DIR` reads these tables below the folder `DIR`: copies of
publishers' files brought into one shape (Parquet, or CSV, packed or not; states as ISO3 codes).
They are not part of this project; each indicator's source, with address and terms, is in the
[codebook](codebook.md). Further columns do no harm. A build names a table or column that is
missing.

A publisher's own release needs none of this: `fairweather data import` reads it in the publisher's
layout ([releases.md](releases.md)).

| table | place | columns read | for |
|---|---|---|---|
"""


class _Traced(Sources):
    """Sources that note who asked for what; copies share the notes."""

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        self.asked: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.who = [""]

    def read(self, name, columns):
        columns = list(columns)
        self.asked[name][self.who[0]] |= set(columns)
        return super().read(name, columns)


def page(sources: str | Path) -> str:
    """Run every coding and list what it asked for."""
    record = load_record()
    src = _Traced(sources, record.states["iso3"])
    src.who[0] = "which states"
    compute_states(src)
    for one in record.codebook.indicators:
        src.who[0] = f"`{one.id}`"
        build.observations(src, one)
    src.who[0] = "the chronology"
    chronology.tables(src)
    lines = []
    for name, place in FILES.items():
        asked = src.asked.get(name, {})
        columns = ", ".join(f"`{c}`" for c in sorted(set().union(*asked.values())))
        if asked:
            lines.append(f"| `{name}` | `{place}` | {columns} | {', '.join(sorted(asked))} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(sys.argv[1]), encoding="utf-8", newline="\n")
    print(PAGE)
