"""The documents' examples are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from ddsp_studio.bench import nodes
from ddsp_studio.cli_commands import pages
from ddsp_studio.cli_commands.gallery_scenes import SUBJECT, scenes
from ddsp_studio.cli_commands.literature import works
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors import catalogue, patch_file
from ddsp_studio.processors.check import check, reachable
from ddsp_studio.processors.declare import Signal

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
    monkeypatch.setattr(catalogue, "_SPECS", dict(catalogue.specs()))
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


def built_in() -> dict[str, type]:
    return {name: kind for name, kind in catalogue.processor_types().items() if not catalogue.package_of(name)}


ELEMENTARY = {
    *("Constant", "Scale", "Sum", "Multiply", "Math", "Curve", "Slew", "Quantise", "SampleAndHold", "Drift", "Transpose"),
    *("HzToNote", "NoteToHz", "KeyTrack", "DbToAmplitude", "AmplitudeToDb", "ToBipolar", "ToUnipolar"),
    *("Gain", "Add", "Mix", "Crossfade", "Pan", "Trim", "Send", "Return", "Channels", "MidSideSplit", "MidSideJoin", "Crop"),
    *("Voice", "Clock", "Sequencer", "Arpeggiator", "AudioInput", "VoiceMixer", "Output", "Expression", "AutoLevel"),
    *("Adsr", "Lfo", "AutoPan", "Limiter", "NoiseSource", "SteppedNoise", "WavetableBank"),
}
"""Types whose method is arithmetic, or this program's own and said in full by the docstring."""


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages.pages(DOCS)


def test_pages_are_those_of_the_declarations(made):
    held = {f"processors/{path.name}" for path in (DOCS / "processors").glob("*.md")} | {"processors.md"}
    assert held == set(made), "run `make docs`"
    for name, text in made.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"{name}: run `make docs`"


def test_every_type_has_its_place_in_the_pages(made):
    for name, kind in built_in().items():
        page = made[f"processors/{kind.spec.category.lower()}.md"]
        assert f"\n## {name}\n" in page
        for port in (*kind.spec.inlets, *kind.spec.controls, *kind.spec.options, *kind.spec.outlets):
            assert f"\n| {port} | " in page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_what_options_do_to_latency_is_stated(made):
    page = made["processors/filter.md"].partition("## FirFilter")[2]
    assert "Latency 32 samples (4 at bands 5, 512 at bands 513)" in page


def test_what_moves_a_tail_is_stated(made):
    page = made["processors/effect.md"].partition("## Delay")[2]
    assert "tail 3.15 s, which time, feedback move" in page


def test_measured_costs_appear_without_measuring(tmp_path):
    (tmp_path / "processors").mkdir()
    machine = {"processor": "A processor", "cores": 2, "system": "Linux", "tensorflow": "2"}
    rows = [{"type": "Delay", "rows": 8, "us": 123.4, "plain_us": 1.0}, {"type": "Delay", "rows": 2, "us": 56.7, "plain_us": 1.0}]
    (tmp_path / pages.COSTS).write_text(json.dumps({"machine": machine, "nodes": rows}), encoding="utf-8")
    made = pages.pages(tmp_path)
    assert "A processor, 2 cores" in made["processors.md"]
    assert re.search(r"\| \[Delay\].* \| 123 \| 57 \|", made["processors.md"])
    assert "cost 123 µs with 8 voices, 57 µs on left and right" in made["processors/effect.md"]
    assert "![" not in made["processors/effect.md"]


def test_costs_that_are_kept_are_of_types_that_exist():
    if not (DOCS / pages.COSTS).exists():
        return
    held = json.loads((DOCS / pages.COSTS).read_text(encoding="utf-8"))
    for row in held["nodes"]:
        kind = catalogue.processor_types().get(row["type"])
        assert kind is not None, f"{row['type']} is gone: measure again"
        assert row["rows"] in nodes.batches(kind.spec)


@pytest.mark.parametrize("name", sorted(built_in()))
def test_every_method_names_its_source(name):
    named = works(built_in()[name].__doc__ or "")
    assert bool(named) != (name in ELEMENTARY), f"{name} names {[work.short for work in named]}"


def test_elementary_types_exist():
    assert set(built_in()) >= ELEMENTARY


def sounds(kind: type) -> bool:
    spec = kind.spec
    return spec.category in ("Synth", "Effect", "Filter") and any(o.signal is Signal.AUDIO for o in spec.outlets.values())


def test_every_synth_effect_and_filter_has_a_scene_and_a_picture():
    shown = set(scenes())
    assert {name for name, kind in built_in().items() if sounds(kind)} <= shown
    pictures = {path.stem: path.stat().st_size for path in (DOCS / "gallery").glob("*.png")}
    assert set(pictures) == shown, "run `ddsp-studio gallery --pictures docs/gallery`"
    assert max(pictures.values()) <= 40_000


@pytest.mark.parametrize("name", sorted(scenes()))
def test_scene_is_a_sound_patch_about_its_type(name):
    scene = scenes()[name]
    for dry in (False, True) if scene.twice else (False,):
        patch = scene.patch(dry=dry)
        check(patch)
        assert patch.nodes[SUBJECT].type == name
        assert patch.nodes[SUBJECT].bypassed == dry
        assert reachable(patch)[SUBJECT]
