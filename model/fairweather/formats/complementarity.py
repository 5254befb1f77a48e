"""Two economies fit as far as one exports what the other imports, whatever they trade.

Guarded by ``tests/test_formats_economy.py``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

STAGES = ("Capital goods", "Consumer goods", "Intermediate goods", "Raw materials")


def complementarity(composition: pd.DataFrame) -> pd.DataFrame:
    """Match of each exporter's shares with each importer's, over four stages of processing.

    Parameters
    ----------
    composition : DataFrame
        `iso3, year, flow, scheme, sector, share`.

    Returns
    -------
    DataFrame
        `year, exporter, importer, tci_sop4` in [0, 1]: one less half the sum of absolute
        differences of shares, for every two states with exports of the one and imports of the
        other in a year.
    """
    rows = composition[(composition["scheme"] == "SoP4") & composition["share"].notna()]
    wide = rows.pivot(index=["year", "iso3"], columns=["flow", "sector"], values="share")
    columns = pd.MultiIndex.from_product([["export", "import"], STAGES])
    # A stage that a summary leaves out was not traded.
    wide = wide.reindex(columns=columns).fillna(0.0)
    parts = [pd.DataFrame({"year": [], "exporter": [], "importer": [], "tci_sop4": []})]
    for year, part in wide.groupby(level="year"):
        states = part.index.get_level_values("iso3").to_numpy()
        sides = {flow: part[flow].to_numpy() for flow in ("export", "import")}
        there = {flow: shares.sum(axis=1) > 0 for flow, shares in sides.items()}
        gap = np.abs(sides["export"][:, None, :] - sides["import"][None, :, :]).sum(axis=2)
        pairs = there["export"][:, None] & there["import"][None, :]
        np.fill_diagonal(pairs, False)
        i, j = np.nonzero(pairs)
        parts.append(
            pd.DataFrame(
                {"year": year, "exporter": states[i], "importer": states[j],
                 "tci_sop4": 1 - gap[i, j] / 2}
            )
        )  # fmt: skip
    out = pd.concat(parts[1:] or parts, ignore_index=True)
    types = {"year": "int64", "exporter": "str", "importer": "str", "tci_sop4": "float64"}
    return out.astype(types)
