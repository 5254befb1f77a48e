"""The command that puts the model to the test on worlds whose truth is known.

Exit codes beside those of `fairweather.cli`: 3 if a quantity is off after adjustment for their
number, or too many worlds could not be fitted. Nothing heavy is imported before it runs.
Guarded by ``tests/test_calibration.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fairweather.cli_options import (
    AnySeed,
    Cluster,
    Draws,
    PriorSet,
    Reading,
    Tune,
    Workers,
)
from fairweather.readings import DEFAULT

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from fairweather.calibration import Calibration

OFF = 3
SHOWN = 12

Sims = Annotated[int, typer.Option("--sims", min=1, help="Worlds drawn from the prior.")]
Out = Annotated[
    str, typer.Option("--out", metavar="DIR", help="Folder of the run; continued if it is there.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only the verdict.")]
Recovery = Annotated[
    bool, typer.Option("--recovery/--no-recovery", help="Also known coefficients, each reading.")
]


def calibrate(
    sims: Sims = 200,
    draws: Draws = None,
    tune: Tune = None,
    seed: AnySeed = None,
    out: Out = "calibration",
    reading: Reading = DEFAULT,
    priors: PriorSet = None,
    cluster: Cluster = None,
    workers: Workers = None,
    quiet: Quiet = False,
    recovery: Recovery = True,
) -> None:
    """Check on simulated worlds that intervals are right and that a known truth is found."""
    from pathlib import Path

    from fairweather import calibration as c
    from fairweather.figures.ranks import plot_ranks
    from fairweather.figures.style import save
    from fairweather.priors import load_priors
    from fairweather.terminal import console

    options = {
        "draws": draws or c.DRAWS, "tune": tune or c.TUNE, "cluster": cluster, "workers": workers,
        "seed": c.SEED if seed is None else seed, "priors": load_priors(priors), "quiet": quiet,
    }  # fmt: skip
    found = c.calibrate(out, sims=sims, reading=reading, **options)
    if len(found.table):
        save(plot_ranks(found), "ranks", found.folder)
    if not quiet:
        console().print(groups(found))
        console().print(worst(found))
    typer.echo(verdict(found))
    if recovery:
        from fairweather.recovery import recover, summary

        table = recover(Path(out) / "recovery", **options)
        (Path(out) / "recovery.csv").write_bytes((Path(out) / "recovery/recovery.csv").read_bytes())
        if not quiet:
            console().print(recovered(summary(table)))
        lost = table.loc[table["failed"] != "", "world"].nunique()
        if lost:
            typer.echo(f"Recovery: {lost} worlds could not be fitted.")
    if not found.passed:
        raise typer.Exit(OFF)


def groups(found: Calibration) -> Table:
    """Sum quantities up by group."""
    from rich.table import Table

    from fairweather.gauges import GROUPS

    out = Table("group", "quantities", "outside 95 %", "expected", "least p (Holm)", box=None,
                title="Calibration", title_justify="left")  # fmt: skip
    for name, part in found.table.groupby("group", sort=False):
        out.add_row(
            GROUPS.get(str(name), str(name)), f"{len(part)}", f"{(~part['inside']).sum()}",
            f"{0.05 * len(part):.1f}", f"{part['p_holm'].min():.3g}",
        )  # fmt: skip
    return out


def worst(found: Calibration) -> Table:
    """Show the quantities with the smallest p values."""
    from rich.markup import escape
    from rich.table import Table

    out = Table("quantity", "worlds", "mean rank", "largest difference", "95 % band", "p",
                "p (Holm)", box=None)  # fmt: skip
    for row in found.table.sort_values("p_value").head(SHOWN).itertuples():
        out.add_row(
            escape(row.quantity), f"{row.n}", f"{row.mean_rank:.3f}", f"{row.max_difference:.3f}",
            "inside" if row.inside else "outside", f"{row.p_value:.2g}", f"{row.p_holm:.2g}",
        )  # fmt: skip
    return out


def verdict(found: Calibration) -> str:
    """Put the outcome into a paragraph."""
    from fairweather import calibration as c

    table, runs = found.table, found.runs
    off = table.loc[table["p_holm"] < c.ADJUSTED, "quantity"].tolist()
    outside = int((~table["inside"]).sum())
    told = f"{len(runs)} worlds, {found.failed} without draws, {found.troubled} with divergences"
    told += f" or R-hat above {c.MAX_RHAT} (kept); {outside} of {len(table)} quantities leave their"
    told += f" 95 % band, {0.05 * len(table):.1f} would by chance. "
    if off:
        told += f"Off (Holm-adjusted p < {c.ADJUSTED}): {', '.join(off)}. "
    if found.failed > c.MAX_FAILED * len(runs):
        told += f"More than {100 * c.MAX_FAILED:.0f} % of worlds gave no draws. "
    return told + ("Calibrated." if found.passed else "Not calibrated.") + f" {found.folder}"


def recovered(table: pd.DataFrame) -> Table:
    """Show truth and estimate of every coefficient, averaged over worlds."""
    from rich.markup import escape
    from rich.table import Table

    out = Table("reading", "coefficient", "worlds", "truth", "mean", "sd", "z", "sd of z",
                "89 % covers", "sign found", box=None, title="Recovery",
                title_justify="left")  # fmt: skip
    for r in table.itertuples():
        out.add_row(
            r.reading, escape(r.quantity), f"{r.worlds}", f"{r.truth:.2f}", f"{r.mean:.2f}",
            f"{r.sd:.2f}", f"{r.z:+.2f}", f"{r.z_sd:.2f}", f"{100 * r.coverage:.0f} %",
            f"{100 * r.signs:.0f} %",
        )  # fmt: skip
    return out
