"""The catalogue of claims as a page in Markdown: every test and threshold, and no result.

Invariant: the page follows from ``claims.toml`` alone.
Guarded by ``tests/test_claims_page.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairweather.claims.catalogue import SECTIONS
from fairweather.claims.judgement import MIN_SHOCKS
from fairweather.claims.story import METHOD
from fairweather.wording import sentence

_HEAD = f"""# The claims and their tests

Every claim of the brief in our words, with its formal statement and the test it is put to.
Thresholds date from before any fit; [docs/contest.md](contest.md) says which formal statements
were revised since, and why. `fairweather claims` shows the verdicts, `fairweather claims C08` tells
the story of one. This page is written by
`fairweather claims --catalogue --markdown docs/claims.md`.

A claim is *borne out* or *contradicted* only if the probability of its formal statement is beyond
the threshold, if it rests on at least {MIN_SHOCKS} events (of US pressure: independent shocks; of
other kinds they may hang together, and caveats say so), and if the contest can tell the readings
named from their rivals. Otherwise it is *undecided*. A reading that lacks what a claim needs counts
as one in which the claim does not hold; a verdict that follows only from what readings leave out is
*undecided* as well.
"""


def catalogue_page(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the catalogue as a page.

    Parameters
    ----------
    entries : mapping of str to mapping
        From ``fairweather.claims.load_claims``.
    """
    tally = ", ".join(
        f"{sum(e['method'] == m for e in entries.values())} {m}" for m in METHOD
        if any(e["method"] == m for e in entries.values())
    )  # fmt: skip
    lines = [_HEAD, f"{len(entries)} claims by method: {tally}.", ""]
    lines += ["| method | what it rests on |", "|---|---|"]
    lines += [f"| {m} | {what} |" for m, what in METHOD.items()]
    for section in SECTIONS:
        here = {k: e for k, e in entries.items() if e["section"].split("; ")[0] == section}
        if here:
            lines += ["", f"## {section}"]
        for name, entry in here.items():
            lines += ["", *_claim(name, entry)]
    return "\n".join(lines) + "\n"


def _claim(name: str, entry: Mapping[str, Any]) -> list[str]:
    lines = [f"### {name}: {entry['statement'].rstrip('.')}", ""]
    for label, key in (("Formally", "formal"), ("Quantity", "quantity")):
        if key in entry:
            lines.append(f"- {label}: {sentence(entry[key])}")
    if entry["method"] == "none":
        return [*lines, f"- Not testable here: {sentence(entry['why'])}"]
    measure = f"`{entry['measure']}`" + (f" with `{entry['beside']}`" if "beside" in entry else "")
    needs = entry.get("needs", "none")
    lines.append(
        f"- Method: {entry['method']}, {measure}"
        + ("" if needs == "none" else f"; needs a reading with {needs}") + "."
    )  # fmt: skip
    bars = f"contradicted up to {entry['lower']:g}, borne out from {entry['upper']:g}"
    lines.append(f"- Thresholds: {bars}. {sentence(entry['reason'])}")
    if tell := entry.get("tell"):
        lines.append(f"- Must tell {', '.join(tell['pro'])} from {', '.join(tell['contra'])}.")
    if entry.get("caveat"):
        lines.append(f"- Caveat: {sentence(entry['caveat'])}")
    return lines
