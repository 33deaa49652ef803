"""What the commands do when all is well."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from ddsp_studio import __version__, resources
from ddsp_studio.cli_commands import render
from ddsp_studio.dsp.programme_loudness import hop_powers, integrated_lufs
from ddsp_studio.processors.catalogue import specs


def test_version_and_help(run):
    assert run("--version").out.strip() == f"ddsp-studio {__version__}"
    shown = run("--help").out
    for command in ("open", "render", "check", "processors", "doctor", "demo", "bench"):
        assert command in shown


def test_help_says_what_can_be_typed(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    shown = " ".join(run("render", "--help").out.split())
    assert f"or a demo: {', '.join(resources.factory(resources.MIDI))};" in shown
    assert "How much harder than recorded to play, dB" in run("transfer", "--help").out


def test_catalogue_as_json_states_every_control(run):
    listed = {entry["name"]: entry for entry in json.loads(run("processors", "--json").out)}
    assert set(listed) == set(specs())
    for entry in listed.values():
        for control in entry["controls"]:
            assert {"unit", "low", "high", "law", "default"} <= set(control)
            assert control["law"] in ("linear", "octaves", "curved")


def test_catalogue_of_one_processor_ignores_case(run):
    shown = run("processors", "harmonic").out
    assert "f0" in shown
    assert "Adsr" not in shown
    assert run("processors", "theremin").code == 1


def test_check_accepts_every_shipped_patch(run):
    for name in resources.factory(resources.PATCHES):
        outcome = run("check", name)
        assert outcome.code == 0, outcome.err
        assert "sound" in outcome.out


def test_render_writes_the_file_and_tells_programs(patch_path, tmp_path):
    target = tmp_path / "take.wav"
    command = [sys.executable, "-m", "ddsp_studio", "render", str(patch_path), "-o", str(target)]
    options = [
        "--sample-rate",
        "16000",
        "--tail",
        "0.5",
        "--seconds",
        "0.5",
        "--voices",
        "4",
        "--bit-depth",
        "32",
        "--progress-json",
    ]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.strip().splitlines()[-1])
    assert last["file"] == str(target)
    audio, rate = soundfile.read(target, dtype="float32")
    assert rate == 16_000
    assert audio.shape == (16_000, 2)
    assert np.isfinite(audio).all()
    assert 0.001 < np.abs(audio).max() < 1.0


def test_a_sound_plays_a_patch_and_the_file_has_the_loudness_that_was_asked_for(patch_path, tmp_path):
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    time_s = np.arange(24_000) / 16_000
    soundfile.write(source, 0.3 * np.sin(2.0 * np.pi * 330.0 * time_s), 16_000)
    options = ["--input", source, "--sample-rate", "16000", "--tail", "0", "--voices", "1"]
    loudness = ["--normalise", "lufs", "--target", "-30", "--bit-depth", "16", "--no-dither"]
    command = [sys.executable, "-m", "ddsp_studio", "render", patch_path, "-o", target, *options, *loudness]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    audio, rate = soundfile.read(target, dtype="float32")
    assert audio.shape == (24_000, 2)
    assert integrated_lufs(hop_powers(audio.T, rate), rate) == pytest.approx(-30.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(audio[8_000:, 0]))
    strong = np.flatnonzero(spectrum > 0.1 * spectrum.max()) * rate / 16_000
    assert np.all(np.abs(strong / 330.0 - np.round(strong / 330.0)) < 0.02), strong
    source.write_text("no sound")
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert "in.wav cannot be listened to" in done.stderr


def test_shortened_song_lifts_every_key(tmp_path):
    song = render.Song("x", (0.0, 1.0, 2.0), (b"\x90\x40\x40", b"\x91\x41\x40", b"\x90\x42\x40"), 3.0)
    short = render._shortened(song, 1.5)
    assert short.length_s == 1.5
    assert short.times == (0.0, 1.0, 1.5, 1.5, 1.5, 1.5)
    assert {data[0] for data in short.data[2:]} == {0xB0, 0xB1}
    assert render._shortened(song, 9.0) is song


def test_names_find_shipped_files(tmp_path, monkeypatch):
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches" / "organ.ddsp").touch()
    monkeypatch.setattr(resources, "folder", lambda: tmp_path)
    assert resources.find(resources.PATCHES, "Organ").name == "organ.ddsp"
    assert resources.find(resources.PATCHES, "organ.ddsp").name == "organ.ddsp"
    with pytest.raises(FileNotFoundError, match="shipped ones are organ"):
        resources.find(resources.PATCHES, "orgn")
