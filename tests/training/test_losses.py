"""Losses: values against slow references, gradients against finite differences, silence, and their description as data."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.signal import stft as scipy_stft
from scipy.special import logsumexp
from scipy.stats import energy_distance
from scipy.stats import wasserstein_distance as scipy_distance

from ddsp_studio.dsp.loudness import loudness
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.training.losses import (
    DensityConsistencyLoss,
    HarmonicConsistencyLoss,
    LossGroup,
    NoiseConsistencyLoss,
    SpectralLoss,
    Term,
    TranscriptionLoss,
    TwoWayMismatchLoss,
    WassersteinConsistencyLoss,
    from_data,
)
from ddsp_studio.training.losses.controls import amplitude_difference, pitch_difference
from ddsp_studio.training.losses.differences import mean_difference
from ddsp_studio.training.losses.sinusoids import log_density, wasserstein_distance
from ddsp_studio.training.losses.spectral import loss_at

rng = np.random.default_rng(0)
NONE = {"magnitude": 0.0, "log_magnitude": 0.0}
TERMS = ("magnitude", "log_magnitude", "delta_time", "delta_frequency", "cumulative_frequency", "loudness")
KINDS = ("L1", "L2", "cosine")


def tensor(x: Any) -> Any:
    return tf.constant(x, tf.float32)


def slope_along(function: Callable[[Any], Any], x: np.ndarray, direction: np.ndarray) -> float:
    """The gradient's part along a direction."""
    at = tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(at)
        value = function(at)
    gradient = tape.gradient(value, at).numpy()
    assert np.all(np.isfinite(gradient))
    return float(np.sum(gradient * direction))


def check_gradient(
    function: Callable[[Any], Any],
    x: np.ndarray,
    step: float,
    rel: float = 0.02,
    slow: Callable[[np.ndarray], float] | None = None,
) -> None:
    """Raise unless gradient and central difference agree along random directions; the difference of a float64 reference if
    given."""
    value = slow or (lambda at: float(function(tensor(at))))
    for seed in (1, 2):
        direction = np.random.default_rng(seed).normal(size=x.shape)
        expected = (value(x + step * direction) - value(x - step * direction)) / (2.0 * step)
        assert slope_along(function, x, direction) == pytest.approx(expected, rel=rel, abs=1e-6 if slow else 1e-4)


# -- differences ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, 0.5, "each"])
@pytest.mark.parametrize("kind", KINDS)
def test_difference_is_its_formula(kind: str, weights: Any) -> None:
    target, value = rng.normal(size=(2, 5, 7)), rng.normal(size=(2, 5, 7))
    w: Any = rng.uniform(size=(2, 5, 1)) if weights == "each" else weights

    def slow(value: np.ndarray) -> float:
        norms = np.linalg.norm(target, axis=-1, keepdims=True) * np.linalg.norm(value, axis=-1, keepdims=True)
        each = {
            "L1": np.abs(target - value),
            "L2": (target - value) ** 2,
            "cosine": 1.0 - np.sum(target * value, -1, keepdims=True) / norms,
        }[kind]
        return float(np.mean(each * (1.0 if w is None else w)))

    def fast(value: Any) -> Any:
        return mean_difference(tensor(target), value, kind, None if w is None else tensor(w))

    assert float(fast(tensor(value))) == pytest.approx(slow(value), rel=1e-5)
    check_gradient(fast, value, 1e-6, 1e-3, slow)


def test_cosine_of_silence() -> None:
    sound, silence = tf.ones([1, 4]), tf.zeros([1, 4])
    assert float(mean_difference(silence, silence, "cosine")) == 0.0
    assert float(mean_difference(sound, silence, "cosine")) == 0.5
    assert slope_along(lambda v: mean_difference(sound, v, "cosine"), np.zeros((1, 4)), np.ones((1, 4))) == 0.0


def test_an_unknown_kind_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match='a difference is "L1", "L2" or "cosine", got \'L3\''):
        mean_difference(tf.zeros([1]), tf.zeros([1]), "L3")  # type: ignore[arg-type]


