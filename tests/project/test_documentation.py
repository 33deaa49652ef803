"""The documents' examples are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors import catalogue, patch_file
from ddsp_studio.processors.check import check

DOCS = Path(__file__).resolve().parents[2] / "docs"


def example(page: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found.group(1)


def test_patch_of_the_format_page_is_sound():
    patch = patch_file.from_json(json.loads(example("patch-format.md", "json")))
    check(patch)
    assert patch_file.loads(patch_file.dumps(patch)) == patch


@pytest.fixture
def tremolo(monkeypatch):
    """The class of the page, taken out of the catalogue again at the end."""
    known = dict(catalogue.processor_types())
    monkeypatch.setattr(catalogue, "_TYPES", known)
    scope: dict[str, object] = {"__name__": "tremolo_example"}
    exec(compile(example("writing-a-processor.md", "python"), "writing-a-processor.md", "exec"), scope)
    return scope["Tremolo"]


def test_processor_of_the_guide_keeps_the_law(tremolo):
    processor = tremolo(48_000.0)
    rng = np.random.default_rng(1)
    audio = tf.constant(rng.normal(size=[2, 12 * HOP]), tf.float32)
    rate = tf.constant(rng.uniform(2.0, 9.0, size=[2, 12, 1]), tf.float32)

    def run(cuts: list[int]):
        state, pieces = processor.start(2), []
        for begin, end in zip([0, *cuts], [*cuts, 12], strict=True):
            block = {"input": audio[:, begin * HOP : end * HOP], "rate": rate[:, begin:end]}
            outputs, state = processor.process(state, block)
            pieces.append(outputs["audio"])
        return tf.concat(pieces, axis=1), state.memory.turns

    whole, end = run([])
    for cuts in ([1], [5], [3, 4, 9]):
        parts, again = run(cuts)
        np.testing.assert_allclose(parts, whole, atol=1e-6)
        np.testing.assert_allclose(again, end, atol=1e-12)
    assert float(tf.reduce_max(tf.abs(whole - audio))) > 0.1


def test_processor_of_the_guide_is_in_the_catalogue(tremolo):
    assert catalogue.specs()["Tremolo"].controls["rate"].unit == "Hz"
