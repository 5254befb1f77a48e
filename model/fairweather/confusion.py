"""What a contest picks on simulated worlds whose truth is known, and what it can tell apart.

Invariant: a rate never comes without the number of worlds it rests on, and too few worlds tell
nothing. Guarded by ``tests/test_confusion.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fairweather.differences import ScoreError

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

LEVEL = 0.89
# Share of worlds, on either side, in which the right side has to come out ahead.
LEAST = 2 / 3
# What a coin would give: intervals have to lie above it.
EVEN = 0.5
# Worlds of a side below which a share says nothing.
FEWEST = 5
TIE = "tie"
# Columns of a table of worlds that are no weights.
ASIDE = ("truth", "picked", "world", "seed", "failed")
# Weights nearer than this are equal.
_EVEN = 1e-6


@dataclass(frozen=True)
class Rate:
    """Share of worlds, with Jeffreys interval.

    Attributes
    ----------
    hits, worlds : int
    share, lower, upper : float
        NaN, 0 and 1 without worlds.
    """

    hits: int
    worlds: int
    share: float
    lower: float
    upper: float

    @classmethod
    def of(cls, hits: int, worlds: int, level: float = LEVEL) -> Rate:
        """Find the share and its interval.

        Examples
        --------
        >>> str(Rate.of(8, 10))
        '80 % [55, 94] of 10'
        """
        from scipy.stats import beta

        if worlds == 0:
            return cls(0, 0, float("nan"), 0.0, 1.0)
        tail = (1 - level) / 2
        lower, upper = beta.ppf([tail, 1 - tail], hits + 0.5, worlds - hits + 0.5)
        # Nothing is excluded on the side where nothing was seen.
        lower, upper = (0.0 if hits == 0 else lower), (1.0 if hits == worlds else upper)
        return cls(int(hits), int(worlds), hits / worlds, float(lower), float(upper))

    def __str__(self) -> str:
        """Write it in per cent, such as ``80 % [55, 94] of 10``."""
        if not self.worlds:
            return "no worlds"
        ends = f"[{100 * self.lower:.0f}, {100 * self.upper:.0f}]"
        return f"{100 * self.share:.0f} % {ends} of {self.worlds}"


@dataclass(frozen=True)
class Telling:
    """Whether a contest on this record could tell two groups of readings apart.

    Attributes
    ----------
    told : bool
        Both shares reach what is asked for, on enough worlds.
    p_pro, p_contra : float
        Share of the worlds of a side in which that side had the larger total weight.
    lower_pro, lower_contra : float
        Lower ends of their intervals.
    worlds_pro, worlds_contra : int
    sentence : str
    """

    told: bool
    p_pro: float
    p_contra: float
    lower_pro: float
    lower_contra: float
    worlds_pro: int
    worlds_contra: int
    sentence: str

    @property
    def can(self) -> bool:
        """Whether the two groups can be told apart."""
        return self.told

    def __bool__(self) -> bool:
        """Whether it could."""
        return self.told


@dataclass(frozen=True, eq=False)
class Confusion:
    """What was true against what was picked, over simulated worlds.

    Attributes
    ----------
    worlds : DataFrame
        One row a world: ``truth``, ``picked``, and one column of weights a reading.
    readings : tuple of str
        Readings that took part in the contests.
    failed : int
        Worlds left out as their contest gave no weights.
    """

    worlds: pd.DataFrame
    readings: tuple[str, ...]
    failed: int

    @classmethod
    def of(cls, worlds: pd.DataFrame, readings: Collection[str] | None = None) -> Confusion:
        """Read a table of worlds.

        Parameters
        ----------
        worlds : DataFrame
            One row a world: ``truth``; one column of stacking weights a reading, named by it;
            optionally ``picked``, else the reading with the largest weight (``"tie"`` where two
            share it). ``world``, ``seed`` and ``failed`` are passed over. A row with a missing
            weight is a world whose contest failed.
        readings : collection of str, optional
            The columns of weights. Default: all columns not named above.

        Returns
        -------
        Confusion

        Raises
        ------
        ScoreError
            A column is missing, weights do not sum to one, a pick took no part, or no world
            is left.

        Examples
        --------
        >>> import pandas as pd
        >>> found = Confusion.of(pd.DataFrame({
        ...     "truth": ["drift", "drift", "placebo"],
        ...     "drift": [0.9, 0.4, 0.2], "placebo": [0.1, 0.6, 0.8]}))
        >>> found.counts.to_numpy().tolist()
        [[1, 1], [0, 1]]
        """
        names = tuple(readings or [str(c) for c in worlds.columns if c not in ASIDE])
        for column in ("truth", *names):
            if column not in worlds.columns:
                raise ScoreError(f"the table of worlds has no column {column!r}", remedy="Add it.")
        if not names:
            raise ScoreError("no reading has weights", remedy="Add one column a reading.")
        try:
            weights = worlds[list(names)].to_numpy(dtype=float)
        except (TypeError, ValueError) as error:
            raise ScoreError(
                f"a weight is no number: {error}", remedy=f"Keep {', '.join(ASIDE)} and weights."
            ) from error
        whole = ~np.isnan(weights).any(axis=1)
        if not whole.any():
            raise ScoreError("no world has weights", remedy="Simulate worlds first.")
        weights = weights[whole]
        off = (weights < -_EVEN).any(axis=1) | (np.abs(weights.sum(axis=1) - 1) > 1e-3)
        if off.any():
            raise ScoreError(
                "weights are negative or do not sum to one",
                row=int(np.flatnonzero(whole)[off.argmax()]) + 2,
                remedy="Give stacking weights.",
            )
        table = worlds.loc[whole, ["truth", *names]].reset_index(drop=True)
        if "picked" in worlds.columns:
            picked = worlds.loc[whole, "picked"].astype(str).to_numpy()
            for name in set(picked) - {*names, TIE}:
                raise ScoreError(f"{name!r} was picked but took no part", remedy="Add its weights.")
        else:
            picked = np.array(names, dtype=object)[weights.argmax(axis=1)]
            picked[(weights >= weights.max(axis=1, keepdims=True) - _EVEN).sum(axis=1) > 1] = TIE
        table.insert(1, "picked", picked)
        return cls(table, names, int((~whole).sum()))

    @property
    def counts(self) -> pd.DataFrame:
        """Worlds by what was true (rows) and what was picked (columns)."""
        import pandas as pd

        found = pd.crosstab(self.worlds["truth"], self.worlds["picked"])
        columns = [*self.readings, *([TIE] if TIE in found.columns else [])]
        return found.reindex(index=self._truths, columns=columns, fill_value=0)

    @property
    def rates(self) -> pd.DataFrame:
        """`counts` as shares of a row."""
        return self.counts.div(self.counts.sum(axis=1), axis=0)

    @property
    def mean_weights(self) -> pd.DataFrame:
        """Mean weight of each reading (columns) by what was true (rows)."""
        return self.worlds.groupby("truth")[list(self.readings)].mean().reindex(self._truths)

    @property
    def _truths(self) -> list[str]:
        # Readings in the order of the contest, then truths that took no part.
        seen = list(dict.fromkeys(self.worlds["truth"]))
        return [r for r in self.readings if r in seen] + [t for t in seen if t not in self.readings]

    def rate(
        self, truth: str | Collection[str], picked: str | Collection[str], level: float = LEVEL
    ) -> Rate:
        """Find how often one of `picked` was picked where one of `truth` was true.

        Raises
        ------
        ScoreError
            A reading is unknown to these worlds.

        Examples
        --------
        >>> import pandas as pd
        >>> found = Confusion.of(pd.DataFrame({
        ...     "truth": ["drift"] * 4, "drift": [0.9, 0.8, 0.7, 0.1],
        ...     "placebo": [0.1, 0.2, 0.3, 0.9]}))
        >>> found.rate("drift", {"drift"}).share
        0.75
        """
        truths, picks = self._group(truth), self._group(picked)
        of = self.worlds[self.worlds["truth"].isin(truths)]
        return Rate.of(int(of["picked"].isin(picks).sum()), len(of), level)

    def found(self, level: float = LEVEL) -> Rate:
        """Find how often the true reading was picked, over worlds whose truth took part."""
        of = self.worlds[self.worlds["truth"].isin(self.readings)]
        return Rate.of(int((of["truth"] == of["picked"]).sum()), len(of), level)

    def can_tell(
        self, pro: Collection[str], contra: Collection[str], least: float = LEAST
    ) -> Telling:
        """Say whether this record could tell readings in `pro` from readings in `contra`.

        Only worlds whose truth is in either group count. A world is told rightly if the group
        that holds the truth has the larger total weight; even weights are no success. Both
        groups' shares have to reach `least`, so that a contest that always picks one side fails,
        and the lower ends of their intervals have to lie above one half.

        Parameters
        ----------
        pro, contra : collection of str
            Readings, in one group each.
        least : float

        Returns
        -------
        Telling

        Raises
        ------
        ScoreError
            A group is empty, has an unknown reading or one of the other group, or none of its
            readings took part.

        Examples
        --------
        >>> import pandas as pd
        >>> found = Confusion.of(pd.DataFrame({
        ...     "truth": ["drift"] * 6 + ["placebo"] * 6,
        ...     "drift": [0.9] * 6 + [0.8] * 6, "placebo": [0.1] * 6 + [0.2] * 6}))
        >>> found.can_tell({"drift"}, {"placebo"}).sentence
        'this record could not tell drift from placebo: right in 6 of 6 worlds where drift is \
true and in 0 of 6 worlds where placebo is true, 67 % needed of both, \
and more than half beyond doubt'
        """
        one, other = self._group(pro), self._group(contra)
        if set(one) & set(other):
            both = ", ".join(sorted(set(one) & set(other)))
            raise ScoreError(f"{both} stands on both sides", remedy="Put it on one.")
        sides = [[r for r in group if r in self.readings] for group in (one, other)]
        for group, side in zip((one, other), sides, strict=True):
            if not side:
                raise ScoreError(
                    f"no weights of {', '.join(group)}", remedy="Let one of them take part."
                )
        lead = self.worlds[sides[0]].sum(axis=1) - self.worlds[sides[1]].sum(axis=1)
        truth = self.worlds["truth"]
        here, there = truth.isin(one), truth.isin(other)
        right = Rate.of(int((lead[here] > _EVEN).sum()), int(here.sum()))
        left = Rate.of(int((lead[there] < -_EVEN).sum()), int(there.sum()))
        names = [_listed(one), _listed(other)]
        told = False
        if min(right.worlds, left.worlds) < FEWEST:
            sentence = (
                f"too few worlds were simulated to say whether this record could tell {names[0]} "
                f"from {names[1]}: {right.worlds} and {left.worlds}, {FEWEST} needed of both"
            )
        else:
            told = min(right.share, left.share) >= least and min(right.lower, left.lower) > EVEN
            sentence = (
                f"this record {'could' if told else 'could not'} tell {names[0]} from {names[1]}: "
                f"right in {right.hits} of {right.worlds} worlds where {names[0]} is true and in "
                f"{left.hits} of {left.worlds} worlds where {names[1]} is true, "
                f"{100 * least:.0f} % needed of both, and more than half beyond doubt"
            )
        return Telling(
            told, right.share, left.share, right.lower, left.lower, right.worlds, left.worlds,
            sentence,
        )  # fmt: skip

    def table(self) -> Table:
        """Lay the matrix out for the terminal.

        Returns
        -------
        rich.table.Table
            Rows: what was true; columns: what the contest picked, in per cent of the row.
        """
        from rich.markup import escape
        from rich.table import Table

        head, rows = self._cells()
        out = Table(
            title="Simulated worlds: what was true (rows), what was picked (columns, %)",
            title_justify="left",
            caption=self._note(),
            caption_justify="left",
        )
        for k, name in enumerate(head):
            out.add_column(escape(name), justify="right" if k else "left")
        for truth, row in zip(self._truths, rows, strict=True):
            marked = [f"[bold]{escape(c)}[/bold]" if n == truth else escape(c)
                      for n, c in zip(head, row, strict=True)]  # fmt: skip
            out.add_row(*marked)
        return out

    def markdown(self) -> str:
        """Write the matrix as a Markdown table, with a note below it.

        Examples
        --------
        >>> import pandas as pd
        >>> print(Confusion.of(pd.DataFrame({
        ...     "truth": ["drift"] * 4, "drift": [0.9, 0.8, 0.7, 0.1],
        ...     "placebo": [0.1, 0.2, 0.3, 0.9]})).markdown())
        | true | drift | placebo | found | worlds |
        |---|---:|---:|---:|---:|
        | drift | 75 | 25 | 75 [36, 95] | 4 |
        <BLANKLINE>
        Per cent of the worlds of a row; found: the true reading was picked, 89 % interval.
        """
        head, rows = self._cells()
        lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
        text = ["| " + " | ".join(line) + " |" for line in lines]
        text[1] = text[1].replace(" ", "")
        return "\n".join([*text, "", self._note()])

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        counts = self.counts
        rows = []
        for truth, row in counts.iterrows():
            worlds = int(row.sum())
            found = ""
            if truth in self.readings:
                rate = Rate.of(int(row[truth]), worlds)
                found = f"{100 * rate.share:.0f} [{100 * rate.lower:.0f}, {100 * rate.upper:.0f}]"
            shares = [f"{100 * v / worlds:.0f}" if v else "·" for v in row]
            rows.append([str(truth), *shares, found, str(worlds)])
        return ["true", *map(str, counts.columns), "found", "worlds"], rows

    def _note(self) -> str:
        note = (
            "Per cent of the worlds of a row; found: the true reading was picked, "
            f"{100 * LEVEL:.0f} % interval."
        )
        return f"{note} {self.failed} more worlds gave no weights." if self.failed else note

    def _group(self, names: str | Collection[str]) -> list[str]:
        group = [names] if isinstance(names, str) else sorted(names)
        if not group:
            raise ScoreError("a group of readings is empty", remedy="Name at least one.")
        known = {*self.readings, *self.worlds["truth"]}
        for name in group:
            if name not in known:
                raise ScoreError(
                    f"no simulated world knows reading {name!r}",
                    remedy=f"Choose from {', '.join(sorted(known))}.",
                )
        return group


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
