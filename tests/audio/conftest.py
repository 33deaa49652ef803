import sys
from pathlib import Path

import pytest

FAKE_ENGINE = (sys.executable, str(Path(__file__).parent / "fake_engine.py"))


@pytest.fixture
def fake_engine():
    """The command of an engine that needs no TensorFlow."""
    return FAKE_ENGINE
