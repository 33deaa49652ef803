"""Loading TensorFlow without its chatter: C++ log lines on a terminal tell a musician nothing."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def stderr_held() -> Iterator[None]:
    """Keep what is written to file descriptor 2, by C++ too, to oneself; show it only if something fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept:
        real = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except Exception:  # whoever interrupts it has not asked for its log
            os.dup2(real, 2)
            kept.seek(0)
            os.write(2, kept.read())
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)


def load_tensorflow() -> None:
    """Import TensorFlow and find its devices, silently. Takes seconds; do it before a progress display starts."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else it takes all of a GPU, which others use, too
    with stderr_held():
        from ddsp_studio.dsp.tensor import tf

        tf.config.list_physical_devices()
