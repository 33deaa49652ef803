"""The doctor: findings from facts, and probes that cannot take it down."""

from __future__ import annotations

import json

import pytest

from ddsp_studio.doctor import checks, probes, report
from ddsp_studio.doctor.checks import Grade
from ddsp_studio.ui import paths


def test_a_probe_that_crashes_is_an_answer(monkeypatch):
    monkeypatch.setattr(probes, "__name__", "no_such_module_to_run")
    assert "error" in probes.ask("audio")


def test_a_probe_that_hangs_is_an_answer(monkeypatch):
    monkeypatch.setattr(probes, "TIMEOUT_S", 0.01)
    assert "no answer" in probes.ask("shipped")["error"]


def test_shipped_probe():
    facts = probes.ask("shipped")
    assert facts["processors"] >= 12
    assert facts["refused"] == []


@pytest.mark.parametrize(
    ("finding", "grade", "advice"),
    [
        (checks.tensorflow({"error": "ModuleNotFoundError: tensorflow"}), Grade.BAD, "pip install"),
        (checks.tensorflow({"version": "2.21.0", "works": True, "seconds": 3.0, "gpus": []}), Grade.GOOD, ""),
        (checks.window({"error": "ImportError: libEGL.so.1: cannot open shared object file"}), Grade.BAD, "libegl1"),
        (checks.window({"version": "6.11.3", "display": False, "platform": "offscreen", "screens": []}), Grade.LIMITED, "demo"),
        (checks.audio({"error": "OSError: PortAudio library not found"}), Grade.BAD, "libportaudio2"),
        (checks.audio({"outputs": []}), Grade.LIMITED, "interface"),
        (checks.audio({"outputs": ["default (ALSA)"]}), Grade.GOOD, ""),
        (checks.audio({"outputs": ["hw (ALSA)"], "refused": "Invalid sample rate"}), Grade.LIMITED, "audio settings"),
        (checks.midi({"inputs": []}), Grade.GOOD, ""),
        (checks.midi({"inputs": [], "sequencer": ""}), Grade.GOOD, ""),
        (checks.midi({"inputs": [], "sequencer": "missing"}), Grade.LIMITED, "modprobe snd-seq, or start JACK"),
        (checks.midi({"inputs": [], "sequencer": "locked"}), Grade.LIMITED, "usermod"),
        (checks.midi({"error": "ImportError: rtmidi"}), Grade.LIMITED, "python-rtmidi"),
        (
            checks.shipped({"refused": ["organ: damaged"], "processors": 1, "patches": 1, "midi": 0, "foreign": []}),
            Grade.BAD,
            "install",
        ),
    ],
)
def test_findings(monkeypatch, finding, grade, advice):
    assert finding.grade is grade
    assert advice in finding.advice
    assert finding.found


def test_things_are_counted_as_people_do():
    assert checks.audio({"outputs": ["system (JACK)"]}).found == "1 output: system (JACK)"
    assert checks.midi({"inputs": ["a", "b", "c", "d", "e"]}).found == "5 inputs: a, b, c, d, …"


def test_folders_are_those_that_the_window_uses(tmp_path, monkeypatch):
    monkeypatch.delenv(paths.HOME, raising=False)
    assert str(paths.settings_file().parent) in checks.folders().found
    monkeypatch.setenv(paths.HOME, str(tmp_path / "mine"))
    assert checks.folders().found.startswith(f"settings in {tmp_path / 'mine' / 'config'}, ")
    (tmp_path / "file").touch()
    monkeypatch.setenv(paths.HOME, str(tmp_path / "file"))
    finding = checks.folders()
    assert (finding.grade, finding.found) == (Grade.LIMITED, f"{tmp_path / 'file'} cannot be written: Not a directory")
    assert paths.HOME in finding.advice


def test_midi_is_what_the_engine_finds(monkeypatch):
    class Inputs:
        def __init__(self, on_message, on_change, on_close):
            self.told, self.chosen = on_change, None

        def choose(self, names):
            self.chosen = names

        def start(self):
            assert self.chosen == []  # opens none
            self.told(["Keystation", "Midi Through 14:0"])

        def close(self):
            pass

    monkeypatch.setattr("ddsp_studio.audio.midi_input.MidiInputs", Inputs)
    assert probes.PROBES["midi"]()["inputs"] == ["Keystation"]


def test_a_jack_server_needs_no_sequencer(tmp_path, monkeypatch):
    socket = tmp_path / "jack_default_0_0"
    monkeypatch.setattr(probes, "jack_socket", lambda: socket)
    monkeypatch.setattr(probes, "_SEQUENCER", tmp_path / "seq")
    monkeypatch.setattr(probes.sys, "platform", "linux")
    monkeypatch.setattr("ddsp_studio.audio.midi_input._apis", list)
    assert probes.PROBES["midi"]()["sequencer"] == "missing"
    (tmp_path / "seq").touch()
    assert probes.PROBES["midi"]()["sequencer"] == ""
    socket.touch()
    assert "sequencer" not in probes.PROBES["midi"]()


def test_a_card_that_tensorflow_does_not_use(monkeypatch):
    monkeypatch.setattr(checks, "_nvidia_card", lambda: "NVIDIA GeForce RTX 3050")
    finding = checks.gpu({"gpus": []})
    assert finding.grade is Grade.LIMITED
    assert "make gpu" in finding.advice
    assert checks.gpu({"gpus": ["NVIDIA GeForce RTX 3050"]}).grade is Grade.GOOD


@pytest.mark.parametrize(("grade", "code"), [(Grade.GOOD, 0), (Grade.LIMITED, 0), (Grade.BAD, 1)])
def test_exit_code_tells_whether_the_studio_works(monkeypatch, capsys, grade, code):
    monkeypatch.setattr(report, "examine", lambda: [checks.Finding("Audio", grade, "found", "do this")])
    assert report.report() == code
    assert "do this" in capsys.readouterr().out
    report.report(as_json=True)
    assert json.loads(capsys.readouterr().out)[0]["advice"] == "do this"
