"""The moment as files: one page to read, one table and one JSON to reuse, one figure.

Invariant: the folder appears whole or not at all, and names the fit, record and expectations it
rests on. Guarded by ``tests/test_moment.py``.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairweather.moment_rows import FORECASTS
from fairweather.moment_tables import (
    pressure_table,
    score_rows,
    score_table,
    sentences,
    series_table,
    survival_table,
)
from fairweather.moment_words import words
from fairweather.wording import percent

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_FACTS = (
    "reading", "priors_id", "priors_hash", "day", "moment", "panel_end", "horizon", "threshold",
    "last_anchor", "record_hash", "record_now", "scenarios_hash", "seed", "moment_seed",
    "draws_used",
)  # fmt: skip


def facts(found: xr.DataTree) -> dict[str, Any]:
    """Everything the page says, as plain values for JSON; what is not known is None.

    Examples
    --------
    >>> facts(found)["words"][0]["claim"]  # doctest: +SKIP
    'C37'
    """
    rows = score_rows(found)
    tables = {
        "survival": survival_table(found), "pressure": pressure_table(found),
        "series": series_table(found), "words": words(found),
        **{f"scores_by_{by}": score_table(rows, by) for by in ("domain", "horizon", "both")},
    }  # fmt: skip
    return {
        "basis": {k: _plain(found.attrs[k]) for k in _FACTS if k in found.attrs},
        "sentences": sentences(found),
        **{k: [{c: _plain(v) for c, v in r.items()} for r in t.to_dict("records")]
           for k, t in tables.items()},
    }  # fmt: skip


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def page(found: xr.DataTree) -> str:
    """Write the moment as a page of Markdown.

    Examples
    --------
    >>> print(page(found))  # doctest: +SKIP
    """
    a, rows = found.attrs, score_rows(found)
    start, horizon = int(a["moment"]), int(a["horizon"])
    out = [
        f"# As of {a['day']}: what was expected, what the model forecast, what came",
        f"Reading {a['reading']}, priors {a['priors_id']}, {a['draws_used']} draws. The fit knows "
        f"no row that was not out on {a['day']}; outcomes are those of the later record.",
        *(f"- {s}" for s in sentences(found)),
        "## The brief's words", _markdown(words(found)),
        "Effects are on alignment, five years on, in SD of dyads. Answers follow rules fixed "
        "beforehand; a claim about easing is not put to the test where no easing came.",
        "## Did the expected weather come?",
        "Change of pressure since the end of " + f"{start}, SD of states; in brackets the 90 % "
        "interval under unchanged weather. " + _carried(found),
        _markdown(_wide_pressure(pressure_table(found))),
        f"## Chance (%) that alignment stays above its {a['threshold']} level",
        _markdown(_wide_survival(survival_table(found))),
        "## Scores",
        "Mean CRPS in SD of each series' own past (smaller is better), on rows that every "
        "forecast has.",
        *(_markdown(_wide_scores(score_table(rows, by))) for by in ("domain", "horizon")),
        f"## Series of the pair, mean of the coded years {start + 1}-{start + horizon}",
        "Median and 90 % interval of the same mean under the forecast; place is the share of draws "
        "below the outcome. Votes and shares as shares, counts a year, trade and arms volume in "
        "logs.",
        _markdown(_wide_series(series_table(found))),
    ]  # fmt: skip
    text = "\n\n".join(out)
    return text.replace("\n\n- ", "\n- ").replace("record.\n- ", "record.\n\n- ", 1) + "\n"


def _carried(found: xr.DataTree) -> str:
    last = int(found.attrs["last_anchor"])
    end = int(found.attrs["moment"]) + int(found.attrs["horizon"])
    return f"The anchor is coded to {last}; later its last value stays." if last < end else ""


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(map(str, table.columns)), ["---"] * table.shape[1]]
    lines += [[str(v).replace("|", "/") for v in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _wide_pressure(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    out = []
    for year, part in table.groupby("year"):
        line: dict[str, Any] = {"year": year}
        for r in part.itertuples():
            line[f"{r.state} expected"] = f"{r.expected:+.2f}"
            line[f"{r.state} came"] = (
                f"{r.came:+.2f} [{r.unchanged_lower:+.1f}, {r.unchanged_upper:+.1f}]"
            )
        out.append(line)
    return pd.DataFrame(out)


def _wide_survival(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    out = []
    for year, part in table.groupby("year"):
        line: dict[str, Any] = {"year": year}
        for r in part.itertuples():
            p, low, high = (percent(x, r.mc_error) for x in (r.probability, r.lower, r.upper))
            line[r.weather] = f"{p} [{low}, {high}]"
        out.append(line)
    return pd.DataFrame(out)


def _wide_scores(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    out = []
    for group, part in table.groupby("group", sort=False):
        mine = part.set_index("forecast")
        line = {"group": group, "rows": mine["rows"].iloc[0], "series": mine["series"].iloc[0]}
        line |= {name: f"{mine.loc[name, 'crps_sd']:.2f}" for name in FORECASTS}
        came = mine.loc["came"]
        line["came: inside 50 / 90 %"] = (
            f"{100 * came['inside_50']:.0f} / {100 * came['inside_90']:.0f}"
        )
        out.append(line)
    return pd.DataFrame(out)


def _wide_series(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    out = []
    for name, part in table.groupby("indicator", sort=False):
        mine = part.set_index("weather")
        line = {"series": name, "years": mine["years"].iloc[0]}
        line["outcome"] = f"{mine['outcome'].iloc[0]:.2f}"
        for weather, r in mine.iterrows():
            line[weather] = f"{r['median']:.2f} [{r['lower']:.2f}, {r['upper']:.2f}]"
        line["place (came)"] = f"{mine.loc['came', 'place']:.2f}"
        out.append(line)
    return pd.DataFrame(out)


def save(found: xr.DataTree, name: str, results_dir: str | Path, figure: Any = None) -> Path:
    """Write ``moment.md``, ``moment.csv`` and ``moment.json``, and the figure if there is one.

    Parameters
    ----------
    found : DataTree
        From `fairweather.moment.moment`.
    name : str
        Id of the fit; the folder is ``moment-<id>``, replaced if it is there.
    results_dir : str or Path
    figure : Figure, optional

    Returns
    -------
    Path

    Raises
    ------
    ArchiveError
        If the file system refuses.

    Examples
    --------
    >>> save(found, "2016-drift-0a1b2c3d", "results")  # doctest: +SKIP
    PosixPath('results/moment-2016-drift-0a1b2c3d')
    """
    from fairweather.rundir import new_run_dir

    told = {"fit": name, **facts(found)}
    with new_run_dir(results_dir, f"moment-{name}", overwrite=True) as draft:
        (draft.path / "moment.md").write_text(page(found), encoding="utf-8")
        score_rows(found).to_csv(draft.path / "moment.csv", index=False, lineterminator="\n")
        text = json.dumps(told, indent=1, allow_nan=False, ensure_ascii=False)
        (draft.path / "moment.json").write_text(text + "\n", encoding="utf-8")
        if figure is not None:
            from fairweather.figures.style import save as write

            write(figure, "moment", draft.path)
    return draft.path
