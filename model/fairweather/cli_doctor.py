"""``fairweather doctor``: the self-check on the command line.

Guarded by ``tests/test_doctor.py``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fairweather.errors import FairweatherError


def doctor(
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave the comparison of samplers out.")
    ] = False,
) -> None:
    """Check the installation: packages, record, compiled engine, and samplers against another."""
    from fairweather.doctor import examine

    failed = []
    for finding in examine([] if quick else None):
        mark = typer.style("ok  ", fg="green") if finding.passed else typer.style("FAIL", fg="red")
        typer.echo(f"{mark}  {finding.check}: {finding.seen}")
        if not finding.passed:
            failed.append(finding.check)
    if failed:
        raise FairweatherError(
            f"{len(failed)} check(s) failed: {', '.join(failed)}",
            remedy="Install the versions of requirements.lock, or report what is printed above.",
        )
    typer.echo("all checks passed")
