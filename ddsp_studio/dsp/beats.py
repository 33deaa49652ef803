"""Places on a grid of steps: which step a hop belongs to, where it began, and swing.

Places are float64 counts of steps at each hop's end, taken from a clock that may jump (seeks, loops). A step that begins exactly
at a hop's end belongs to the next hop, as a note of that sample does.
"""

from __future__ import annotations

from dataclasses import dataclass

from ddsp_studio.dsp.recurrence import latest
from ddsp_studio.dsp.tensor import Tensor, tf

_EDGE = 1e-6
"""Steps by which a place must have passed the edge: far over the rounding of a day of beats, far under a sample."""


@dataclass(frozen=True)
class Steps:
    """The steps of a block, [batch, hops]: `number` of the step, place `within` it in 0..1, whether it `begins` in the hop."""

    number: Tensor
    within: Tensor
    begins: Tensor


def number_of(place: Tensor) -> Tensor:
    """The number of the step that each place is in."""
    return tf.floor(place - _EDGE)


def steps(place: Tensor, before: Tensor) -> Steps:
    """Cut a line of places into steps.

    Args:
        place: counted in steps, [batch, hops] float64.
        before: the place of the hop before the block, [batch] float64; below −1 where there was none.
    """
    whole = tf.concat([before[:, None], place], axis=1)
    number = number_of(whole)
    begins = tf.logical_or(number[:, 1:] != number[:, :-1], whole[:, 1:] < whole[:, :-1] - _EDGE)
    return Steps(number[:, 1:], tf.clip_by_value(place - number[:, 1:], 0.0, 1.0), begins)


def swung(place: Tensor, share: Tensor) -> Tensor:
    """Bend a line of places so that of each two steps the first lasts `share` of both: 0.5 is straight, 2/3 a triplet feel.

    Args:
        place: in straight steps, float64. share: 0.5..0.75, float64, broadcastable.
    """
    pair = tf.floor(0.5 * place)
    part = 0.5 * place - pair
    return 2.0 * pair + tf.where(part < share, part / share, 1.0 + (part - share) / (1.0 - share))


def origin_at(place: Tensor) -> Tensor:
    """The origin of a count whose step 0 begins in the hop of a place: a trifle before it."""
    return place - 4.0 * _EDGE


def since_reset(place: Tensor, again: Tensor, origin: Tensor) -> tuple[Tensor, Tensor]:
    """Count places from the last reset on.

    Args:
        place: [batch, hops] float64. again: whether the count starts anew in a hop, [batch, hops] bool.
        origin: the place of the last reset, [batch] float64.

    Returns:
        Places from there, [batch, hops], and the last origin, [batch].
    """
    held = latest_value(again, origin_at(place), origin)
    return place - held, held[:, -1]


def latest_value(marked: Tensor, value: Tensor, before: Tensor) -> Tensor:
    """The value at the last marked hop, [batch, hops] (`recurrence.latest` does it for values that only rise).

    Args:
        marked: [batch, hops] bool. value: [batch, hops]. before: the value held so far, [batch].
    """
    shape = [int(n) for n in value.shape]
    count = tf.broadcast_to(tf.range(1, shape[1] + 1), shape)
    index = latest(tf.broadcast_to(marked, shape), count, tf.zeros([shape[0]], tf.int32))
    return tf.gather(tf.concat([before[:, None], value], axis=1), index, batch_dims=1)
