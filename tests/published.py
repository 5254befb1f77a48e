"""Tests against the publishers' prepared files, where the environment names their folder."""

import os
from pathlib import Path

import pytest

SOURCES = os.environ.get("FAIRWEATHER_SOURCES", "")
needs_sources = pytest.mark.skipif(
    not SOURCES or not Path(SOURCES).is_dir(), reason="FAIRWEATHER_SOURCES is not set"
)
