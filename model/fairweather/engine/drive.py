"""A reading as compiled code: its pull on every dyad and year, and all its derivatives.

Invariant: a reading is written once, in ``fairweather.readings``; it is traced and differentiated
by JAX as a function of a few numbers and printed as a loop for Numba, so that no derivative is
written by hand. Guarded by ``tests/test_engine.py``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fairweather import names
from fairweather.errors import FairweatherError
from fairweather.readings import get_reading

# How an operation of JAX on numbers is written in Python.
_TEXT = {
    "add": "({0} + {1})", "add_any": "({0} + {1})", "sub": "({0} - {1})", "mul": "({0} * {1})",
    "div": "({0} / {1})", "pow": "({0} ** {1})", "integer_pow": "({0} ** {y})",
    "square": "({0} * {0})", "neg": "(-{0})", "max": "max({0}, {1})", "min": "min({0}, {1})",
    "gt": "({0} > {1})", "ge": "({0} >= {1})", "lt": "({0} < {1})", "le": "({0} <= {1})",
    "eq": "({0} == {1})", "ne": "({0} != {1})", "select_n": "({2} if {0} else {1})",
    "sign": "(({0} > 0.0) * 1.0 - ({0} < 0.0) * 1.0)", "abs": "math.fabs({0})",
    "exp": "math.exp({0})", "expm1": "math.expm1({0})", "log": "math.log({0})",
    "log1p": "math.log1p({0})", "sqrt": "math.sqrt({0})", "rsqrt": "(1.0 / math.sqrt({0}))",
    "logistic": "(1.0 / (1.0 + math.exp(-{0})))", "tanh": "math.tanh({0})",
    "sin": "math.sin({0})", "cos": "math.cos({0})", "convert_element_type": "{0}",
    "copy": "{0}", "copy_p": "{0}", "stop_gradient": "{0}", "broadcast_in_dim": "{0}",
}  # fmt: skip
_NESTED = {"pjit", "jit", "closed_call", "custom_jvp_call", "custom_vjp_call"}


class NotTraceable(FairweatherError):
    """A reading uses an operation the engine cannot print."""


def arguments(reading: str) -> tuple[str, ...]:
    """Names of what a reading's pull depends on: both sides' views, then its coefficients.

    Examples
    --------
    >>> arguments("thermostat")
    ('left.pressure', 'right.pressure', 'left.elasticity', 'right.elasticity')
    """
    coefficients = get_reading(reading).COEFFICIENTS
    views = ["pressure", *(k for k, dims in coefficients.items() if dims == names.STATE)]
    scalars = [k for k, dims in coefficients.items() if dims is None]
    return (*(f"{side}.{v}" for v in views for side in ("left", "right")), *scalars)


def _scalar(reading: str) -> Any:
    """Write the reading as a function of plain numbers."""
    import jax.numpy as jnp

    piece, wanted = get_reading(reading), arguments(reading)

    def pull(*values: Any) -> Any:
        left, right, c = {}, {}, {}
        for name, value in zip(wanted, values, strict=True):
            side, _, view = name.rpartition(".")
            {"left": left, "right": right, "": c}[side][view] = value
        return piece.drive(jnp, left, right, c)

    return pull


def _print(jaxpr: Any, known: dict[Any, str], lines: list[str], consts: Any = ()) -> list[str]:
    """Print the equations of a jaxpr of numbers, one assignment a line; return its outputs."""
    known = dict(known)
    for var, value in zip(jaxpr.constvars, consts, strict=True):
        known[var] = repr(float(value))

    def read(atom: Any) -> str:
        return repr(float(atom.val)) if hasattr(atom, "val") else known[atom]

    for eqn in jaxpr.eqns:
        name, args = eqn.primitive.name, [read(a) for a in eqn.invars]
        if name in _NESTED:
            inner = eqn.params.get("jaxpr") or eqn.params["call_jaxpr"]
            closed = getattr(inner, "jaxpr", inner)
            given = dict(zip(closed.invars, args, strict=True))
            results = _print(closed, given, lines, getattr(inner, "consts", ()))
            known |= dict(zip(eqn.outvars, results, strict=True))
            continue
        if name not in _TEXT:
            raise NotTraceable(f"'{name}' in a reading cannot be compiled by the engine")
        text = _TEXT[name].format(*args, y=eqn.params.get("y"))
        new = f"v{len(lines)}"
        lines.append(f"{new} = {text}")
        known[eqn.outvars[0]] = new
    return [read(v) for v in jaxpr.outvars]


@cache
def source(reading: str) -> str:
    """Python source of the loop over dyads and years.

    Raises
    ------
    NotTraceable
        The reading uses an operation that cannot be printed.

    Examples
    --------
    >>> "v0" in source("elastic-side")
    True
    """
    import jax

    wanted = arguments(reading)
    with jax.enable_x64(True):
        every = tuple(range(len(wanted)))
        closed = jax.make_jaxpr(jax.value_and_grad(_scalar(reading), argnums=every))(
            *([0.5] * len(wanted))
        )
    inputs = [name.replace(".", "_") for name in wanted]
    body: list[str] = []
    outputs = _print(closed.jaxpr, dict(zip(closed.jaxpr.invars, inputs, strict=True)), body,
                     closed.consts)  # fmt: skip
    views = sum("." in name for name in wanted)
    lines = ["def loop(deviation, own, coefficient, left, right, pull, partial):",
             "    for d in range(left.shape[0]):",
             "        i, j = left[d], right[d]"]  # fmt: skip
    for n, name in enumerate(inputs[2:views]):
        lines.append(f"        {name} = own[{n // 2}, {'ij'[n % 2]}]")
    for n, name in enumerate(inputs[views:]):
        lines.append(f"        {name} = coefficient[{n}]")
    lines += [
        "        for t in range(deviation.shape[1]):",
        "            left_pressure, right_pressure = deviation[i, t], deviation[j, t]",
    ]
    lines += [f"            {line}" for line in body]
    lines.append(f"            pull[d, t] = {outputs[0]}")
    lines += [f"            partial[{n}, d, t] = {o}" for n, o in enumerate(outputs[1:])]
    return "\n".join(lines)


@cache
def compiled(reading: str) -> Any:
    """Return the loop compiled: ``loop(deviation, own, coefficient, left, right, pull, partial)``.

    ``deviation`` (state, year), ``own`` (view, state), ``coefficient`` (scalar,), ``left`` and
    ``right`` (dyad,) are read; ``pull`` (dyad, year) and ``partial`` (argument, dyad, year) are
    written.
    """
    import math

    import numpy as np
    from numba import float64, int64, njit, void

    space: dict[str, Any] = {"math": math, "np": np}
    exec(compile(source(reading), f"<reading {reading}>", "exec"), space)
    f2, f3, i1 = float64[:, ::1], float64[:, :, ::1], int64[::1]
    signature = void(f2, f2, float64[::1], i1, i1, f2, f3)
    return njit(signature, nogil=True, error_model="numpy")(space["loop"])
