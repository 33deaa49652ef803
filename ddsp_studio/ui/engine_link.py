"""The window's line to the engine: events as Qt signals, and the document's edits as commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client import ENGINE, EngineClient, Health
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.check import check
from ddsp_studio.processors.nesting import check_groups, playable
from ddsp_studio.processors.patch import Patch, PatchError
from ddsp_studio.ui.document import Document

_FRAME_MS = 16
"""Values are sent once a frame, the last of each knob only, so that a drag never floods the engine."""
_BACK_MS = 40
"""A structural edit waits this long for its companions (delete and heal, paste and connect)."""


class EngineLink(QObject):
    """Owns the client; every event of the engine becomes a signal on the window's thread."""

    health_changed = Signal(object, str)
    hello = Signal(object)
    devices = Signal(object)
    status = Signal(object)
    patch_plays = Signal(object)
    patch_refused = Signal(object)
    transport = Signal(object)
    midi_received = Signal(object)
    turned = Signal(object)
    recorded = Signal(object)
    preview_state = Signal(object)
    problem = Signal(object)
    _arrived = Signal(object)
    _health = Signal(object, str)

    def __init__(self, log_path: Path, command: Sequence[str] | None = None, parent: QObject | None = None) -> None:
        """Make the client; OSError if its shared page cannot be made."""
        super().__init__(parent)
        self._arrived.connect(self._tell)
        self._health.connect(self.health_changed)
        self.client = EngineClient(self._arrived.emit, self._health.emit, log_path, command=command or ENGINE)
        self._signals = {
            protocol.Hello: self.hello,
            protocol.Devices: self.devices,
            protocol.Status: self.status,
            protocol.PatchPlays: self.patch_plays,
            protocol.PatchRefused: self.patch_refused,
            protocol.TransportState: self.transport,
            protocol.MidiReceived: self.midi_received,
            protocol.Turned: self.turned,
            protocol.Recorded: self.recorded,
            protocol.PreviewState: self.preview_state,
            protocol.Problem: self.problem,
        }

    @property
    def telemetry(self) -> Telemetry:
        """The shared page."""
        return self.client.telemetry

    @property
    def health(self) -> Health:
        """How the engine fares."""
        return self.client.health

    def _tell(self, event: protocol.Event) -> None:
        self._signals[type(event)].emit(event)

    def send(self, command: protocol.Command) -> None:
        """Send a command to the engine."""
        self.client.send(command)

    def note_on(self, note: int, velocity: int) -> None:
        """Press a key, velocity 1..127."""
        self.send(protocol.Midi(data=[0x90, note, velocity]))

    def note_off(self, note: int) -> None:
        """Let a key go."""
        self.send(protocol.Midi(data=[0x80, note, 0]))

    def close(self) -> None:
        """End the engine."""
        self.client.close()


class PatchSender(QObject):
    """Keeps the engine's patch equal to the document's, as long as the document's can be played."""

    problem_found = Signal(str, str, str)
    """Node, port and reason why the drawn patch cannot be played; the last good one sounds on."""
    all_well = Signal()
    compiling = Signal(str)
    """What is being compiled and what is heard meanwhile, in words; "" once that is done."""

    def __init__(self, document: Document, link: EngineLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._link = document, link
        self._sent = Patch()
        self._revision = 0
        self._sounds = False
        self._values: dict[tuple[str, str], tuple[float, ...]] = {}
        self._amounts: dict[tuple[str, str], float] = {}
        self._structure = self._timer(_BACK_MS, self.send_patch)
        self._frame = self._timer(_FRAME_MS, self._send_values)
        document.structure_changed.connect(self._structure.start)
        document.value_changed.connect(self._value_changed)
        document.amount_changed.connect(self._amount_changed)
        link.patch_refused.connect(self._refused)
        link.patch_plays.connect(self._plays)
        link.health_changed.connect(self._health)

    def _timer(self, interval_ms: int, do: object) -> QTimer:
        timer = QTimer(self, interval=interval_ms, singleShot=True)
        timer.timeout.connect(do)
        return timer

    @property
    def revision(self) -> int:
        """Number of the patch that was sent last."""
        return self._revision

    def send_patch(self) -> None:
        """Send the whole patch, if the rules allow it."""
        self._structure.stop()
        patch = self._document.patch
        played = playable(patch)
        try:
            check_groups(patch)
            check(played)
        except PatchError as problem:
            self.problem_found.emit(problem.node, problem.port, problem.reason)
            return
        self._values.clear()
        self._amounts.clear()
        self._sent = played
        self._revision += 1
        self._link.send(protocol.LoadPatch(patch=patch_file.to_json(patch), revision=self._revision))
        self._say_compiling()
        self.all_well.emit()

    def _value_changed(self, node: str, control: str, values: tuple[float, ...]) -> None:
        # what a controller has turned is where the engine has put it
        if node in self._sent.nodes and not self._document.following:
            self._values[node, control] = tuple(values)
            self._start_frame()

    def _amount_changed(self, source: str, target: str, amount: float) -> None:
        if any((str(c.source), str(c.target)) == (source, target) for c in self._sent.cables):
            self._amounts[source, target] = amount
            self._start_frame()

    def _start_frame(self) -> None:
        if not self._frame.isActive():
            self._frame.start()

    def _send_values(self) -> None:
        for (node, control), values in self._values.items():
            self._link.send(protocol.SetValue(node=node, control=control, values=list(values)))
        for (source, target), amount in self._amounts.items():
            self._link.send(protocol.SetAmount(source=source, target=target, amount=amount))
        self._values.clear()
        self._amounts.clear()

    def _say_compiling(self) -> None:
        self.compiling.emit("compiling the edit; the patch before sounds on" if self._sounds else "compiling the patch…")

    def _health(self, health: Health, _sentence: str) -> None:
        """An engine that is started again compiles again; one that is gone does not."""
        self._sounds = self._sounds and health is Health.RUNNING
        if health is Health.RESTARTING:
            self._say_compiling()
        elif health in (Health.FAILED, Health.STOPPED):
            self.compiling.emit("")

    def _refused(self, event: protocol.PatchRefused) -> None:
        if event.revision == self._revision:
            self.compiling.emit("")
            self.problem_found.emit(event.node, event.port, event.reason)

    def _plays(self, event: protocol.PatchPlays) -> None:
        self._sounds = True
        if event.revision == self._revision:
            self.compiling.emit("")
            if not self._structure.isActive():
                self.all_well.emit()
