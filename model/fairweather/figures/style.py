"""One look for all figures, and files that are the same bytes for the same results.

Colours are those of Okabe and Ito (2008), told apart with any colour vision; fonts are embedded
as TrueType so that text stays text. Guarded by ``tests/test_figures.py``.
"""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from fairweather.errors import FairweatherError

INK = "#000000"
GREY = "#767676"
BLUE = "#0072B2"
SKY = "#56B4E9"
GREEN = "#009E73"
ORANGE = "#E69F00"
RED = "#D55E00"
PINK = "#CC79A7"
SINGLE, DOUBLE = 3.5, 7.2  # widths in inches: one or two columns of a journal page

_RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.5,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "fairweather",
}


class Page(Figure):
    """A figure that notebooks display by themselves, without a plotting state.

    Its label is its caption.
    """

    def _repr_png_(self) -> bytes:
        with context():
            buffer = io.BytesIO()
            self.savefig(buffer, format="png", dpi=150)
        return buffer.getvalue()


def context() -> AbstractContextManager[None]:
    """Return the settings to draw and save under, as a context manager."""
    return mpl.rc_context(_RC)


def page(width: float, height: float, caption: str) -> Page:
    """Make an empty figure.

    Parameters
    ----------
    width, height : float
        Inches; ``SINGLE`` or ``DOUBLE`` wide.
    caption : str
        Kept as the figure's label and saved beside it.

    Returns
    -------
    Page

    Examples
    --------
    >>> page(SINGLE, 2.5, "Nothing yet.").get_label()
    'Nothing yet.'
    """
    fig = Page(figsize=(width, height), layout="constrained")
    fig.set_label(caption)
    return fig


def settle(fig: Page) -> Page:
    """Lay the figure out once and keep it so; the layout engine moves a little at every drawing."""
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return fig


def save(fig: Figure, stem: str, folder: str | Path) -> list[Path]:
    """Write a figure as PDF and PNG, and its caption as text.

    Parameters
    ----------
    fig : Figure
    stem : str
        File name without ending.
    folder : str or Path
        Made if need be.

    Returns
    -------
    list of Path
        The files, PDF first.

    Examples
    --------
    >>> import tempfile
    >>> fig = page(SINGLE, 2.5, "Nothing yet.")
    >>> [p.name for p in save(fig, "nothing", tempfile.mkdtemp())]
    ['nothing.pdf', 'nothing.png', 'nothing.txt']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{stem}.{end}" for end in ("pdf", "png", "txt")]
    # No dates and no program names: the same figure is the same file.
    bare = {"Creator": None, "Producer": None, "CreationDate": None}
    with context():
        fig.savefig(files[0], metadata=bare)
        fig.savefig(files[1], metadata={"Software": None})
    files[2].write_text(str(fig.get_label()) + "\n", encoding="utf-8")
    return files


def save_as(fig: Figure, file: str | Path) -> Path:
    """Write a figure as one file, by its ending; the caption travels inside a PNG.

    Parameters
    ----------
    fig : Figure
    file : str or Path
        Ends in ``.png`` or ``.pdf``; its folder is made if need be.

    Returns
    -------
    Path

    Raises
    ------
    FairweatherError
        If the ending is another.

    Examples
    --------
    >>> import tempfile
    >>> save_as(page(SINGLE, 2.5, "Nothing yet."), tempfile.mkdtemp() + "/nothing.png").name
    'nothing.png'
    """
    file = check_ending(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    bare: dict[str, str | None] = {"Creator": None, "Producer": None, "CreationDate": None}
    if file.suffix == ".png":
        bare = {"Software": None, "Description": str(fig.get_label())}
    with context():
        # For a screen; what is printed is better a PDF.
        fig.savefig(file, metadata=bare, dpi=200)
    return file


def check_ending(file: str | Path) -> Path:
    """Refuse a file that `save_as` cannot write, before anything is drawn."""
    file = Path(file)
    if file.suffix not in (".png", ".pdf"):
        raise FairweatherError(
            f"a figure cannot be written as {file.name!r}", remedy="Use the ending .png or .pdf."
        )
    return file
