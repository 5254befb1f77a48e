"""A forecast as it was issued; what is read of it is what was frozen, or is refused.

Guarded by ``tests/test_issued_store.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairweather.errors import ArchiveError
from fairweather.issued import manifest

if TYPE_CHECKING:
    import pandas as pd

    from fairweather.issued.places import Place


@dataclass(frozen=True)
class Issued:
    """A forecast as it was issued.

    Attributes
    ----------
    id : str
        SHA-256 of its manifest.
    serial : int
        Its place in the order of issue, from 1.
    issued_at : str
        By the clock of the machine that issued it, UTC.
    facts : dict
        What determines it.
    files : dict
        Size and SHA-256 of each frozen file, by name.
    entry_hash : str
        SHA-256 of its ledger entry: published elsewhere, it fixes all that was issued so far.
    new : bool
        Whether this call issued it; False if it had been issued before.
    clock_behind : bool
        Whether the clock stood before the previous issue.
    """

    id: str
    serial: int
    issued_at: str
    facts: dict[str, Any]
    files: dict[str, dict[str, Any]]
    entry_hash: str
    new: bool = False
    clock_behind: bool = False
    place: Place | None = field(default=None, repr=False, compare=False)

    def read(self, name: str) -> bytes:
        """Content of a frozen file, checked against its hash.

        Raises
        ------
        ArchiveError
            No such file, or it is missing or changed.
        """
        if name not in self.files or self.place is None:
            raise ArchiveError(
                f"forecast {self.serial} has no file '{name}'",
                remedy=f"It has {', '.join(self.files)}.",
            )
        try:
            data = self.place.read(f"{manifest.folder(self.id)}/{name}")
        except OSError as err:
            raise damaged(self.id, f"cannot be read ({err.strerror or err})", name) from err
        if manifest.sha256(data) != self.files[name]["sha256"]:
            raise damaged(self.id, "was changed after it was issued", name)
        return data

    def table(self, name: str) -> pd.DataFrame:
        """Read a frozen table, CSV or Parquet."""
        import io

        import pandas as pd

        data = io.BytesIO(self.read(name))
        return pd.read_parquet(data) if name.endswith(".parquet") else pd.read_csv(data)


def damaged(ident: str, problem: str, name: str) -> ArchiveError:
    """Say which frozen file is not what it was."""
    return ArchiveError(
        problem,
        file=f"{manifest.folder(ident)}/{name}",
        remedy="Restore it from a copy; see: fairweather verify.",
    )
