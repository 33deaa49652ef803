"""How well a trained patch plays what it has not heard: spectra, and pitch and loudness measured anew from what it plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import tf
from ddsp_studio.training.data.batches import Batches
from ddsp_studio.training.data.clips import Clip
from ddsp_studio.training.data.pitch_range import reaching, track_for
from ddsp_studio.training.data.usable import QUIETEST_DB, loud_level_db
from ddsp_studio.training.features.extract import extract
from ddsp_studio.training.features.f0_layout import F0Settings
from ddsp_studio.training.features.loudness import loudness_db
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.metrics.pitch import pitch_score
from ddsp_studio.training.metrics.sound import spectral_distance
from ddsp_studio.training.playing import Playing

Array = npt.NDArray[np.float32]
MEASURE = 2
"""Which way of measuring this is: scores by another one are not compared with."""
_HEARD_DB, _HEARD_RANGE_DB, _BELOW_DB = -60.0, 30.0, 20.0
"""From where on something is heard: this loudness, and in soft recordings so much below their loud parts. How far below that
differences count."""
COLLAPSED_DB = -20.0
"""An instrument that is this much softer than its recordings has collapsed to silence."""
_AT_ONCE = 4
"""Clips that are played at once to be judged, at most."""
TRAPPED = 0.2
"""Share of frames that are an octave off from which an instrument is in the octave trap."""


class Scores(NamedTuple):
    """What evaluation finds.

    `spectral`: multi-scale distance of magnitudes and log-magnitudes. `f0_cents`: median error of the pitch that is heard.
    `f0_accuracy`: share of frames within 50 cents. `octaves`: share of frames an octave off. `loudness_db`: mean error
    where either is heard. `level_db`: how much louder it plays (median). `seconds`: of sound that was judged.
    """

    spectral: float
    f0_cents: float
    f0_accuracy: float
    octaves: float
    loudness_db: float
    level_db: float
    seconds: float

    def warnings(self) -> list[str]:
        """What is wrong, in sentences."""
        found = []
        if self.level_db < COLLAPSED_DB:
            found.append(f"The instrument has become silent: it plays {-self.level_db:.0f} dB softer than the recordings.")
        if self.octaves > TRAPPED:
            found.append(
                f"In {100 * self.octaves:.0f} % of the notes another octave is heard than was asked for; "
                "if the recordings' pitch shows in the wrong octave, shift it by hand."
            )
        return found


def spaced(clips: Sequence[Clip], most: int) -> tuple[Clip, ...]:
    """So many of the clips, evenly spaced; one at least, and no more than there are."""
    count = min(len(clips), max(1, most))
    return tuple(clips[round(i * (len(clips) - 1) / max(1, count - 1))] for i in range(count))


class Judge:
    """Plays clips, however long, and compares; the compiled player is kept for all checkpoints."""

    def __init__(self, fitting: Fitting, clips: Sequence[Clip], seconds: float) -> None:
        """Take clips to judge by: evenly spaced, about so many seconds of them, one at least."""
        self.chosen, self._most = spaced(clips, round(seconds * fitting.sample_rate / clips[0].samples)), _AT_ONCE
        self._playing = Playing(fitting)
        self.lengths = [clip.recorded for clip in self.chosen]

    def clips(self, vector: Array, at_once: int) -> tuple[Array, Array, Array]:
        """Targets, what is played for their features, in time, [clips, samples]; and the features' pitch [clips, frames].

        Args:
            vector: weights. at_once: clips that the memory holds at once; if it does not, one by one.

        Raises:
            ValueError: in one sentence, if it does not hold a single one.
        """
        size = min(at_once, self._most, len(self.chosen))
        try:
            return self._heard(vector, size)
        except (tf.errors.ResourceExhaustedError, MemoryError) as problem:
            if size == 1:
                raise ValueError("the memory does not hold a single clip to judge by; shorten the clips") from problem
        self._most = 1
        return self.clips(vector, 1)

    def _heard(self, vector: Array, size: int) -> tuple[Array, Array, Array]:
        targets, played, pitches = [], [], []
        batches = Batches(self.chosen, size, shuffled=False)
        for number in range(batches.per_epoch):
            batch = batches.batch(number)
            targets.append(batch["audio"])
            played.append(self._playing.sound(vector, batch, batches.samples))
            pitches.append(np.where(batch["confidence"] > 0.0, batch["f0_hz"], 0.0)[..., 0])
        one, two, three = (np.concatenate(parts)[: len(self.chosen)] for parts in (targets, played, pitches))
        return one, two, three


def compare(
    targets: Array, played: Array, sample_rate: int, pitches: Array | None = None, lengths: Sequence[int] | None = None
) -> Scores:
    """Judge what is played by what was meant, [clips, samples] each.

    Args:
        targets, played: sounds of equal length. sample_rate: Hz.
        pitches: what was asked for, Hz, 0 in pauses, frame m at sample (m + 1)·period, [clips, frames]; measured from the targets
            if not given.
        lengths: samples of each clip that were recorded, [clips]; all, if not given. What lies behind them is not judged.
    """
    ends = [targets.shape[1]] * len(targets) if lengths is None else lengths
    pairs = [(target[:end], sound[:end]) for target, sound, end in zip(targets, played, ends, strict=True)]
    readings = [np.stack([loudness_db(x, sample_rate) for x in pair]) for pair in pairs]
    one, other = np.concatenate(readings, axis=1)
    heard_db = min(_HEARD_DB, max(QUIETEST_DB, loud_level_db(one) - _HEARD_RANGE_DB))
    true, found = [], []
    for i, ((target, sound), levels) in enumerate(zip(pairs, readings, strict=True)):
        meant = _meant(target, sample_rate) if pitches is None else np.concatenate([pitches[i][:1], pitches[i]])
        heard = track_for(sound, sample_rate, meant, target).f0_hz
        meant = meant[: len(heard)]
        true.append(np.where(levels[0][: len(meant)] > heard_db, meant, np.nan))
        found.append(heard[: len(meant)])
    pitch = pitch_score(np.concatenate(true), np.concatenate(found))
    one, other = (np.maximum(x, heard_db - _BELOW_DB) for x in (one, other))
    loud = one > heard_db
    either = loud | (other > heard_db)
    return Scores(
        spectral_distance(pairs, sample_rate),
        pitch.error_cents,
        pitch.pitch_accuracy,
        pitch.octave_errors,
        float(np.mean(np.abs(one - other)[either])) if either.any() else 0.0,
        float(np.median((other - one)[loud])) if loud.any() else 0.0,
        sum(ends) / sample_rate,
    )


def _meant(target: Array, sample_rate: int) -> Array:
    """Pitch of a recording [samples] in Hz, 0 in pauses, [frames]."""
    return reaching(extract([target], sample_rate), lambda: [target], sample_rate, F0Settings()).f0_hz
