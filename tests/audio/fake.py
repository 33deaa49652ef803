"""A player without TensorFlow: one sine for each voice, with a release, so that engine tests start in no time."""

import time
from dataclasses import dataclass

import numpy as np

from ddsp_studio.audio.values import patch_values
from ddsp_studio.processors.check import check
from ddsp_studio.processors.performance import GATE, NOTE, TRIGGER, VELOCITY

HOP = 64
RELEASE_HOPS = 20


@dataclass
class FakeBlock:
    audio: np.ndarray
    levels: np.ndarray
    partials: np.ndarray
    f0_hz: float


class FakePlayer:
    """Plays `gain` of the patch's Output as a factor; a patch named "broken" gives NaN, one named "slow" compiles slowly."""

    def __init__(self, patch, sample_rate, voices):
        check(patch)
        self.patch, self.rate, self.voices = patch, sample_rate, voices
        held = patch_values(patch)
        self.columns, place = {}, 0
        for name, numbers in held.items():
            self.columns[name] = slice(place, place + len(numbers))
            place += len(numbers)
        self.values = np.array([x for numbers in held.values() for x in numbers], np.float32)
        self.nodes = list(patch.nodes)
        self.partials_node, self.latency_samples, self.tail_s = "", 64, 0.0
        self.warmed = []
        self.strength = 0.1
        self.listens = any(node.type == "AudioInput" for node in patch.nodes.values())
        self.reset()

    def release(self):
        pass

    def improve(self, hops, apart):
        return False

    def refresh(self, hops):
        return False

    def nodes_left(self, hops):
        return False

    def warm(self, hops):
        if self.patch.name == "slow":
            time.sleep(0.3)
        self.warmed.append(hops)

    def reload_weights(self):
        self.strength = 0.4

    def reset(self):
        self.phase = np.zeros(self.voices)
        self.level = np.zeros(self.voices)
        self.held = np.zeros((2, HOP), np.float32)

    def adopt(self, other):
        self.phase, self.level, self.held = other.phase.copy(), other.level.copy(), other.held.copy()

    def render(self, values, performance, clock, heard=None):
        hops = values.shape[0]
        out = np.zeros((2, hops * HOP), np.float32)
        gain = values[:, self.columns["out.gain"]][:, 0]
        for hop in range(hops):
            frame = performance[:, hop]
            self.phase = np.where(frame[:, TRIGGER] > 0, 0.0, self.phase)
            target = frame[:, GATE] * frame[:, VELOCITY]
            level = np.where(frame[:, GATE] > 0, target, np.maximum(self.level - 1.0 / RELEASE_HOPS, 0.0))
            turns = 440.0 * 2.0 ** ((frame[:, NOTE] - 69.0) / 12.0) / self.rate
            steps = np.arange(1, HOP + 1)
            ramp = self.level[:, None] + (level - self.level)[:, None] * steps / HOP
            sound = (np.sin(2 * np.pi * (self.phase[:, None] + turns[:, None] * steps)) * ramp).sum(axis=0)
            self.phase = (self.phase + turns * HOP) % 1.0
            self.level = level
            out[:, hop * HOP : (hop + 1) * HOP] = self.strength * sound * 10.0 ** (gain[hop] / 20.0)
        if self.listens and heard is not None:
            out += heard
        if self.patch.name == "broken" and performance[:, :, GATE].any():
            out[:] = np.nan
        whole = np.concatenate([self.held, out], axis=1)
        self.held = whole[:, -HOP:]
        return FakeBlock(whole[:, :-HOP], np.full(len(self.nodes), np.abs(out).max()), np.zeros(0, np.float32), 0.0)


class FakeSmoother:
    def __init__(self, player):
        self.now = player.values.copy()

    def set(self, columns, values, hop=0):
        assert hop == 0
        self.now = self.now.copy()
        self.now[columns] = values

    def jump(self, values):
        self.now = values.copy()

    def frames(self, hops):
        return np.repeat(self.now[None], hops, axis=0)


class FakeWorkshop:
    def prepare(self):
        pass

    def player(self, patch, sample_rate, voices):
        return FakePlayer(patch, sample_rate, voices)

    def smoother(self, player):
        return FakeSmoother(player)

    def warm(self, player, hops):
        player.warm(hops)

    def improve(self, player, hops, apart):
        return player.improve(hops, apart)

    def close(self):
        pass
