"""Parity: our counterparts of the peer's training calls."""

from __future__ import annotations

from typing import Any

import numpy as np

from ddsp_studio.dsp import nn
from ddsp_studio.dsp.mel import mfcc
from ddsp_studio.dsp.resample import resample
from ddsp_studio.dsp.tensor import tf

from .loader import Adapter, Case, Difference

_RATE = 16_000


def stack(x: Any, weights: list[np.ndarray]) -> Any:
    """Dense layers, four arrays each, with the peer's activation."""
    for i in range(0, len(weights), 4):
        x = nn.dense(x, nn.Layer(*weights[i : i + 4]), nn.leaky)
    return x


def fc_stack(case: Case) -> Any:
    """Ours is `nn.dense` after `nn.dense`."""
    return stack(case.inputs["x"], case.weights)


def rnn(case: Case) -> Any:
    """Ours is `nn.gru` from a state of zeros."""
    x = case.inputs["x"]
    return nn.gru(x, nn.Gru(*case.weights), tf.zeros([x.shape[0], int(case.ctor["dims"])]))


def decoder(case: Case) -> Any:
    """The network of RnnDecoder, wired as theirs: its own layers for each input, the unit, more layers, one linear head."""
    layers, held = 4 * int(case.ctor["layers_per_stack"]), case.weights
    heard = []
    for key in case.ctor["input_keys"]:
        heard.append(stack(case.inputs[key], held[:layers]))
        held = held[layers:]
    heard = tf.concat(heard, axis=2)
    states = nn.gru(heard, nn.Gru(*held[:3]), tf.zeros([heard.shape[0], int(case.ctor["rnn_channels"])]))
    out = stack(tf.concat([heard, states], axis=2), held[3 : 3 + layers])
    kernel, bias = held[3 + layers :]
    names, sizes = zip(*case.ctor["output_splits"], strict=True)
    return dict(zip(names, tf.split(tf.matmul(out, kernel) + bias, sizes, axis=2), strict=True))


_SPECTRA = {63: (2048, 0.5), 125: (1024, 0.5), 250: (1024, 0.75), 500: (512, 0.75), 1000: (256, 0.75)}
"""Window and overlap by their option z_time_steps."""


def encoder(case: Case) -> Any:
    """The network of MfccEncoder behind their normalisation, which takes mean and variance of the whole clip."""
    size, overlap = _SPECTRA[int(case.ctor["z_time_steps"])]
    scale, shift, *unit, kernel, bias = case.weights
    cepstra = mfcc(case.inputs["audio"], _RATE, 30, 128, 20.0, 8000.0, size, round(size * (1.0 - overlap)))
    mean, variance = tf.nn.moments(cepstra, axes=[1], keepdims=True)
    normal = (cepstra - mean) / tf.sqrt(variance + 1e-5) * scale[0] + shift[0]
    states = nn.gru(normal, nn.Gru(*unit), tf.zeros([normal.shape[0], int(case.ctor["rnn_channels"])]))
    return {"z": resample(tf.matmul(states, kernel) + bias, int(case.inputs["f0_scaled"].shape[1]))}


_NO_USE = "a part of a model that we do not have; nothing of ours would use it"
ADAPTERS: dict[str, Adapter] = {
    "training.nn.FcStack": fc_stack,
    "training.nn.Rnn": rnn,
    "training.decoders.RnnFcDecoder": decoder,
    "training.encoders.MfccTimeDistributedRnnEncoder": encoder,
}
DIFFERENT: dict[str, list[Difference]] = {}
UNMATCHED: dict[str, str] = {
    "training.nn.get_note_mask": _NO_USE,
    "training.nn.get_note_mask_from_onset": _NO_USE,
    "training.nn.get_note_moments": _NO_USE,
    "training.nn.normalize_op": _NO_USE,
    "training.nn.polyphase_resample": _NO_USE,
    "training.nn.straight_through_int_quantization": _NO_USE,
}
