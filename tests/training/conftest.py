"""Fixtures of the trainer's tests: a recording to learn from, and a cache for what is heard in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .materials import tone, write


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sound") / "tone.wav", tone())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")
