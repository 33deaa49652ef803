"""A step is the same however many clips are done at once; rounded products learn the same, and weights stay exact.

Recurrent networks begin clips with what they remember of those before.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ddsp_studio.dsp import nn
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.training import playing
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.losses.spectral import SpectralLoss
from ddsp_studio.training.runs import Checkpoint, Run
from ddsp_studio.training.settings import Settings
from ddsp_studio.training.stepper import Learned, Stepper
from ddsp_studio.training.trainer import _at_once

from .materials import patch

RATE, CLIPS, FRAMES = 16_000, 4, 50


@pytest.fixture(scope="module")
def fitting() -> Fitting:
    return Fitting(patch(), RATE)


@pytest.fixture(scope="module")
def batch(fitting: Fitting) -> dict[str, np.ndarray]:
    rng, samples = np.random.default_rng(1), FRAMES * fitting.period * 64
    f0 = rng.uniform(200.0, 400.0, (CLIPS, 1, 1)) * np.ones((CLIPS, FRAMES, 1))
    phase = np.cumsum(np.broadcast_to(f0[:, 0] / RATE, (CLIPS, samples)), axis=1)
    made = {
        "audio": 0.2 * np.sin(2.0 * np.pi * phase) + 0.1 * np.sin(4.0 * np.pi * phase),
        "f0_hz": f0,
        "loudness_db": rng.uniform(-30.0, -20.0, (CLIPS, FRAMES, 1)),
        "confidence": rng.uniform(0.5, 1.0, (CLIPS, 1, 1)) * np.ones((CLIPS, FRAMES, 1)),
    }
    return {key: value.astype(np.float32) for key, value in made.items()}


def stepper(fitting: Fitting, *, rounded: bool = False) -> Stepper:
    return Stepper(fitting, SpectralLoss(sizes=(512, 128)), 3.0, rounded=rounded)


@pytest.fixture(scope="module")
def compiled(fitting: Fitting) -> list[Stepper]:
    return [stepper(fitting) for _ in range(2)]


@pytest.fixture
def two(compiled: list[Stepper], fitting: Fitting) -> list[Stepper]:
    """Steppers at the very beginning, for all clips at once and for two of them."""
    nothing = np.zeros(fitting.size, np.float32)
    for each in compiled:
        each.restore(Learned(fitting.vector(), nothing, nothing, 0))
    return compiled


def test_the_pieces_of_a_batch_give_its_gradient(two: list[Stepper], batch: dict[str, np.ndarray]) -> None:
    whole, halves = two
    told = [whole.learn(batch, 1e-3), halves.learn(batch, 1e-3, at_once=2)]
    assert round(told[0].loss, 4) == round(told[1].loss, 4)
    slope = whole.learned().mean  # Adam's first step is a sign; the mean holds the gradient itself
    # not to the last digit: the loss has corners
    assert np.linalg.norm(halves.learned().mean - slope) < 2e-3 * np.linalg.norm(slope)
    assert whole.learn(batch, 0.0).loss == pytest.approx(halves.learn(batch, 0.0).loss, rel=1e-2)


def test_a_phrase_in_blocks_is_what_a_training_hears(
    fitting: Fitting, batch: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "_BLOCK_FRAMES", 20)
    vector = fitting.vector()
    whole = fitting.sound(tf.constant(vector), batch).numpy()[:, fitting.latency :]
    shares: list[float] = []
    played = playing.Playing(fitting).sound(vector, batch, whole.shape[1], shares.append)
    assert np.abs(whole).max() > 1e-3 and len(shares) > 2 and shares[-1] == 1.0
    np.testing.assert_allclose(played, whole, atol=1e-5)


# -- what networks remember -------------------------------------------------------------------------------------------------


def hidden(held: Learned) -> np.ndarray:
    (array,) = held.hidden.values()
    return np.asarray(array)


def test_a_network_that_remembers_goes_on_as_if_nothing_had_been_cut(fitting: Fitting, batch: dict[str, np.ndarray]) -> None:
    weights, rest = tf.constant(fitting.vector()), fitting.at_rest(CLIPS)
    half = FRAMES // 2
    parts = [
        {key: x[:, a * len(x[0]) // FRAMES : b * len(x[0]) // FRAMES] for key, x in batch.items()}
        for a, b in ((0, half), (half, FRAMES))
    ]
    _, whole = fitting.sound_after(rest, weights, batch)
    _, first = fitting.sound_after(rest, weights, parts[0])
    _, then = fitting.sound_after(first, weights, parts[1])
    (name,) = rest
    assert np.abs(first[name] - whole[name]).max() > 1e-4
    np.testing.assert_allclose(then[name], whole[name], atol=1e-6)


def test_most_clips_begin_with_what_is_remembered(fitting: Fitting, batch: dict[str, np.ndarray]) -> None:
    one = stepper(fitting)
    begun: list[np.ndarray] = []
    for _ in range(60):
        before = one._remembered(CLIPS)
        begun.append(np.concatenate([np.any(x != 0.0, axis=1) for x in before.values()]))
        one._hidden = {name.removeprefix("hidden/"): np.ones_like(x) for name, x in before.items()}
        one.step += 1
    share = np.mean(begun[1:])
    assert not begun[0].any() and 0.7 < share < 0.9
    assert np.any([x.any() and not x.all() for x in begun])


def test_what_is_remembered_is_the_same_however_many_are_done_at_once(two: list[Stepper], batch: dict[str, np.ndarray]) -> None:
    for at_once, one in zip((0, 2), two, strict=True):
        one.learn(batch, 0.0, at_once)
        one.learn(batch, 0.0, at_once)
    whole, halves = (hidden(one.learned()) for one in two)
    assert whole.shape == (CLIPS, whole.shape[1]) and np.abs(whole).max() > 1e-3
    np.testing.assert_allclose(halves, whole, atol=1e-5)


def test_a_step_after_a_checkpoint_is_the_one_it_would_have_been(
    fitting: Fitting, batch: dict[str, np.ndarray], tmp_path: Path
) -> None:
    one, run = stepper(fitting), Run(tmp_path)
    for _ in range(3):
        one.learn(batch, 1e-3)
    run.save(Checkpoint(one.learned(), 10, 1.0, 1.0, 4, 5.0), best=False)
    other = Stepper(fitting, SpectralLoss(sizes=(512, 128)), 3.0, run.load().learned)
    fresh = Stepper(fitting, SpectralLoss(sizes=(512, 128)), 3.0, run.load().learned._replace(hidden={}))
    told = [each.learn(batch, 1e-3).loss for each in (one, other, fresh)]
    assert told[0] == told[1] != told[2]
    np.testing.assert_array_equal(one.learned().weights, other.learned().weights)


def test_batches_of_another_size_begin_at_rest(fitting: Fitting, batch: dict[str, np.ndarray]) -> None:
    one = stepper(fitting)
    one.learn(batch, 0.0)
    half = {key: value[:2] for key, value in batch.items()}
    assert not np.any([x.any() for x in one._remembered(2).values()])
    assert one.learn(half, 0.0).sound


def test_rounded_products_learn_the_same_and_keep_exact_weights(fitting: Fitting, batch: dict[str, np.ndarray]) -> None:
    exact, rounded = stepper(fitting), stepper(fitting, rounded=True)
    told = [(exact.learn(batch, 3e-3), rounded.learn(batch, 3e-3)) for _ in range(12)]
    assert all(other.sound and other.loss == pytest.approx(one.loss, rel=0.05) for one, other in told)
    assert told[0][0].loss != told[0][1].loss  # it does round
    first = told[0][0].loss
    assert rounded.learn(batch, 0.0).loss < first - 0.5 * (first - exact.learn(batch, 0.0).loss)
    assert rounded.learned().weights.dtype == np.float32
    moved = rounded.learned().weights - fitting.vector()
    assert np.any(moved != moved.astype(tf.bfloat16.as_numpy_dtype).astype(np.float32))


def test_only_what_is_multiplied_is_rounded(fitting: Fitting) -> None:
    held = fitting.weights(tf.constant(fitting.vector()), rounded=True)
    kinds = {(node, name): tf.as_dtype(tensor.dtype) for node, arrays in held.items() for name, tensor in arrays.items()}
    rounded = {name for (_, name), kind in kinds.items() if kind == tf.bfloat16}
    assert "gru/recurrent" in rounded and all(name.endswith(("/kernel", "/recurrent")) for name in rounded)
    assert not any(name.startswith("head") for name in rounded)


@pytest.mark.parametrize("frames", [4, 40])
def test_a_rounded_unit_is_close_to_the_exact_one(frames: int) -> None:
    rng = np.random.default_rng(2)
    x, state = tf.constant(rng.normal(size=(2, frames, 3)), tf.float32), tf.zeros([2, 8])
    shapes = [(3, 24), (8, 24), (2, 24)]
    parts = [tf.constant(rng.normal(0.0, 0.4, shape), tf.float32) for shape in shapes]
    outs, slopes = [], []
    for kind in (tf.float32, tf.bfloat16):
        with tf.GradientTape() as tape:
            tape.watch(parts)
            out = nn.gru(x, nn.Gru(tf.cast(parts[0], kind), tf.cast(parts[1], kind), parts[2]), state)
            total = tf.reduce_sum(out * out)
        outs.append(out.numpy())
        slopes.append(tape.gradient(total, parts))
    assert outs[1].dtype == np.float32
    np.testing.assert_allclose(outs[1], outs[0], atol=0.03)
    for one, other in zip(*slopes, strict=True):
        assert np.linalg.norm(other - one) < 0.05 * np.linalg.norm(one)


def test_memory_is_bounded_by_the_seconds_done_at_once() -> None:
    assert _at_once(Settings()) == 4
    assert _at_once(Settings(batch=16, clip_s=4.0)) == 2
    assert _at_once(Settings(batch=9, clip_s=1.0)) == 3  # in equal parts
    assert _at_once(Settings(batch=5, clip_s=30.0)) == 1
    # in samples: six times as many a second are a sixth of the seconds
    assert _at_once(Settings(batch=16, clip_s=0.25, sample_rate=96_000)) == 4
    assert _at_once(Settings(batch=16, clip_s=0.25)) == 16
    assert _at_once(Settings(sample_rate=96_000)) == 1


def test_a_checkpoint_of_before_is_read(tmp_path: Path) -> None:
    run = Run(tmp_path)
    zeros = np.zeros(3, np.float32)
    run.save(Checkpoint(Learned(zeros, zeros, zeros, 7), 10, 1.0, 1.0, 4, 5.0), best=False)
    path = tmp_path / "last.ckpt"
    with zipfile.ZipFile(path) as archive:
        held = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data.replace(b'"at_once"', b'"batch"'))
    found = run.load()
    assert found is not None and (found.at_once, found.learned.step) == (4, 7)
