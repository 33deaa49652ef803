"""Oscillators, wavetables, sinusoids and noises as they are heard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ddsp_studio import resources
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors import patch_file, wave_banks
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.patch import Patch
from ddsp_studio.processors.player import Player
from ddsp_studio.training.bundle import banded

RATE = 48_000
SWEEP_HZ = (55.3, 220.3, 997.3, 2217.1, 4001.3, 7040.9)


def frames(values: dict[str, Any], hops: int) -> dict[str, Any]:
    """Constant controls: numbers, or one number a channel."""
    shaped = {name: np.atleast_1d(np.asarray(value, np.float32)) for name, value in values.items()}
    return {name: tf.constant(np.tile(value, (1, hops, 1))) for name, value in shaped.items()}


def sound(kind: str, hops: int, options: dict[str, Any] | None = None, **values: Any) -> np.ndarray:
    """A second or so of one processor with constant controls, float64 [samples]."""
    processor = processor_types()[kind](RATE, **(options or {}))
    outputs, _ = processor.process(processor.start(1), frames(values, hops))
    return np.asarray(outputs["audio"][0], np.float64)


def alias_db(audio: np.ndarray, f0_hz: float) -> float:
    """The strongest component that is no harmonic, against the strongest that is one."""
    spectrum = np.abs(np.fft.rfft(audio * np.kaiser(audio.size, 20.0)))
    hertz = np.fft.rfftfreq(audio.size, 1.0 / RATE)
    harmonic = np.round(hertz / f0_hz)
    off = (np.abs(hertz - harmonic * f0_hz) > 12.0) | (harmonic * f0_hz >= RATE / 2.0)
    return float(20.0 * np.log10(spectrum[off].max() / spectrum[~off & (hertz > 20.0)].max()))


@pytest.mark.parametrize("shape", ["sine", "triangle", "saw", "pulse"])
def test_oscillators_alias_105_db_under_the_fundamental(shape: str) -> None:
    measured = {f0: alias_db(sound("Oscillator", 750, {"shape": shape}, f0=f0, width=0.3), f0) for f0 in SWEEP_HZ}
    assert max(measured.values()) < -105.0, measured


@pytest.mark.parametrize("bank", wave_banks.NAMES)
def test_banks_alias_100_db_under_the_strongest_harmonic(bank: str) -> None:
    measured = {f0: alias_db(sound("WavetableBank", 750, {"bank": bank}, f0=f0, position=0.93), f0) for f0 in SWEEP_HZ}
    assert max(measured.values()) < -100.0, measured


def test_a_drawn_saw_does_not_alias_and_a_rough_one_does() -> None:
    table = np.linspace(-1.0, 1.0, 64)
    clean, rough = (
        max(alias_db(sound("Wavetable", 750, {"reading": reading}, f0=f0, table=table), f0) for f0 in SWEEP_HZ)
        for reading in ("clean", "rough")
    )
    assert clean < -95.0
    assert rough > -40.0


def test_a_learned_wave_does_not_alias() -> None:
    measured = [alias_db(sound("LearnedWavetable", 750, f0=f0, position=0.9), f0) for f0 in SWEEP_HZ]
    assert max(measured) < -95.0


def above_db(audio: np.ndarray, hertz: float, rate: int = RATE) -> float:
    """The strongest component above a frequency against the strongest of all."""
    spectrum = np.abs(np.fft.rfft(audio * np.kaiser(audio.size, 20.0)))
    above = np.fft.rfftfreq(audio.size, 1.0 / rate) > hertz
    return float(20.0 * np.log10(spectrum[above].max() / spectrum.max()))


SAW = np.linspace(1.0, -1.0, 64)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("LearnedWavetable", {"f0": 250.0, "position": 1.0}),
        ("Wavetable", {"f0": 350.0, "table": SAW}),
        ("Sinusoidal", {"frequencies": np.linspace(400.0, 12_000.0, 16), "amplitudes": 0.1}),
    ],
)
def test_what_was_trained_at_a_low_rate_sounds_as_it_did_and_no_higher(kind: str, values: dict[str, Any]) -> None:
    low, high = 16_000, 48_000
    sounds = {}
    for rate, options in ((low, {}), (low, {"bandwidth": 8000.0}), (high, {"bandwidth": 8000.0}), (high, {})):
        processor = processor_types()[kind](rate, **options)
        outputs, _ = processor.process(processor.start(1), frames({**values, "amplitude": 0.5}, rate // HOP))
        sounds[rate, bool(options)] = np.asarray(outputs["audio"][0], np.float64)
    np.testing.assert_array_equal(sounds[low, True], sounds[low, False])
    assert above_db(sounds[high, True], 8050.0) < -90.0
    assert above_db(sounds[high, False], 8050.0) > -40.0
    # sample n of the low rate is the moment of sample 3·n + 2 of the high one, for both count from 1
    np.testing.assert_allclose(sounds[high, True][2::3][3000:15_000], sounds[low, False][3000:15_000], atol=2e-4)


def test_the_wavetable_template_trained_at_a_low_rate_plays_nothing_above_it() -> None:
    drawn = patch_file.load(resources.factory(resources.TEMPLATES)["wavetable_instrument"])
    waves_only = drawn.with_node("noise", replace(drawn.nodes["noise"], muted=True))
    played = np.zeros((1, RATE // HOP, 7), np.float32)
    played[..., 0], played[..., 1], played[:, 0, 2], played[..., 3] = 60.0, 1.0, 1.0, 0.7

    def heard_db(patch: Patch) -> float:
        player = Player(patch, sample_rate=RATE, voices=1)
        block = player.render(np.tile(player.values, (played.shape[1], 1)), played)
        return above_db(block.audio[0].astype(np.float64), 8500.0)

    assert heard_db(banded(waves_only, 16_000)) < -120.0
    assert heard_db(waves_only) > -100.0
    assert heard_db(banded(drawn, 16_000)) < -90.0


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Oscillator", {"shape": "sine"}),
        ("Wavetable", {}),
        ("Wavetable", {"reading": "rough", "points": 512}),
        ("Sinusoidal", {"partials": 1}),
    ],
)
def test_pitch_is_exact_after_a_minute(kind: str, options: dict[str, Any]) -> None:
    """The last tenth of a second is in phase with the ideal sine to a ten-thousandth of a cycle."""
    hertz = float(np.float32(440.1))
    table = np.sin(2.0 * np.pi * np.arange(options.get("points", 64)) / options.get("points", 64))
    values = {"frequencies": hertz, "amplitudes": 1.0} if kind == "Sinusoidal" else {"f0": hertz}
    values |= {"table": table} if kind == "Wavetable" else {}
    processor = processor_types()[kind](RATE, **options)
    step = tf.function(processor.process, autograph=False)
    state, block = processor.start(1), frames({**values, "amplitude": 1.0}, 750)
    for _ in range(60):
        outputs, state = step(state, block)
    late = np.asarray(outputs["audio"][0, -4800:], np.float64)
    turns = (np.arange(60 * RATE - 4800, 60 * RATE) + 1) * hertz / RATE
    found = 2.0 * np.mean(late * np.exp(-2j * np.pi * (turns - 0.25)))
    assert abs(found) == pytest.approx(1.0, abs=2e-3)
    assert abs(np.angle(found)) / (2.0 * np.pi) < 1e-4


def test_a_unison_stands_where_it_says_and_is_as_loud_as_one() -> None:
    audio = sound("Oscillator", 3000, {"shape": "sine", "unison": 3}, f0=1000.0, detune=50.0, amplitude=1.0)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size)))
    hertz = np.fft.rfftfreq(audio.size, 1.0 / RATE)
    for cents in (-50.0, 0.0, 50.0):
        near = np.abs(hertz - 1000.0 * 2.0 ** (cents / 1200.0)) < 5.0
        assert spectrum[near].max() == pytest.approx(audio.size / 4.0 / np.sqrt(3.0), rel=0.05)
    assert np.sqrt(np.mean(audio**2)) == pytest.approx(np.sqrt(0.5), rel=0.02)


def test_position_goes_from_wave_to_wave() -> None:
    """Half way between two waves of the organ is their mean."""
    third, fourth, between = (
        sound("WavetableBank", 40, {"bank": "organ"}, f0=300.0, position=place, amplitude=1.0)
        for place in (2 / 7, 3 / 7, 2.5 / 7)
    )
    np.testing.assert_allclose(between, 0.5 * (third + fourth), atol=2e-4)


def test_cycles_of_a_file_are_played(tmp_path: Path) -> None:
    t = np.arange(256) / 256.0
    cycles = np.stack([np.sin(2.0 * np.pi * t), np.sin(6.0 * np.pi * t)])
    soundfile.write(tmp_path / "waves.wav", 0.25 * cycles.ravel(), RATE, subtype="FLOAT")
    options = {"file": str(tmp_path / "waves.wav"), "cycle": 256}
    first, last = (sound("WavetableBank", 75, options, f0=1000.0, position=place, amplitude=1.0) for place in (0.0, 1.0))
    time = (np.arange(75 * HOP) + 1) / RATE
    np.testing.assert_allclose(first, np.sin(2.0 * np.pi * 1000.0 * time), atol=2e-3)
    np.testing.assert_allclose(last, np.sin(2.0 * np.pi * 3000.0 * time), atol=2e-3)


def _short(path: Path) -> None:
    soundfile.write(path, np.zeros(100), RATE)


def _silent(path: Path) -> None:
    soundfile.write(path, np.zeros(4096), RATE)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_short, "has 100 samples, and one cycle takes 2048"),
        (_silent, "is silent"),
        (lambda path: path.write_text("no"), "cannot be read"),
    ],
)
def test_a_file_without_waves_is_refused(tmp_path: Path, make: Callable[[Path], Any], words: str) -> None:
    make(tmp_path / "odd.wav")
    with pytest.raises(ValueError, match=words):
        processor_types()["WavetableBank"](RATE, file=str(tmp_path / "odd.wav"))


@pytest.mark.parametrize("name", wave_banks.NAMES)
def test_built_in_waves_differ_and_have_a_peak_of_one(name: str) -> None:
    spectra = wave_banks.built_in(name)
    cycles = np.fft.irfft(np.pad(spectra * 4096, [(0, 0), (1, 4096 - 1024)]), 8192, axis=1)
    assert np.all(np.abs(np.abs(cycles).max(axis=1) - 1.0) < 0.25)
    assert all(np.max(np.abs(a - b)) > 0.05 for a, b in zip(cycles[:-1], cycles[1:], strict=True))


def test_sinusoids_are_the_sum_that_they_say() -> None:
    hertz, levels = np.array([101.0, 333.3, 5000.0, 23_000.0]), np.array([0.5, 0.3, 0.2, 0.4])
    values = {"frequencies": hertz.clip(20.0, 20_000.0), "amplitudes": levels, "ratio": 1.15, "amplitude": 1.0}
    audio = sound("Sinusoidal", 60, {"partials": 4}, **values)
    time = (np.arange(60 * HOP) + 1) / RATE
    # 1.15 × 20 kHz lies between 0.45 and 0.5 of the rate, where sinusoids fade
    gains = np.clip((0.5 - values["frequencies"] * 1.15 / RATE) / 0.05, 0.0, 1.0)
    waves = np.sin(2.0 * np.pi * np.outer(time, values["frequencies"] * 1.15))
    np.testing.assert_allclose(audio, waves @ (levels * gains), atol=2e-3)


@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
def test_colours_are_equally_loud(colour: str) -> None:
    audio = sound("NoiseSource", 15_000, {"colour": colour}, amplitude=1.0)[RATE:]
    assert np.sqrt(np.mean(audio**2)) == pytest.approx(np.sqrt(1.0 / 3.0), rel=0.15 if colour == "brown" else 0.03)


def test_stepped_noise_holds_each_value_for_its_time() -> None:
    audio = sound("SteppedNoise", 750, rate=480.0, amplitude=1.0)
    steps = audio[: 480 * 100].reshape(480, 100)
    assert np.max(np.ptp(steps[:, 1:99], axis=1)) < 1e-6
    assert steps[:, 50].std() == pytest.approx(np.sqrt(1.0 / 3.0), rel=0.1)
    assert abs(np.corrcoef(steps[:-1, 50], steps[1:, 50])[0, 1]) < 0.15


def test_a_step_between_two_samples_is_divided() -> None:
    audio = sound("SteppedNoise", 10, rate=RATE / 2.5, amplitude=1.0)
    # steps of 2.5 samples: every fifth sample is the mean of the values before and after it
    middle = audio[2:-5:5]
    np.testing.assert_allclose(middle, 0.5 * (audio[1:-6:5] + audio[3:-4:5]), atol=1e-5)


def test_waves_are_learned_from_a_sound() -> None:
    """Gradient descent on the sound alone finds the wave that made it."""
    processor = processor_types()["LearnedWavetable"](16_000, tables=1, points=32)
    wanted = np.sign(np.sin(2.0 * np.pi * (np.arange(32) + 0.5) / 32.0)).astype(np.float32)[None]
    controls = {"f0": tf.constant(np.linspace(200.0, 500.0, 20)[None, :, None], tf.float32), "amplitude": tf.ones([1, 20, 1])}

    @tf.function(autograph=False)
    def heard(waves: Any) -> Any:
        return processor.process(processor.start(1), controls, {"waves": waves})[0]["audio"]

    target, waves = heard(tf.constant(wanted)), tf.Variable(processor.initial_weights()["waves"])
    losses = []
    for _ in range(40):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((heard(waves) - target) ** 2)
        waves.assign_sub(15.0 * tape.gradient(loss, waves))
        losses.append(float(loss))
    assert losses[-1] < 1e-4 * losses[0]
    np.testing.assert_allclose(waves.numpy(), wanted, atol=0.1)
