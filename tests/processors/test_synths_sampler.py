"""Sampler and grains as they are heard: pitch, aliasing, starts, loops and clicks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors import impulse, sound_file
from ddsp_studio.processors.catalogue import processor_types

RATE = 48_000
ROOT = 440.0


def write(path: Path, audio: np.ndarray, rate: int = RATE) -> str:
    soundfile.write(path, audio, rate, subtype="FLOAT")
    return str(path)


def tone(hertz: float, seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2.0 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def play(kind: str, options: dict[str, Any], hops: int, **values: Any) -> np.ndarray:
    """Render; each value is a number or one for every hop."""
    processor = processor_types()[kind](RATE, **options)
    held = {"root": ROOT, "f0": ROOT, "amplitude": 1.0, **({"gate": 1.0} if kind == "Sampler" else {}), **values}
    rows = {name: np.broadcast_to(np.asarray(value, np.float32), (hops,)) for name, value in held.items()}
    outputs, _ = processor.process(processor.start(1), {name: tf.constant(row[None, :, None]) for name, row in rows.items()})
    return np.asarray(outputs["audio"][0], np.float64)


def loudest_hertz(audio: np.ndarray) -> float:
    """By the phase that passes between two windows, exact to a small part of a cent for a steady tone."""
    window, gap = np.kaiser(16_384, 12.0), 64
    one, other = (np.fft.rfft(audio[start : start + window.size] * window) for start in (0, gap))
    peak = int(np.argmax(np.abs(one)))
    coarse = peak * RATE / window.size
    turns = np.angle(other[peak] / one[peak]) / (2.0 * np.pi)
    return float((turns + np.round(coarse * gap / RATE - turns)) * RATE / gap)


def worst_step(audio: np.ndarray) -> float:
    return float(np.max(np.abs(np.diff(audio))))


def pulses(hops: int, *starts: int) -> np.ndarray:
    out = np.zeros(hops, np.float32)
    out[list(starts)] = 1.0
    return out


@pytest.mark.parametrize("semitones", [-24.0, -7.0, -0.3, 0.0, 0.1, 5.0, 12.0, 19.0])
def test_pitch_is_right_within_a_hundredth_of_a_cent(tmp_path: Path, semitones: float) -> None:
    file = write(tmp_path / "tone.wav", tone(1000.0, 4.0))
    ratio = float(np.float32(ROOT * 2.0 ** (semitones / 12.0))) / ROOT
    audio = play("Sampler", {"file": file}, 400, f0=ROOT * ratio)
    cents = 1200.0 * np.log2(loudest_hertz(audio[2000:]) / (1000.0 * ratio))
    assert abs(cents) < 0.01


@pytest.mark.parametrize("rate", [16_000, 44_100, 96_000])
def test_a_file_of_another_rate_keeps_its_pitch(tmp_path: Path, rate: int) -> None:
    audio = play("Sampler", {"file": write(tmp_path / "tone.wav", tone(1000.0, rate=rate), rate)}, 400)
    assert abs(1200.0 * np.log2(loudest_hertz(audio[2000:]) / 1000.0)) < 0.01


def test_at_its_own_pitch_the_recording_comes_out_from_its_first_sample(tmp_path: Path) -> None:
    """A sharp attack stays as sharp as it is: nothing fades in."""
    rng = np.random.default_rng(1)
    wave = np.convolve(rng.normal(size=4000), np.hanning(9) / 4.0, "same") * np.exp(-np.arange(4000) / 900.0)
    wave[0] = 0.0
    file = write(tmp_path / "hit.wav", wave)
    audio = play("Sampler", {"file": file}, 80, gate=np.r_[np.zeros(8), np.ones(72)])
    assert np.max(np.abs(audio[: 8 * HOP])) == 0.0
    heard = audio[8 * HOP : 8 * HOP + 4000]
    np.testing.assert_allclose(heard, wave, atol=1e-3 * np.abs(wave).max())
    assert np.max(np.abs(audio[8 * HOP + 4150 :])) < 1e-4


def test_an_octave_up_nothing_folds_back_to_where_it_is_heard(tmp_path: Path) -> None:
    """A sweep up to 24 kHz, played an octave up, against the same sweep whose upper half was filtered away beforehand."""
    time = np.arange(2 * RATE) / RATE
    sweep = 0.5 * np.sin(2.0 * np.pi * (100.0 * time + 0.25 * 23_800.0 * time**2))
    audio = play("Sampler", {"file": write(tmp_path / "sweep.wav", sweep)}, 750, f0=2.0 * ROOT)
    # after half of the sweep it stands above 24 kHz and must be gone
    folded = audio[int(0.53 * RATE) :]
    assert np.sqrt(np.mean(folded[: int(0.4 * RATE)] ** 2)) < 10.0 ** (-80.0 / 20.0)
    assert np.sqrt(np.mean(audio[: int(0.3 * RATE)] ** 2)) > 0.3


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.9])
def test_a_retrigger_does_not_click(tmp_path: Path, speed: float) -> None:
    wave = tone(200.0) * 2.0
    file = write(tmp_path / "tone.wav", np.roll(wave, -60))  # begins at its peak
    steady = play("Sampler", {"file": file}, 100, f0=ROOT * speed)
    again = play("Sampler", {"file": file}, 100, f0=ROOT * speed, trigger=pulses(100, 20, 33, 47, 60, 61, 62, 90))
    fresh = worst_step(steady[HOP:])
    # a peak-to-peak step of 2, faded over a hop, is 2·π/2/63 a sample at the steepest
    assert worst_step(again) < fresh + 2.0 * np.pi / 2.0 / 63.0
    assert worst_step(steady) < fresh + 0.5 * np.pi / 63.0


def test_a_start_within_the_recording(tmp_path: Path) -> None:
    ramp = np.linspace(0.0, 1.0, RATE)
    audio = play("Sampler", {"file": write(tmp_path / "ramp.wav", ramp)}, 20, begin=0.25)
    np.testing.assert_allclose(audio[HOP:], ramp[12_000 + HOP : 12_000 + 20 * HOP], atol=1e-3)


def test_the_loop_goes_round_and_joins_without_a_step(tmp_path: Path) -> None:
    """A loop whose ends do not meet: a tone of 333 Hz in a loop of a tenth of the file."""
    options = {"file": write(tmp_path / "tone.wav", tone(333.0, 1.0)), "loop": "on"}
    audio = play("Sampler", options, 2000, loop_start=0.4, loop_length=0.1)
    assert np.sqrt(np.mean(audio[-RATE:] ** 2)) > 0.2  # two seconds on, it still sounds
    assert worst_step(audio[HOP:]) < 1.5 * worst_step(tone(333.0))
    period = round(0.1 * (RATE - 96) + 96)
    np.testing.assert_allclose(audio[-RATE : -RATE + 9600], audio[-RATE + period : -RATE + period + 9600], atol=0.02)


def test_a_loop_that_moves_while_it_sounds_does_not_click(tmp_path: Path) -> None:
    """After many rounds a slightly longer loop must not throw the head to somewhere else."""
    options = {"file": write(tmp_path / "tone.wav", tone(100.0, 1.0)), "loop": "on"}
    swing = np.sin(np.arange(3000) * 0.01)
    audio = play("Sampler", options, 3000, loop_start=0.4 + 0.05 * swing, loop_length=0.06 + 0.04 * swing)
    # where the end of the loop meets the head the cross-fade of 10 ms goes by within a few hops
    assert worst_step(audio[HOP:]) < 4.0 * worst_step(tone(100.0))
    assert np.sqrt(np.mean(audio[-RATE:] ** 2)) > 0.2


@pytest.mark.parametrize(
    ("content", "words"),
    [(np.zeros(0), "is empty"), (np.full(10, np.nan), "holds what is no number"), (np.zeros(31 * 8000), "lasts 30 s at most")],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        processor_types()["Sampler"](RATE, file=write(tmp_path / "odd.wav", content, 8000))


NO_SOUND = {
    "none.wav": "there is no such file",
    "empty.wav": r"it is empty \(0 bytes\)",
    "text.wav": r"it is no sound file that can be read \(WAV, FLAC, OGG, MP3 and AIFF can\)",
    "folder.wav": "it is a folder, not a file",
    "pipe.wav": "it is a device or a pipe, not a file",
}


@pytest.mark.parametrize(("name", "reason"), NO_SOUND.items())
def test_a_file_that_cannot_be_read_is_told_of_in_plain_words(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    for kind, what in (("Sampler", "recording"), ("Granular", "recording"), ("WavetableBank", "wavetable")):
        with pytest.raises(ValueError, match=rf"^the {what} '{name}' cannot be read: {reason}$"):
            processor_types()[kind](RATE, file=str(tmp_path / name))
    with pytest.raises(ValueError, match=rf"^the impulse response '{name}' cannot be read: {reason}$"):
        impulse.load(tmp_path / name, RATE)


def test_a_long_impulse_response_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "long.wav", np.ones(13 * 8000), 8000)
    with pytest.raises(ValueError, match=r"^an impulse response lasts 12 s at most, long.wav lasts 13.0 s$"):
        impulse.load(tmp_path / "long.wav", RATE)


def test_channels_are_averaged(tmp_path: Path) -> None:
    both = np.stack([tone(1000.0), 0.5 * tone(1000.0)], axis=1)
    audio, rate = sound_file.read(Path(write(tmp_path / "two.wav", both)), "recording")
    assert rate == RATE
    np.testing.assert_allclose(audio, 0.75 * tone(1000.0), atol=1e-6)


# -- grains ---------------------------------------------------------------------------------------------------------------


def test_a_frozen_cloud_keeps_the_pitch_and_does_not_click(tmp_path: Path) -> None:
    file = write(tmp_path / "tone.wav", tone(500.0, 3.0))
    audio = play("Granular", {"file": file}, 1500, f0=ROOT * 1.5, position=0.5, density=40.0, size=0.09, spray=0.0)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size)))
    peak = np.fft.rfftfreq(audio.size, 1.0 / RATE)[int(np.argmax(spectrum))]
    assert abs(peak - 750.0) < 40.0  # grains that overlap out of phase spread the line by the density
    assert worst_step(audio) < 3.0 * worst_step(tone(750.0))
    assert np.sqrt(np.mean(audio[RATE // 2 :] ** 2)) > 0.1


def test_knobs_that_move_do_not_click(tmp_path: Path) -> None:
    file = write(tmp_path / "tone.wav", tone(100.0, 3.0))
    swing = np.sin(np.arange(1500) * 0.05)
    moved = {"density": 50.0 * 2.0**swing, "size": 0.05 * 2.0**-swing, "jitter": 0.5 + 0.5 * swing, "position": 0.5 + 0.3 * swing}
    audio = play("Granular", {"file": file}, 1500, spray=0.1, **moved)
    # four grains, each with its own slope and that of its window of 25 ms or more
    window = 0.5 * np.pi / (0.025 * RATE) * 2.0
    assert worst_step(audio) < 4.0 * (worst_step(tone(100.0)) + window)


def grain_times(audio: np.ndarray) -> np.ndarray:
    """Beginnings of what is loud after silence, in seconds."""
    loud = np.convolve(np.abs(audio) > 1e-3, np.ones(64), "same") > 0.5
    return np.flatnonzero(loud[1:] & ~loud[:-1]) / RATE


def test_grains_come_as_often_as_the_density_says(tmp_path: Path) -> None:
    file = write(tmp_path / "tone.wav", tone(3000.0, 3.0))
    values = {"position": 0.5, "size": 0.01, "density": 20.0}
    even = grain_times(play("Granular", {"file": file}, 1500, jitter=0.0, **values))
    np.testing.assert_allclose(np.diff(even), 0.05, atol=0.002)
    uneven = grain_times(play("Granular", {"file": file}, 1500, jitter=1.0, **values))
    assert len(uneven) == pytest.approx(len(even), abs=8)
    assert np.std(np.diff(uneven)) > 0.01


def test_spray_scatters_where_grains_come_from(tmp_path: Path) -> None:
    """The recording is a sweep, so each grain tells its place by its pitch."""
    time = np.arange(4 * RATE) / RATE
    file = write(tmp_path / "sweep.wav", 0.5 * np.sin(2.0 * np.pi * (500.0 * time + 500.0 * time**2)))
    values = {"position": 0.5, "size": 0.02, "density": 20.0, "jitter": 0.0}
    spread = []
    for spray in (0.0, 0.5):
        audio = play("Granular", {"file": file}, 1500, spray=spray, **values)
        found = [loudest(audio[begin : begin + 960]) for begin in range(2400, 90_000, 2400)]
        spread.append((np.mean(found), np.std(found)))
    assert spread[0][0] == pytest.approx(2510.0, abs=60.0)
    assert spread[0][1] < 30.0
    # uniform over ±0.5 s of a sweep by 1000 Hz a second
    assert spread[1][1] == pytest.approx(500.0 / np.sqrt(3.0), rel=0.35)


def loudest(audio: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), 16_384))
    return float(np.argmax(spectrum) * RATE / 16_384)


def test_the_cloud_is_as_loud_whatever_the_density() -> None:
    levels = []
    for density in (20.0, 60.0):
        audio = play("Granular", {"overlap": "8"}, 3000, density=density, size=0.1, position=0.1, spray=0.05, root=261.6)
        levels.append(20.0 * np.log10(np.sqrt(np.mean(audio[RATE:] ** 2))))
    assert abs(levels[1] - levels[0]) < 4.0


def test_two_voices_have_grains_of_their_own() -> None:
    processor = processor_types()["Granular"](RATE)
    outputs, _ = processor.process(processor.start(2), {"amplitude": tf.ones([2, 400, 1]), "position": tf.fill([2, 400, 1], 0.1)})
    one, other = outputs["audio"].numpy()
    assert np.corrcoef(one[6400:], other[6400:])[0, 1] < 0.9
