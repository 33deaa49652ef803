"""Where rendered blocks go: a sound device behind a C ring buffer, or a silent clock when there is no device.

Python never runs in the device's callback: `rtmixer`'s C callback copies from the ring, so a garbage collection or a busy
interpreter costs nothing as long as the ring holds sound. The render thread keeps `lead` samples in it.

Thread rule: `wanted`, `wait`, `write` and the counters belong to the render thread; `stream_sample` may be called on any
thread; opening and closing is done by the device keeper's thread.
"""

from __future__ import annotations

import math
import time
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.clock import StreamClock
from ddsp_studio.audio.events import HOP
from ddsp_studio.audio.input import InputStream

_RING_FRAMES = 1 << 16
_POLL_S = 0.0004
_STALLED_S = 1.0
_LONGEST_LATENCY_S = 10.0
_FIRST_QUANTUM = 2048
_LEARN_JUMPS = 9


def lead_samples(block: int, quantum: int, safety_blocks: int) -> int:
    """Samples to keep between render thread and device, for a device that takes `quantum` samples at a time.

    Enough that the ring never runs dry while a block takes less than its own length to render. With equal sizes this is one
    block (plus the safety): the device plays it while the next is rendered.
    """
    if quantum % block == 0:
        edge = quantum
    elif block % quantum == 0:
        edge = 2 * block - quantum
    else:
        edge = -(-max(block, quantum) // quantum) * quantum + block + min(block, quantum)
    return edge + safety_blocks * block


class Output(Protocol):
    """Something that takes blocks at its own pace."""

    name: str
    sample_rate: int
    dropouts: int

    @property
    def alive(self) -> bool:
        """False when the device is lost."""

    @property
    def latency_s(self) -> float:
        """From an event's time stamp to its sound."""

    def set_depth(self, block: int, safety_blocks: int) -> None:
        """Use another block length and number of safety blocks from now on."""

    def align(self, position: int) -> None:
        """Count from this stream sample on, which is the next to be written. Called once, before the first block."""

    def forgive(self) -> None:
        """Count nothing that comes too late before the next block is written: what is missed till then is silence."""

    def wanted(self) -> bool:
        """Whether a block should be rendered and written now."""

    def wait(self) -> None:
        """Sleep until a block may be wanted, a few milliseconds at most."""

    def write(self, block: npt.NDArray[np.float32]) -> None:
        """Hand over a block [2, samples]."""

    @property
    def input_name(self) -> str:
        """The device that sound comes in from, "" if none is open."""

    @property
    def input_latency_s(self) -> float:
        """From a sound that comes in to the same sound played; 0 without an input."""

    def read_input(self, count: int) -> npt.NDArray[np.float32] | None:
        """What has come in for the next block, [2, count]; None without an input. Once for each block, before it is written."""

    def stream_sample(self, seconds: float) -> int | None:
        """Stream sample for an event at a `perf_counter` time: constant latency, never before the render head."""

    def close(self) -> None:
        """Stop; may take long if a sound server has died."""


class SilentOutput:
    """A clock that takes blocks and plays nothing, so that everything runs without a device."""

    input_name, input_latency_s = "", 0.0

    def __init__(self, sample_rate: int, block: int, safety_blocks: int, start: int) -> None:
        self.name, self.sample_rate, self.dropouts = "none", sample_rate, 0
        self._block, self._head = block, start
        self._lead = lead_samples(block, block, safety_blocks)
        self._origin_s, self._origin = time.perf_counter(), start
        self._forgiven = True

    @property
    def alive(self) -> bool:
        """Always."""
        return True

    @property
    def latency_s(self) -> float:
        """From an event's time stamp to its sound."""
        return (self._lead + HOP) / self.sample_rate

    def set_depth(self, block: int, safety_blocks: int) -> None:
        """Use another block length and number of safety blocks from now on."""
        self._block, self._lead = block, lead_samples(block, block, safety_blocks)

    def align(self, position: int) -> None:
        """Count from this stream sample on."""
        self._head = self._origin = position
        self._origin_s = time.perf_counter()
        self._forgiven = True

    def forgive(self) -> None:
        """Count nothing that comes too late before the next block."""
        self._forgiven = True

    def _taken(self, seconds: float) -> float:
        return self._origin + (seconds - self._origin_s) * self.sample_rate

    def wanted(self) -> bool:
        """Whether a block should be rendered and written now."""
        taken = self._taken(time.perf_counter())
        late = taken - self._head
        if late > 0:
            self.dropouts += 0 if self._forgiven else math.ceil(late / self._block)
            self._origin_s += late / self.sample_rate
            taken = self._head
        return self._head + self._block <= taken + self._lead

    def wait(self) -> None:
        """Sleep until a block may be wanted."""
        short = self._head + self._block - self._lead - self._taken(time.perf_counter())
        time.sleep(min(0.01, max(0.0, short / self.sample_rate)))

    def write(self, block: npt.NDArray[np.float32]) -> None:
        """Hand over a block [2, samples]."""
        self._forgiven = False
        self._head += block.shape[1]

    def read_input(self, count: int) -> None:
        """Nothing comes in."""

    def stream_sample(self, seconds: float) -> int | None:
        """Stream sample for an event at a `perf_counter` time."""
        return int(self._taken(seconds)) + self._lead + HOP

    def close(self) -> None:
        """Nothing to stop."""


class DeviceOutput:
    """A sound device fed through a ring buffer in C."""

    def __init__(
        self,
        device: int,
        name: str,
        sample_rate: int,
        block: int,
        safety_blocks: int,
        start: int,
        source: tuple[int, str] | None = None,
    ) -> None:
        """Open a PortAudio device and start it on silence; `source` is the index and name of a device to listen to with it.

        Raises:
            sounddevice.PortAudioError: the device cannot be opened like this.
        """
        import rtmixer
        import sounddevice

        info = sounddevice.query_devices(device)
        self.on_jack = "JACK" in sounddevice.query_hostapis(info["hostapi"])["name"]
        self.name, self.sample_rate, self.dropouts = name, sample_rate, 0
        self._channels = min(2, int(info["max_output_channels"]))
        self._block, self._safety = block, safety_blocks
        # JACK has one period for everybody; another size would only add a second buffer
        size = 0 if self.on_jack else block
        given = {"samplerate": sample_rate, "blocksize": size, "latency": "low"}
        self._input: InputStream | None = None
        self.input_name = source[1] if source else ""
        if source is None:
            self._mixer: Any = rtmixer.Mixer(device=device, channels=self._channels, **given)
        else:
            heard = min(2, int(sounddevice.query_devices(source[0])["max_input_channels"]))
            self._mixer = rtmixer.MixerAndRecorder(device=(source[0], device), channels=(heard, self._channels), **given)
            self._input = InputStream(self._mixer, heard, sample_rate)
        self._ring: Any = rtmixer.RingBuffer(4 * self._channels, _RING_FRAMES)
        self._clock = StreamClock(sample_rate)
        self._quantum = max(block, _FIRST_QUANTUM if size == 0 else block)
        self._jumps: list[int] = []
        self._lead = lead_samples(block, self._quantum, safety_blocks)
        self._head, self._taken_before = start, start
        self._idle_poll_s = 0.0
        self._moved_s = self._looked_s = time.perf_counter()
        self._starved, self._forgiven = False, False
        self.write(np.zeros((2, self._lead), np.float32), advance=False)
        self._taken_before -= self._lead
        self._action: Any = self._mixer.play_ringbuffer(self._ring)
        self._taken, self._calls = self._taken_before, 0
        self._calls_at_play, self._taken_at_play = 0, self._taken_before
        self._mixer.start()

    @property
    def alive(self) -> bool:
        """False when the device has stopped or takes nothing any more."""
        # by the last look, not by now: while Python is held up nobody looks, and the device may well be moving
        return bool(self._mixer.active) and self._looked_s - self._moved_s < _STALLED_S

    @property
    def latency_s(self) -> float:
        """From an event's time stamp to its sound, as measured: depth of the ring and the device's own latency."""
        return (self._lead + HOP) / self.sample_rate + self._own_latency_s[-1]

    @property
    def _own_latency_s(self) -> tuple[float, ...]:
        """Of the device: in and out, or out alone."""
        own = self._mixer.latency
        given = own if isinstance(own, tuple) else (own,)
        # under JACK PortAudio takes what is less than nothing for 2^32 samples
        return tuple(float(seconds) if 0.0 <= seconds < _LONGEST_LATENCY_S else 0.0 for seconds in given)

    @property
    def input_latency_s(self) -> float:
        """From a sound that comes in to the same sound played, as measured."""
        return self._lead / self.sample_rate + sum(self._own_latency_s) if self._input is not None else 0.0

    def read_input(self, count: int) -> npt.NDArray[np.float32] | None:
        """What has come in for the next block, [2, count]; None without an input."""
        return None if self._input is None else self._input.read(count)

    def set_depth(self, block: int, safety_blocks: int) -> None:
        """Use another block length and number of safety blocks from now on."""
        self._block, self._safety = block, safety_blocks
        self._lead = lead_samples(block, self._quantum, safety_blocks)

    def align(self, position: int) -> None:
        """Count from this stream sample on."""
        shift = position - self._head
        self._head = position
        self._taken_before += shift
        self._taken += shift
        self._taken_at_play += shift
        self._clock.restart()
        self._forgiven = True

    def forgive(self) -> None:
        """Count nothing that comes too late before the next block."""
        self._forgiven = True

    def wanted(self) -> bool:
        """Whether a block should be rendered and written now; also watches the device."""
        self._watch()
        more = int(self._ring.read_available) + self._block <= self._lead
        if self._starved and not more:
            self._play_again()
        return more

    def wait(self) -> None:
        """Sleep a moment; the device's calls are seen by polling, so that its callback needs no Python."""
        time.sleep(_POLL_S)

    def write(self, block: npt.NDArray[np.float32], *, advance: bool = True) -> None:
        """Hand over a block [2, samples]."""
        self._forgiven = self._forgiven and (self._starved or not advance)
        shaped = block if self._channels == 2 else block.mean(axis=0, keepdims=True)
        self._ring.write(np.ascontiguousarray(shaped.T, np.float32))
        if advance:
            self._head += block.shape[1]

    def stream_sample(self, seconds: float) -> int | None:
        """Stream sample for an event at a `perf_counter` time."""
        taken = self._clock.position_at(seconds)
        return None if taken is None else int(taken) + self._lead + HOP

    def close(self) -> None:
        """Stop the stream and let the device go."""
        self._mixer.abort(ignore_errors=True)
        self._mixer.close(ignore_errors=True)

    # -- watching the device ----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        now = self._looked_s = time.perf_counter()
        calls = int(self._mixer._state.stats.blocks)
        taken = self._taken_before + (0 if self._starved else int(self._action.done_frames))
        if calls != self._calls:
            self._moved_s = now
            self._learn(taken - self._taken)
            # only a call that happened within the last poll says anything exact about time
            if now - self._idle_poll_s < 3 * _POLL_S:
                self._clock.observe(now, taken)
            self._calls, self._taken = calls, taken
        self._idle_poll_s = now
        if not self._starved and self._action not in self._mixer.actions:
            self._starved = True
            self._taken_before = taken

    def _learn(self, taken: int) -> None:
        """Find how many samples the device takes at a time."""
        if len(self._jumps) < _LEARN_JUMPS and taken > 0:
            self._jumps.append(taken)
            if len(self._jumps) == _LEARN_JUMPS:
                self._quantum = sorted(self._jumps)[_LEARN_JUMPS // 2]
                self._lead = lead_samples(self._block, self._quantum, self._safety)

    def _play_again(self) -> None:
        """The ring ran dry, which ended its playing, and is full again: count what was missed and play on."""
        calls = int(self._mixer._state.stats.blocks)
        fed = (self._taken_before - self._taken_at_play) // max(1, self._quantum)
        self.dropouts += 0 if self._forgiven else max(1, calls - self._calls_at_play - fed)
        self._forgiven = False
        self._calls_at_play, self._taken_at_play = calls, self._taken_before
        self._clock.restart()
        self._action = self._mixer.play_ringbuffer(self._ring)
        self._starved = False
