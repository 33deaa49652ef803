"""The engine process: `python -m ddsp_studio.audio.engine --telemetry PATH`.

Commands come on standard input, events leave on standard output (see `protocol.py`), logs go to standard error. The engine
ends when its input ends. Devices and MIDI are opened while TensorFlow is still being imported.

Thread rule: `Engine.handle` runs on the main thread and never waits for long; slow file work goes to one errand thread.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from ddsp_studio import __version__
from ddsp_studio.audio import keys, protocol, xla_cache
from ddsp_studio.audio.compiler import Compiler
from ddsp_studio.audio.devices import Listed
from ddsp_studio.audio.hands import Hands
from ddsp_studio.audio.keeper import Keeper
from ddsp_studio.audio.line import BadCommand, Sender, commands, protected_stdout
from ddsp_studio.audio.live import LiveThread
from ddsp_studio.audio.midi_file import SongError, read_song
from ddsp_studio.audio.midi_input import MidiInputs
from ddsp_studio.audio.output import Output, SilentOutput
from ddsp_studio.audio.preview import PreviewError, PreviewView, Reel, read_reel
from ddsp_studio.audio.remote_tracer import RemoteTracer
from ddsp_studio.audio.rescue import rescue
from ddsp_studio.audio.take_recorder import Recorded, TakeRecorder
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.audio.values import check_amount, check_value
from ddsp_studio.audio.voices import MAX_VOICES, MODES
from ddsp_studio.audio.workshop import TensorFlowWorkshop, Workshop
from ddsp_studio.audio.xla_cache import XlaCache
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import PatchError

_SWITCH_S = 0.0001
"""How long a busy thread may hold the interpreter, which a block asks for some ten times: a fiftieth of a block of 256."""
_TICK_S = 0.1
_FADE_S, _LAST_ERRANDS_S = 1.0, 1.5
_logger = logging.getLogger(__name__)


class Engine:
    """Everything in the engine process, wired together."""

    def __init__(self, page: Telemetry, pipe: BinaryIO, workshop: Workshop) -> None:
        """Start all threads; `pipe` takes the events."""
        self._sender = Sender(pipe)
        self.send(protocol.Hello(protocol=protocol.VERSION, pid=os.getpid(), version=__version__))
        settings = protocol.AudioSettings()
        output = SilentOutput(settings.sample_rate, settings.block, settings.safety_blocks, 0)
        self._settings, self._status = settings, ("starting", output.name, "")
        self._live = LiveThread(page, output, settings.block, lambda text: self.problem("patch", text))
        self._keeper = Keeper(self._live, self._on_status, self._on_audio_devices)
        self._workshop = workshop
        self._compiler = Compiler(self._live, workshop, self._keeper.decided, self.send)
        self._hands = Hands(self._live.post_midi)
        self._midi = MidiInputs(self._on_midi, self._on_inputs, self._hands.leave)
        self._told: protocol.Status | None = None
        self._told_transport: protocol.TransportState | None = None
        self._devices: Listed | None = None
        self._recorder: TakeRecorder | None = None
        self._song_path = ""
        self._reel = Reel((), 0, ())
        self._reel_of: list[tuple[int, int]] = []
        self._errands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._send_status()
        for thread in (self._live, self._keeper, self._compiler):
            thread.start()
        self._midi.start()
        self._errand_thread = threading.Thread(target=self._run_errands, name="errands", daemon=True)
        self._errand_thread.start()
        threading.Thread(target=self._tick, name="ticker", daemon=True).start()

    # -- out --------------------------------------------------------------------------------------------------------------

    def send(self, event: protocol.Message) -> None:
        """Send an event (any thread)."""
        self._sender.send(event)

    def problem(self, who: str, text: str) -> None:
        """Tell the user something in one sentence (any thread)."""
        _logger.warning("%s: %s", who, text)
        self.send(protocol.Problem(who=who, text=text))

    def _on_status(self, state: str, output: Output, sentence: str) -> None:
        self._status = (state, output.name, sentence)
        self._compiler.use_rate(output.sample_rate)
        self._send_status()

    def _send_status(self) -> None:
        state, device, message = self._status
        output, live = self._live.output, self._live
        status = protocol.Status(
            state=state,
            device=device,
            sample_rate=output.sample_rate,
            block=live.block,
            latency_ms=round(1000.0 * output.latency_s, 2),
            voices=self._settings.voices,
            message=message,
            input=output.input_name,
            input_latency_ms=round(1000.0 * output.input_latency_s, 2),
        )
        if status != self._told:
            self._told = status
            self.send(status)

    def _on_audio_devices(self, listed: Listed) -> None:
        changed, self._devices = listed != self._devices, listed
        if changed:
            self._send_devices()

    def _on_inputs(self, _: list[str]) -> None:
        self._send_devices()

    def _send_devices(self) -> None:
        held = self._devices or Listed([], [])
        self.send(protocol.Devices(outputs=held.outputs, inputs=held.inputs, midi_inputs=self._midi.ports))

    def _tick(self) -> None:
        """Report the transport while it moves, and latency when it turns out otherwise."""
        heard: object = PreviewView()
        while not self._ended.wait(_TICK_S):
            self._tell_transport()
            for name, values in self._live.take_turned().items():
                self._compiler.note(name, values)
                node, _, control = name.rpartition(".")
                self.send(protocol.Turned(node=node, control=control, values=list(values)))
            view = self._live.preview.view
            if view != heard:
                heard = view
                self.send(protocol.PreviewState(**{**vars(view), "files": list(view.files)}))
            self._send_status()

    def _tell_transport(self, *, anyway: bool = False) -> None:
        """Say where the transport is if that is news, or `anyway`."""
        state = self._transport_state()
        if anyway or state != self._told_transport:
            self._told_transport = state
            self.send(state)

    def _transport_state(self) -> protocol.TransportState:
        view, recorder = self._live.view, self._recorder
        return protocol.TransportState(
            song=self._song_path,
            playing=view.playing,
            looping=view.looping,
            recording=recorder is not None and recorder.begun,
            tempo=view.tempo,
            position_s=view.position_s,
            length_s=view.length_s,
            bpm=view.bpm,
        )

    # -- in ---------------------------------------------------------------------------------------------------------------

    def handle(self, command: protocol.Command) -> bool:
        """Do what a command says (main thread); False when it says to end."""
        match command:
            case protocol.Quit():
                return False
            case protocol.Configure():
                self._configure(command.settings)
            case protocol.LoadPatch():
                self._load(command)
            case protocol.SetValue():
                self._set_value(command)
            case protocol.SetAmount():
                self._set_amount(command)
            case protocol.Midi():
                self._on_keyboard(bytes(byte & 0xFF for byte in command.data))
            case protocol.Panic():
                self._cut()
            case protocol.Song() | protocol.Preview() | protocol.Rescue():
                self._errands.put(lambda: self._work_on_files(command))
            case protocol.Transport():
                self._drive(command)
            case protocol.TestTone():
                self._live.call(lambda: self._live.sound_tone(command.seconds))
            case protocol.RefreshModel():
                self._compiler.renew(command.path)
            case protocol.ResetCounters():
                self._live.call(self._live.reset_counters)
            case protocol.Rescan():
                self._devices = None
                self._keeper.rescan()
                self._midi.rescan()
        return True

    def _configure(self, settings: protocol.AudioSettings) -> None:
        problem = settings_problem(settings)
        if problem:
            self.problem("settings", problem)
            return
        self._settings = settings
        self._live.set_gain(settings.gain_db)
        self._midi.choose(settings.midi_ports)
        self._compiler.configure(
            voices=settings.voices, mode=settings.mode, block=settings.block, safety_blocks=settings.safety_blocks
        )
        self._keeper.configure(settings)

    def _load(self, command: protocol.LoadPatch) -> None:
        try:
            self._compiler.load(patch_file.from_json(command.patch), command.revision)
        except PatchError as refusal:
            reply = protocol.PatchRefused(revision=command.revision, node=refusal.node, port=refusal.port, reason=refusal.reason)
            self.send(reply)

    def _set_value(self, command: protocol.SetValue) -> None:
        patch, values = self._compiler.document, tuple(command.values)
        if patch is None:
            return
        try:
            name = check_value(patch, command.node, command.control, values)
        except PatchError as refusal:
            self.problem("patch", f"{refusal}.")
            return
        self._compiler.move(name, values)

    def _set_amount(self, command: protocol.SetAmount) -> None:
        patch = self._compiler.document
        if patch is None:
            return
        try:
            name = check_amount(patch, command.source, command.target, command.amount)
        except PatchError as refusal:
            self.problem("patch", f"{refusal}.")
            return
        self._compiler.move(name, (command.amount,))

    def _on_keyboard(self, data: bytes) -> None:
        """The studio's own keyboard."""
        if keys.is_channel_message(data):
            self._take_midi("", time.perf_counter(), data)

    def _on_midi(self, port: str, seconds: float, data: bytes) -> None:
        """A port's message, on its own thread."""
        self._take_midi(port, seconds, data)
        if data[0] & 0xF0 not in (keys.NOTE_ON, keys.NOTE_OFF):
            self.send(protocol.MidiReceived(port=port, data=list(data)))

    def _take_midi(self, port: str, seconds: float, data: bytes) -> None:
        if data[0] & 0xF0 == keys.CONTROL and data[1] == keys.CC_SOUND_OFF:
            self._cut()
        else:
            self._hands.play(port, seconds, data)

    def _cut(self) -> None:
        self._hands.forget()
        self._live.call(self._live.cut)

    # -- transport and recording --------------------------------------------------------------------------------------------

    def _drive(self, command: protocol.Transport) -> None:
        self._errands.put(lambda: self._live.call(lambda: self._move_transport(command)))
        if command.recording is not None:
            stem = command.recording
            self._errands.put(lambda: self._record(stem))

    def _move_transport(self, command: protocol.Transport) -> None:
        """On the render thread, between two blocks."""
        live, song = self._live, self._live.song
        if command.looping is not None:
            song.looping = command.looping
        if command.tempo is not None:
            song.set_tempo(live.position, command.tempo)
        if command.position_s is not None:
            song.seek(live.position, command.position_s)
        if command.playing:
            if live.renderer is not None and not song.playing:
                live.renderer.refresh()
            song.play(live.position)
        elif command.playing is False:
            song.stop(live.position)

    def _work_on_files(self, command: protocol.Song | protocol.Preview | protocol.Rescue) -> None:
        """On the errand thread."""
        if isinstance(command, protocol.Song):
            self._put_song(command.path)
        elif isinstance(command, protocol.Rescue):
            for done in rescue(Path(command.folder)):
                self._tell_recorded(done, cut_short=True)
        else:
            self._preview(command)

    def _put_song(self, path: str) -> None:
        song = None
        if path:
            try:
                song = read_song(Path(path))
            except SongError as problem:
                self.problem("song", f"{problem}.")
                return
            except OSError as problem:
                self.problem("song", f"{Path(path).name} cannot be read: {problem.strerror or problem}.")
                return
        self._song_path = path
        self._live.call(lambda: self._live.song.load(song, self._live.position))

    def _preview(self, command: protocol.Preview) -> None:
        """On the errand thread."""
        live, rate = self._live, self._live.song.sample_rate
        if not command.files:
            self._reel = Reel((), 0, ())
            live.call(lambda: live.preview.stop())
            return
        found = _stamps(command.files)
        try:
            if (self._reel.files, self._reel.sample_rate, self._reel_of) != (tuple(command.files), rate, found):
                self._reel, self._reel_of = read_reel(command.files, rate), found
        except PreviewError as problem:
            self.problem("preview", f"{problem}.")
            return
        reel = self._reel
        live.call(lambda: live.preview.play(reel, command.track, looping=command.looping))

    def _record(self, stem: str) -> None:
        """On the errand thread."""
        if self._recorder is not None:
            held, self._recorder = self._recorder, None
            held.finish()
        if not stem:
            return
        patch = self._compiler.patch
        if patch is None or self._live.renderer is None:
            self.problem("recording", "Nothing was recorded: no patch plays yet.")
            self._tell_transport(anyway=True)  # whoever has asked may think that it records
            return
        done = lambda recorder, what: self._errands.put(lambda: self._recorded(recorder, what))  # noqa: E731
        self._recorder = TakeRecorder(Path(stem), self._live, patch, done)
        self._live.call(self._recorder.start)

    def _recorded(self, recorder: TakeRecorder, done: Recorded) -> None:
        """A take was ended, by whoever (errand thread)."""
        if self._recorder is recorder:
            self._recorder = None
        self._tell_recorded(done)
        self._tell_transport(anyway=True)

    def _tell_recorded(self, done: Recorded, *, cut_short: bool = False) -> None:
        if done.problem:
            self.problem("recording", done.problem)
        if done.sound is not None:
            audio, midi, take = (str(path) if path else "" for path in (done.sound, done.midi, done.take))
            told = protocol.Recorded(audio_path=audio, midi_path=midi, take_path=take, seconds=done.seconds, cut_short=cut_short)
            self.send(told)

    def _run_errands(self) -> None:
        while (errand := self._errands.get()) is not None:
            try:
                errand()
            except Exception:  # an errand that fails must not take the later ones with it
                _logger.exception("an errand failed")
                self.problem("engine", "Something failed in the engine; the log tells more.")

    # -- the end ----------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Fade out, close recordings and devices, end all threads."""
        self._errands.put(lambda: self._record(""))
        self._errands.put(lambda: self._errands.put(None))  # after what the recording has brought up
        self._errand_thread.join(_LAST_ERRANDS_S)
        self._live.call(self._live.end)
        self._live.join(_FADE_S)
        self._ended.set()
        self._compiler.close()
        self._workshop.close()
        self._midi.close()
        self._keeper.close()
        self._sender.close()


