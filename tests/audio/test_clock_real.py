"""Sequences and arpeggios through the real compiled patch: what is heard live is what its take renders to, jack included."""

import importlib.util
import shutil
import sys
import time

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.events import HOP, LIVE, Beat, Midi
from ddsp_studio.audio.midi_file import Song
from ddsp_studio.audio.offline import render_file
from ddsp_studio.audio.renderer import Renderer
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.audio.song_player import SongPlayer
from ddsp_studio.audio.take import Take, load_take, save_take
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.audio.workshop import TensorFlowWorkshop
from ddsp_studio.processors.patch import Node

from .patches import wired
from .test_jack import jackd, running  # noqa: F401 - a fixture

RATE, BLOCK = 48_000, 256
SIXTEENTH = 6_000  # samples at 120 bpm


def arpeggiated():
    """Keys through an arpeggiator, a sequence on the filter, an LFO and an echo on the beat."""
    nodes = {
        "arp": Node("Arpeggiator", options={"octaves": 2, "mode": "up and down"}),
        "voice": Node("Voice"),
        "amp": Node("Adsr", values={"release": (0.05,)}),
        "row": Node("Sequencer", options={"division": "1/16T"}),
        "wobble": Node("Lfo", 2, options={"sync": "1/8"}),
        "tone": Node("Harmonic", values={"amplitude": (0.0,)}, options={"partials": 16}),
        "filter": Node("Filter", values={"cutoff": (1500.0,)}),
        "voices": Node("VoiceMixer", values={"gain": (-12.0,)}),
        "echo": Node("Delay", 2, options={"sync": "1/16"}, values={"mix": (0.3,)}),
        "out": Node("Output"),
    }
    cables = [
        "arp.notes -> voice.performance",
        "voice.f0 -> tone.f0",
        "voice.gate -> amp.gate",
        "voice.trigger -> amp.trigger",
        "amp.out -> tone.amplitude * 0.6",
        "row.value -> filter.cutoff * 0.3",
        "wobble.out -> filter.cutoff * 0.1",
        "tone.audio -> filter.input",
        "filter.audio -> voices.input",
        "voices.audio -> echo.input",
        "echo.audio -> out.input",
    ]
    return wired(nodes, cables)


def sequenced():
    """A pulse of sixteenths that plays itself."""
    nodes = {
        "row": Node("Sequencer", options={"division": "1/16", "steps": 4}, values={"length": (0.3,), "root": (1760.0,)}),
        "amp": Node("Adsr", values={"decay": (0.02,), "sustain": (0.0,), "release": (0.02,)}),
        "tone": Node("Harmonic", options={"partials": 4}),
        "level": Node("Gain"),
        "out": Node("Output"),
    }
    cables = ["row.f0 -> tone.f0", "row.gate -> amp.gate", "amp.out -> level.level", "tone.audio -> level.input"]
    return wired(nodes, [*cables, "level.audio -> out.input"])


def test_a_take_with_a_song_loops_and_a_new_tempo_renders_to_what_was_heard(tmp_path):
    """Driven as the live thread does it, in its blocks; then rendered from the saved take in others."""
    patch, workshop = arpeggiated(), TensorFlowWorkshop()
    workshop.prepare()
    player = workshop.player(patch, RATE, 4)
    player.warm(BLOCK // HOP)
    renderer = Renderer(player, workshop.smoother(player), VoiceAllocator(4), sample_rate=RATE)
    transport = SongPlayer(RATE)
    transport.load(Song("s", (0.1,), (b"\x90\x43\x64",), 0.6, (0.0, 0.3), (120.0, 150.0)), 0)
    transport.looping = True
    renderer.post(Midi(1000, b"\x90\x3c\x64", LIVE))
    renderer.post(Midi(9000, b"\x90\x40\x50", LIVE))
    heard, events, length = [], [], round(1.9 * RATE) // BLOCK * BLOCK
    while renderer.position < length:
        if renderer.position == 40 * BLOCK:
            transport.play(renderer.position)
        if renderer.position == 240 * BLOCK:
            transport.set_tempo(renderer.position, 1.3)
        if renderer.position == 320 * BLOCK:
            transport.stop(renderer.position)
        for event in transport.events(renderer.position, renderer.position + BLOCK):
            renderer.post(event)
        block = renderer.render(BLOCK // HOP)
        heard.append(block.audio)
        events += block.events
    assert sum(isinstance(event, Beat) for event in events) >= 6
    save_take(Take(patch, RATE, 4, "poly", length, tuple(events)), tmp_path / "t.take")
    render_file(patch, load_take(tmp_path / "t.take"), tmp_path / "t.wav", bit_depth="32f", tail_s=0.0, voices=4, block=4800)
    offline = soundfile.read(tmp_path / "t.wav", dtype="float32")[0].T
    live = np.concatenate(heard, axis=1)[:, player.latency_samples :]
    assert np.abs(live).max() > 0.05
    assert np.abs(live - offline[:, : live.shape[1]]).max() < 1e-4  # −80 dB


def onsets(sound):
    """Samples, to the hop, at which a pulse begins out of silence; what sounds already at the beginning says nothing."""
    peaks = np.abs(sound[: len(sound) // HOP * HOP]).reshape(-1, HOP).max(axis=1)
    loud = peaks > 0.1 * peaks.max()
    begins = (np.flatnonzero(loud[1:] & ~loud[:-1]) + 1) * HOP
    return begins[begins > 4 * HOP]


@pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed")
@pytest.mark.skipif(importlib.util.find_spec("jack") is None, reason="JACK-Client is not installed")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="JACK is tested under Linux")
def test_a_sequence_plays_itself_on_a_real_audio_server(jackd, tmp_path):  # noqa: F811 - the fixture
    from ddsp_studio.audio.jack_probe import JackProbe

    with JackProbe() as probe, EngineSession() as engine:
        engine.send(protocol.Configure(settings=protocol.AudioSettings(safety_blocks=8)))
        running(engine)
        engine.play_patch(sequenced(), 1)
        probe.connect()
        engine.send(protocol.ResetCounters())
        engine.send(protocol.Transport(recording=str(tmp_path / "take")))
        engine.wait_for(protocol.TransportState, lambda event: event.recording)
        time.sleep(0.3)  # what is heard now began before the take, from which the sequence starts anew
        missed_before = probe.xruns
        probe.recording = True
        time.sleep(1.5)
        _, captured = probe.recorded()
        spoiled = bool(engine.telemetry.data["dropouts"]) or probe.xruns > missed_before
        engine.send(protocol.Transport(recording=""))
        engine.wait_for(protocol.Recorded)
    heard = onsets(captured[0])
    assert len(heard) >= 4
    if not spoiled:  # a busy machine loses samples on the way, and gains silence
        assert_even(heard)
    take = load_take(tmp_path / "take.take")
    assert isinstance(take.events[0], Beat)
    render_file(take.patch, take, tmp_path / "offline.wav", bit_depth="32f", tail_s=0.0)
    recorded, offline = (soundfile.read(tmp_path / name, dtype="float32")[0][:, 0] for name in ("take.wav", "offline.wav"))
    latency = HOP  # of the limiter; the offline render leaves it out
    both = [onsets(sound)[1:-1] for sound in (recorded[latency:], offline)]
    count = min(map(len, both))
    assert count >= 4
    assert_even(both[0])
    np.testing.assert_allclose(both[0][:count], both[1][:count], atol=HOP)


def assert_even(begins):
    """Pulses are a sixteenth apart, to the hop, and do not drift."""
    np.testing.assert_allclose(begins - begins[0], SIXTEENTH * np.arange(len(begins)), atol=2 * HOP)
