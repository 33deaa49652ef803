"""Offline rendering: a patch and a song or take become a sound file, by the code that plays live.

Thread rule: `render_file` blocks until done; call it on a thread or process of its own. `progress` and `cancelled` are
called on that thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.audio_file import AudioWriter, check_format, writing
from ddsp_studio.audio.events import HOP, LIVE, SONG, Cut, Event, Midi, at
from ddsp_studio.audio.input import InputFile
from ddsp_studio.audio.keys import CC_NOTES_OFF, CC_RESET, CONTROL
from ddsp_studio.audio.midi_file import Song, read_song
from ddsp_studio.audio.renderer import SILENCE, Renderer
from ddsp_studio.audio.song_player import SongPlayer
from ddsp_studio.audio.take import Take
from ddsp_studio.audio.values import turns
from ddsp_studio.audio.voices import DEFAULT_VOICES, VoiceAllocator
from ddsp_studio.audio.workshop import TensorFlowWorkshop, Workshop
from ddsp_studio.dsp.programme_loudness import hop_powers_stream, integrated_lufs
from ddsp_studio.processors.patch import Patch

QUIET_S = 0.5
"""An automatic tail ends when the sound has stayed under −90 dB for this long."""
LONGEST_TAIL_S = 60.0
SAMPLE_RATE = 48_000
_PEAK_TARGET = 10.0 ** (-0.1 / 20.0)

Audio = npt.NDArray[np.float32]


class RenderError(ValueError):
    """A render that cannot be done as asked; the text is one sentence."""


class RenderCancelled(Exception):
    """The caller asked to stop; no file was written."""


@dataclass(frozen=True)
class RenderReport:
    """What was written: length in seconds, highest sample (1 is full scale), and blocks that had to be silenced."""

    path: Path
    seconds: float
    peak: float
    faulty_blocks: int


def render_file(
    patch: Patch | None,
    midi: Path | Song | Take | None,
    out: Path,
    *,
    sample_rate: int | None = None,
    block: int = 4_800,
    bit_depth: str = "24",
    tail_s: float | None = None,
    voices: int | None = None,
    mode: str | None = None,
    normalise: str | None = None,
    target_lufs: float = -16.0,
    mono: bool = False,
    dither: bool = True,
    seconds: float = 10.0,
    heard: Path | None = None,
    start_s: float = 0.0,
    stop_s: float | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    workshop: Workshop | None = None,
) -> RenderReport:
    """Render a patch to a WAV or FLAC file, chosen by the suffix of `out`. The file appears whole or not at all.

    Args:
        patch: the instrument; None for the one that the take was played on.
        midi: a MIDI file, a song, a take (`load_take`; with all else left to it, it gives what was heard), or None for a
            patch that plays by itself for `seconds`.
        out: the file to write.
        sample_rate: in Hz; None for the take's, or 48 kHz.
        block: samples rendered at a time, whole hops of 64; the sound does not depend on it.
        bit_depth: "16", "24" or "32f" (floating point).
        tail_s: seconds after the last event; None renders until the sound has died away, 60 s at most.
        voices: polyphony, 1 to 64; None for the take's, or 8.
        mode: "poly", "mono" or "legato"; None for the take's, or poly.
        normalise: "peak" brings the highest sample to −0.1 dB of full scale; "lufs" the integrated loudness (BS.1770) to
            `target_lufs`, but no sample above −0.1 dB.
        target_lufs: −60 to −3.
        mono: write the mean of left and right.
        dither: triangular dither when writing 16 bits.
        seconds: length when there is no MIDI and no input.
        heard: a sound file as the audio input; a take brings its own. Without MIDI the render lasts as long as it does.
        start_s: leave out what is before this time.
        stop_s: end at this time, without a tail.
        progress: called with 0..1 now and then.
        cancelled: asked before every block.
        workshop: who compiles; the real one by default.

    Raises:
        RenderError, AudioFileError, InputError, PatchError, SongError, TakeError: bad arguments or input, in one sentence.
        RenderCancelled: `cancelled` returned True.
        OSError: the file cannot be read or written, or the disk is full.
    """
    out = Path(out)
    song = midi if isinstance(midi, Song | Take) or midi is None else read_song(Path(midi))
    instrument = _instrument(song, patch, sample_rate, voices, mode)
    sample_rate = instrument.sample_rate
    _check(block, sample_rate, normalise, start_s, stop_s)
    check_format(out, bit_depth)
    recorded = song.heard if isinstance(song, Take) and heard is None else heard
    sound = InputFile(recorded, sample_rate) if recorded is not None else None
    length = sound.length if sound is not None else round(seconds * sample_rate)
    source = _Source(song, sample_rate, round(stop_s * sample_rate) if song is None and stop_s else length, sound)
    window = _Window(round(start_s * sample_rate), None if stop_s is None else round(stop_s * sample_rate), tail_s)
    end = window.stop or source.length + round((1.0 if tail_s is None else tail_s) * sample_rate)
    expected = max(0, end - window.start)

    def between(done: int) -> None:
        if cancelled and cancelled():
            raise RenderCancelled
        if progress:
            progress(min(1.0, done / max(1, end)))

    stream = _Stream(instrument, source, block, workshop or TensorFlowWorkshop(), between)

    def audio() -> Iterator[Audio]:
        empty = True
        for piece in stream.blocks(window):
            empty = False
            yield piece.mean(axis=0, keepdims=True) if mono else piece
        if empty and window.start:
            raise RenderError(f"the range starts at {start_s:g} s, and the sound has ended by then")

    channels = 1 if mono else 2
    if normalise is None:
        with writing(out, sample_rate, channels, bit_depth, dither=dither, expected=expected) as writer:
            for piece in audio():
                writer.write(piece)
        peak, samples = writer.peak, writer.samples
    else:
        goal = None if normalise == "peak" else target_lufs
        peak, samples = _write_normalised(out, audio(), sample_rate, channels, bit_depth, dither, expected, goal)
    if progress:
        progress(1.0)
    return RenderReport(out, samples / sample_rate, peak, stream.faulty)


@dataclass(frozen=True)
class _Instrument:
    """What plays, and how."""

    patch: Patch
    sample_rate: int
    voices: int
    mode: str


def _instrument(
    held: Song | Take | None, patch: Patch | None, sample_rate: int | None, voices: int | None, mode: str | None
) -> _Instrument:
    """What is asked for; what is not, as the take was played, or as usual."""
    take = held if isinstance(held, Take) else None
    patch = take.patch if take and patch is None else patch
    if patch is None:
        raise RenderError("there is no patch to render")
    usual = take or _Instrument(patch, SAMPLE_RATE, DEFAULT_VOICES, "poly")
    return _Instrument(
        patch,
        usual.sample_rate if sample_rate is None else sample_rate,
        usual.voices if voices is None else voices,
        mode or usual.mode,
    )


def _check(block: int, sample_rate: int, normalise: str | None, start_s: float, stop_s: float | None) -> None:
    if block < HOP or block % HOP:
        raise RenderError(f"the block is a multiple of {HOP} samples, got {block}")
    if not 8_000 <= sample_rate <= 192_000:
        raise RenderError(f"the sample rate is 8000 to 192000 Hz, got {sample_rate} Hz")
    if normalise not in (None, "peak", "lufs"):
        raise RenderError(f"normalise is peak, lufs or nothing, got {normalise!r}")
    if start_s < 0.0:
        raise RenderError(f"the range starts at 0 s or later, got {start_s:g} s")
    if stop_s is not None and stop_s <= start_s:
        raise RenderError(f"the range ends after it starts, got {start_s:g} s to {stop_s:g} s")


def _write_normalised(
    out: Path,
    audio: Iterator[Audio],
    sample_rate: int,
    channels: int,
    bit_depth: str,
    dither: bool,
    expected: int,
    goal_lufs: float | None,
) -> tuple[float, int]:
    """Render to a float file beside `out` first, for its level must be known before the first sample is written."""
    import soundfile

    with writing(out, sample_rate, channels, bit_depth, dither=dither, expected=expected) as writer:
        draft_path = writer.path.with_suffix(".draft.wav")
        try:
            draft = AudioWriter(draft_path, sample_rate, channels, "32f", expected=expected)
            try:
                for piece in audio:
                    draft.write(piece)
            finally:
                draft.close()
            gain = _PEAK_TARGET / draft.peak if draft.peak > SILENCE else 1.0
            if goal_lufs is not None:
                gain = min(gain, _loudness_gain(draft_path, sample_rate, goal_lufs))
            for frames in soundfile.blocks(draft_path, 1 << 16, dtype="float32", always_2d=True):
                writer.write(frames.T * np.float32(gain))
        finally:
            draft_path.unlink(missing_ok=True)
    return writer.peak, writer.samples


def _loudness_gain(path: Path, sample_rate: int, goal_lufs: float) -> float:
    """Factor that brings a file to an integrated loudness, 1 for one that is too soft to have one."""
    import soundfile

    powers, state = [], None
    for frames in soundfile.blocks(path, 1 << 16, dtype="float64", always_2d=True):
        held = np.ascontiguousarray(frames[: len(frames) // HOP * HOP].T)
        state = np.zeros((held.shape[0], 4)) if state is None else state
        found, state = hop_powers_stream(held, state, sample_rate)
        powers.append(found)
    level = integrated_lufs(np.concatenate(powers, axis=1), sample_rate) if powers else -math.inf
    return 10.0 ** ((goal_lufs - level) / 20.0) if math.isfinite(level) else 1.0


@dataclass(frozen=True)
class _Window:
    """Which samples are wanted: from `start` to `stop`, or to the end of the tail."""

    start: int
    stop: int | None
    tail_s: float | None


class _Source:
    """Feeds a renderer with the events of a song, a take or nothing, and with what comes in. `length` is in samples."""

    def __init__(self, held: Song | Take | None, sample_rate: int, length: int, sound: InputFile | None) -> None:
        self._sound = sound
        self._events: list[Event] = []
        self._player: SongPlayer | None = None
        self.length = length
        if isinstance(held, Take):
            scale = sample_rate / held.sample_rate
            self.length = round(held.length * scale)
            self._events = [_scaled(event, scale) for event in held.events]
        elif held is not None:
            self._player = SongPlayer(sample_rate)
            self._player.load(held, 0)
            self._player.play(0)
            self.length = round(held.length_s * sample_rate)
        self._next = 0

    def hear(self, count: int) -> Audio | None:
        """What comes in next, [2, count]."""
        return None if self._sound is None else self._sound.read(count)

    def post(self, renderer: Renderer, start: int, stop: int) -> None:
        """Post what is due in stream samples [start, stop)."""
        for event in self._player.events(start, stop) if self._player else ():
            renderer.post(event)
        while self._next < len(self._events) and self._events[self._next].sample < stop:
            renderer.post(self._events[self._next])
            self._next += 1
        if self._player is None and start <= self.length < stop:
            for channel in range(16):
                for source in (LIVE, SONG):
                    for number in (CC_RESET, CC_NOTES_OFF):
                        renderer.post(Midi(self.length, bytes((CONTROL | channel, number, 0)), source))


def _scaled(event: Event, scale: float) -> Event:
    moved = at(event, round(event.sample * scale))
    return Cut(moved.sample, max(1, round(moved.hops * scale))) if isinstance(moved, Cut) else moved


class _Stream:
    """Renders blocks, drops the patch's latency, and finds the end of the tail."""

    def __init__(
        self,
        instrument: _Instrument,
        source: _Source,
        block: int,
        workshop: Workshop,
        between: Callable[[int], None],
    ) -> None:
        """Compile; `between(done)` is called before every block with the samples of the file that are done."""
        patch, rate = instrument.patch, instrument.sample_rate
        allocator = VoiceAllocator(instrument.voices, instrument.mode)
        workshop.prepare()
        player = workshop.player(patch, rate, instrument.voices)
        player.warm(block // HOP)
        self._renderer = Renderer(player, workshop.smoother(player), allocator, sample_rate=rate)
        self._renderer.sequencer.turns = turns(patch)
        self._source, self._rate, self._block, self._between = source, rate, block, between
        self._quiet = 0
        self.faulty = 0

    def blocks(self, window: _Window) -> Iterator[Audio]:
        """The wanted samples [2, n] piece by piece; the patch's latency is taken out."""
        skip = self._renderer.player.latency_samples
        while True:
            start = self._renderer.position
            self._between(max(0, start - skip))
            self._source.post(self._renderer, start, start + self._block)
            rendered = self._renderer.render(self._block // HOP, self._source.hear(self._block))
            self.faulty += rendered.faulty
            begin = start - skip
            end = self._end(rendered.audio, begin, window)
            first = max(0, max(window.start, 0) - begin)
            last = self._block if end is None else max(0, end - begin)
            if first < last:
                yield rendered.audio[:, first:last]
            if end is not None:
                return

    def _end(self, audio: Audio, begin: int, window: _Window) -> int | None:
        """Sample of the file at which it ends, if that lies in this block."""
        stop = begin + audio.shape[1]
        fixed = window.stop
        if fixed is None and window.tail_s is not None:
            fixed = self._source.length + round(window.tail_s * self._rate)
        if fixed is not None:
            return fixed if fixed <= stop else None
        return self._quiet_end(audio, begin)

    def _quiet_end(self, audio: Audio, begin: int) -> int | None:
        """The end of an automatic tail: judged hop by hop, so that it does not depend on the block."""
        needed = -(-round(QUIET_S * self._rate) // HOP)
        last = self._source.length + round(LONGEST_TAIL_S * self._rate)
        peaks = np.abs(audio).max(axis=0).reshape(-1, HOP).max(axis=1)
        for hop, peak in enumerate(peaks):
            at = begin + (hop + 1) * HOP
            if at <= self._source.length:
                continue
            self._quiet = self._quiet + 1 if peak < SILENCE else 0
            if self._quiet >= needed or at >= last:
                return at
        return None
