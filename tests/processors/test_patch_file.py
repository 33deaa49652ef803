"""Patches on disk: golden form, round trip, bad files, migrations, atomic saving."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio import files
from ddsp_studio.processors import catalogue, patch_file
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port
from ddsp_studio.processors.patch_file import dumps, load, loads, part_from_json, part_to_json, save, to_json

from .patches import cable, tone, wired

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
NUMBERS = st.floats(-1e9, 1e9)
PLACES = st.floats(-patch_file.FARTHEST, patch_file.FARTHEST)
NODES = st.builds(
    Node,
    type=st.text(min_size=1, max_size=12),
    version=st.integers(1, 9),
    values=st.dictionaries(NAMES, st.lists(NUMBERS, min_size=1, max_size=4).map(tuple), max_size=3),
    options=st.dictionaries(NAMES, st.one_of(st.integers(-9, 9), NUMBERS, st.text(max_size=9)), max_size=2),
    position=st.tuples(PLACES, PLACES),
    label=st.text(max_size=9),
    bypassed=st.booleans(),
    muted=st.booleans(),
)


@st.composite
def patches(draw: Any) -> Patch:
    nodes = draw(st.dictionaries(NAMES, NODES, min_size=1, max_size=4))
    ports = st.builds(Port, st.sampled_from(sorted(nodes)), NAMES)
    cables = draw(st.lists(st.builds(Cable, ports, ports, st.none() | st.floats(-1, 1)), max_size=4))
    words = draw(st.lists(st.text(max_size=20), min_size=4, max_size=4))
    return Patch(*words, tags=tuple(draw(st.lists(st.text(max_size=9), max_size=3))), nodes=nodes, cables=tuple(cables))


@settings(max_examples=80, deadline=None)
@given(patches())
def test_every_patch_comes_back_as_it_was(patch: Patch) -> None:
    assert loads(dumps(patch)) == patch
    assert loads(dumps(patch)).content_hash() == patch.content_hash()


GOLDEN = {
    "format": "ddsp_studio patch",
    "schema": 1,
    "name": "Two",
    "author": "A",
    "licence": "CC0-1.0",
    "notes": "",
    "tags": ["test"],
    "nodes": {
        "a": {
            "type": "Harmonic",
            "version": 1,
            "position": [1.0, 2.0],
            "values": {"f0": 110.0, "distribution": [1.0, 0.5]},
            "options": {"partials": 2},
        },
        "b": {"type": "Gain", "version": 1, "position": [0.0, 0.0], "label": "Level", "muted": True},
    },
    "cables": [{"from": "a.audio", "to": "b.input"}, {"from": "a.amplitudes", "to": "b.level", "amount": 0.25}],
}


def test_golden_form() -> None:
    """A change of this form needs a new schema and a migration."""
    nodes = {
        "a": Node("Harmonic", values={"f0": (110.0,), "distribution": (1.0, 0.5)}, options={"partials": 2}, position=(1.0, 2.0)),
        "b": Node("Gain", label="Level", muted=True),
    }
    held = wired(nodes, "a.audio -> b.input", cable("a.amplitudes -> b.level", 0.25))
    patch = Patch("Two", "A", "CC0-1.0", "", ("test",), held.nodes, held.cables)
    assert to_json(patch) == GOLDEN
    assert loads(json.dumps(GOLDEN)) == patch


def changed(**fields: Any) -> str:
    return json.dumps({**GOLDEN, **fields})


def with_node(**fields: Any) -> str:
    return changed(nodes={"b": {"type": "Gain", **fields}}, cables=[])


BAD = [
    ("", "the patch is empty"),
    (json.dumps(GOLDEN)[:200], "cut short or damaged"),
    ("[" * 100_000, "cut short or damaged"),
    ("[]", "this is no ddsp_studio patch"),
    ("{}", "this is no ddsp_studio patch"),
    (changed(schema="1"), "the schema is a version number, got '1'"),
    (changed(schema=0), "the schema is a version number, got 0"),
    (changed(schema=99), "saved by a newer ddsp_studio"),
    (changed(name=3), "name is text, got 3"),
    (changed(tags="a"), "tags are a list of words, got str"),
    (changed(nodes=[]), "an object of nodes and a list of cables"),
    (changed(nodes={f"n{i}": {"type": "Gain"} for i in range(600)}, cables=[]), "512 nodes"),
    (changed(nodes={"two words": {"type": "Gain"}}, cables=[]), "a node's name is a letter"),
    (changed(nodes={"b": 3}, cables=[]), "b: a node is an object with a type"),
    (with_node(version="x"), "b: the version is a whole number, got 'x'"),
    (with_node(position=[1]), "b: the position is two numbers"),
    (with_node(position=[1, "x"]), "b.position: expected a finite number, got 'x'"),
    (with_node(values=[1]), "b: values and options are objects"),
    (with_node(values={"gain": "loud"}), "b.gain: expected a finite number, got 'loud'"),
    (with_node(values={"gain": True}), "b.gain: expected a finite number, got True"),
    (with_node(values={"gain": []}), "b.gain: a control has 1 to 4096 channels, got 0"),
    (with_node(values={"gain": [0.0] * 5000}), "b.gain: a control has 1 to 4096 channels, got 5000"),
    (with_node(options={"x": [1]}), "b.x: an option is a number or text, got \\[1\\]"),
    (with_node(values={"gain": 1}).replace('"gain": 1', '"gain": NaN'), "b.gain: expected a finite number, got nan"),
    (with_node(values={"gain": 1}).replace('"gain": 1', '"gain": 1e999'), "b.gain: expected a finite number, got inf"),
    (with_node(values={"gain": 1}).replace('"gain": 1', '"gain": 1' + "0" * 400), "b.gain: expected a finite number"),
    (with_node(values={"gain": 1}).replace('"gain": 1', '"gain": 1' + "0" * 5000), "damaged|finite number"),
    (with_node(version=[1]), "b: the version is a whole number"),
    (changed(cables=[3]), 'a cable is an object with "from" and "to"'),
    (changed(cables=[{"from": "a.audio", "to": "b"}]), "a port is written node.port, got 'b'"),
    (changed(cables=[{"from": "x.audio", "to": "b.input"}]), "a cable names the node 'x', which the patch has not"),
    (changed(cables=[{"from": "a.audio", "to": "b.input", "amount": "x"}]), "expected a finite number, got 'x'"),
]


@pytest.mark.parametrize(("text", "words"), BAD, ids=[f"{i}-{words[:40]}" for i, (_, words) in enumerate(BAD)])
def test_a_bad_file_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(PatchError, match=words) as refused:
        loads(text)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 250


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 900), st.integers(0, 900), st.text(max_size=6))
def test_a_damaged_file_is_read_or_refused(begin: int, end: int, junk: str) -> None:
    text = dumps(tone())
    try:
        loads(text[:begin] + junk + text[max(begin, end) :])
    except PatchError:
        pass


def test_files_are_bounded_and_named(tmp_path: Path) -> None:
    for content, words in (
        (b"\xff\xfe\x00x", "is no text, so no patch"),
        (b"{", "x.ddsp: the patch is cut short"),
        (b"", "x.ddsp: the patch is empty"),
    ):
        (tmp_path / "x.ddsp").write_bytes(content)
        with pytest.raises(PatchError, match=words):
            load(tmp_path / "x.ddsp")
    with (tmp_path / "x.ddsp").open("wb") as file:
        file.truncate(patch_file.MAX_BYTES + 1)
    with pytest.raises(PatchError, match="larger than any patch"):
        load(tmp_path / "x.ddsp")
    with pytest.raises(OSError):
        load(tmp_path / "none.ddsp")


def test_old_schemas_are_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_file, "SCHEMA", 3)
    monkeypatch.setitem(patch_file.MIGRATIONS, 1, lambda data: {**data, "name": data["name"] + " two"})
    monkeypatch.setitem(patch_file.MIGRATIONS, 2, lambda data: {**data, "name": data["name"] + " three"})
    assert loads(json.dumps(GOLDEN)).name == "Two two three"


def test_old_nodes_are_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def louder(raw: dict[str, Any]) -> dict[str, Any]:
        return {**raw, "version": 2, "values": {"gain": raw["values"]["volume"]}}

    monkeypatch.setitem(patch_file.NODE_MIGRATIONS, ("Gain", 1), louder)
    node = loads(with_node(version=1, values={"volume": 3.0})).nodes["b"]
    assert (node.version, dict(node.values)) == (2, {"gain": (3.0,)})


def test_a_package_outside_brings_migrations_for_the_first_patch_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Package:
        value, module, dist = "gong", "gong", None

        def load(self) -> None:
            monkeypatch.setitem(patch_file.NODE_MIGRATIONS, ("Gong", 1), lambda raw: {**raw, "version": 2})

    monkeypatch.setattr(catalogue, "_loaded", [])
    monkeypatch.setattr(catalogue, "entry_points", lambda group: [Package()])
    assert loads(with_node(type="Gong", version=1)).nodes["b"].version == 2


def test_the_clipboard_holds_the_cables_among_its_nodes() -> None:
    nodes, cables = part_from_json(part_to_json(tone(), ["tone", "level", "filter"]))
    assert list(nodes) == ["tone", "level", "filter"]
    assert sorted(map(str, cables)) == ["level.audio -> filter.input", "tone.audio -> level.input"]


@pytest.mark.parametrize("place", [[1e300, 0], [0, -patch_file.FARTHEST - 1.0], [10**400, 0]])
def test_a_node_too_far_away_to_be_found_is_refused(place: list[float]) -> None:
    with pytest.raises(PatchError, match=r"^b.position: (a node lies within 200000 pixels|expected a finite number)"):
        loads(with_node(position=place))


def test_what_is_saved_can_be_opened_however_far_a_node_was_moved() -> None:
    far = Patch(nodes={"a": Node("Gain", position=(1e300, -patch_file.FARTHEST - 1.0)), "b": Node("Gain", position=(1.5, -2.0))})
    opened = loads(dumps(far)).nodes
    assert (opened["a"].position, opened["b"].position) == ((patch_file.FARTHEST, -patch_file.FARTHEST), (1.5, -2.0))


def test_names_are_bounded() -> None:
    long = "x" * 1_000_000
    patch = loads(json.dumps({**json.loads(with_node(label=long, package=long)), "name": long, "tags": [long], "notes": long}))
    held = (patch.name, patch.tags[0], patch.nodes["b"].label, patch.nodes["b"].package)
    assert [len(text) for text in held] == [patch_file.MAX_TITLE] * 4
    assert len(patch.notes) == 100_000
    for harm in ({"type": long}, {"type": "Gain" + long}):
        with pytest.raises(PatchError, match=r"^b: the type of a processor has 200 characters at most") as refusal:
            loads(with_node(**harm))
        assert len(str(refusal.value)) < 100
    for name in (long, "a\n"):
        with pytest.raises(PatchError, match="a node's name is a letter followed by"):
            loads(json.dumps({**GOLDEN, "nodes": {name: {"type": "Gain"}}, "cables": []}))


def test_a_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "x.ddsp").write_text("\ufeff" + dumps(tone()), encoding="utf-8")
    assert load(tmp_path / "x.ddsp") == tone()


def test_saving_keeps_the_previous_version(tmp_path: Path) -> None:
    path = tmp_path / "tone.ddsp"
    save(tone(), path)
    save(tone().with_value("tone", "amplitude", (0.1,)), path)
    assert load(path).nodes["tone"].values["amplitude"] == (0.1,)
    assert load(tmp_path / "tone.ddsp~") == tone()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tone.ddsp", "tone.ddsp~"]


def test_a_failed_save_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tone.ddsp"
    save(tone(), path)
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("the power fails")
    monkeypatch.setattr("ddsp_studio.files.os.fsync", lambda _: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(OSError, match="full"):
        save(Patch(), path)
    assert load(path) == tone()
    assert [p.name for p in tmp_path.iterdir()] == ["tone.ddsp"]


def test_saving_keeps_the_mode_and_refuses_a_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "tone.ddsp"
    save(tone(), path)
    path.chmod(0o600)
    save(tone(), path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(OSError):
        save(tone(), tmp_path / "none" / "tone.ddsp")