def _stamps(files: Sequence[str]) -> list[tuple[int, int]]:
    """Size and time of each file, so that one that was written anew is read anew; nothing of those that cannot be found."""
    found = []
    for name in files:
        with contextlib.suppress(OSError, ValueError):
            told = os.stat(name)
            found.append((told.st_size, told.st_mtime_ns))
    return found


def settings_problem(settings: protocol.AudioSettings) -> str:
    """Why settings cannot be used, in one sentence; "" if they can."""
    if not 64 <= settings.block <= 2048 or settings.block % 64:
        return f"The buffer is 64 to 2048 samples in steps of 64, got {settings.block}."
    if not 0 <= settings.safety_blocks <= 8:
        return f"Safety blocks are 0 to 8, got {settings.safety_blocks}."
    if not 8_000 <= settings.sample_rate <= 192_000:
        return f"The sample rate is 8000 to 192000 Hz, got {settings.sample_rate} Hz."
    if not 1 <= settings.voices <= MAX_VOICES:
        return f"Voices are 1 to {MAX_VOICES}, got {settings.voices}."
    if settings.mode not in MODES:
        return f"The voice mode is one of {', '.join(MODES)}, got {settings.mode!r}."
    if not -120.0 <= settings.gain_db <= 24.0:
        return f"The master gain is -120 to 24 dB, got {settings.gain_db:g} dB."
    return ""


def main(arguments: list[str] | None = None, workshop: Workshop | None = None) -> int:
    """Run the engine until its input ends."""
    parser = argparse.ArgumentParser(prog="ddsp_studio.audio.engine", description="The sound engine of ddsp_studio.")
    parser.add_argument("--telemetry", type=Path, required=True, help="the shared page made by the studio")
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(threadName)s %(levelname)s %(message)s")
    pipe = protected_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to the studio, which ends us in order
    sys.setswitchinterval(_SWITCH_S)
    folder = xla_cache.folder()
    made = workshop or TensorFlowWorkshop(tracer=RemoteTracer(folder), cache=XlaCache(folder))
    engine = Engine(Telemetry(options.telemetry), pipe, made)
    for command in commands(sys.stdin.buffer):
        if isinstance(command, BadCommand):
            engine.problem("engine", f"{command}.")
        elif not engine.handle(command):
            break
    engine.close()
    sys.stderr.flush()
    os._exit(0)  # neither a hung sound server nor TensorFlow's own threads may keep us


if __name__ == "__main__":
    sys.exit(main())
