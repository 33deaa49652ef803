import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio.audio_file import AudioFileError
from ddsp_studio.audio.events import HOP, Cut, Midi, Move
from ddsp_studio.audio.midi_file import Song
from ddsp_studio.audio.offline import RenderCancelled, RenderError, render_file
from ddsp_studio.audio.take import Take, TakeError, load_take, save_take

from .fake import FakeWorkshop
from .patches import synth

SHORT = Song("s", (0.0, 0.2, 0.3), (b"\x90\x45\x64", b"\x90\x48\x64", b"\x80\x45\x00"), 0.5)


def render(tmp_path, midi=SHORT, name="out.wav", patch=None, **options):
    report = render_file(patch or synth(), midi, tmp_path / name, workshop=FakeWorkshop(), **options)
    return report, soundfile.read(tmp_path / name, dtype="float32", always_2d=True)[0].T


@pytest.mark.parametrize("block", [64, 256, 4800])
def test_blocks_give_the_same_file(tmp_path, block):
    _, one = render(tmp_path, block=block, bit_depth="32f")
    _, other = render(tmp_path, block=1024, bit_depth="32f")
    assert one.shape == other.shape
    assert np.abs(one - other).max() < 1e-5


def test_latency_is_taken_out(tmp_path):
    _, sound = render(tmp_path, bit_depth="32f")
    assert np.abs(sound[:, 1:64]).max() > 1e-4


def test_the_tail_ends_when_it_is_quiet(tmp_path):
    report, sound = render(tmp_path, bit_depth="32f")
    assert 1.0 <= report.seconds < 1.1  # half a second of song, a short release, half a second of silence
    assert np.abs(sound[:, -20_000:]).max() < 10 ** (-90 / 20)


def test_a_range_and_a_fixed_tail(tmp_path):
    whole, full = render(tmp_path, tail_s=0.25, bit_depth="32f")
    assert whole.seconds == 0.75
    part, sound = render(tmp_path, start_s=0.1, stop_s=0.3, bit_depth="32f")
    assert part.seconds == pytest.approx(0.2)
    np.testing.assert_allclose(sound, full[:, 4800:14400], atol=1e-6)


@pytest.mark.parametrize(("depth", "error"), [("16", 1.6e-5 * 3), ("24", 1e-7)])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_depths_and_formats(tmp_path, depth, error, suffix):
    _, exact = render(tmp_path, bit_depth="32f")
    _, rounded = render(tmp_path, name=f"o.{suffix}", bit_depth=depth)
    assert np.abs(rounded - exact).max() <= error
    assert soundfile.info(tmp_path / f"o.{suffix}").subtype == f"PCM_{depth}"


def test_normalised_mono(tmp_path):
    report, sound = render(tmp_path, normalise="peak", mono=True)
    assert sound.shape[0] == 1
    assert report.peak == pytest.approx(10 ** (-0.1 / 20), abs=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]


def test_progress_and_cancel(tmp_path):
    seen = []
    render(tmp_path, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(RenderCancelled):
        render(tmp_path, name="never.wav", cancelled=lambda: True)
    assert not (tmp_path / "never.wav").exists()


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"block": 100}, RenderError, "multiple of 64"),
        ({"sample_rate": 1}, RenderError, "Hz"),
        ({"normalise": "loud"}, RenderError, "peak"),
        ({"start_s": 2.0, "stop_s": 1.0}, RenderError, "range"),
        ({"bit_depth": "8"}, AudioFileError, "bit depth"),
        ({"name": "a.mp3"}, AudioFileError, "wav"),
        ({"name": "a.flac", "bit_depth": "32f"}, AudioFileError, "FLAC"),
        ({"name": "nowhere/a.wav"}, OSError, "nowhere"),
        ({"voices": 65}, ValueError, "voices"),
        ({"midi": Path("/dev/null")}, OSError, "a device or a pipe, not a file"),
    ],
)
def test_refusals_leave_nothing_behind(tmp_path, options, kind, words):
    with pytest.raises(kind, match=words):
        render(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_patch_without_midi_renders_seconds(tmp_path):
    report, _ = render(tmp_path, midi=None, seconds=0.5, tail_s=0.0)
    assert report.seconds == 0.5


def take(patch=None):
    events = (Midi(100, b"\x90\x45\x64"), Move(5000, "out.gain", (-12.0,)), Cut(200 * HOP, 3), Midi(300 * HOP, b"\x90\x40\x64"))
    return Take(patch or synth(), 48_000, 4, "poly", 24_000, events)


def test_a_take_survives_the_disk_and_renders_alike(tmp_path):
    save_take(take(), tmp_path / "a.take")
    loaded = load_take(tmp_path / "a.take")
    assert loaded == take()
    _, one = render(tmp_path, midi=take(), block=64, bit_depth="32f", voices=4)
    _, other = render(tmp_path, midi=loaded, block=4800, bit_depth="32f", voices=4)
    assert np.abs(one - other).max() < 1e-6


@pytest.mark.parametrize("text", ["", "{}", '{"format": "x"}', "\x00"])
def test_bad_takes_get_one_sentence(tmp_path, text):
    (tmp_path / "a.take").write_text(text)
    with pytest.raises(TakeError, match=r"a\.take"):
        load_take(tmp_path / "a.take")


def test_faults_are_counted_and_silent(tmp_path):
    report, sound = render(tmp_path, patch=replace(synth(), name="broken"), tail_s=0.0)
    assert report.faulty_blocks
    assert np.isfinite(sound).all()


_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.audio.fake import FakeWorkshop
from tests.audio.patches import synth
from ddsp_studio.audio.offline import render_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    render_file(synth(), None, Path({out!r}), seconds=10.0, workshop=FakeWorkshop())
except OSError as problem:
    print("refused:", problem)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on file sizes")
def test_a_full_disk_is_one_sentence_and_no_file(tmp_path):
    root = str(Path(__file__).parents[2])
    code = _FULL_DISK.format(root=root, out=str(tmp_path / "big.wav"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("refused:"), done.stderr
    assert not list(tmp_path.iterdir())


def test_hours_stream_to_disk(tmp_path):
    """Three hours of song at a low rate: the file is written as it is rendered, and memory stays where it was."""
    long = Song("long", (0.0, 3 * 3600.0 - 1), (b"\x90\x45\x64", b"\x80\x45\x00"), 3 * 3600.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = []

    def cancelled():
        return len(seen) > 400

    with pytest.raises(RenderCancelled):
        render(tmp_path, midi=long, block=4800, progress=seen.append, cancelled=cancelled)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB
