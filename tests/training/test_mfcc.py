"""Cepstra of recordings are those that the encoder hears."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.mel import cepstrum_of
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors import networks_clock
from ddsp_studio.processors.encoders import MfccEncoder
from ddsp_studio.training.features.clock import frame_count
from ddsp_studio.training.features.mfcc import mfcc, mfcc_at

from .material import harmonic


@pytest.mark.parametrize("rate", (16_000, 48_000))
def test_the_encoder_hears_the_same(rate):
    audio = harmonic(330.0, 1.0, rate)[: rate // HOP * HOP]
    encoder = MfccEncoder(float(rate), frame=4.0)
    log_mel, frames, _ = encoder._listen(tf.constant(audio[None]), encoder._tail(1), networks_clock.start(1, 8))
    heard = cepstrum_of(log_mel, 30)[0].numpy()
    # its windows end with the first hop of each frame, ours lie around their places
    size = HOP * encoder.window
    middles = (frames.starts.numpy()[0] + 1) * HOP - size // 2
    np.testing.assert_allclose(mfcc_at(audio, rate, middles), heard, atol=2e-3)


def test_a_frame_for_each_of_the_clock_and_silence_beyond():
    audio = np.concatenate([harmonic(220.0, 0.5), harmonic(220.0, 0.5, partials=1)])
    found = mfcc(audio, 16_000)
    assert found.shape == (frame_count(len(audio), 16_000), 30) and found.dtype == np.float32
    # one timbre is one place, two timbres are two
    assert np.abs(found[40:80, 1:].mean(0) - found[60:100, 1:].mean(0)).max() < 0.5
    assert np.abs(found[40:100, 1:].mean(0) - found[150:220, 1:].mean(0)).max() > 3.0
    silence = mfcc_at(np.zeros(100, np.float32), 16_000, np.array([-5000, 50, 90_000]))
    np.testing.assert_array_equal(silence[0], silence[2])
    assert np.abs(silence[:, 1:]).max() < 1e-3
