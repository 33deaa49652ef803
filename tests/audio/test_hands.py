"""Several keyboards on one instrument, and ports that come, go and are called alike."""

import sys
import time

import pytest

from ddsp_studio.audio import devices, midi_input
from ddsp_studio.audio.hands import Hands
from ddsp_studio.audio.midi_input import MidiInputs, Source, port_names
from ddsp_studio.audio.names import numbered, stable_name
from ddsp_studio.audio.protocol import Device


@pytest.fixture
def heard():
    return []


@pytest.fixture
def hands(heard):
    return Hands(lambda _seconds, data: heard.append(data))


def played(hands, *messages):
    for port, *data in messages:
        hands.play(port, 0.0, bytes(data))


def test_a_key_ends_when_the_last_hand_lets_go(hands, heard):
    played(hands, ("a", 0x90, 60, 100), ("b", 0x90, 60, 90), ("b", 0x80, 60, 0))
    assert heard == [b"\x90\x3c\x64", b"\x90\x3c\x5a"]
    played(hands, ("b", 0x90, 62, 90), ("b", 0x90, 62, 0), ("a", 0x80, 60, 0), ("a", 0x80, 60, 0))
    assert heard[2:] == [b"\x90\x3e\x5a", b"\x90\x3e\x00", b"\x80\x3c\x00", b"\x80\x3c\x00"]


def test_channels_are_apart(hands, heard):
    played(hands, ("a", 0x90, 60, 100), ("b", 0x91, 60, 100), ("b", 0x81, 60, 0))
    assert heard[-1] == b"\x81\x3c\x00"


@pytest.mark.parametrize("pedal", [64, 66])
def test_a_pedal_is_up_when_nobody_is_on_it(hands, heard, pedal):
    played(hands, ("a", 0xB0, pedal, 127), ("b", 0xB0, pedal, 100), ("a", 0xB0, pedal, 0))
    assert len(heard) == 2
    played(hands, ("b", 0xB0, pedal, 0))
    assert heard[-1] == bytes((0xB0, pedal, 0)) and len(heard) == 3


def test_a_port_that_leaves_holds_nothing_any_more(hands, heard):
    played(hands, ("a", 0x90, 60, 100), ("b", 0x90, 60, 100), ("b", 0x92, 64, 100), ("b", 0xB2, 64, 127), ("b", 0xE2, 0, 127))
    played(hands, ("a", 0xE0, 0, 127), ("b", 0xD2, 90), ("b", 0xB2, 7, 3))
    heard.clear()
    hands.leave("b")
    assert heard == [b"\x82\x40\x00", b"\xb2\x40\x00", b"\xe2\x00\x40", b"\xd2\x00"]
    hands.leave("b")
    assert len(heard) == 4
    hands.leave("a")
    assert heard[4:] == [b"\x80\x3c\x00", b"\xe0\x00\x40"]


def test_what_was_silenced_is_held_by_nobody(hands, heard):
    played(hands, ("a", 0x90, 60, 100), ("a", 0xB0, 64, 127))
    hands.forget()
    heard.clear()
    hands.leave("a")
    assert heard == []
    played(hands, ("a", 0x90, 60, 100), ("b", 0xB0, 123, 0), ("b", 0x80, 60, 0))
    assert heard[-1] == b"\x80\x3c\x00", "all notes off is for every hand"


# -- names ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "name", "stable"),
    [
        ("linux", "Keystation 49:Keystation 49 MIDI 1 24:0", "Keystation 49:Keystation 49 MIDI 1"),
        ("linux", "a2j:Keystation 49 [24] (capture): Keystation 49 MIDI 1", "a2j:Keystation 49 (capture): Keystation 49 MIDI 1"),
        ("linux", "Midi-Bridge:Keystation 49 2", "Midi-Bridge:Keystation 49 2"),
        ("win32", "Keystation 49 0", "Keystation 49"),
        ("darwin", "Keystation 49 2", "Keystation 49 2"),
    ],
)
def test_a_name_keeps_what_stays(platform, name, stable):
    assert stable_name(name, platform) == stable


