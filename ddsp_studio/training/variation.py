"""How far a training varies its clips: as it was told to, or as far as the recordings ask for."""

from __future__ import annotations

from collections.abc import Iterable

from ddsp_studio.training.data.augment import Augmentation
from ddsp_studio.training.data.corpus import Recording
from ddsp_studio.training.data.coverage import covered
from ddsp_studio.training.settings import Settings


def variation(settings: Settings, recordings: Iterable[Recording]) -> Augmentation:
    """How clips of these recordings are varied."""
    gain, pitch = settings.gain_db, settings.pitch_cents
    if gain is None or pitch is None:
        heard = covered(recordings)
        gain, pitch = heard.gain_db if gain is None else gain, heard.pitch_cents if pitch is None else pitch
    return Augmentation(gain, pitch, settings.noise_db)


def why_varied(settings: Settings, varied: Augmentation) -> str:
    """What to say of a variation that the recordings asked for; nothing of one that was ordered."""
    told = []
    if settings.pitch_cents is None and varied.pitch_cents:
        told.append(("few different notes", f"{varied.pitch_cents:g} cents", "keys"))
    if settings.gain_db is None and varied.gain_db:
        told.append(("notes of about one level", f"{varied.gain_db:g} dB", "levels"))
    if not told:
        return ""
    words, amounts, kinds = (" and ".join(part) for part in zip(*told, strict=True))
    return f"Recorded are {words}: clips are varied by up to {amounts}, so that other {kinds} are learned, too."
