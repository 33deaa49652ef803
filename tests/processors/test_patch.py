"""The patch document: edits, questions and hashes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ddsp_studio.processors.patch import Node, Patch, PatchError, Port

from .patches import cable, tone, wired


def test_edits_leave_the_old_patch_as_it_was() -> None:
    patch = tone()
    before = str(patch)
    for edited in (
        patch.with_node("gain", Node("Gain")),
        patch.without_nodes(["tone"]),
        patch.renamed("tone", "organ"),
        patch.with_cable(cable("lfo.out -> tone.tilt", 0.2)),
        patch.without_cables([patch.cables[0]]),
        patch.with_value("tone", "amplitude", (0.1,)),
    ):
        assert edited != patch
    assert str(patch) == before


def test_removing_a_node_removes_its_cables() -> None:
    patch = tone().without_nodes(["lfo", "env"])
    assert not {"lfo", "env"} & {p.node for c in patch.cables for p in (c.source, c.target)}
    assert len(patch.cables) == len(tone().cables) - 6


def test_renaming_takes_the_cables_along_and_keeps_the_order() -> None:
    patch = tone().renamed("tone", "organ")
    assert list(patch.nodes)[4] == "organ"
    assert len(patch.of_node("organ")) == len(tone().of_node("tone"))
    with pytest.raises(PatchError, match="tone: the name 'air' is taken by another node"):
        tone().renamed("tone", "air")
    with pytest.raises(PatchError, match="a letter followed by letters"):
        tone().renamed("tone", "two words")


def test_free_names_count_on() -> None:
    patch = Patch()
    for expected in ("voice_mixer", "voice_mixer_2", "voice_mixer_3"):
        assert patch.free_name("VoiceMixer") == expected
        patch = patch.with_node(expected, Node("VoiceMixer"))


def test_a_cable_between_the_same_ports_is_replaced() -> None:
    patch = tone().with_cable(cable("env.out -> filter.cutoff", -0.5))
    assert [c.amount for c in patch.into(Port("filter", "cutoff"))] == [0.1, -0.5]


@pytest.mark.parametrize("text", ["", "tone", ".audio", "tone.", "1a.b", "a.b.c", "a b.c"])
def test_ports_are_written_node_dot_port(text: str) -> None:
    with pytest.raises(PatchError, match="a port is written node.port"):
        Port.parse(text)
    assert str(Port.parse("tone.audio")) == "tone.audio"


def test_structure_ignores_what_is_not_compiled() -> None:
    patch = tone()
    node = patch.nodes["tone"]
    same = [
        patch.with_value("tone", "amplitude", (0.9,)),
        patch.with_node("tone", replace(node, position=(9.0, 9.0), label="Tone")),
        replace(patch, name="Other", notes="x", cables=patch.cables[::-1]),
    ]
    other = [
        patch.with_node("tone", replace(node, options={"partials": 13})),
        patch.with_node("tone", replace(node, muted=True)),
        patch.with_node("tone", replace(node, bypassed=True)),
        patch.without_cables(patch.cables[:1]),
        patch.renamed("tone", "organ"),
    ]
    assert {p.structure() for p in same} == {patch.structure()}
    assert patch.structure() not in {p.structure() for p in other}
    assert patch.content_hash() != same[0].content_hash()
    assert patch.content_hash() == same[1].content_hash() == same[2].content_hash()


def test_text_form() -> None:
    patch = wired(
        {
            "b": Node("Gain", values={"gain": (-6.0,)}, muted=True),
            "a": Node("Harmonic", options={"partials": 2}, values={"distribution": (1.0, 0.5)}),
        },
        "a.audio -> b.input",
        cable("a.amplitudes -> b.level", 0.25),
    )
    assert str(replace(patch, name="Two")) == (
        "patch 'Two'\n"
        "  b: Gain v1 [muted]\n"
        "    gain = -6\n"
        "  a: Harmonic v1 partials=2\n"
        "    distribution = 1 0.5\n"
        "  a.amplitudes -> b.level × 0.25\n"
        "  a.audio -> b.input\n"
    )
