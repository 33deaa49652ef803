"""TensorFlow as this program takes it."""

from __future__ import annotations

from ddsp_studio.dsp.tensor import tf


def test_matrix_products_keep_their_24_bits() -> None:
    """The rule for GPUs; a phase or a level rounded to 11 bits would be heard."""
    assert tf.zeros([1]).dtype == tf.float32
    assert not tf.config.experimental.tensor_float_32_execution_enabled()
