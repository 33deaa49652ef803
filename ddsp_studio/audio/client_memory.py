"""What a restarted engine must be told to sound as the one before did."""

from __future__ import annotations

from collections.abc import Iterator

from ddsp_studio.audio import protocol

_NOTE_OFF, _NOTE_ON, _CONTROL, _PRESSURE, _BEND = 0x80, 0x90, 0xB0, 0xD0, 0xE0
_ALL_SOUND_OFF, _ALL_NOTES_OFF = 120, 123


class Memory:
    """Follows commands and events, and replays their sum. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._configure: protocol.Configure | None = None
        self._asked: protocol.LoadPatch | None = None
        self._good: protocol.LoadPatch | None = None
        self._answered = True
        self._fatal = 0
        self._values: dict[tuple[str, str], protocol.SetValue] = {}
        self._amounts: dict[tuple[str, str], protocol.SetAmount] = {}
        self._song = protocol.Song(path="")
        self._rescue: protocol.Rescue | None = None
        self._transport = {"playing": False, "looping": False, "tempo": 1.0, "position_s": 0.0}
        self._notes: dict[tuple[int, int], protocol.Midi] = {}
        self._owed: dict[tuple[int, int], protocol.Midi] = {}
        self._gestures: dict[tuple[int, int], protocol.Midi] = {}

    def follow(self, command: protocol.Command) -> None:
        """Take note of a command that was sent."""
        match command:
            case protocol.Configure():
                self._configure = command
            case protocol.LoadPatch():
                self._asked, self._answered, self._fatal = command, False, 0
                self._values.clear()
                self._amounts.clear()
            case protocol.SetValue():
                self._values[command.node, command.control] = command
            case protocol.SetAmount():
                self._amounts[command.source, command.target] = command
            case protocol.Rescue():
                self._rescue = command
            case protocol.Song():
                self._song = command
                self._transport |= {"playing": False, "position_s": 0.0}
            case protocol.Transport():
                self._transport |= {k: v for k in self._transport if (v := getattr(command, k)) is not None}
            case protocol.Midi():
                self._follow_midi(command)
            case protocol.Panic():
                self._notes.clear()
            case _:
                pass

    def _follow_midi(self, message: protocol.Midi) -> None:
        status, first, second = (*message.data, 0, 0)[:3]
        kind, channel = status & 0xF0, status & 0x0F
        if kind == _NOTE_ON and second:
            self._notes[channel, first] = message
        elif kind in (_NOTE_ON, _NOTE_OFF):
            self._notes.pop((channel, first), None)
        elif kind == _CONTROL and first in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
            self._notes = {key: note for key, note in self._notes.items() if key[0] != channel}
        elif kind in (_CONTROL, _PRESSURE, _BEND):
            self._gestures[status, first if kind == _CONTROL else 0] = message

    def learn(self, event: protocol.Event) -> None:
        """Take note of what the engine reports."""
        asked = self._asked
        match event:
            case protocol.PatchPlays() if asked and event.revision == asked.revision:
                self._good, self._answered, self._fatal = asked, True, 0
            case protocol.PatchRefused() if asked and event.revision == asked.revision:
                self._answered = True
                if self._good is not None:
                    self._asked = self._good
            case protocol.Turned():
                self._values[event.node, event.control] = protocol.SetValue(
                    node=event.node, control=event.control, values=event.values
                )
            case protocol.TransportState():
                self._transport |= {k: getattr(event, k) for k in self._transport}
            case _:
                pass

    def died(self) -> protocol.PatchRefused | None:
        """The engine ended. A patch that ends it twice while being built is given up; its refusal is returned."""
        if self._answered or self._asked is None:
            return None
        self._fatal += 1
        if self._fatal < 2:
            return None
        refused = protocol.PatchRefused(
            revision=self._asked.revision, node="", port="", reason="the sound engine ended twice while it built this patch"
        )
        self._asked, self._answered = self._good, True
        self._values.clear()
        self._amounts.clear()
        return refused

    def replay(self) -> Iterator[protocol.Command]:
        """The commands that bring a fresh engine to where the last one was."""
        if self._configure is not None:
            yield self._configure
        if self._asked is not None:
            yield self._asked
            yield from self._values.values()
            yield from self._amounts.values()
        if self._song.path:
            yield self._song
            yield protocol.Transport(**self._transport)  # type: ignore[arg-type]
        if self._rescue is not None:
            yield self._rescue
        yield from self._gestures.values()
        self._owed = dict(self._notes)
        if self._asked is None:
            yield from self.owed_notes()

    def owed_notes(self) -> Iterator[protocol.Command]:
        """The keys that are still held since the engine died; a fresh engine hears them once its patch plays."""
        owed, self._owed = self._owed, {}
        yield from (note for key, note in owed.items() if self._notes.get(key) is note)
