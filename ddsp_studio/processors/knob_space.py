"""Tensors between a control's values and the positions of its knob, where modulation is added and networks speak."""

from __future__ import annotations

import math

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.declare import Control, Law

_REST = 0.01
"""Defaults nearer than this to an end of the knob are moved inwards for networks: the logistic function never reaches an end."""


def to_knob(control: Control, value: Tensor) -> Tensor:
    """Knob positions 0..1 of values, held to the range."""
    held = tf.clip_by_value(value, control.low, control.high)
    if control.law is Law.OCTAVES:
        return tf.math.log(held / control.low) / math.log(control.high / control.low)
    share = (held - control.low) / (control.high - control.low)
    if control.law is Law.LINEAR:
        return share
    return tf.math.log1p(share * 999.0) / math.log(1000.0)


def from_logits(control: Control, logits: Tensor) -> Tensor:
    """Values that a network asks for: zero logits land on the default, and every logit on a value in range.

    The logistic function puts logits on knob positions, so that the network moves in the same steps as a hand does.

    Args:
        control: what is driven. logits: [..., channels].
    """
    places = (control.to_knob(value) for value in control.defaults(int(logits.shape[-1])))
    held = [min(max(place, _REST), 1.0 - _REST) for place in places]
    offset = [math.log(place / (1.0 - place)) for place in held]
    return control.from_knob(tf.sigmoid(logits + tf.constant(offset, logits.dtype)))
