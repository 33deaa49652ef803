"""Lowered nodes on disk: found by the next start, and by nobody else."""

from __future__ import annotations

import logging
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from ddsp_studio.processors import lowered, tracing
from ddsp_studio.processors.lowered import Lowered, Shelf
from ddsp_studio.processors.mixing import VoiceMixer
from ddsp_studio.processors.player import Player

from .patches import tone

KEY = ("identity", ("audio",), ((2, 64), "float32"))
NODE = Lowered(b"module", [np.arange(6.0).reshape(2, 3)], [([2, 64], "float32")], [([1], "float32")], ["audio"], ["level"])


def test_a_node_comes_back_as_it_was(tmp_path: Path) -> None:
    Shelf(tmp_path).keep(VoiceMixer, KEY, NODE)
    found = Shelf(tmp_path).find(VoiceMixer, KEY)
    assert found is not None
    np.testing.assert_array_equal(found.held[0], NODE.held[0])
    assert found._replace(held=NODE.held) == NODE


def test_another_node_or_another_version_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep(VoiceMixer, KEY, NODE)
    assert shelf.find(VoiceMixer, (*KEY, "more")) is None
    assert shelf.find(Player, KEY) is None
    monkeypatch.setattr(lowered, "_source", lambda *_: "newer")
    assert shelf.find(VoiceMixer, KEY) is None


def test_the_source_of_another_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "foreign_nodes"
    package.mkdir()
    (package / "__init__.py").write_text("class Node:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import foreign_nodes  # type: ignore[import-not-found]

    shelf = Shelf(tmp_path)
    shelf.keep(foreign_nodes.Node, KEY, NODE)
    assert shelf.find(foreign_nodes.Node, KEY)
    (package / "helper.py").write_text("RATE = 2\n")
    lowered._source.cache_clear()
    assert shelf.find(foreign_nodes.Node, KEY) is None


def test_a_node_of_a_namespace_or_of_no_file_is_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loose_nodes").mkdir()
    module = tmp_path / "loose_nodes" / "tremolo.py"
    module.write_text("class Node:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from loose_nodes import tremolo  # type: ignore[import-not-found]

    shelf = Shelf(tmp_path)
    shelf.keep(tremolo.Node, KEY, NODE)
    assert shelf.find(tremolo.Node, KEY)
    module.write_text("class Node:\n    rate = 2\n")
    lowered._source.cache_clear()
    assert shelf.find(tremolo.Node, KEY) is None
    typed = types.ModuleType("typed_in")
    monkeypatch.setitem(sys.modules, "typed_in", typed)
    node = type("Node", (), {"__module__": "typed_in"})
    shelf.keep(node, KEY, NODE)
    assert shelf.find(node, KEY)
    lowered._source.cache_clear()  # as in the next process
    assert shelf.find(node, KEY) is None


def test_a_damaged_file_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(tmp_path)
    shelf.keep(VoiceMixer, KEY, NODE)
    (path,) = tmp_path.glob("*.lowered")
    whole = path.read_bytes()
    for damaged in (b"", whole[:40], b"\xff" * 50, whole.replace(b"float64", b"float65")):
        path.write_bytes(damaged)
        with caplog.at_level(logging.WARNING):
            assert shelf.find(VoiceMixer, KEY) is None
        assert "is not used" in caplog.text
        caplog.clear()
    shelf.keep(VoiceMixer, KEY, NODE)
    assert shelf.find(VoiceMixer, KEY)


def test_where_nothing_can_be_written_nothing_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file" / "folder")
    shelf.keep(VoiceMixer, KEY, NODE)
    assert "not kept" in caplog.text
    assert shelf.find(VoiceMixer, KEY) is None


def test_a_later_start_traces_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_plain", "_by_xla", "_ready"):
        monkeypatch.setattr(tracing, name, OrderedDict())
    monkeypatch.setattr(tracing, "_shelves", [])
    tracing.keep_lowered(tmp_path)
    sounds = []
    for start in range(2):
        tracing._plain.clear()
        tracing._by_xla.clear()
        player = Player(tone(), sample_rate=16_000, voices=2)
        player.warm(4)
        assert player.nodes_left(4) == (start == 0)
        assert bool(tracing._plain) == (start == 0)
        while player.nodes_left(4):
            player.improve(4)
            player.refresh(4)
        player.reset()
        notes = np.zeros((2, 4, 7), np.float32)
        notes[:, :, 0], notes[:, :, 1:4] = 220.0, 1.0
        sounds.append(np.concatenate([player.render(np.tile(player.values, (4, 1)), notes).audio for _ in range(4)], axis=1))
    assert np.abs(sounds[0]).max() > 0.01
    np.testing.assert_allclose(sounds[1], sounds[0], atol=1e-6)
