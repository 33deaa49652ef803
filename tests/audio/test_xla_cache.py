"""Compiled programs that are kept: found again by the next process, and never in the way when they are damaged."""

import os
import subprocess
import sys

import pytest

from ddsp_studio.audio.workshop import TensorFlowWorkshop
from ddsp_studio.audio.xla_cache import XlaCache, folder
from ddsp_studio.dsp.tensor import tf

PROGRAM = """
import sys, time
from pathlib import Path
from ddsp_studio.audio.workshop import TensorFlowWorkshop
from ddsp_studio.audio.xla_cache import XlaCache
from ddsp_studio.processors.patch import Node
from tests.audio.patches import wired
nodes = {name.lower(): Node(name) for name in ("Voice", "Filter", "VoiceMixer", "Output")}
chain = ("tone", "filter", "voicemixer", "output")
cables = ["voice.f0 -> tone.f0", *(f"{a}.audio -> {b}.input" for a, b in zip(chain, chain[1:]))]
patch = wired({**nodes, "tone": Node("Harmonic", options={"partials": 4})}, cables)
workshop = TensorFlowWorkshop(cache=XlaCache(Path(sys.argv[1])))
workshop.prepare()
player = workshop.player(patch, 48000, 1)
player.warm(1)
while workshop.improve(player, 1, lambda run: run()):
    pass
player.refresh(1)
print(len(player._work), "left")
"""


def compile_in_a_process(place):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(place)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def kept(place):
    return {path.name: path.stat().st_mtime_ns for path in place.glob("*.pb")}


def test_the_next_process_finds_it_and_survives_damage(tmp_path):
    tmp_path /= "a folder"  # people have such
    assert "0 left" in compile_in_a_process(tmp_path)
    first = kept(tmp_path)
    assert len(first) >= 3
    assert not (tmp_path / "compiling").exists()
    assert "0 left" in compile_in_a_process(tmp_path)
    assert kept(tmp_path) == first, "nothing was compiled again"
    for path in tmp_path.glob("*.pb"):
        path.write_bytes(path.read_bytes()[:500])
    assert "0 left" in compile_in_a_process(tmp_path)
    assert all(path.stat().st_size > 500 for path in tmp_path.glob("*.pb"))


@pytest.fixture
def flags(monkeypatch):
    monkeypatch.setenv("TF_XLA_FLAGS", "")


def test_after_an_end_while_compiling_all_is_made_anew(tmp_path, flags):
    (tmp_path / "xla_compile_cache__1.pb").write_bytes(b"bad")
    cache = XlaCache(tmp_path)
    with pytest.raises(KeyboardInterrupt), cache.at_work():
        assert (tmp_path / "compiling").exists()
        raise KeyboardInterrupt
    assert not (tmp_path / "compiling").exists()
    (tmp_path / "compiling").touch()
    assert cache.use()
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) in os.environ["TF_XLA_FLAGS"]


def test_the_oldest_go_when_there_are_too_many(tmp_path, flags, monkeypatch):
    monkeypatch.setattr("ddsp_studio.audio.xla_cache._MAX_BYTES", 250)
    for number in range(4):
        path = tmp_path / f"xla_compile_cache__{number}.pb"
        path.write_bytes(bytes(100))
        os.utime(path, (number, number))
    XlaCache(tmp_path).use()
    assert sorted(path.name[-4] for path in tmp_path.iterdir()) == ["2", "3"]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, flags):
    (tmp_path / "file").write_text("")
    assert not XlaCache(tmp_path / "file" / "xla").use()
    assert os.environ["TF_XLA_FLAGS"] == ""


class Failing:
    """A player whose compilation fails some times."""

    def __init__(self, failures):
        self.left = failures

    def improve(self, hops, apart):
        if self.left:
            self.left -= 1
            raise tf.errors.InternalError(None, None, "disk full")
        return False


def test_what_fails_is_tried_once_more(tmp_path, flags):
    workshop = TensorFlowWorkshop(cache=XlaCache(tmp_path))
    once, always = Failing(1), Failing(9)
    assert not workshop.improve(once, 1, None)
    assert once.left == 0
    with pytest.raises(tf.errors.InternalError):
        workshop.improve(always, 1, None)
    assert always.left == 8, "it is not damage, then"


def test_what_is_no_damage_costs_nothing_that_is_kept(tmp_path, flags):
    class Ending:
        def improve(self, hops, apart):
            raise RuntimeError("cannot schedule new futures after shutdown")

    (tmp_path / "kept.pb").touch()
    cache = XlaCache(tmp_path)
    workshop = TensorFlowWorkshop(cache=cache)
    with pytest.raises(RuntimeError):
        workshop.improve(Ending(), 1, None)
    workshop.close()
    with pytest.raises(tf.errors.InternalError):
        workshop.improve(Failing(9), 1, None)
    with cache.at_work():
        assert [path.name for path in tmp_path.iterdir()] == ["kept.pb"]


def test_each_kind_of_machine_has_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path))
    here = folder()
    assert here.is_relative_to(tmp_path)
    monkeypatch.setattr("ddsp_studio.audio.xla_cache.metadata.version", lambda _: "99")
    assert folder() != here
