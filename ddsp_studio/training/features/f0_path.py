"""The cheapest way through pitch candidates: Viterbi's algorithm, decided a fixed number of frames late.

Every survivor carries its own recent past, so that the state is a value of fixed size and any cutting of the stream gives the
same path.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.features.f0_candidates import Candidates
from ddsp_studio.training.features.f0_layout import F0Settings, Floats, favour

_FORGET_S = 30.0
"""Time in which the level that silence is measured against falls by 6 dB."""


class PathState(NamedTuple):
    """What is known after a frame.

    Attributes:
        score: of the best path into each state, [candidates + 1]; the last state is "unvoiced".
        trail: state of that path in each of the last frames, [lag + 1, candidates + 1].
        f0_hz, strength: of the states in these frames, [lag + 1, candidates + 1].
        loudest_db: decaying maximum of the level, dB of full scale.
        frames: frames so far.
    """

    score: npt.NDArray[np.float64]
    trail: npt.NDArray[np.int8]
    f0_hz: Floats
    strength: Floats
    loudest_db: float
    frames: int


def start(count: int, lag: int) -> PathState:
    """Before the first frame: unvoiced. `count` candidates a frame, decided `lag` frames late."""
    score = np.full(count + 1, -math.inf)
    score[count] = 0.0
    trail = np.full((lag + 1, count + 1), count, np.int8)
    empty = np.zeros((lag + 1, count + 1), np.float32)
    return PathState(score, trail, empty, empty, -200.0, 0)


def follow(state: PathState, found: Candidates, settings: F0Settings, period_s: float) -> tuple[Floats, Floats, PathState]:
    """Go on by some frames.

    Args:
        state: what is known. found: candidates of the next frames. settings: costs. period_s: time between frames, s.

    Returns:
        f0 in Hz (0 where unvoiced) and periodicity (0..1, 0 where unvoiced) of the frames that are decided by now, [decided]
        each: those that lie `lag` frames back; and what is known now.
    """
    count = len(found.level_db)
    lag = len(state.trail) - 1
    unvoiced, loudest_db = _unvoiced_strength(state.loudest_db, found.level_db, settings, period_s)
    f0_hz = np.concatenate([found.f0_hz, np.zeros((count, 1), np.float32)], axis=1)
    gain = np.concatenate([_gains(found, settings), unvoiced[:, None]], axis=1).astype(np.float64)
    strength = np.concatenate([np.maximum(found.strength, 0.0), np.zeros((count, 1), np.float32)], axis=1)
    costs = _costs(np.concatenate([state.f0_hz[-1:], f0_hz]), settings, period_s)
    score, trail = state.score, state.trail
    held_f0 = np.concatenate([state.f0_hz, f0_hz])
    held_strength = np.concatenate([state.strength, strength])
    picked = np.empty(count, np.intp)
    own = np.arange(f0_hz.shape[1], dtype=np.int8)[None, :]
    for frame in range(count):
        total = score[None, :] - costs[frame]
        back = total.argmax(axis=1)
        score = total[own[0], back] + gain[frame]
        score = score - score.max()
        trail = np.concatenate([trail[1:, back], own])
        picked[frame] = trail[0, score.argmax()]
    rows = np.arange(1, count + 1)
    first = max(0, lag - state.frames)
    decided_f0 = held_f0[rows, picked][first:]
    decided_strength = held_strength[rows, picked][first:]
    after = PathState(score, trail, held_f0[count:], held_strength[count:], loudest_db, state.frames + count)
    return decided_f0, decided_strength, after


def finish(state: PathState) -> tuple[Floats, Floats]:
    """f0 in Hz and periodicity of the frames that are still undecided when the stream ends."""
    lag = len(state.trail) - 1
    rows = np.arange(max(1, lag + 1 - state.frames), lag + 1)
    best = state.trail[rows, state.score.argmax()]
    return state.f0_hz[rows, best], state.strength[rows, best]


def _gains(found: Candidates, settings: F0Settings) -> Floats:
    """What each pitch is worth: its periodicity, a little more the higher it is; −inf where there is no candidate."""
    some = found.f0_hz > 0.0
    octaves = np.log2(np.where(some, found.f0_hz, 1.0) / settings.low_hz)
    gains: Floats = np.where(some, found.strength + favour(octaves, settings), -np.inf).astype(np.float32)
    return gains


def _unvoiced_strength(loudest_db: float, level_db: Floats, settings: F0Settings, period_s: float) -> tuple[Floats, float]:
    """What "unvoiced" is worth in each frame (Boersma's equation 24 in decibels), and the loudest level so far."""
    fall = 6.0 * period_s / _FORGET_S
    falls = fall * np.arange(1, len(level_db) + 1)
    reference = np.maximum(np.maximum.accumulate(level_db + falls), loudest_db) - falls
    threshold = np.maximum(reference + settings.silence_db, settings.floor_db)
    below = np.clip((threshold + 6.0 - level_db) / 6.0, 0.0, 2.0)
    worth = settings.voicing + below
    return worth.astype(np.float32), float(reference[-1]) if len(level_db) else loudest_db


def _costs(f0_hz: Floats, settings: F0Settings, period_s: float) -> npt.NDArray[np.float64]:
    """Price of every move between frames, [frames − 1, to, from]."""
    scale = 0.01 / period_s
    voiced = f0_hz > 0.0
    octaves = np.log2(np.where(voiced, f0_hz, 1.0))
    jump = settings.jump_cost * np.abs(octaves[1:, :, None] - octaves[:-1, None, :])
    both = voiced[1:, :, None] & voiced[:-1, None, :]
    one = voiced[1:, :, None] != voiced[:-1, None, :]
    return scale * np.where(both, jump, np.where(one, settings.switch_cost, 0.0)).astype(np.float64)
