"""Whole clips, as training has them: forward, and forward with the spectral loss and gradients; time and peak memory.

The processors of a patch beside the standard offline formulation, straight from its equations: controls resampled to the sample
rate, a float32 phase and a sine for each partial and sample, noise filtered frame by frame, one FFT for the reverb, six STFTs.
`python -m ddsp_studio.bench.clips NAME` runs one of them once and prints its peak memory in MB: each has a process of its own.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_studio.bench.measure import Times, alternate
from ddsp_studio.dsp.chunks import mean_at_once
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

RATE, SECONDS, CLIPS, PARTIALS, BANDS, TAPS = 16_000, 4, 8, 100, 65, 48_000
_SIZES = (2048, 1024, 512, 256, 128, 64)
_KINDS = ("forward", "forward and gradients")
Inputs = dict[str, Tensor]


def inputs() -> Inputs:
    """Controls of every clip, [clips, frames, channels], the response [1, taps], and the target [clips, samples]."""
    rng, frames = np.random.default_rng(1), SECONDS * RATE // HOP
    note = rng.uniform(50.0, 70.0, (CLIPS, 1, 1)) + np.cumsum(rng.normal(0.0, 0.02, (CLIPS, frames, 1)), axis=1)
    held: dict[str, Any] = {
        "f0": 440.0 * 2.0 ** ((note - 69.0) / 12.0),
        "amplitude": rng.uniform(0.2, 0.6, (CLIPS, frames, 1)),
        "distribution": rng.uniform(0.05, 1.0, (CLIPS, frames, PARTIALS)) / np.arange(1, PARTIALS + 1),
        "magnitudes": rng.uniform(0.0, 0.1, (CLIPS, frames, BANDS)),
        "response": 0.02 * rng.normal(size=(1, TAPS)) * np.exp(np.linspace(0.0, -6.9, TAPS)),
        "target": 0.1 * rng.normal(size=(CLIPS, SECONDS * RATE)),
    }
    return {name: tf.constant(value, tf.float32) for name, value in held.items()}


def studio() -> Callable[[Inputs], Tensor]:
    """Audio [clips, samples] by this program's processors."""
    from ddsp_studio.processors.catalogue import processor_types

    types = processor_types()
    tone = types["Harmonic"](RATE, partials=PARTIALS)
    noise = types["FilteredNoise"](RATE, bands=BANDS)
    hall = types["ConvolutionReverb"](RATE, decay=TAPS / RATE / 1.1, predelay=0.0)

    def sound(x: Inputs) -> Tensor:
        clips = int(x["f0"].shape[0])
        tones, _ = tone.process(tone.start(clips), {name: x[name] for name in ("f0", "amplitude", "distribution")})
        noises, _ = noise.process(noise.start(clips), {"magnitudes": x["magnitudes"]})
        dry = tones["audio"] + noises["audio"]
        return hall.process(hall.start(clips), {"input": dry}, {"response": x["response"]})[0]["audio"]

    return sound


def studio_loss() -> Callable[[Tensor, Tensor], Tensor]:
    """The multi-scale spectral loss of this program."""
    from ddsp_studio.training.losses import SpectralLoss

    return SpectralLoss(sizes=_SIZES)


