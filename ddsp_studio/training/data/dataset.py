"""Batches as a `tf.data` pipeline: prepared on other threads while the training computes, in order, from any number on."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.data.batches import Batches

KEYS = ("audio", "f0_hz", "confidence", "loudness_db")
_AHEAD = 2


def dataset(
    batches: Batches,
    start: int = 0,
    count: int | None = None,
    *,
    threads: int = 2,
    failed: Callable[[Exception], None] = lambda problem: None,
) -> Any:
    """A `tf.data.Dataset` of batches `start`, `start` + 1 and so on.

    Args:
        batches: what to feed. start: number of the first batch: the number of those that a training has seen continues it
            exactly.
        count: batches to give, without end if None. threads: that prepare batches at the same time.
        failed: hears what went wrong, on one of them: TensorFlow knows its text only.

    Returns:
        Elements as `Batches.batch` makes them: "audio" [batch, samples], and the features [batch, frames, 1], all float32.
    """
    shapes = {"audio": [batches.size, batches.samples]} | {key: [batches.size, batches.frames, 1] for key in KEYS[1:]}

    def load(number: Any) -> list[Any]:
        try:
            made = batches.batch(int(number))
        except Exception as problem:
            failed(problem)
            raise
        return [made[key] for key in KEYS]

    def read(number: Tensor) -> dict[str, Tensor]:
        tensors = tf.numpy_function(load, [number], [tf.float32] * len(KEYS))
        return {key: tf.ensure_shape(tensor, shapes[key]) for key, tensor in zip(KEYS, tensors, strict=True)}

    numbers = tf.data.Dataset.counter(start=start)
    numbers = numbers if count is None else numbers.take(count)
    return numbers.map(read, num_parallel_calls=threads, deterministic=True).prefetch(_AHEAD)


class Feed(Iterator[dict[str, Tensor]]):
    """Runs through a dataset and can be closed: TensorFlow's threads must not call into a Python that is shutting down."""

    def __init__(self, batches: Batches, start: int = 0, count: int | None = None, *, threads: int = 2) -> None:
        """Start preparing batches; arguments as for `dataset`."""
        if not _open:
            atexit.register(_close_all)
        self._problems: list[Exception] = []
        self._elements: Any = iter(dataset(batches, start, count, threads=threads, failed=self._problems.append))
        _open.add(self)

    def __next__(self) -> dict[str, Tensor]:
        """The next batch (StopIteration behind the last one, and once closed; OSError where a recording cannot be read)."""
        if self._elements is None:
            raise StopIteration
        try:
            batch: dict[str, Tensor] = next(self._elements)
        except tf.errors.OpError as problem:
            if self._problems:
                raise self._problems[0] from problem
            raise
        return batch

    def close(self) -> None:
        """Prepare no more; the program's end does this for every feed that is still open."""
        self._elements = None


_open: weakref.WeakSet[Feed] = weakref.WeakSet()


def _close_all() -> None:
    for feed in list(_open):
        feed.close()
