"""Live playing through the real parts: dropouts beside a bare callback's, and the time from a key to its sound."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ddsp_studio import resources
from ddsp_studio.bench import subject
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch

SECONDS, QUICK_SECONDS = 60.0, 10.0
PRESSES, QUICK_PRESSES = 100, 20


def demo_patch() -> Patch:
    """The first factory patch, or the bench's own where none is shipped."""
    shipped = resources.factory(resources.PATCHES)
    return patch_file.load(next(iter(shipped.values()))) if shipped else subject.patch()


def dropouts(*, quick: bool) -> dict[str, Any]:
    """Chords of eight voices with an edit every second: counts of late blocks, ours and a bare sine callback's.

    Raises:
        TimeoutError, RuntimeError: the engine did not play.
    """
    from ddsp_studio.audio.measure import measure_live

    return asdict(measure_live(demo_patch(), seconds=QUICK_SECONDS if quick else SECONDS))


def key_to_sound(*, quick: bool) -> dict[str, Any]:
    """Samples from a press on a virtual MIDI port to the onset in the captured output.

    Raises:
        ImportError: JACK-Client is not installed. Exception: JACK's own, if no server runs.
    """
    from ddsp_studio.audio.measure import measure_key_to_sound

    return asdict(measure_key_to_sound(click(), presses=QUICK_PRESSES if quick else PRESSES))


def click() -> Patch:
    """A patch that sounds in the hop of its trigger: what is measured then is the way, not the attack."""
    patch = subject.patch(reverb=False).without_nodes(["noise"])
    return patch.with_value("envelope", "attack", (0.001,)).with_value("mixer", "gain", (0.0,))
