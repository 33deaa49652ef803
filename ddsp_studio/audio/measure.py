"""Measurements of live playing through the real parts: an engine process and a sound device, next to a bare baseline.

Thread rule: these functions block for as long as they measure; call them from a command line or a test.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio import protocol
from ddsp_studio.audio.session import ENGINE, EngineSession
from ddsp_studio.processors.patch import Cable, Node, Patch, Port

CHORDS = ((48, 55, 60, 64), (45, 52, 57, 60), (41, 48, 53, 57), (43, 50, 55, 59))
CHORD_S = 0.9
_LOADS_S = 0.05
_BARE = """
import sys, time
import numpy as np, sounddevice as sd
count = [0, 0, 0.0]
def callback(out, frames, info, status):
    count[0] += 1
    count[1] += bool(status.output_underflow)
    turns = count[2] + np.arange(frames) * 440.0 / rate
    out[:] = 0.0001 * np.sin(2 * np.pi * turns)[:, None]
    count[2] = (count[2] + frames * 440.0 / rate) % 1.0
found = [i for i, d in enumerate(sd.query_devices()) if d["max_output_channels"] >= 2 and d["name"].startswith(sys.argv[1])]
rate = int(float(sys.argv[2]))
with sd.OutputStream(samplerate=rate, blocksize=int(sys.argv[3]), device=found[0], channels=2, latency="low", callback=callback):
    time.sleep(0.5); count[0] = count[1] = 0
    time.sleep(float(sys.argv[4]))
    print(count[0], count[1])
"""
"""The baseline: a sine from a Python callback, with no program around it."""


@dataclass(frozen=True)
class LiveReport:
    """How live playing went. Loads are shares of a block's length; edit times run from the command to the swap, in seconds."""

    device: str
    sample_rate: int
    block: int
    safety_blocks: int
    voices: int
    seconds: float
    dropouts: int
    load_median: float
    load_p99: float
    load_peak: float
    latency_ms: float
    edits: int
    edit_median_s: float
    edit_max_s: float
    ready_s: float
    bare_callbacks: int
    bare_underflows: int


@dataclass(frozen=True)
class KeyToSoundReport:
    """From a MIDI message's sample to the first sample of its sound, in samples of the device."""

    presses: int
    sample_rate: int
    period: int
    reported_latency_ms: float
    latency_p1: float
    latency_p50: float
    latency_p99: float
    jitter_p99: float
    """Half-width of the latencies about their middle, 99th percentile."""
    jitter_beyond_period: float
    """The same, less half a period of the device: the backend stamps a message with the period that brought it."""


def measure_live(
    patch: Patch,
    *,
    seconds: float = 60.0,
    block: int = 256,
    safety_blocks: int = 2,
    voices: int = 8,
    edit_every_s: float = 1.0,
    device: str = "",
    bare: bool = True,
    command: Sequence[str] = ENGINE,
) -> LiveReport:
    """Play chords on a patch while it is edited, count dropouts, and do the same for a bare callback.

    Every `edit_every_s` seconds (0: never) a node goes and another comes, a structural edit that was not made before, and a knob
    moves ten times a second.

    Raises TimeoutError if the engine does not play, RuntimeError if it refuses the patch.
    """
    settings = protocol.AudioSettings(device=device, block=block, safety_blocks=safety_blocks, voices=voices)
    begin = time.monotonic()
    with EngineSession(command) as engine:
        engine.send(protocol.Configure(settings=settings))
        engine.play_patch(patch, 0)
        ready = time.monotonic() - begin
        engine.play_patch(_edited(patch, 1), 1)
        engine.play_patch(_edited(patch, 2), 2)
        time.sleep(1.0)
        engine.send(protocol.ResetCounters())
        time.sleep(0.2)
        edits, loads = _play(engine, patch, seconds, edit_every_s)
        page = engine.telemetry.data
        dropouts, peak = int(page["dropouts"]), float(page["load_peak"])
        status = [event for event in engine.events if isinstance(event, protocol.Status)][-1]
    callbacks, underflows = _bare_callback(status, seconds) if bare and status.state == "running" else (0, 0)
    return LiveReport(
        device=status.device,
        sample_rate=status.sample_rate,
        block=block,
        safety_blocks=safety_blocks,
        voices=voices,
        seconds=seconds,
        dropouts=dropouts,
        load_median=float(np.median(loads)),
        load_p99=float(np.percentile(loads, 99)),
        load_peak=peak,
        latency_ms=status.latency_ms,
        edits=len(edits),
        edit_median_s=float(np.median(edits)) if edits else 0.0,
        edit_max_s=max(edits, default=0.0),
        ready_s=ready,
        bare_callbacks=callbacks,
        bare_underflows=underflows,
    )


def _edited(patch: Patch, revision: int) -> Patch:
    """The patch with one more node, which makes a difference to the graph but none to the ear; unlike for each revision."""
    output = next((name for name, node in patch.nodes.items() if node.type == "Output"), "")
    feeds = [cable for cable in patch.cables if cable.target.node == output]
    name = f"gain_{revision}"
    edited = patch.with_node(name, Node("Gain"))
    for cable in feeds:
        edited = edited.without_cables([cable])
        edited = edited.with_cable(replace(cable, target=replace(cable.target, node=name, name="input")))
    if feeds:
        port = replace(feeds[0].source, node=name, name="audio")
        edited = edited.with_cable(replace(feeds[0], source=port))
    return edited


