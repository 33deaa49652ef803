"""Where the program keeps what is the user's: settings, patches, recordings, recovery files, logs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_NAME = "ddsp_studio"
HOME = "DDSP_STUDIO_HOME"
"""Environment variable that moves all of it under one folder."""


def _home(part: str) -> Path | None:
    return Path(os.environ[HOME]) / part if os.environ.get(HOME) else None


def settings_file() -> Path:
    """The settings."""
    return (_home("config") or platformdirs.user_config_path(_NAME, False)) / "settings.json"


def patches() -> Path:
    """The user's own patches."""
    return (_home("data") or platformdirs.user_data_path(_NAME, False)) / "patches"


def models() -> Path:
    """The user's own instruments."""
    return (_home("data") or platformdirs.user_data_path(_NAME, False)) / "models"


def trainings() -> Path:
    """Trainings with their checkpoints."""
    return (_home("data") or platformdirs.user_data_path(_NAME, False)) / "trainings"


def recovery() -> Path:
    """Autosaved work."""
    return (_home("data") or platformdirs.user_data_path(_NAME, False)) / "recovery"


def recordings() -> Path:
    """Recorded takes."""
    return _home("recordings") or platformdirs.user_music_path() / _NAME


def logs() -> Path:
    """Log files of window and engine, and the trace of a crash."""
    return _home("logs") or platformdirs.user_log_path(_NAME, False)