# -- the spectral loss ---------------------------------------------------------------------------------------------------


def slow_magnitude(audio: np.ndarray, size: int) -> np.ndarray:
    """By scipy, which scales by the window's sum."""
    padded = np.pad(audio, [(0, 0), (0, size)])
    _, _, found = scipy_stft(padded, nperseg=size, noverlap=size - size // 4, boundary=None, padded=False)
    frames = -(-audio.shape[1] // (size // 4))
    return np.abs(found).transpose(0, 2, 1)[:, :frames] * size / 2.0


def slow_loss(target: np.ndarray, audio: np.ndarray, sizes: tuple[int, ...], term: str, kind: str) -> float:
    views = {
        "magnitude": lambda x: x,
        "log_magnitude": lambda x: np.log(np.maximum(x, 1e-5)),
        "delta_time": lambda x: np.diff(x, axis=1),
        "delta_frequency": lambda x: np.diff(x, axis=2),
        "cumulative_frequency": lambda x: np.cumsum(x, axis=2),
    }
    if term == "loudness":
        pairs = [(loudness(target, 16_000.0), loudness(audio, 16_000.0))]
    else:
        pairs = [(views[term](slow_magnitude(target, size)), views[term](slow_magnitude(audio, size))) for size in sizes]
    total = 0.0
    for one, other in pairs:
        if kind == "cosine":
            norms = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
            total += np.mean(1.0 - np.sum(one * other, -1) / norms)
        else:
            total += np.mean(np.abs(one - other) ** (1 if kind == "L1" else 2))
    return total


@pytest.mark.parametrize(("term", "kind"), list(itertools.product(TERMS, KINDS)))
def test_each_term_is_its_formula_and_has_its_gradient(term: str, kind: Any) -> None:
    data = np.random.default_rng(3)
    target, audio = data.normal(size=(2, 1200)), data.normal(size=(2, 1200))
    sizes = (256, 64)
    loss = SpectralLoss(sizes=sizes, kind=kind, weight=0.5, **{**NONE, term: 2.0})
    assert float(loss(tensor(target), tensor(audio))) == pytest.approx(slow_loss(target, audio, sizes, term, kind), rel=1e-4)
    check_gradient(lambda x: loss(tensor(target), x), audio, 1e-7, 5e-3, lambda x: slow_loss(target, x, sizes, term, kind))


def test_terms_add_up_with_their_weights() -> None:
    target, audio = tensor(rng.normal(size=(1, 800))), tensor(rng.normal(size=(1, 800)))
    parts = [float(SpectralLoss(sizes=(128,), **{**NONE, term: 1.0})(target, audio)) for term in TERMS]
    weights = {term: 0.1 * (i + 1) for i, term in enumerate(TERMS)}
    whole = float(SpectralLoss(sizes=(128,), weight=3.0, **weights)(target, audio))
    assert whole == pytest.approx(3.0 * sum(w * p for w, p in zip(weights.values(), parts, strict=True)), rel=1e-5)


def test_equal_sounds_have_no_distance_and_spectra_may_be_kept() -> None:
    audio, other = tensor(rng.normal(size=(2, 3000))), tensor(rng.normal(size=(2, 3000)))
    for kind in KINDS:
        loss = SpectralLoss(kind=kind, **dict.fromkeys(TERMS, 1.0))
        assert float(loss(audio, audio)) == pytest.approx(0.0, abs=1e-5)
        assert float(loss(loss.spectra(other), audio)) == float(loss(other, audio)) > 0.1


def test_no_gradient_flows_to_the_target() -> None:
    target, audio = tensor(rng.normal(size=(1, 800))), tensor(rng.normal(size=(1, 800)))
    loss = SpectralLoss(sizes=(128,), loudness=1.0)
    with tf.GradientTape() as tape:
        tape.watch(target)
        value = loss(target, audio)
    assert tape.gradient(value, target) is None


def test_weights_silence_the_clips_that_do_not_count() -> None:
    target, audio = tensor(rng.normal(size=(2, 800))), tensor(rng.normal(size=(2, 800)))
    loss = SpectralLoss(sizes=(128,), loudness=1.0)
    one = float(loss(target[:1], audio[:1]))
    assert float(loss(target, audio, tensor([[[2.0]], [[0.0]]]))) == pytest.approx(one, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_gives_numbers(kind: Any) -> None:
    loss = SpectralLoss(kind=kind, **dict.fromkeys(TERMS, 1.0))
    sound, silence = rng.normal(size=(1, 3000)), np.zeros((1, 3000))
    for target, audio in ((sound, silence), (silence, silence), (silence, sound)):
        assert math.isfinite(float(loss(tensor(target), tensor(audio))))
        assert math.isfinite(slope_along(lambda x, t=target: loss(tensor(t), x), audio, np.ones_like(audio)))


def test_cumulative_sums_pull_partials_together_that_do_not_overlap() -> None:
    t = np.arange(8000) / 16_000.0

    def away(hertz: float, loss: SpectralLoss) -> float:
        return float(loss(tensor(np.sin(2 * np.pi * 1000.0 * t)[None]), tensor(np.sin(2 * np.pi * hertz * t)[None])))

    moving, plain = (
        SpectralLoss(sizes=(512,), **{**NONE, "cumulative_frequency": 1.0}),
        SpectralLoss(sizes=(512,), log_magnitude=0.0),
    )
    assert away(1500.0, moving) < 0.6 * away(2000.0, moving)
    assert away(1500.0, plain) == pytest.approx(away(2000.0, plain), rel=0.01)


def test_it_is_the_same_under_xla() -> None:
    target, audio = tensor(rng.normal(size=(1, 512))), tensor(rng.normal(size=(1, 512)))
    loss = SpectralLoss(sizes=(128, 64), delta_time=1.0)

    def value_and_slope(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(target, x)
        return value, tape.gradient(value, x)

    plain, compiled = value_and_slope(audio), tf.function(value_and_slope, jit_compile=True)(audio)
    assert float(compiled[0]) == pytest.approx(float(plain[0]), rel=1e-4)
    assert np.linalg.norm(compiled[1] - plain[1]) < 0.02 * np.linalg.norm(plain[1])  # signs may flip where magnitudes tie


def test_sizes_without_a_quarter_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="sizes of a spectral loss are multiples of 4 samples, got 254"):
        SpectralLoss(sizes=(512, 254))


# -- controls ------------------------------------------------------------------------------------------------------------


def test_differences_of_controls() -> None:
    one, other = rng.uniform(0.01, 1.0, (2, 6, 3)), rng.uniform(0.01, 1.0, (2, 6, 3))
    assert float(amplitude_difference(tensor(one), tensor(other))) == pytest.approx(np.mean(np.abs(one - other)), rel=1e-5)
    logs = np.mean((np.log10(one) - np.log10(other)) ** 2)
    assert float(amplitude_difference(tensor(one), tensor(other), "L2", logarithmic=True)) == pytest.approx(logs, rel=1e-4)
    assert float(amplitude_difference(tf.zeros([1]), tf.ones([1]), logarithmic=True)) == pytest.approx(5.0)
    assert float(pitch_difference(tensor([[440.0]]), tensor([[880.0]]))) == pytest.approx(12.0, abs=1e-4)
    assert float(NoiseConsistencyLoss(weight=2.0)(tensor(one), tensor(other))) == pytest.approx(
        2 * np.mean(np.abs(one - other)), rel=1e-5
    )


def test_harmonic_controls_count_where_the_target_sounds() -> None:
    shape = (2, 8, 1)
    amplitude, target = rng.uniform(0.1, 1.0, shape), rng.uniform(0.1, 1.0, shape)
    target[:, 4:] = 0.0
    shares, wanted = rng.uniform(size=(2, 8, 5)), rng.uniform(size=(2, 8, 5))
    f0, true_f0 = rng.uniform(100, 1000, shape), rng.uniform(100, 1000, shape)
    loss = HarmonicConsistencyLoss(weight=2.0, amplitude=1.0, distribution=0.5, f0=0.25)
    terms = loss.terms(*(tensor(x) for x in (amplitude, target, shares, wanted, f0, true_f0)))
    heard = (target > 0.0).astype(float)
    assert float(terms["amplitude"]) == pytest.approx(2.0 * np.mean(np.abs(amplitude - target)), rel=1e-5)
    assert float(terms["distribution"]) == pytest.approx(np.mean(heard * np.abs(shares - wanted)), rel=1e-5)
    assert float(terms["f0"]) == pytest.approx(0.5 * np.mean(heard * np.abs(12 * np.log2(f0 / true_f0))), rel=1e-4)
    whole = loss(*(tensor(x) for x in (amplitude, target, shares, wanted, f0, true_f0)))
    assert float(whole) == pytest.approx(sum(float(x) for x in terms.values()), rel=1e-6)


# -- sinusoids -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(("p", "reference", "scale"), [(1.0, scipy_distance, 1.0), (2.0, energy_distance, math.sqrt(0.5))])
def test_distance_of_sets_is_scipys(p: float, reference: Any, scale: float, weighted: bool) -> None:
    u, v = rng.normal(size=(3, 2, 5)), rng.normal(1.0, 2.0, size=(3, 2, 8))
    u_weights, v_weights = (rng.uniform(0.1, 1.0, size=x.shape) if weighted else None for x in (u, v))
    given = [None if w is None else tensor(w) for w in (u_weights, v_weights)]

    def slow(u: np.ndarray, u_weights: np.ndarray | None = u_weights) -> np.ndarray:
        pairs = [(u[i], v[i], *(None if w is None else w[i] for w in (u_weights, v_weights))) for i in np.ndindex(3, 2)]
        return scale * np.reshape([reference(*pair) for pair in pairs], (3, 2))

    assert np.max(np.abs(wasserstein_distance(tensor(u), tensor(v), *given, p=p) - slow(u))) < 1e-5
    check_gradient(
        lambda x: tf.reduce_sum(wasserstein_distance(x, tensor(v), *given, p=p)), u, 1e-6, 1e-3, lambda x: float(np.sum(slow(x)))
    )
    if u_weights is not None:
        check_gradient(
            lambda w: tf.reduce_sum(wasserstein_distance(tensor(u), tensor(v), w, given[1], p=p)),
            u_weights,
            1e-6,
            1e-3,
            lambda w: float(np.sum(slow(u, w))),
        )


def test_distance_of_a_set_to_itself_and_to_silence() -> None:
    values, weights = rng.normal(size=(1, 4)), rng.uniform(size=(1, 4))
    for p in (1.0, 2.0, 3.0):
        assert float(wasserstein_distance(tensor(values), tensor(values), tensor(weights), tensor(5.0 * weights), p=p)[0]) < 1e-3
        slope_along(
            lambda w, p=p: tf.reduce_sum(wasserstein_distance(tensor(values), tensor(values), w, tensor(weights), p=p)),
            weights,
            weights,
        )
        slope_along(
            lambda w, p=p: tf.reduce_sum(wasserstein_distance(tensor(values), tensor(values), w, tensor(weights), p=p)),
            0 * weights,
            weights,
        )


def sinusoids(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    data = np.random.default_rng(seed)
    return data.uniform(0.1, 1.0, (2, 3, count)), data.uniform(100.0, 4000.0, (2, 3, count))


def test_wasserstein_loss_is_in_semitones_or_hertz() -> None:
    amplitudes, hertz = tensor(np.ones((1, 2, 3))), tensor([[[200.0, 400.0, 600.0]] * 2])
    assert float(WassersteinConsistencyLoss()(amplitudes, hertz, amplitudes, 2.0 * hertz)) == pytest.approx(12.0, rel=1e-4)
    assert float(WassersteinConsistencyLoss(semitones=False)(amplitudes, hertz, 9.0 * amplitudes, hertz + 30.0)) == pytest.approx(
        30.0, rel=1e-4
    )


def test_log_density_is_that_of_a_mixture() -> None:
    points, middles, shares = rng.normal(size=(2, 4)), rng.normal(size=(2, 3)), rng.dirichlet(np.ones(3), size=2)
    each = np.exp(-0.5 * ((points[:, :, None] - middles[:, None]) / 0.3) ** 2) / (0.3 * math.sqrt(2 * math.pi))
    expected = np.log(np.sum(each * shares[:, None], axis=-1))
    assert np.max(np.abs(log_density(tensor(points), tensor(middles), tensor(shares), 0.3) - expected)) < 1e-4


@pytest.mark.parametrize(
    "loss",
    [
        WassersteinConsistencyLoss(),
        WassersteinConsistencyLoss(semitones=False),
        DensityConsistencyLoss(a_deviation=2.0, b_deviation=3.0),
    ],
)
def test_losses_of_sinusoids_have_gradients_and_bear_silence(loss: Any) -> None:
    (a, a_hz), (b, b_hz) = sinusoids(5, 1), sinusoids(4, 2)
    check_gradient(lambda x: loss(tensor(a), x, tensor(b), tensor(b_hz)), a_hz, 0.05)
    check_gradient(lambda x: loss(x, tensor(a_hz), tensor(b), tensor(b_hz)), a, 1e-3)
    for level in (0.0, 1e-12):
        assert math.isfinite(slope_along(lambda x: loss(x, tensor(a_hz), tensor(b), tensor(b_hz)), level * a, a))
        assert math.isfinite(slope_along(lambda x, s=level: loss(tensor(a), x, tensor(s * b), tensor(b_hz)), a_hz, a))


def test_density_loss_falls_as_partials_near_each_other() -> None:
    loss = DensityConsistencyLoss(a_deviation=1.0, b_deviation=1.0)
    a, hertz = sinusoids(5, 3)
    values = [float(loss(tensor(a), tensor(hertz * 2 ** (d / 12)), tensor(a), tensor(hertz))) for d in (0.0, 0.5, 1.0, 2.0)]
    assert values == sorted(values)
    slope = slope_along(lambda x: loss(tensor(a), x, tensor(a), tensor(hertz)), hertz * 1.05, hertz)
    assert slope > 0.0


def test_two_way_mismatch_is_its_formula() -> None:
    loss = TwoWayMismatchLoss(sinusoids=0.7, harmonics=1.3, harmonic_points=6, harmonic_bells=9, temperature=2.0, weight=0.5)
    (levels, partials), candidates = sinusoids(4, 7), sinusoids(3, 8)[1]

    def midi(hertz: Any) -> Any:
        return 69.0 + 12.0 * np.log2(np.asarray(hertz) / 440.0)

    def bells(x: float, middles: np.ndarray, shares: np.ndarray, deviation: float) -> float:
        each = -0.5 * ((x - middles) / deviation) ** 2 - math.log(deviation * math.sqrt(2 * math.pi))
        return float(logsumexp(each, b=shares))

    total = 0.0
    for row in np.ndindex(2, 3):
        mismatches = []
        for f0 in candidates[row]:
            seen = [bells(f / f0, np.arange(1.0, 10.0), np.full(9, 1 / 9), loss.harmonic_deviation) for f in partials[row]]
            one = -np.sum(np.array(seen) * levels[row]) / np.sum(levels[row])
            shares = levels[row] / np.sum(levels[row])
            asked = np.array([bells(midi(k * f0), midi(partials[row]), shares, loss.sinusoid_deviation) for k in range(1, 7)])
            below = np.arange(1, 7) * f0 < 8000.0
            other = -np.mean(asked * np.linspace(1.0, 1.0 / 6.0, 6) * below / np.mean(below))
            mismatches.append(0.7 * one + 1.3 * other)
        softly = np.exp(-np.array(mismatches) / 2.0 - logsumexp(-np.array(mismatches) / 2.0))
        total += np.mean(mismatches * softly) / 6.0
    assert float(loss(tensor(candidates), tensor(partials), tensor(levels))) == pytest.approx(0.5 * total, rel=1e-3)


def test_two_way_mismatch_finds_the_fundamental() -> None:
    candidates = np.tile(np.array([110.0, 165.0, 220.0, 330.0, 440.0, 660.0]), (1, 2, 1))
    partials = np.tile(220.0 * np.arange(1, 9), (1, 2, 1)).astype(float)
    levels = np.tile(1.0 / np.arange(1, 9), (1, 2, 1))
    loss = TwoWayMismatchLoss()
    assert np.array_equal(loss.best(tensor(candidates), tensor(partials), tensor(levels)).numpy(), np.full((1, 2, 1), 220.0))
    detuned = partials * (1.0 + 0.03 * rng.normal(size=partials.shape))
    assert float(loss(tensor(candidates[..., 2:3]), tensor(detuned), tensor(levels))) > float(
        loss(tensor(candidates[..., 2:3]), tensor(partials), tensor(levels))
    )
    check_gradient(lambda x: loss(tensor(candidates), x, tensor(levels)), detuned, 0.05)
    check_gradient(lambda x: loss(x, tensor(detuned), tensor(levels)), candidates, 0.05)
    for silent in (levels * 0.0, levels * 1e-12):
        assert math.isfinite(slope_along(lambda x, s=silent: loss(tensor(candidates), x, tensor(s)), detuned, detuned))
        assert math.isfinite(slope_along(lambda x: loss(tensor(candidates), tensor(detuned), x), silent, levels))


# -- transcription -------------------------------------------------------------------------------------------------------


def slow_transcription(loss: TranscriptionLoss, pitch: np.ndarray, level: np.ndarray) -> tuple[float, list[int]]:
    """Every path of states, one by one."""
    n, frames = loss.pitches, pitch.size
    leave = 1.0 / loss.note_frames / (n - 1)
    middles = [(n / 2.0, float(n), loss.off_level, loss.off_deviation)]
    middles += [(float(i), loss.pitch_deviation, loss.on_level, loss.on_deviation) for i in range(1, n)]

    def seen(m: int, state: int) -> float:
        middle, width, height, spread = middles[state]
        return math.exp(-0.5 * ((pitch[m] - middle) / width) ** 2 - 0.5 * ((level[m] - height) / spread) ** 2) / (
            2 * math.pi * width * spread
        )

    total, best, path = 0.0, -1.0, []
    for states in itertools.product(range(n), repeat=frames):
        chance = 1.0 / n
        for m, state in enumerate(states):
            if m:
                chance *= 1.0 - 1.0 / loss.note_frames if state == states[m - 1] else leave
            chance *= seen(m, state)
        total += chance
        if chance > best:
            best, path = chance, list(states)
    return -math.log(total) / frames, path


def test_transcription_is_the_sum_over_all_paths() -> None:
    loss = TranscriptionLoss(pitches=5, note_frames=4.0)
    pitch, level = np.array([2.1, 2.0, 1.4, 3.9, 3.6]), np.array([1.4, 1.2, 0.05, 1.6, 1.3])
    expected, path = slow_transcription(loss, pitch, level)
    given = tensor(pitch[None, :, None]), tensor(level[None, :, None])
    assert float(loss(*given)) == pytest.approx(expected, rel=1e-4)
    assert loss.notes(*given).numpy()[0, :, 0].tolist() == path
    check_gradient(lambda x: loss(x, given[1]), pitch[None, :, None], 1e-2)
    check_gradient(lambda x: loss(given[0], x), level[None, :, None], 1e-2)


def test_transcription_of_a_long_melody() -> None:
    notes = np.repeat([60, 0, 64, 67, 0], 30)
    data = np.random.default_rng(5)
    pitch = np.where(notes > 0, notes + 0.3 * data.normal(size=150), data.uniform(0, 127, 150))
    level = np.where(notes > 0, 1.5, 0.0) + 0.05 * data.normal(size=150)
    loss = TranscriptionLoss()
    given = tensor(pitch[None, :, None]), tensor(level[None, :, None])
    assert np.array_equal(loss.notes(*given).numpy()[0, :, 0], notes)
    assert loss.notes(given[0][:, :1], given[1][:, :1]).numpy().tolist() == [[[60.0]]]
    assert math.isfinite(slope_along(lambda x: loss(x, given[1]), 1e3 * pitch[None, :, None], np.ones((1, 150, 1))))


# -- the loss of trainings, and groups -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "times"), [(8_000, 0.5), (16_000, 1), (22_050, 1), (44_100, 2), (48_000, 4), (96_000, 8)])
def test_windows_last_as_long_at_every_rate(rate: int, times: float) -> None:
    assert loss_at(rate).sizes == tuple(int(times * size) for size in SpectralLoss().sizes)
    assert loss_at(16_000) == SpectralLoss()


def group() -> LossGroup:
    return LossGroup(
        {
            "spectra": Term(SpectralLoss(sizes=(128, 64), loudness=0.1), ("target", "audio")),
            "noise": Term(NoiseConsistencyLoss(weight=0.5), ("noise", "target_noise")),
        }
    )


def test_a_group_sums_its_terms_and_tells_them() -> None:
    values = {"target": tensor(rng.normal(size=(1, 500))), "audio": tensor(rng.normal(size=(1, 500)))}
    values |= {"noise": tensor(rng.uniform(size=(1, 4, 3))), "target_noise": tensor(rng.uniform(size=(1, 4, 3)))}
    total, parts = group()(values)
    assert list(parts) == ["spectra", "noise"]
    assert float(total) == pytest.approx(sum(float(x) for x in parts.values()), rel=1e-6)
    kept = {**values, "target": group().terms["spectra"].loss.spectra(values["target"])}
    assert float(group()(kept)[0]) == float(total)
    assert float(LossGroup({})({})[0]) == 0.0
    with pytest.raises(ValueError, match="the loss noise compares noise and target_noise, got no target_noise"):
        group()({key: value for key, value in values.items() if key != "target_noise"})


def test_a_group_is_data_and_comes_back_from_it() -> None:
    everything = LossGroup(
        {
            type(loss).__name__: Term(loss, ("a", "b"))
            for loss in (
                SpectralLoss(kind="cosine", sizes=(64,)),
                NoiseConsistencyLoss(),
                HarmonicConsistencyLoss(f0=0.0),
                WassersteinConsistencyLoss(semitones=False),
                DensityConsistencyLoss(),
                TwoWayMismatchLoss(temperature=0.5),
                TranscriptionLoss(pitches=20),
            )
        }
    )
    written = json.loads(json.dumps(everything.to_data()))
    assert written["terms"]["SpectralLoss"]["loss"]["loss"] == "SpectralLoss"
    assert from_data(written) == everything


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loss": {"loss": "ReversedLoss"}}, "ReversedLoss"),
        ({"loss": {"loss": "SpectralLoss", "magnitud": 1.0}}, "magnitud"),
        ({"loss": {"loss": "SpectralLoss", "sizes": [255]}}, "multiples of 4 samples, got 255"),
        ({"loss": {"loss": "SpectralLoss", "kind": "L7"}}, "L7"),
    ],
)
def test_what_describes_no_loss_is_refused_in_a_sentence(change: dict[str, Any], says: str) -> None:
    data = {"terms": {"it": {"inputs": ["a", "b"], **change}}}
    with pytest.raises(ValueError, match=f"this is no description of losses: .*{says}"):
        from_data(data)
