"""How a training is done: plain data that a run keeps beside its checkpoints."""

from __future__ import annotations

from typing import Literal

import msgspec

Precision = Literal["auto", "float32", "mixed"]
SIZES = ("tiny", "small", "full")
AT_ONCE_S, AT_RATE = 8.0, 16_000
"""Seconds of sound at that sample rate whose gradient a CPU computes at once: more only takes memory."""
CLIP_S, BATCH = 2.0, 4
"""Clip length in s, and clips in a batch, on a CPU: many small steps learn more in a minute than few large ones."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of a training.

    Attributes:
        sample_rate: Hz, 8000 to 96000; the instrument knows nothing above half of it.
        clip_s: seconds of a clip. batch: clips in a step.
        steps: how many, 0 for as many as `minutes` allow. minutes: of training, 0 for no limit; planned after the first steps.
        rate: the largest learning rate. warm_up: steps in which it rises from 0. end_rate: share of it that is left at the last
        step.
        clip_norm: longest gradient. seed: of weights, order and augmentation.
        gain_db, pitch_cents, noise_db: how far clips are varied (`data.augment.Augmentation`); the first two are None for as far
        as the recordings ask for (`data.coverage`).
        engine: that tracks pitch (`features.f0_swift.ENGINES`).
        checkpoint_s: seconds between checkpoints. checkpoint_steps: steps between them instead, if not 0: for runs that must
        repeat exactly.
        held_out: share of the material that is kept to judge by.
        precision: "mixed": networks multiply in bfloat16. "float32". "auto": mixed on a GPU that is quicker so.
    """

    sample_rate: int = 16_000
    clip_s: float = CLIP_S
    batch: int = BATCH
    steps: int = 0
    minutes: float = 5.0
    rate: float = 5e-3
    warm_up: int = 20
    end_rate: float = 0.05
    clip_norm: float = 3.0
    seed: int = 1
    gain_db: float | None = None
    pitch_cents: float | None = None
    noise_db: float = -120.0
    engine: str = "autocorrelation"
    checkpoint_s: float = 60.0
    checkpoint_steps: int = 0
    held_out: float = 0.1
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        """Refuse what cannot be trained (ValueError)."""
        limits = {
            "sample_rate": (8_000, 96_000), "clip_s": (0.25, 30.0), "batch": (1, 256), "steps": (0, 10_000_000), "minutes": (0.0,
            100_000.0), "rate": (1e-6, 0.1), "warm_up": (0, 100_000), "end_rate": (0.0, 1.0), "clip_norm": (1e-3, 1e3), "seed":
            (0, 2**31 - 1), "gain_db": (0.0, 24.0), "pitch_cents": (0.0, 200.0), "noise_db": (-120.0, -20.0), "checkpoint_s":
            (1.0, 1e6), "checkpoint_steps": (0, 1_000_000), "held_out": (0.0, 0.5),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"training: {name} goes from {low:g} to {high:g}, got {value:g}")
        if not self.steps and not self.minutes:
            raise ValueError("training: give a number of steps or of minutes")


def rate_at(step: int, steps: int, settings: Settings, seconds: float = 0.0) -> float:
    """Learning rate of a step: a straight rise, then half a cosine down to `end_rate` of it (Loshchilov and Hutter, 2017).

    Args:
        step: its number. steps: how many are planned; 0 while that is open: then the `seconds` of training so far, of the
            settings' minutes, tell how far it is.
    """
    import math

    rise = min(1.0, (step + 1) / max(1, settings.warm_up))
    through = (step - settings.warm_up) / max(1, steps - settings.warm_up) if steps else seconds / (60.0 * settings.minutes)
    through = min(1.0, max(0.0, through))
    fall = settings.end_rate + (1.0 - settings.end_rate) * 0.5 * (1.0 + math.cos(math.pi * through))
    return settings.rate * rise * fall
