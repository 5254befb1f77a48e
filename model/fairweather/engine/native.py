"""The compiled model: log density and gradient at a point, and what a point means.

Invariant: the kernels of a gradient give up the interpreter's lock, so chains run side by side;
each chain owns its work space.
Guarded by ``tests/test_engine.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fairweather.engine import slots
from fairweather.engine.drive import compiled
from fairweather.engine.pack import Packed
from fairweather.errors import SamplerError
from fairweather.readings import get_reading

if TYPE_CHECKING:
    from fairweather.model import Model


class Density:
    """Evaluator of one chain: value, gradient and named quantities at unconstrained points."""

    def __init__(self, model: Model, packed: Packed) -> None:
        from fairweather.engine.density import finish
        from fairweather.engine.structure import build, read

        self._read, self._build, self._finish = read, build, finish
        self._drive = compiled(model.reading)
        self._model, self.packed = model, packed
        self._w = np.zeros(packed.work)
        self.work = packed.views(self._w)
        p = packed
        self._data = (p.f, p.fo, p.i, p.io, self._w, p.wo)
        self._sides = [np.ascontiguousarray(side, np.int64) for side in model.space.pressed]

    def forward(self, x: np.ndarray) -> None:
        """Work out paths and everything on the way to them."""
        w = self.work
        self._read(x, *self._data)
        self._drive(w["deviation"], w["own"], w["coefficient"], *self._sides, w["pull"],
                    w["partial"])  # fmt: skip
        self._build(x, *self._data)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Log density up to a constant, and its gradient."""
        self.forward(x)
        grad = np.empty(x.shape)
        return self._finish(x, *self._data, grad), grad

    def expand(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Named quantities at a point, those of the PyMC model that are kept."""
        self.forward(x)
        w, p, panel = self.work, self.packed, self._model.panel
        out: dict[str, np.ndarray] = {}
        for n, name in enumerate(p.scalars):
            if name in p.blocks:
                out[name] = w["scalar"][n]
        if "elasticity_own" in p.blocks:
            out |= {"elasticity_own": w["own_raw"], "elasticity": w["own"][0]}
        for name in ("agenda", "residual_spare", "loading_within", "shift_within",
                     "loading_count", "shift_count", "loading_share", "share_level"):  # fmt: skip
            if name in p.blocks:
                b = p.blocks[name]
                value = x[b.at : b.at + b.size].reshape(b.shape)
                out[name] = np.exp(value) if b.transform == "log" else value
        if "residual_spare" in out:
            floor = self._model.batches["within"].extra["floor"]
            out["residual_within"] = floor * np.sqrt(1.0 + out["residual_spare"] ** 2)
        out |= {
            "pressure": w["deviation"] + panel.anchor_mean, "words": w["words"],
            "complementarity": w["complementarity"][:, panel.dyads.index(panel.focal)],
            "target_centre": w["centre"], "dyad_drift": w["trend"], "level": w["level"],
            "delegation": w["delegation"],
            "alignment": w["stacked"][: len(panel.dyads)],
            **dict(zip(slots.DERIVED, w["derived"], strict=True)),
        }  # fmt: skip
        if "leads" in get_reading(self._model.reading).PARTS:
            out["gap"] = w["moving"] - w["answer"]
        return {k: np.array(v, dtype=float) for k, v in out.items()}

    def expand_all(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Named quantities of draws (chain, draw, number), each (chain, draw, ...)."""
        chains = [[self.expand(np.array(point)) for point in draws] for draws in x]
        return {k: np.array([[d[k] for d in draws] for draws in chains]) for k in chains[0][0]}


def check_start(density: Density) -> None:
    """Refuse a model whose density or gradient is not finite where the chains start.

    Raises
    ------
    SamplerError
        Names the quantities at fault.
    """
    packed = density.packed
    value, grad = density(packed.centre.copy())
    bad = [
        b.name for b in packed.blocks.values() if not np.isfinite(grad[b.at : b.at + b.size]).all()
    ]
    if np.isfinite(value) and not bad:
        return
    what = f"the gradient of {', '.join(bad)}" if bad else "the density"
    raise SamplerError(
        f"{what} is not finite at the start",
        remedy="Look for extreme or non-finite values in the indicators and priors concerned.",
    )
