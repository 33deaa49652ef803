"""Notes from pitch and level: a hidden Markov model whose states are silence and the notes of MIDI."""

from __future__ import annotations

import math

import numpy as np

from ddsp_studio.dsp.recurrence import scan_frames
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.base import Loss

_LOG_2_PI = math.log(2.0 * math.pi)


class TranscriptionLoss(Loss, frozen=True, tag=True):
    """How unlikely pitch and level are as a sequence of held notes (Rabiner, "A tutorial on hidden Markov models", 1989).

    State 0 is silence, state n the MIDI note n. A state holds with probability 1 − 1 / `note_frames`, and goes to each other
    alike. In a note, pitch is normal about its number and level about `on_level`; in silence pitch says next to nothing and level
    is about `off_level`. Deviations in semitones and in the level's own unit.
    """

    note_frames: float = 200.0
    pitch_deviation: float = 0.5
    on_level: float = 1.5
    on_deviation: float = 0.5
    off_level: float = 0.0
    off_deviation: float = 0.1
    pitches: int = 128

    def __call__(self, pitch: Tensor, level: Tensor) -> Tensor:
        """Negative log-likelihood for each frame, on average over the batch: a number, which may be negative.

        Args:
            pitch: fractional MIDI note numbers, [batch, frames, 1]. level: [batch, frames, 1].
        """
        observed = self._observed(pitch, level)
        stay, leave = self._transitions()

        def step(state: tuple[Tensor, Tensor], seen: Tensor) -> tuple[Tensor, Tensor]:
            total, shares = state  # shares of the states, of unit sum: so no power under- or overflows
            highest = tf.stop_gradient(tf.reduce_max(seen, axis=-1, keepdims=True))
            joint = (stay * shares + leave) * tf.exp(seen - highest)
            likelihood = tf.reduce_sum(joint, axis=-1, keepdims=True)
            return total + (tf.math.log(likelihood) + highest)[:, 0], joint / likelihood

        batch, frames = int(observed.shape[0]), int(observed.shape[1])
        uniform = tf.fill([batch, self.pitches], 1.0 / self.pitches)  # also after a transition
        _, (total, _) = scan_frames(step, (tf.zeros([batch]), uniform), observed)
        return -self.weight * tf.reduce_mean(total) / frames

    def notes(self, pitch: Tensor, level: Tensor) -> Tensor:
        """The likeliest sequence of states, by Viterbi's algorithm: note numbers, 0 for silence, [batch, frames, 1].

        Args:
            pitch, level: as above.
        """
        observed = self._observed(pitch, level)
        stay, leave = (math.log(x) for x in (sum(self._transitions()), self._transitions()[1]))
        batch, own = int(observed.shape[0]), np.arange(self.pitches, dtype=np.int32)

        def forward(state: tuple[Tensor, Tensor], seen: Tensor) -> tuple[Tensor, Tensor]:
            score, _ = state
            best = tf.argmax(score, axis=-1, output_type=tf.int32)[:, None]
            moved, held = tf.reduce_max(score, axis=-1, keepdims=True) + leave, score + stay
            return tf.maximum(held, moved) + seen, tf.where(held >= moved, own[None], best)

        start = (observed[:, 0], tf.zeros([batch, self.pitches], tf.int32))
        if int(observed.shape[1]) == 1:
            return tf.cast(tf.argmax(observed, axis=-1), tf.float32)[..., None]
        (_, origins), (score, _) = scan_frames(forward, start, observed[:, 1:])
        last = tf.argmax(score, axis=-1, output_type=tf.int32)

        def backward(state: Tensor, origin: Tensor) -> Tensor:
            return tf.gather(origin, state, batch_dims=1)

        path, _ = scan_frames(backward, last, tf.reverse(origins, [1]))
        states = tf.concat([tf.reverse(path, [1]), last[:, None]], axis=1)
        return tf.cast(states, tf.float32)[..., None]

    def _transitions(self) -> tuple[float, float]:
        """Probability of holding, over that of going to a certain other state; and that."""
        leave = 1.0 / self.note_frames / (self.pitches - 1)
        return 1.0 - 1.0 / self.note_frames - leave, leave

    def _observed(self, pitch: Tensor, level: Tensor) -> Tensor:
        """Log-likelihood of each frame in each state, [batch, frames, pitches]."""
        notes = np.arange(self.pitches, dtype=np.float32)
        silence = notes == 0
        middle = np.where(silence, self.pitches / 2.0, notes).astype(np.float32)
        width = np.where(silence, self.pitches, self.pitch_deviation).astype(np.float32)
        level_middle = np.where(silence, self.off_level, self.on_level).astype(np.float32)
        level_width = np.where(silence, self.off_deviation, self.on_deviation).astype(np.float32)
        squares = tf.square((pitch - middle) / width) + tf.square((level - level_middle) / level_width)
        return -0.5 * squares - np.log(width * level_width) - np.float32(_LOG_2_PI)
