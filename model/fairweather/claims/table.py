"""All claims on one page: as rows, a table for the terminal, Markdown or a data frame.

Invariant: each claim of the catalogue has one row, judged or not; a claim whose measure failed is
marked as such and never shown as a verdict. Guarded by ``tests/test_claims_table.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fairweather.claims.judgement import Judgement
from fairweather.claims.sentences import basis, estimate, share

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

FAILED = "failed"
_COLOURS = {"borne out": "green", "contradicted": "red", "undecided": "yellow", FAILED: "bold red"}
_NUMBERS = ("probability", "prior_probability", "value", "lower", "upper")


def rows(
    catalogue: Mapping[str, Mapping[str, Any]], claims: Mapping[str, Judgement] | None = None
) -> list[dict[str, Any]]:
    """Lay out the claims, one row each.

    Parameters
    ----------
    catalogue : mapping of str to mapping
        From ``fairweather.claims.load_claims``.
    claims : mapping of str to Judgement, optional
        Without it verdicts are blank.

    Returns
    -------
    list of dict
        claim_id, section, statement, method, quantity, value, lower, upper, unit, probability,
        prior_probability, lower_threshold, upper_threshold, shocks, rests_on, verdict, sentence,
        problem. Numbers that are not there are NaN.

    Examples
    --------
    >>> entry = {"statement": "s", "method": "none", "section": "Introduction", "why": "no polls"}
    >>> rows({"C25": entry})[0]["verdict"]
    ''
    """
    claims, out = claims or {}, []
    for name in dict.fromkeys([*catalogue, *claims]):
        entry, found = catalogue.get(name, {}), claims.get(name)
        row: dict[str, Any] = {"claim_id": name}
        row |= {k: entry.get(k, "") for k in ("section", "statement", "method", "quantity")}
        row |= {k: getattr(found, k, math.nan) for k in _NUMBERS}
        row |= {
            "unit": entry.get("unit", ""), "lower_threshold": entry.get("lower", math.nan),
            "upper_threshold": entry.get("upper", math.nan),
            "shocks": getattr(found, "shocks", None), "rests_on": entry.get("shocks", ""),
            "verdict": "" if found is None else FAILED if found.problem else found.verdict,
            "sentence": getattr(found, "sentence", ""), "problem": getattr(found, "problem", ""),
        }  # fmt: skip
        out.append(row | {"_found": found})
    return out


def frame(listed: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a data frame, for a CSV file."""
    import pandas as pd

    table = pd.DataFrame([{k: v for k, v in r.items() if k != "_found"} for r in listed])
    return table.astype({"shocks": "Int64"})


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    found = row["_found"]
    judged = found is not None and not found.problem
    return (
        row["claim_id"], row["statement"], row["method"],
        estimate(found) if judged else "",
        share(row["probability"]) if judged and not math.isnan(row["probability"]) else "",
        share(row["prior_probability"]) if judged and not math.isnan(row["prior_probability"])
        else "",
        basis(found, row["rests_on"]) if judged else "", row["verdict"],
    )  # fmt: skip


HEAD = ("claim", "statement", "method", "quantity", "posterior", "prior", "rests on", "verdict")


def markdown(listed: list[dict[str, Any]]) -> str:
    """Rows as a table in Markdown."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    lines += ["| " + " | ".join(c.replace("|", "\\|") for c in _cells(r)) + " |" for r in listed]
    return "\n".join(lines) + "\n"


def terminal(listed: list[dict[str, Any]]) -> Table:
    """Rows as a table for the terminal."""
    from rich.markup import escape
    from rich.table import Table

    judged = any(r["_found"] is not None for r in listed)
    # Units and methods take width; they are in the story of a claim.
    columns = [k for k, h in enumerate(HEAD) if judged and h not in ("method", "rests on")]
    columns = columns or [0, 1, 2]
    out = Table(title="Claims", title_justify="left", caption=count(listed), caption_justify="left")
    for k in columns:
        numeric = HEAD[k] in ("quantity", "posterior", "prior")
        out.add_column(HEAD[k], justify="right" if numeric else "left")
    for row in listed:
        cells, colour = _cells(row), _COLOURS.get(row["verdict"])
        shown = [escape(cells[k]) for k in columns]
        if judged and colour:
            shown[-1] = f"[{colour}]{shown[-1]}[/{colour}]"
        out.add_row(*shown)
    return out


def count(listed: list[dict[str, Any]]) -> str:
    """Say how many claims got which verdict."""
    tally: dict[str, int] = {}
    for row in listed:
        tally[row["verdict"] or "not judged"] = tally.get(row["verdict"] or "not judged", 0) + 1
    order = ("borne out", "contradicted", "undecided", "not testable here", FAILED, "not judged")
    return ", ".join(f"{tally[k]} {k}" for k in order if k in tally)
