import numpy as np
import pytest

from fairweather.errors import ScenarioError
from fairweather.scenarios import check_scenarios, load_scenarios, shifts
from made_fit import panel


def write(tmp_path, body, name="mine"):
    file = tmp_path / "mine.toml"
    file.write_text(f'[scenario.{name}]\nlabel = "a"\ntext = "b"\n{body}\n', encoding="utf-8")
    return file


def path(tmp_path, text, state="RUS"):
    return write(tmp_path, f"[scenario.mine.state.{state}]\n{text}")


def test_shipped_set():
    s = load_scenarios(states=["CHN", "RUS"])
    assert s.names == [
        "current-weather", "ease-russia", "ease-china", "ease-both", "storm", "retrenchment",
        "full-thaw", "reset-2009",
    ]  # fmt: skip
    assert check_scenarios(s, panel()) is s
    assert len(s.content_hash) == 64 and s.content_hash == load_scenarios().content_hash


def test_only_what_concerns_the_focal_dyad_is_kept_of_the_shipped_set():
    kept = check_scenarios(load_scenarios(), panel("CHN-IRN"))
    assert kept.names == ["current-weather", "ease-china"]
    assert kept.content_hash != load_scenarios().content_hash
    assert "full-thaw" not in check_scenarios(load_scenarios(), panel(first_year=2003)).names


def test_own_file_gains_the_baseline(tmp_path):
    s = load_scenarios(path(tmp_path, "shift_sd = [0, 0, 0, 0, 1]"))
    assert s.names == ["current-weather", "mine"]
    assert check_scenarios(s, panel()).names == s.names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shift_sd = [1, 1, 1]", "five finite numbers"),
        ("shift_sd = [1, 1, 1, 1, nan]", "five finite numbers"),
        ('shift_sd = [1, 1, 1, 1, "low"]', "five finite numbers"),
        ("shift_sd = [1, 1, 1, 1, true]", "five finite numbers"),
        ("shift_sd = [1, 1, 1, 1, 1]\nto_years = [2001, 2004]\nover = 2", "exactly one"),
        ("shift_sd = [1, 1, 1, 1, 1]\nover = 2", "exactly one"),
        ("to_years = [2001, 2004]", "exactly one"),
        ("", "nothing"),
        ("to_years = [2004, 2001]\nover = 2", "span of years"),
        ("to_years = [2001, 2004]\nover = 0", "span of years"),
        ("shft_sd = [1, 1, 1, 1, 1]", "unknown key 'shft_sd'"),
        ('analogue = {state = "RUS", from = 2011, to = 2008}', "two years"),
        ('analogue = {state = "RUS", form = 2008, to = 2011}', "unknown key 'form'"),
    ],
)
def test_bad_path(tmp_path, text, said):
    with pytest.raises(ScenarioError, match=said) as caught:
        load_scenarios(path(tmp_path, text))
    assert str(caught.value).startswith("mine.toml: ")


def test_other_bad_files(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenarios(tmp_path / "none.toml")
    with pytest.raises(ScenarioError, match="unknown key 'colour'"):
        load_scenarios(write(tmp_path, "colour = 1"))
    with pytest.raises(ScenarioError, match="against it"):
        load_scenarios(write(
            tmp_path, "[scenario.current-weather.state.RUS]\nshift_sd = [1, 1, 1, 1, 1]",
            "current-weather",
        ))  # fmt: skip
    file = tmp_path / "x.toml"
    file.write_text("scenario = [", encoding="utf-8")
    with pytest.raises(ScenarioError, match="not valid TOML"):
        load_scenarios(file)


def test_unknown_state_and_year(tmp_path):
    file = path(tmp_path, "shift_sd = [1, 1, 1, 1, 1]", state="RSU")
    with pytest.raises(ScenarioError, match=r"'RSU'.*Use one of CHN, IND, IRN, RUS"):
        check_scenarios(load_scenarios(file), panel())
    with pytest.raises(ScenarioError, match="'RSU'"):
        load_scenarios(file, states=["RUS"])
    file = path(tmp_path, 'analogue = {state = "PRK", from = 2008, to = 2011}')
    with pytest.raises(ScenarioError, match="'PRK'"):
        check_scenarios(load_scenarios(file), panel())
    file = path(tmp_path, "to_years = [1985, 1988]\nover = 2")
    with pytest.raises(ScenarioError, match="1985, 1988"):
        check_scenarios(load_scenarios(file), panel())


def test_paths():
    p = panel()
    rng = np.random.default_rng(0)
    pressure = p.anchor_fill + 0.1 * rng.standard_normal((3, len(p.states), len(p.years)))
    s = load_scenarios()
    out = dict(zip(s.names, shifts(s, p, pressure, 7, 0.5), strict=True))
    rus = pressure[:, p.states.index("RUS")]
    assert not out["current-weather"].any()
    np.testing.assert_allclose(out["ease-russia"][0, 1], [-0.25, *[-0.5] * 6])
    assert not out["ease-russia"][:, 0].any()
    then = (p.years >= 2001) & (p.years <= 2004)
    gap = rus[:, then].mean(axis=1) - rus[:, -1]
    np.testing.assert_allclose(out["full-thaw"][:, 1, 0], gap / 2)
    np.testing.assert_allclose(out["full-thaw"][:, 1, 6], gap)
    mean = rus.mean(axis=0)
    at = 2008 - p.years[0]
    np.testing.assert_allclose(out["reset-2009"][1, 1, :3], mean[at + 1 : at + 4] - mean[at])
    np.testing.assert_allclose(out["reset-2009"][1, 1, 6], mean[at + 3] - mean[at])
