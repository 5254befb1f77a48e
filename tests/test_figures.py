"""Figures: drawn from results alone, not blank, with fonts inside and the same bytes each time."""

import io
import re
import zlib
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from PIL import Image

import fairweather as fw
import helpers
from fairweather import paths
from fairweather.coverage import coverage
from fairweather.errors import FairweatherError, RecordError
from fairweather.figures import bands, style
from fairweather.figures.coverage import caption, ordered, shade
from fairweather.figures.episodes import TYPES, Episode, load_episodes
from fairweather.figures.episodes import shade as shade_episodes
from fairweather.figures.pressure import placed, transformed
from fairweather.wording import baseline

IMAGE = Path(__file__).resolve().parents[1] / "docs" / "img" / "coverage.png"


@pytest.fixture(scope="module")
def figures():
    fit = helpers.tree()
    return {
        "alignment": fw.plot_alignment(fit, helpers.panel()),
        "survival": fw.plot_survival(helpers.forecast(fit)),
        "pressure": fw.plot_pressure(fit, helpers.panel()),
    }


@pytest.fixture(scope="module")
def written(figures, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures") / "new"
    return {name: style.save(fig, name, folder) for name, fig in figures.items()}


NAMES = ("alignment", "survival", "pressure")


@pytest.mark.parametrize("name", NAMES)
def test_pdf_png_and_caption_are_written(written, name):
    pdf, png, txt = written[name]
    assert pdf.read_bytes()[:5] == b"%PDF-" and png.read_bytes()[:4] == b"\x89PNG"
    assert txt.read_text(encoding="utf-8").endswith(".\n")


@pytest.mark.parametrize("name", NAMES)
def test_not_blank(written, name):
    pixels = matplotlib.image.imread(written[name][1])[..., :3]
    assert (pixels < 0.98).any(axis=2).mean() > 0.02
    # Ink in every quarter: no panel was forgotten.
    h, w = pixels.shape[0] // 2, pixels.shape[1] // 2
    for rows in (slice(None, h), slice(h, None)):
        for columns in (slice(None, w), slice(w, None)):
            assert pixels[rows, columns].std() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_fonts_are_embedded_as_truetype(written, name):
    raw = written[name][0].read_bytes()
    parts = [raw]
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", raw, flags=re.DOTALL):
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            continue
    text = b"\n".join(parts)
    assert b"/FontFile2" in text and b"/Type3" not in text


@pytest.mark.parametrize("name", NAMES)
def test_same_figure_same_bytes(written, figures, name, tmp_path):
    again = style.save(figures[name], name, tmp_path)
    for old, new in zip(written[name], again, strict=True):
        assert old.read_bytes() == new.read_bytes()
    assert not re.search(rb"CreationDate|Producer|Creator", again[0].read_bytes())
    assert b"Software" not in again[1].read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_captions_say_what_and_from_which_data(written, name):
    caption = written[name][2].read_text(encoding="utf-8")
    assert "89 % equal-tailed credible interval" in caption
    assert "Reading elastic-side, priors default; the full record, last year 20" in caption
    assert helpers.panel().record.content_hash[:8] in caption


def test_caption_names_the_day():
    fit = helpers.tree(as_of="2016-12-31")
    assert "data available on 2016-12-31" in fw.plot_alignment(fit).get_label()


@pytest.mark.parametrize("name", NAMES)
def test_pages_stand_alone(figures, name):
    fig = figures[name]
    assert isinstance(fig, Figure) and fig.get_figwidth() == style.DOUBLE
    assert fig.canvas.manager is None, "nothing may be shown"
    image = matplotlib.image.imread(io.BytesIO(fig._repr_png_()))
    assert image.shape[1] == round(150 * style.DOUBLE)


def test_figures_leave_settings_and_results_alone(figures):
    before = dict(matplotlib.rcParams)
    fit = helpers.tree()
    fw.plot_alignment(fit, helpers.panel())
    fw.plot_pressure(fit, helpers.panel())
    assert dict(matplotlib.rcParams) == before
    assert fit.identical(helpers.tree())


def test_alignment_is_shown_in_reported_units():
    fit = helpers.tree()
    fig = fw.plot_alignment(fit)
    (line,) = [x for x in fig.axes[0].lines if x.get_label() == "alignment"]
    centre, spread = helpers.panel().reference["alignment"]
    path = fit["posterior"]["alignment"].sel(dyad="CHN-RUS").median(("chain", "draw"))
    np.testing.assert_allclose(line.get_ydata(), (path - centre) / spread)


def test_survival_has_a_panel_a_scenario_and_takes_other_thresholds():
    fc = helpers.forecast()
    titles = [ax.get_title("left") for ax in fw.plot_survival(fc).axes]
    assert titles == ["Current weather", "Ease Russia", "Ease China", "Ease both", "Storm"]
    other = fw.plot_survival(fc, threshold="1996-00")
    assert "1996-00" in other.get_label()
    with pytest.raises(KeyError):
        fw.plot_survival(fc, threshold="1066")


def test_baseline():
    assert baseline(["storm", "current-weather"]) == "current-weather"
    assert baseline(["calm", "storm"]) == "calm"


def test_pressure_indicators_are_turned_and_placed(figures):
    shown = [ax.get_title("left") for ax in figures["pressure"].axes[::2]]
    wanted = [f"{i.label} ({i.domain})" for i in helpers.panel().indicators("pressure")]
    assert shown == wanted
    p = helpers.panel()
    at = [i.id for i in p.indicators("pressure")].index("us_aid")
    ax = figures["pressure"].axes[2 * at + 1]
    (dots,) = [x for x in ax.lines if x.get_marker() == "o"]
    rows = p.rows["us_aid"]
    value = rows[rows["unit"] == p.states.index("RUS")].sort_values("time")["value"].to_numpy()
    assert np.corrcoef(dots.get_ydata(), -value)[0, 1] > 0.99


def test_placed_dots_keep_the_latents_centre_and_movement():
    p = helpers.panel()
    latent = np.random.default_rng(1).normal(size=(len(p.states), len(p.years))).cumsum(axis=1)
    for one in p.indicators("pressure"):
        dots = placed(p, one, latent)
        there = dots.assign(latent=latent[dots["unit"], dots["time"]]).groupby("unit")
        np.testing.assert_allclose(there["y"].mean(), there["latent"].mean())
        moved = dots["y"] - there["y"].transform("mean")
        like = there["latent"].transform(lambda x: x - x.mean())
        np.testing.assert_allclose(moved.std(), like.std())


def test_transformed():
    import pandas as pd

    rows = pd.DataFrame({"value": [1.0, 3.0], "n": [np.nan, 2.0]})
    np.testing.assert_allclose(transformed(rows, "count"), np.log([2.0, 2.5]))
    np.testing.assert_allclose(transformed(rows, "within"), [1.0, 3.0])
    share = pd.DataFrame({"value": [2.0], "n": [4.0]})
    np.testing.assert_allclose(transformed(share, "share"), [0.0])


def test_flat_puts_draws_first():
    import xarray as xr

    array = xr.DataArray(np.arange(24).reshape(4, 3, 2), dims=("year", "draw", "chain"))
    out = bands.flat(array)
    assert out.shape == (6, 4)
    np.testing.assert_array_equal(out[1], array.isel(chain=0, draw=1))


# -- episodes ------------------------------------------------------------------------------------


def test_the_packaged_episodes():
    episodes = load_episodes()
    assert {e.state for e in episodes} == {"CHN", "RUS"}
    assert {e.type for e in episodes} == set(TYPES)
    assert all(1992 <= e.start <= e.end <= 2024 for e in episodes)
    assert {e.confidence for e in episodes} <= {"high", "medium", "low"}
    assert list(episodes) == sorted(episodes, key=lambda e: (e.state, e.start, e.end))


@pytest.mark.parametrize(
    "text",
    ["x = [", "[[episode]]\nstate = 'RUS'", "[[episode]]\nstate='RUS'\nstart=2000\nend=1999\n"
     "type='easing'\nwhat='x'\nconfidence='high'"],
)  # fmt: skip
def test_bad_episodes(tmp_path, text):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(RecordError, match=r"mine.toml: "):
        load_episodes(file)


def test_missing_episodes(tmp_path):
    with pytest.raises(RecordError, match=r"mine.toml: .*cannot be read"):
        load_episodes(tmp_path / "mine.toml")


def test_shading_is_cut_to_the_years_shown():
    ax = style.page(style.SINGLE, 2, "").subplots()
    spans = (Episode("RUS", 1990, 1993, "easing", "", "high"),
             Episode("RUS", 2025, 2026, "easing", "", "high"),
             Episode("CHN", 2000, 2001, "hardship", "", "high"))  # fmt: skip
    shade_episodes(ax, "RUS", np.arange(1992, 2025), episodes=spans)
    (patch,) = ax.patches
    assert (patch.get_x(), patch.get_width()) == (1991.5, 2.0)


# -- coverage of the record ----------------------------------------------------------------------


@cache
def whole():
    return fw.load_record(paths.shipped_data_dir(), history=True)


@cache
def chart():
    return fw.plot_coverage(whole())


def cells(fig):
    (found,) = [c for c in fig.axes[0].collections if isinstance(c, PolyCollection)]
    return found


def test_every_indicator_has_a_line_in_order():
    written = {t.get_text(): t.xy[1] for t in chart().axes[0].texts if isinstance(t, Annotation)}
    at = [written[name] for _, found in ordered(whole().codebook) for name in (i.id for i in found)]
    assert len(at) == len(whole().codebook) and at == sorted(at) and len(set(at)) == len(at)
    for _, found in ordered(whole().codebook):
        assert [i.default for i in found] == sorted((i.default for i in found), reverse=True)


def test_a_cell_is_as_full_as_its_rows_and_as_orange_as_its_zeros():
    record = whole().select(["CHN", "IND", "RUS"], range(2000, 2006))
    seen = coverage(record)
    drawn = cells(fw.plot_coverage(record))
    height = {}
    for path, color in zip(drawn.get_paths(), drawn.get_facecolors(), strict=True):
        year, zero = round(path.vertices[:4, 0].mean()), color[0] > color[2]
        of_year = height.setdefault(year, {True: 0.0, False: 0.0})
        of_year[zero] += np.ptp(path.vertices[:, 1]) / 0.84
    for year, rows in seen.groupby("year"):
        zeros = (rows["zeros"].fillna(0) / rows["rows"]).sum()
        assert height[year][True] == pytest.approx(zeros)
        assert sum(height[year].values()) == pytest.approx(len(rows))


def test_shades_are_classes_of_the_share():
    shades = [shade(style.BLUE, s) for s in (0.01, 0.1, 0.11, 0.4, 0.5, 0.8, 0.9, 1.0, 1.2)]
    assert [shades.index(s) for s in shades] == [0, 0, 2, 2, 4, 4, 6, 6, 6]
    assert shades[-1] == pytest.approx(matplotlib.colors.to_rgb(style.BLUE))


def test_the_long_record_is_optional():
    panel = fw.load_record(paths.shipped_data_dir())
    assert "upright line" in caption(whole()) and "upright line" not in caption(panel)
    assert fw.plot_coverage(panel).axes[0].get_xlim()[0] == 1991.5
    assert chart().axes[0].get_xlim()[0] < 1960


def test_chart_fits_a_page_and_nothing_is_cut_off():
    fig = chart()
    assert fig.get_figwidth() == style.DOUBLE and fig.get_figheight() < 11
    with style.context():
        box = fig.get_tightbbox()
    assert box.x0 > -0.01 and box.x1 < fig.get_figwidth() + 0.01
    assert box.y0 > -0.01 and box.y1 < fig.get_figheight() + 0.01


def test_one_file_by_its_ending(tmp_path):
    fig = style.page(style.SINGLE, 2, "Nothing yet.")
    first = style.save_as(fig, tmp_path / "new" / "a.png").read_bytes()
    assert style.save_as(fig, tmp_path / "b.png").read_bytes() == first
    assert b"Nothing yet." in first and b"Software" not in first
    assert style.save_as(fig, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(FairweatherError, match=r"'a.svg'. Use the ending"):
        style.save_as(fig, tmp_path / "a.svg")


@pytest.mark.skipif(not IMAGE.exists(), reason="only a checkout has docs/")
def test_committed_chart_is_of_this_record():
    # The bytes of a picture depend on the machine's fonts; its caption names the record.
    assert Image.open(IMAGE).text["Description"] == caption(whole()), "run: make docs"
