"""TensorFlow's chatter is shown to whoever may need it: when something fails."""

from __future__ import annotations

import os

import pytest

from ddsp_studio.quiet import stderr_held


@pytest.mark.parametrize(("problem", "shown"), [(None, ""), (ImportError, "chatter"), (KeyboardInterrupt, ""), (SystemExit, "")])
def test_chatter_is_shown_of_failures_only(
    capfd: pytest.CaptureFixture[str], problem: type[BaseException] | None, shown: str
) -> None:
    def load() -> None:
        with stderr_held():
            os.write(2, b"chatter")
            if problem is not None:
                raise problem

    if problem is None:
        load()
    else:
        with pytest.raises(problem):
            load()
    os.write(2, b".")
    assert capfd.readouterr().err == f"{shown}."
