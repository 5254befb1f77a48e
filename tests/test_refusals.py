"""What cannot end well is refused before sampling, and leaves nothing behind."""

import pytest
from typer.testing import CliRunner

from fairweather.cli import app


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["forecast", "--as-of", "1998-12-31"], "2000-12-31 or later"),
        (["forecast", "--as-of", "1980-01-01"], "1980-01-01"),
        (["fit", "--states", "CHN,RUS"], "Name three states or more"),
        (["fit", "--states", "CHN,RUS,XXX"], "XXX"),
        (["forecast", "--horizon", "11"], "--horizon"),
        (["fit", "--draws", "1"], "--draws"),
    ],
)
def test_refused_before_sampling(args, message, tmp_path, monkeypatch):
    def never(*_args, **_options):
        raise AssertionError("sampling was reached")

    monkeypatch.setattr("fairweather.pipeline.run_fit", never)
    folder = tmp_path / "deep" / "results"
    result = CliRunner().invoke(app, [*args, "--results", str(folder)])
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert not folder.parent.exists()