def test_equal_names_are_told_apart():
    assert numbered(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (2)", "a (2) (2)", "a (3)"]


def test_a_port_keeps_its_name_while_it_is_there():
    first, second = Source(1, "Keys:Keys 1 24:0", 0), Source(1, "Keys:Keys 1 28:0", 0)
    names = port_names([first, second], {})
    assert names == {first: "Keys:Keys 1", second: "Keys:Keys 1 (2)"}
    assert port_names([second], names) == {second: "Keys:Keys 1 (2)"}
    again = Source(1, "Keys:Keys 1 32:0", 0)
    assert port_names([second, again], {second: "Keys:Keys 1 (2)"}) == {second: "Keys:Keys 1 (2)", again: "Keys:Keys 1"}


class Backend:
    """MIDI inputs in the place of rtmidi's: `names` are plugged in, `opened` are listened to, by their place."""

    def __init__(self):
        self.names, self.opened = [], {}

    def new(self, _api):
        return _Input(self)


class _Input:
    def __init__(self, backend):
        self.backend, self.place = backend, None

    def get_ports(self):
        return list(self.backend.names)

    def open_port(self, place, name):
        self.place = place

    def ignore_types(self, **_):
        pass

    def set_callback(self, function):
        self.backend.opened[self.place] = function

    def cancel_callback(self):
        self.backend.opened.pop(self.place, None)

    def close_port(self):
        pass

    def delete(self):
        pass


def until(condition):
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)


def test_equal_ports_are_heard_apart_and_found_again_elsewhere(monkeypatch):
    backend, heard, told, closed = Backend(), [], [], []
    monkeypatch.setattr(midi_input, "_apis", lambda: [1])
    monkeypatch.setattr(midi_input, "_new_input", backend.new)
    monkeypatch.setattr(midi_input, "stable_name", lambda name: stable_name(name, "linux"))
    backend.names = ["Pads 20:0", "Pads 24:0", "Same", "Same"]
    inputs = MidiInputs(lambda port, _seconds, data: heard.append((port, data)), told.append, closed.append)
    inputs.choose(["Pads", "Same (2)", "Old 9:0"])
    inputs.start()
    until(lambda: told)
    assert told == [["Pads", "Pads (2)", "Same", "Same (2)"]]
    until(lambda: set(backend.opened) == {0, 3})
    stale = backend.opened[0]
    for place in (0, 3):
        backend.opened[place](([0x90, 60, 100], 0.0))
    assert [port for port, _ in heard] == ["Pads", "Same (2)"]
    backend.names = ["Old 9:0", "Same", "Other", "Same", "Pads 40:0"]
    inputs.rescan()
    until(lambda: set(backend.opened) == {0, 3, 4})  # by the name in old settings, as before, and elsewhere
    assert closed == ["Pads"]
    stale(([0x90, 61, 100], 0.0))
    backend.opened[4](([0x90, 62, 100], 0.0))
    assert [data[1] for _, data in heard] == [60, 60, 62]
    inputs.close()


# -- devices ----------------------------------------------------------------------------------------------------------------


class SoundDevice:
    """PortAudio with boxes of one name: in two sound systems, and twice in one of them."""

    class default:
        device = (-1, -1)

    hosts = ({"name": "MME", "default_input_device": -1}, {"name": "WASAPI", "default_input_device": 4})

    def query_hostapis(self, index=None):
        return self.hosts if index is None else self.hosts[index]

    def query_devices(self, index=None):
        facts = [("Box", 0), ("Box", 1), ("Other", 1), ("Box", 1), ("system", 1)]
        found = [{"name": n, "hostapi": h, "max_output_channels": 2, "max_input_channels": 2} for n, h in facts]
        return found if index is None else found[index]


def test_devices_of_one_name_are_told_apart(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", SoundDevice())
    assert devices.find_output("Box, MME")[0] == 0
    assert devices.find_output("Box, WASAPI") == (1, "Box")
    assert devices.find_output("Box, WASAPI (2)") == (3, "Box")
    assert devices.find_output("Box")[0] == 0, "what older settings hold means the first"
    assert devices.find_output("") == (4, "system")
    assert devices.find_input("Box, WASAPI (2)", beside=1)[0] == 3
    assert devices.find_input("Box", beside=1)[0] == 1
    assert devices.find_input("", beside=2)[0] == 4
    with pytest.raises(devices.DeviceMissing, match="another sound system"):
        devices.find_input("Box, MME", beside=1)
    with pytest.raises(devices.DeviceMissing, match="not there"):
        devices.find_output("Box, ALSA")
    listed = [Device(name="Box", host="MME", channels=2, sample_rate=48_000, key="Box, MME")]
    assert [devices.is_there(wish, listed) for wish in ("", "Box", "Box, MME", "Box, WASAPI")] == [True, True, True, False]
