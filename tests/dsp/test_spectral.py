"""Frames, the short-time Fourier transform and its inverse, mel bands and cepstra against numpy, scipy and loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct
from scipy.signal import get_window

from ddsp_studio.dsp import framing, mel, spectral
from ddsp_studio.dsp.tensor import HOP, tf

RATE = 16_000.0


def sound(samples: int, batch: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, samples)).astype(np.float32)


def slow_frames(audio: np.ndarray, size: int, hop: int, padding: str) -> np.ndarray:
    before, after = framing.padding_sides(audio.shape[1], size, hop, padding)
    padded = np.pad(audio, [(0, 0), (before, after)])
    return np.stack([padded[:, b : b + size] for b in range(0, padded.shape[1] - size + 1, hop)], axis=1)


LAYOUTS = [(512, 128), (512, 512), (512, 64), (500, 125), (512, 176), (96, 32), (64, 96)]


@pytest.mark.parametrize("padding", framing.PADDINGS)
@pytest.mark.parametrize(("size", "hop"), LAYOUTS)
def test_frames_equal_the_loop_and_their_gradient_adds_up(padding: str, size: int, hop: int) -> None:
    if hop > size and padding != "valid":
        with pytest.raises(ValueError, match="a step is at most a frame of 64 samples, got 96"):
            framing.padding_sides(3001, size, hop, padding)
        return
    audio = tf.constant(sound(3001))
    weights = np.random.default_rng(1).normal(size=slow_frames(audio.numpy(), size, hop, padding).shape)
    with tf.GradientTape() as tape:
        tape.watch(audio)
        cut = framing.frame(audio, size, hop, padding)
        total = tf.reduce_sum(cut * tf.constant(weights, tf.float32))
    assert np.array_equal(cut, slow_frames(audio.numpy(), size, hop, padding))
    before, after = framing.padding_sides(3001, size, hop, padding)
    expected = np.zeros((2, before + 3001 + after))
    for m in range(weights.shape[1]):
        expected[:, m * hop : m * hop + size] += weights[:, m]
    assert np.max(np.abs(tape.gradient(total, audio) - expected[:, before : before + 3001])) < 1e-5


def test_frames_of_each_padding_stand_where_they_should() -> None:
    impulse = np.zeros((1, 1000), np.float32)
    impulse[0, 400] = 1.0
    places = {}
    for padding in framing.PADDINGS:
        cut = framing.frame(tf.constant(impulse), 200, 100, padding).numpy()[0]
        places[padding] = (cut.shape[0], [(int(m), int(n)) for m, n in np.argwhere(cut)])
    assert places["end"] == (10, [(3, 100), (4, 0)])
    assert places["centre"] == (11, [(4, 100), (5, 0)])
    assert places["valid"] == (9, [(3, 100), (4, 0)])
    assert places["causal"] == (10, [(4, 100), (5, 0)])


def test_an_unknown_padding_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="padding is one of end, centre, valid, causal, got 'same'"):
        framing.padding_sides(100, 10, 5, "same")


@pytest.mark.parametrize(("size", "hop"), [(512, 128), (384, 96), (512, 176), (500, 100)])
def test_stft_equals_numpy(size: int, hop: int) -> None:
    audio = sound(4000)
    points = spectral.fft_size_of(size)
    window = get_window("hann", size)
    expected = np.fft.rfft(slow_frames(audio, size, hop, "end") * window, points)
    found = spectral.stft(tf.constant(audio), size, hop)
    assert np.max(np.abs(found - expected)) < 1e-4
    assert np.max(np.abs(spectral.magnitude(tf.constant(audio), size, hop) - np.abs(expected))) < 1e-4


@pytest.mark.parametrize(("size", "hop"), [(512, 128), (512, 256), (384, 96), (512, 176), (2048, 64)])
@pytest.mark.parametrize("samples", [4096, 5000, 300])
def test_inverse_gives_back_every_sample(size: int, hop: int, samples: int) -> None:
    audio = tf.constant(sound(samples))
    back = spectral.istft(spectral.stft(audio, size, hop, "centre"), samples, size, hop, "centre")
    reached = framing.window_power(spectral.hann(size), samples, hop, "centre") > 1e-3
    assert reached.all() or hop > size // 4
    assert np.count_nonzero(reached) > samples - size // 2
    assert np.max(np.abs(back - audio)[:, reached]) < 2e-5


def test_inverse_of_changed_spectra_is_the_nearest_sound() -> None:
    """Least squares: no change of the sound brings its spectra nearer, which a gradient of 0 shows."""
    rng = np.random.default_rng(5)
    spectra = rng.normal(size=(2, 33, 129)) + 1j * rng.normal(size=(2, 33, 129))
    spectra[..., [0, -1]] = spectra[..., [0, -1]].real
    fold = np.full(129, 2.0, np.float32)  # both halves of the spectrum count
    fold[[0, -1]] = 1.0
    spectra = tf.constant(spectra, tf.complex64)
    audio = spectral.istft(spectra, 2048, 256, 64)
    with tf.GradientTape() as tape:
        tape.watch(audio)
        gap = spectral.stft(audio, 256, 64, "centre") - spectra
        distance = tf.reduce_sum(fold * (tf.square(tf.math.real(gap)) + tf.square(tf.math.imag(gap))))
    slope = tape.gradient(distance, audio).numpy()
    assert np.max(np.abs(slope)) < 1e-4 * np.max(np.abs(audio)) * 256


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.sampled_from([(256, 64), (512, 128), (128, 64)]))
def test_live_transform_equals_the_causal_one_and_resynthesis_is_a_delay(blocks: list[int], layout: tuple[int, int]) -> None:
    size, hop = layout
    audio = sound(sum(blocks) * hop)
    tail, held = framing.tail_start(2, size, hop), framing.tail_start(2, size, hop)
    spectra, back, begin = [], [], 0
    for count in blocks:
        found, tail = spectral.stft_stream(tf.constant(audio[:, begin : begin + count * hop]), tail, size, hop)
        out, held = spectral.istft_stream(found, held, size, hop)
        spectra.append(found)
        back.append(out)
        begin += count * hop
    whole = spectral.stft(tf.constant(audio), size, hop, "causal")
    assert np.max(np.abs(tf.concat(spectra, 1) - whole)) < 1e-5
    late = np.pad(audio, [(0, 0), (size - hop, 0)])[:, :begin]
    assert np.max(np.abs(tf.concat(back, 1) - late)) < 1e-5


def test_gradient_of_magnitude_is_that_of_tensorflow_and_nothing_at_silence() -> None:
    for size, hop in ((256, 64), (192, 48), (200, 70)):
        audio, weights = tf.constant(sound(1500)), None
        slopes = []
        for way in (
            lambda x, s=size, h=hop: spectral.magnitude(x, s, h),
            lambda x, s=size, h=hop: tf.abs(spectral.stft(x, s, h)),
        ):
            with tf.GradientTape() as tape:
                tape.watch(audio)
                found = way(audio)
                weights = np.random.default_rng(2).normal(size=found.shape).astype(np.float32) if weights is None else weights
                total = tf.reduce_sum(found * weights)
            slopes.append(tape.gradient(total, audio).numpy())
        assert np.max(np.abs(slopes[0] - slopes[1])) < 1e-4
    silence = tf.zeros([1, 1000])
    with tf.GradientTape() as tape:
        tape.watch(silence)
        total = tf.reduce_sum(spectral.magnitude(silence, 256)) + tf.reduce_sum(spectral.rms(silence, 256, 64))
    assert np.array_equal(tape.gradient(total, silence), np.zeros((1, 1000)))


def test_spectra_compile_under_xla() -> None:
    audio = tf.constant(sound(2048))

    @tf.function(jit_compile=True)
    def slope(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(spectral.log_magnitude(x, 256, 64, "centre"))
        return tape.gradient(total, x)

    with tf.GradientTape() as tape:
        tape.watch(audio)
        total = tf.reduce_sum(spectral.log_magnitude(audio, 256, 64, "centre"))
    expected = tape.gradient(total, audio).numpy()
    assert np.max(np.abs(slope(audio) - expected)) < 1e-3 * np.max(np.abs(expected))


def test_rms_of_a_sine() -> None:
    t = np.arange(8000) / RATE
    found = spectral.rms(tf.constant(0.5 * np.sin(2 * np.pi * 500.0 * t)[None], tf.float32), 640, 64, "valid")
    assert np.max(np.abs(found - 0.5 / math.sqrt(2.0))) < 1e-5


def slow_mel(bands: int, bins: int, rate: float, low: float, high: float) -> np.ndarray:
    """One triangle at a time, one bin at a time."""

    def to_mel(hertz: float) -> float:
        return 2595.0 * math.log10(1.0 + hertz / 700.0)

    edges = [to_mel(low) + (to_mel(high) - to_mel(low)) * i / (bands + 1) for i in range(bands + 2)]
    found = np.zeros((bins, bands))
    for k in range(1, bins):
        m = to_mel(k * rate / 2.0 / (bins - 1))
        for band in range(bands):
            left, middle, right = edges[band : band + 3]
            if left < m <= middle:
                found[k, band] = (m - left) / (middle - left)
            elif middle < m < right:
                found[k, band] = (right - m) / (right - middle)
    return found


@pytest.mark.parametrize(
    ("bands", "rate", "low", "high"), [(64, 16e3, 0.0, 8e3), (40, 48e3, 80.0, 20e3), (128, 44.1e3, 20.0, 8e3)]
)
def test_mel_filters_equal_the_loop(bands: int, rate: float, low: float, high: float) -> None:
    assert np.max(np.abs(mel.mel_filters(bands, 513, rate, low, high) - slow_mel(bands, 513, rate, low, high))) < 1e-6


def test_mel_bands_beyond_nyquist_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="mel bands take a range within 0 to 8000 Hz, got 20 to 9000 Hz"):
        mel.mel_filters(10, 65, 16e3, 20.0, 9e3)


def test_cepstrum_is_the_cosine_transform() -> None:
    bands = np.random.default_rng(4).normal(size=(2, 3, 128)).astype(np.float32)
    expected = dct(bands, type=2, axis=-1) / math.sqrt(2.0 * 128)
    assert np.max(np.abs(mel.cepstrum_of(tf.constant(bands), 20) - expected[..., :20])) < 1e-5


def test_a_tone_sounds_in_its_own_mel_band_at_every_rate() -> None:
    for rate in (16e3, 44.1e3, 48e3):
        t = np.arange(int(rate)) / rate
        tone = tf.constant(np.sin(2 * np.pi * 1000.0 * t)[None], tf.float32)
        loudest = int(np.argmax(np.mean(mel.log_mel_spectrum(tone, rate, 40, 50.0, 8000.0)[0], axis=0)))
        edges = np.linspace(2595 * math.log10(1 + 50 / 700), 2595 * math.log10(1 + 8000 / 700), 42)
        assert abs(edges[loudest + 1] - 2595 * math.log10(1 + 1000 / 700)) <= 0.5 * (edges[1] - edges[0]) + 1e-6


def test_hop_divides_what_streams() -> None:
    """A frame of a stream may begin at every hop: four frames of a block of four hops."""
    found, tail = framing.frame_stream(tf.constant(sound(4 * HOP)), framing.tail_start(2, 512, HOP), 512, HOP)
    assert found.shape == (2, 4, 512)
    assert tail.shape == (2, 512 - HOP)
