"""Data and priors are found the same way from a checkout and from an installed wheel.

A checkout wins over the copy inside the wheel, so that an edited file is the one that is read; a
folder of one's own, named in the environment, wins over both.
"""

from __future__ import annotations

import os
from pathlib import Path

from fairweather.errors import FairweatherError, RecordError

OWN_DATA = "FAIRWEATHER_DATA"
_PACKAGE = Path(__file__).resolve().parent


def _find(name: str, marker: str, root: Path | None = None) -> Path:
    package = root or _PACKAGE
    checkout = package.parent.parent
    candidates = [package / f"_{name}"]
    # site-packages may lie beside an unrelated `data/`; pyproject.toml marks our own tree.
    if (checkout / "pyproject.toml").is_file():
        candidates.insert(0, checkout / name)
    for folder in candidates:
        if (folder / marker).exists():
            return folder
    raise FairweatherError(
        f"no {name} folder holding {marker} was found",
        remedy="Reinstall the package, or pass the folder explicitly.",
    )


def shipped_data_dir() -> Path:
    """Folder of the record that comes with the package.

    Returns
    -------
    Path
        ``data/`` of the checkout, else ``fairweather/_data`` of the installed wheel.

    Raises
    ------
    FairweatherError
        If neither holds ``codebook.toml``.

    Examples
    --------
    >>> (shipped_data_dir() / "codebook.toml").is_file()
    True
    """
    return _find("data", "codebook.toml")


def data_dir() -> Path:
    """Folder of the record in use.

    Returns
    -------
    Path
        The folder named by the environment variable ``FAIRWEATHER_DATA``, else the shipped one.

    Raises
    ------
    FairweatherError
        If the folder holds no ``codebook.toml``.

    Examples
    --------
    >>> (data_dir() / "codebook.toml").is_file()
    True
    """
    own = os.environ.get(OWN_DATA)
    if not own:
        return shipped_data_dir()
    if not (Path(own) / "codebook.toml").is_file():
        raise FairweatherError(
            f"{OWN_DATA} names a folder without codebook.toml",
            remedy="Make one with: fairweather data copy DIR.",
        )
    return Path(own)


def own_folder(folder: str | Path | None = None) -> Path:
    """Folder of the record, to be changed; the one inside an installed package is nobody's.

    Parameters
    ----------
    folder : str or Path, optional
        By default that of `data_dir`.

    Returns
    -------
    Path

    Raises
    ------
    RecordError
        If it lies inside an installed package.

    Examples
    --------
    >>> own_folder("mine").name
    'mine'
    """
    folder = data_dir() if folder is None else Path(folder)
    if folder.resolve().name == "_data":
        raise RecordError(
            "the record inside the installed package is not changed",
            remedy="Make your own: fairweather data copy DIR, then --data DIR.",
        )
    return folder


def priors_dir() -> Path:
    """Folder of the prior files.

    Returns
    -------
    Path
        ``priors/`` of the checkout, else ``fairweather/_priors`` of the installed wheel.

    Raises
    ------
    FairweatherError
        If neither holds ``default.toml``.

    Examples
    --------
    >>> (priors_dir() / "default.toml").is_file()
    True
    """
    return _find("priors", "default.toml")
