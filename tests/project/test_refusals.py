"""Bad input: one sentence on standard error, exit code 1, nothing written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_studio.processors import patch_file


def assert_refused(outcome, *words: str) -> None:
    assert outcome.code == 1, outcome
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith("ddsp-studio: ")
    assert "Traceback" not in outcome.err
    for word in words:
        assert word in lines[0], lines[0]


def test_truncated_patch(run, patch_path):
    patch_path.write_text(patch_path.read_text()[:300])
    assert_refused(run("check", patch_path), "small.ddsp", "cut short or damaged")
    assert_refused(run("render", patch_path, "-o", patch_path.with_name("x.wav")), "cut short or damaged")
    assert not patch_path.with_name("x.wav").exists()


def test_cycle(run, broken):
    path = broken(lambda data: data["cables"].append({"from": "envelope.out", "to": "envelope.gate", "amount": 0.5}))
    assert_refused(run("check", path), "cannot feed itself")
    again = broken(
        lambda data: (
            data["nodes"].update(a={"type": "Sum"}, b={"type": "Sum"}),
            data["cables"].extend([{"from": "a.out", "to": "b.a"}, {"from": "b.out", "to": "a.a"}]),
        )
    )
    assert_refused(run("check", again), "loop", "a", "b")


def test_unknown_type(run, broken):
    path = broken(lambda data: data["nodes"]["noise"].update(type="Theremin"))
    assert_refused(run("check", path), "noise", "'Theremin'", "not installed")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "loud", None, True])
def test_value_that_is_no_number(run, broken, value):
    path = broken(lambda data: data["nodes"]["mixer"].update(values={"gain": value}))
    assert_refused(run("check", path), "mixer.gain", "finite number")


def test_value_out_of_range(run, broken):
    path = broken(lambda data: data["nodes"]["mixer"].update(values={"gain": 600.0}))
    assert_refused(run("check", path), "mixer.gain", "-60 to 12 dB", "600 dB")


def without_output(data):
    del data["nodes"]["output"]
    data["cables"] = [cable for cable in data["cables"] if not cable["to"].startswith("output.")]


def without_cable(data):
    data["cables"] = [cable for cable in data["cables"] if not cable["to"].startswith("output.")]


def without_nodes(data):
    data.update(nodes={}, cables=[])


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (without_output, "the patch has no Output"),
        (without_cable, "nothing is connected to the Output"),
        (without_nodes, "the patch is empty"),
    ],
)
def test_a_patch_that_cannot_be_heard(run, broken, harm, reason):
    path = broken(harm)
    told = run("check", path)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"broken.ddsp: well formed, but nothing can be heard: {reason} (")
    assert_refused(run("render", path, "-o", path.with_name("x.wav")), f"nothing can be heard: {reason}")
    assert not path.with_name("x.wav").exists()


def test_a_refusal_after_the_bar_began(run, broken):
    def with_room(data):
        data["nodes"]["hall"] = {"type": "ConvolutionReverb", "options": {"file": "/no/such/hall.wav"}}
        into = next(cable for cable in data["cables"] if cable["to"].startswith("output."))
        data["cables"].append({"from": "hall.audio", "to": into["to"]})
        data["cables"].append({"from": into["from"], "to": "hall.input"})

    path = broken(with_room)
    outcome = run("render", path, "-o", path.with_name("x.wav"))
    assert_refused(outcome, "hall: the impulse response 'hall.wav' cannot be read: there is no such file")
    assert not outcome.err.strip().endswith(".")


def test_empty_and_huge_patch(run, tmp_path):
    empty, huge, binary = tmp_path / "empty.ddsp", tmp_path / "huge.ddsp", tmp_path / "binary.ddsp"
    empty.touch()
    with huge.open("wb") as file:
        file.truncate(patch_file.MAX_BYTES * 200)
    binary.write_bytes(os.urandom(2000))
    assert_refused(run("check", empty), "empty.ddsp", "is empty")
    assert_refused(run("check", huge), "huge.ddsp", "larger than any patch")
    assert_refused(run("check", binary), "binary.ddsp")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among the files here")
def test_what_never_ends_or_never_begins(run, patch_path, tmp_path):
    pipe, out = tmp_path / "pipe.mid", tmp_path / "x.wav"
    os.mkfifo(pipe)
    assert_refused(run("check", "/dev/zero"), "/dev/zero: it is a device or a pipe, not a file")
    assert_refused(run("check", tmp_path), "it is a folder, not a file")
    assert_refused(run("render", "/dev/zero", "-o", out), "/dev/zero: it is a device")
    assert_refused(run("render", patch_path, pipe, "-o", out), "pipe.mid: it is a device or a pipe")
    os.mkfifo(tmp_path / "pipe.take")
    assert_refused(run("render", patch_path, tmp_path / "pipe.take", "-o", out), "pipe.take: it is a device or a pipe")
    assert_refused(run("render", tmp_path / "pipe.take", "-o", out), "pipe.take: it is a device or a pipe")
    assert_refused(run("render", patch_path, "/dev/zero", "-o", out), "/dev/zero: it is a device")
    assert_refused(run("render", patch_path, "--input", pipe, "-o", out), "pipe.mid: it is a device")
    assert_refused(run("model", "/dev/zero"), "the model 'zero' cannot be read: it is a device")
    assert "pipe.mid cannot be read: it is a device or a pipe, not a file" in run("analyze", pipe).out
    assert not out.exists()


def test_what_is_read_is_not_written_over(run, patch_path, broken, tmp_path):
    def with_room(data):
        data["nodes"]["hall"] = {"type": "ConvolutionReverb", "options": {"file": str(tmp_path / "mine.wav")}}

    mine, link, analysis = tmp_path / "mine.wav", tmp_path / "link.wav", tmp_path / "mine.json"
    soundfile.write(mine, np.zeros(8_000), 16_000)
    link.symlink_to(mine)
    analysis.hardlink_to(mine)
    held = mine.read_bytes()
    for arguments in (
        ("render", patch_path, "--input", mine, "-o", mine),
        ("render", patch_path, "--input", mine, "-o", link),
        ("render", broken(with_room), "-o", mine),
        ("analyze", mine, "-o", analysis),
    ):
        assert_refused(run(*arguments), "is read by this command", "name another file to write")
        assert mine.read_bytes() == held and link.is_symlink()


def test_pictures_do_not_cover_recordings(run, tmp_path):
    mine = tmp_path / "mine.png"
    soundfile.write(mine, 0.1 * np.sin(2.0 * np.pi * 330.0 * np.arange(16_000) / 16_000), 16_000, format="WAV")
    held = mine.read_bytes()
    told = run("analyze", mine, "--pictures", tmp_path)
    assert told.code == 1 and "is read by this command" in told.err and mine.read_bytes() == held


def test_a_range_without_an_octave_is_told_once(run, tmp_path):
    told = run("analyze", tmp_path, "--low", 900, "--high", 200)
    assert told.code == 2 and told.out == "" and "octave" in told.err


def test_deep_nesting(run, tmp_path):
    deep = tmp_path / "deep.ddsp"
    deep.write_text("[" * 200_000)
    assert_refused(run("check", deep), "deep.ddsp", "damaged")


def test_missing_patch(run):
    assert_refused(run("check", "no_such_patch"), "no file 'no_such_patch'")


def test_midi_that_is_none(run, patch_path, tmp_path):
    out = tmp_path / "x.wav"
    for name, content, words in (
        ("text.mid", b"this is no MIDI file", "no MIDI file"),
        ("empty.mid", b"", "empty"),
        ("cut.mid", b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x10\x00\x00", "cut.mid"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert_refused(run("render", patch_path, path, "-o", out), name, words)
    with (tmp_path / "huge.mid").open("wb") as file:
        file.truncate(2**32)
    assert_refused(run("render", patch_path, tmp_path / "huge.mid", "-o", out), "huge.mid", "larger than any MIDI file")
    assert not out.exists()


def test_target_that_cannot_be_written(run, patch_path, tmp_path):
    assert_refused(run("render", patch_path, "-o", tmp_path / "no" / "x.wav"), "there is no folder")
    assert_refused(run("render", patch_path, "-o", tmp_path), "is a folder")
    file = tmp_path / "file"
    file.touch()
    assert_refused(run("render", patch_path, "-o", file / "x.wav"), "there is no folder")
    if Path("/proc/self").exists():  # nobody writes there; to the administrator the system says so only when he tries
        words = "/proc/x.wav: " if os.access("/proc", os.W_OK) else "the folder '/proc' cannot be written"
        assert_refused(run("render", patch_path, "-o", "/proc/x.wav"), words)


def test_model_that_is_none(run, tmp_path):
    for name, content in (("empty.ddspmodel", b""), ("cut.ddspmodel", b"PK\x03\x04" + bytes(300))):
        (tmp_path / name).write_bytes(content)
        assert_refused(run("model", tmp_path / name), name, "cut short, damaged or no model")


def test_json_progress_reports_the_refusal(run, patch_path, tmp_path):
    outcome = run("render", patch_path, "-o", tmp_path / "no" / "x.wav", "--progress-json")
    assert outcome.code == 1
    assert '"error": "there is no folder' in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["render"],
        ["render", "patch"],
        ["nonsense"],
        ["render", "patch", "-o", "x.wav", "--block", "100"],
        ["render", "patch", "-o", "x.wav", "--voices", "65"],
        ["render", "patch", "-o", "x.wav", "--bit-depth", "12"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_2(run, arguments):
    assert run(*arguments).code == 2


def test_interruption_is_130(run, patch_path, monkeypatch):
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("ddsp_studio.cli_commands.catalogue.verdict", interrupt)
    assert run("check", patch_path).code == 130


def test_failure_of_the_program_is_told_as_such(run, patch_path, monkeypatch):
    def fail(_: str) -> str:
        raise KeyError("a mistake")

    monkeypatch.setattr("ddsp_studio.cli_commands.catalogue.verdict", fail)
    assert_refused(run("check", patch_path), "failed: KeyError", "--debug")


def test_window_without_display_says_so(run, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ddsp_studio.cli_commands.window.sys.platform", "linux")
    assert_refused(run(), "no display", "demo")