def baseline() -> Callable[[Inputs], Tensor]:
    """Audio [clips, samples] by the standard formulation."""
    numbers, samples, taps = np.arange(1, PARTIALS + 1, dtype=np.float32), SECONDS * RATE, 2 * (BANDS - 1)

    def resampled(frames: Tensor) -> Tensor:
        return tf.image.resize(frames[:, :, None], [samples, 1])[:, :, 0]

    def sound(x: Inputs) -> Tensor:
        hertz = resampled(x["f0"] * numbers)
        audible = tf.where(x["f0"] * numbers < RATE / 2.0, x["distribution"], 0.0)
        levels = resampled(audible / tf.reduce_sum(audible, axis=-1, keepdims=True) * x["amplitude"])
        tones = tf.reduce_sum(tf.sin(tf.cumsum(2.0 * math.pi / RATE * hertz, axis=1)) * levels, axis=-1)
        impulse = tf.signal.irfft(tf.cast(x["magnitudes"], tf.complex64))
        impulse = tf.roll(impulse, taps // 2, axis=-1) * tf.signal.hann_window(taps)
        white = tf.random.uniform([CLIPS, samples // HOP, HOP], -1.0, 1.0)
        length = 1 << (HOP + taps - 2).bit_length()
        pieces = tf.signal.irfft(tf.signal.rfft(white, [length]) * tf.signal.rfft(impulse, [length]))
        dry = tones + tf.signal.overlap_and_add(pieces, HOP)[:, :samples]
        size = 1 << (samples + TAPS - 1).bit_length()
        wet = tf.signal.irfft(tf.signal.rfft(dry, [size]) * tf.signal.rfft(x["response"], [size]), [size])
        return dry + wet[:, :samples]

    return sound


def baseline_loss() -> Callable[[Tensor, Tensor], Tensor]:
    """The multi-scale spectral loss, written straight."""

    def loss(target: Tensor, audio: Tensor) -> Tensor:
        total = tf.zeros([])
        for size in _SIZES:
            one, other = (tf.abs(tf.signal.stft(x, size, size // 4, size, pad_end=True)) for x in (target, audio))
            total += tf.reduce_mean(tf.abs(one - other))
            total += tf.reduce_mean(tf.abs(tf.math.log(one + 1e-5) - tf.math.log(other + 1e-5)))
        return total

    return loss


_PARTS = {"studio": (studio, studio_loss), "baseline": (baseline, baseline_loss)}


def call(name: str, kind: str) -> Callable[[], Any]:
    """A call that does the whole once, compiled."""
    make, make_loss = _PARTS[name]
    sound, loss, x = make(), make_loss(), inputs()
    if kind == "forward":
        compiled = tf.function(sound, autograph=False)
        return lambda: compiled(x).numpy()

    def learn(held: Inputs) -> list[Tensor]:
        learned = {name: value for name, value in held.items() if name not in ("target", "f0")}
        with tf.GradientTape() as tape:
            tape.watch(learned)
            distance = loss(held["target"], sound({**held, **learned}))
        return [distance, *tape.gradient(distance, list(learned.values()))]

    stepped = tf.function(_learn_in_pieces(sound, loss) if name == "studio" else learn, autograph=False)
    return lambda: [out.numpy() for out in stepped(x)]


def _learn_in_pieces(sound: Callable[[Inputs], Tensor], loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Inputs], Any]:
    """As the trainer does it: some clips at once."""
    from ddsp_studio.training.settings import AT_ONCE_S

    at_once = int(AT_ONCE_S) // SECONDS

    def learn(held: Inputs) -> list[Tensor]:
        learned = [name for name in held if name not in ("target", "f0")]
        sizes = [int(np.prod(held[name].shape)) for name in learned]

        def of_piece(vector: Tensor, first: Tensor) -> tuple[Tensor, tuple[()]]:
            parts = zip(learned, tf.split(vector, sizes), strict=True)
            x = {**held, **{name: tf.reshape(part, held[name].shape) for name, part in parts}}
            x = {name: t if t.shape[0] != CLIPS else t[first : first + at_once] for name, t in x.items()}
            x = {name: tf.ensure_shape(t, [min(at_once, int(held[name].shape[0])), *t.shape[1:]]) for name, t in x.items()}
            return loss(x["target"], sound(x)), ()

        with tf.GradientTape() as tape:
            vector = tf.concat([tf.reshape(held[name], [-1]) for name in learned], axis=0)
            tape.watch(vector)
            distance, _ = mean_at_once(of_piece, vector, tf.range(0, CLIPS, at_once))
        return [distance, *tf.split(tape.gradient(distance, vector), sizes)]

    return learn


def rows(*, quick: bool) -> list[dict[str, Any]]:
    """For each kind of work: times in ms and peak memory in MB of both, and what share of the baseline's ours are."""
    found = []
    for kind in _KINDS:
        calls = {name: call(name, kind) for name in _PARTS}
        times = alternate(calls, seconds=2.0 if quick else 10.0, at_least=4, rounds=4)
        row: dict[str, Any] = {"what": kind}
        for name, taken in times.items():
            row[name] = {**asdict(Times.of(taken)), "peak_mb": _peak_mb(name, kind)}
        row["time_ratio"] = row["studio"]["median"] / row["baseline"]["median"]
        row["memory_ratio"] = row["studio"]["peak_mb"] / row["baseline"]["peak_mb"]
        found.append(row)
    return found


def _peak_mb(name: str, kind: str) -> float:
    command = [sys.executable, "-m", __name__, name, kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    return float(done.stdout.split()[-1])


def _peak_resident_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # Linux hands ru_maxrss on to the programs that a process starts
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0**2


def _measure_memory(name: str, kind: str) -> float:
    """Peak memory in MB beyond that of a process that has TensorFlow and the inputs."""
    held = inputs()
    tf.function(lambda x: tf.signal.irfft(tf.signal.rfft(x)), autograph=False)(held["target"])
    before = _peak_resident_mb()
    run = call(name, kind)
    for _ in range(2):
        run()
    return _peak_resident_mb() - before


if __name__ == "__main__":
    from ddsp_studio.quiet import load_tensorflow

    load_tensorflow()
    sys.stdout.write(f"{_measure_memory(sys.argv[1], sys.argv[2]):.1f}\n")
