"""MIDI inputs: any number of ports, found as they are plugged in, with time stamps on the `perf_counter` clock.

Whatever backend works is used: JACK and ALSA on Linux, CoreMIDI, Windows multimedia. A sound server that is not there, comes
later or dies is no error. A port is called by what stays the same when it is plugged in again; equal ones are numbered.

Thread rule: `on_message` is called on the backend's threads, one message at a time for a port, and must not block. The list
of ports is polled on this object's own thread, so that a hung server hangs nobody else.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ddsp_studio.audio.devices import jack_socket
from ddsp_studio.audio.keys import is_channel_message
from ddsp_studio.audio.names import candidates, stable_name

_POLL_S = 1.0
_DRIFT = 1e-4
"""How much faster than the backend's deltas the estimate runs, so that it meets the arrivals again after a slow clock."""
_CLIENT_NAME = "ddsp_studio"
_logger = logging.getLogger(__name__)

OnMessage = Callable[[str, float, bytes], None]


class PortClock:
    """Turns a port's time deltas into `perf_counter` seconds.

    Deltas are exact but drift; arrivals are on our clock but late by a varying amount. A message is never later than its
    arrival, and the earliest arrivals are the true ones.
    """

    def __init__(self) -> None:
        self._last: float | None = None

    def stamp(self, delta_s: float, arrival_s: float) -> float:
        """The time of a message that came `delta_s` after the one before and was seen at `arrival_s`."""
        if self._last is None:
            self._last = arrival_s
        else:
            self._last = min(arrival_s, self._last + max(0.0, delta_s) * (1.0 + _DRIFT))
        return self._last


class Source(NamedTuple):
    """A port as its backend knows it; `copy` counts those of one name."""

    api: int
    name: str
    copy: int


def port_names(found: Sequence[Source], before: Mapping[Source, str]) -> dict[Source, str]:
    """What the ports are called. Those that were there `before` keep their names; new ones get the first that is free."""
    names = {source: before[source] for source in found if source in before}
    for source in found:
        if source not in names:
            taken = set(names.values())
            names[source] = next(name for name in candidates(stable_name(source.name)) if name not in taken)
    return names


class _Port:
    def __init__(self, source: Source, name: str, on_message: OnMessage) -> None:
        self.name, self._on_message, self._clock = name, on_message, PortClock()
        self._lock, self._closed = threading.Lock(), False
        self._input = _new_input(source.api)
        places = [place for place, held in enumerate(self._input.get_ports()) if held == source.name]
        self._input.open_port(places[source.copy], name=f"from {name}"[:60])
        # clock and active sensing come hundreds of times a second and mean nothing here
        self._input.ignore_types(sysex=True, timing=True, active_sense=True)
        self._input.set_callback(self._receive)

    def _receive(self, event: tuple[Sequence[int], float], _data: object = None) -> None:
        arrival = time.perf_counter()
        message = bytes(event[0])
        stamp = self._clock.stamp(event[1], arrival)
        if is_channel_message(message):
            with self._lock:
                if not self._closed:
                    self._on_message(self.name, stamp, message)

    def close(self) -> None:
        """Close; no message comes afterwards."""
        with self._lock:
            self._closed = True
        with contextlib.suppress(Exception):  # a dead server may refuse anything
            self._input.cancel_callback()
        with contextlib.suppress(Exception):
            self._input.close_port()
            self._input.delete()


def _new_input(api: int) -> Any:
    import rtmidi

    return rtmidi.MidiIn(api, name=_CLIENT_NAME)


class MidiInputs:
    """Keeps the wished-for inputs open while they exist."""

    def __init__(self, on_message: OnMessage, on_change: Callable[[list[str]], None], on_close: Callable[[str], None]) -> None:
        """Make the object; `start` begins.

        Args:
            on_message: gets channel messages: `on_message(port, seconds, bytes)`.
            on_change: gets the names of the inputs when they change.
            on_close: gets the name of a port that is no longer listened to, after its last message.
        """
        self._on_message, self._on_change, self._on_close = on_message, on_change, on_close
        self._wish: list[str] | None = None
        self._probes: dict[int, Any] = {}
        self._names: dict[Source, str] = {}
        self._open: dict[Source, _Port] = {}
        self._ports: list[str] | None = None
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi-ports", daemon=True)

    @property
    def ports(self) -> list[str]:
        """The inputs that are there, as last seen (any thread)."""
        return list(self._ports or [])

    def start(self) -> None:
        """Begin to look for ports."""
        self._thread.start()

    def choose(self, names: list[str] | None) -> None:
        """Listen to the named inputs, or to all (any thread)."""
        self._wish = None if names is None else list(names)
        self._wake.set()

    def rescan(self) -> None:
        """Look for ports now (any thread)."""
        self._wake.set()

    def close(self) -> None:
        """Close all ports, waiting a moment at most."""
        self._ending.set()
        self._wake.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._look()
            except Exception:  # backends raise what they like, and MIDI must come back by itself
                _logger.exception("looking for MIDI inputs failed")
            self._wake.wait(_POLL_S)
            self._wake.clear()
        for port in self._open.values():
            port.close()

    def _look(self) -> None:
        found = [source for api in _apis() for source in self._sources(api)]
        names = self._names = port_names(found, self._names)
        wish = self._wish
        wanted = [source for source in found if wish is None or names[source] in wish or source.name in wish]
        for source in [source for source in self._open if source not in wanted]:
            port = self._open.pop(source)
            port.close()
            self._on_close(port.name)
        for source in wanted:
            if source not in self._open:
                try:
                    self._open[source] = _Port(source, names[source], self._on_message)
                except Exception as problem:  # the port may be gone again, or taken by another program
                    _logger.warning("MIDI input %s cannot be opened: %s", names[source], problem)
        ports = sorted(names.values())
        if ports != self._ports:
            self._ports = ports
            self._on_change(ports)

    def _sources(self, api: int) -> list[Source]:
        """Inputs of one backend; a backend that does not work now has none and is tried again."""
        try:
            probe = self._probes.get(api)
            if probe is None:
                probe = self._probes[api] = _new_input(api)
            names = [name for name in probe.get_ports() if _CLIENT_NAME not in name]
            return [Source(api, name, names[:place].count(name)) for place, name in enumerate(names)]
        except Exception:
            self._probes.pop(api, None)
            return []


def _apis() -> list[int]:
    """The backends that may work now; asking one without its server makes C libraries complain on standard error."""
    try:
        import rtmidi
    except ImportError:
        return []
    here = {rtmidi.API_LINUX_ALSA: Path("/dev/snd/seq").exists(), rtmidi.API_UNIX_JACK: _jack_runs()}
    return [api for api in rtmidi.get_compiled_api() if api != rtmidi.API_RTMIDI_DUMMY and here.get(api, True)]


def _jack_runs() -> bool:
    """Whether a JACK server has its socket; where sockets lie elsewhere than under Linux it can only be tried."""
    if not sys.platform.startswith("linux"):
        return True
    return jack_socket().exists()