def _play(engine: EngineSession, patch: Patch, seconds: float, edit_every_s: float) -> tuple[list[float], list[float]]:
    """Chords, knob moves and edits for a while; returns edit times in seconds and loads."""
    start = time.monotonic()
    edits: list[float] = []
    loads: list[float] = []
    held: tuple[int, ...] = ()
    revision, chord, next_chord, next_edit = 3, 0, 0.0, edit_every_s
    pending: tuple[int, int] | None = None
    knob = next((f"{name}" for name, node in patch.nodes.items() if node.type == "Output"), "")
    while (now := time.monotonic() - start) < seconds:
        if now >= next_chord:
            engine.notes(*held, velocity=0)
            held, chord, next_chord = CHORDS[chord % len(CHORDS)], chord + 1, next_chord + CHORD_S
            engine.notes(*held)
        if edit_every_s and now >= next_edit and pending is None:
            pending = (revision, len(engine.events))
            engine.send(protocol.LoadPatch(patch=_json(_edited(patch, revision)), revision=revision))
            revision, next_edit = revision + 1, next_edit + edit_every_s
        if pending is not None:
            for event in engine.events[pending[1] :]:
                if isinstance(event, protocol.PatchPlays) and event.revision == pending[0]:
                    edits.append(event.seconds)
                    pending = None
                    break
        if knob and len(loads) % 2 == 0:
            engine.send(protocol.SetValue(node=knob, control="gain", values=[-6.0 + 3.0 * float(np.sin(now))]))
        loads.append(float(engine.telemetry.data["load"]))
        time.sleep(_LOADS_S)
    engine.notes(*held, velocity=0)
    return edits, loads


def _json(patch: Patch) -> dict[str, object]:
    from ddsp_studio.processors import patch_file

    return patch_file.to_json(patch)


def _bare_callback(status: protocol.Status, seconds: float) -> tuple[int, int]:
    arguments = [status.device, str(status.sample_rate), str(status.block), str(seconds)]
    done = subprocess.run([sys.executable, "-c", _BARE, *arguments], capture_output=True, text=True, timeout=seconds + 30.0)
    counts = done.stdout.split()
    return (int(counts[0]), int(counts[1])) if done.returncode == 0 and len(counts) == 2 else (0, 0)


def key_patch() -> Patch:
    """A sine that starts at once and ends at once, so that a press is heard exactly."""
    nodes = {
        "voice": Node("Voice"),
        "amp": Node("Adsr", values={"attack": (0.001,), "sustain": (1.0,), "release": (0.01,)}),
        "tone": Node("Harmonic", values={"amplitude": (0.0,)}, options={"partials": 1}),
        "voices": Node("VoiceMixer"),
        "out": Node("Output"),
    }
    ends = (
        ("voice.f0", "tone.f0", None),
        ("voice.gate", "amp.gate", None),
        ("voice.trigger", "amp.trigger", None),
        ("amp.out", "tone.amplitude", 0.7),
        ("tone.audio", "voices.input", None),
        ("voices.audio", "out.input", None),
    )
    cables = tuple(Cable(Port.parse(source), Port.parse(target), amount) for source, target, amount in ends)
    return Patch(name="key to sound", nodes=nodes, cables=cables)


def measure_key_to_sound(
    patch: Patch | None = None,
    *,
    presses: int = 100,
    block: int = 256,
    safety_blocks: int = 2,
    command: Sequence[str] = ENGINE,
    seed: int = 1,
) -> KeyToSoundReport:
    """Press a key at random samples through a virtual MIDI port and find its onset in the captured sound.

    Needs a JACK server and JACK-Client. `key_patch` is played unless another is given; that one should start and end at once,
    for its own latency and attack are part of the result. Raises ImportError, jack.JackError or TimeoutError if a part is
    missing.
    """
    from ddsp_studio.audio.jack_probe import JackProbe

    rng = np.random.default_rng(seed)
    with JackProbe() as probe, EngineSession(command) as engine:
        engine.send(protocol.Configure(settings=protocol.AudioSettings(block=block, safety_blocks=safety_blocks, voices=4)))
        engine.play_patch(patch or key_patch(), 0)
        status = engine.wait_for(protocol.Status, lambda event: event.state == "running")
        probe.connect()
        probe.wait_for_listener()
        time.sleep(1.0)
        status = [event for event in engine.events if isinstance(event, protocol.Status)][-1]
        rate = status.sample_rate
        gap, length = round(0.45 * rate), round(0.1 * rate)
        probe.recording = True
        frame = probe.frame + rate // 2
        for _ in range(presses):
            frame += gap + int(rng.integers(0, 4096))
            probe.press(frame, bytes((0x90, 69, 127)))
            probe.press(frame + length, bytes((0x80, 69, 0)))
        while probe.frame < frame + rate:
            time.sleep(0.1)
        probe.recording = False
        first, sound = probe.recorded()
        pressed = [at - first for at, data in probe.sent if data[0] == 0x90]
        period = probe.period
    latencies = _onsets(np.abs(sound).max(axis=0), pressed, gap)
    middle = np.median(latencies)
    width = float(np.percentile(np.abs(latencies - middle), 99))
    low, mid, high = (float(value) for value in np.percentile(latencies, [1, 50, 99]))
    return KeyToSoundReport(len(latencies), rate, period, status.latency_ms, low, mid, high, width, max(0.0, width - period / 2))


def _onsets(level: npt.NDArray[np.float32], pressed: list[int], gap: int) -> npt.NDArray[np.float64]:
    """Samples from each press to where its sound passes a hundredth of its peak."""
    found = []
    for at in pressed:
        window, before = level[at : at + gap], float(level[max(0, at - 480) : at].max(initial=0.0))
        if window.size and (peak := float(window.max())) > max(1e-4, 10.0 * before):
            found.append(float(np.argmax(window > max(0.01 * peak, 2.0 * before))))
    if not found:
        raise TimeoutError("no press was heard")
    return np.array(found)
