"""Options that several commands share: one name, one bound, one sentence of help each.

Guarded by ``tests/test_cli.py``.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fairweather.readings import READINGS

Reading = Annotated[
    str, typer.Option("--reading", metavar="NAME", help=f"One of {', '.join(READINGS)}.")
]
PriorSet = Annotated[
    str | None, typer.Option("--priors", metavar="FILE|NAME", help="Prior beliefs.")
]
States = Annotated[
    str | None, typer.Option("--states", metavar="CHN,RUS,...", help="Only these states.")
]
Focal = Annotated[
    str | None, typer.Option("--focal", metavar="AAA-BBB", help="The pair to forecast.")
]
Draws = Annotated[int | None, typer.Option("--draws", min=4, help="Kept draws a chain.")]
Tune = Annotated[int | None, typer.Option("--tune", min=1, help="Tuning draws a chain.")]
Chains = Annotated[int, typer.Option("--chains", min=1, help="Chains.")]
TargetAccept = Annotated[
    float,
    typer.Option("--target-accept", min=0.5, max=0.99, help="Smaller steps if it is higher."),
]
ResultsDir = Annotated[str, typer.Option("--results", metavar="DIR", help="Folder of results.")]
Readings = Annotated[
    str, typer.Option("--reading", metavar="NAME,...", help=f"Of {', '.join(READINGS)}.")
]
RootSeed = Annotated[int, typer.Option("--seed", min=0, help="Root of the random seeds.")]
AnySeed = Annotated[int | None, typer.Option("--seed", min=0, help="Random seed.")]
Cluster = Annotated[
    str | None, typer.Option("--cluster", metavar="tcp://HOST:PORT", help="A Dask scheduler.")
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes started here.")]
