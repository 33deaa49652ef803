"""The engine client against a real process: starting, killing, hanging, restarting, closing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client import EngineClient, Health, Patience
from tests.ui_shell.conftest import FAKE, wait_until


class Watched(EngineClient):
    """A client that keeps what its callbacks are given."""

    def __init__(self, path: Path, command: tuple[str, ...], **options: object) -> None:
        self.events: list[protocol.Event] = []
        self.words: list[tuple[Health, str]] = []
        super().__init__(self.events.append, lambda *w: self.words.append(w), path / "engine.log", command=command, **options)  # type: ignore[arg-type]

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.events)


@pytest.fixture
def make(tmp_path: Path, fake_command: tuple[str, ...]) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def build(*, command: tuple[str, ...] = fake_command, **options: object) -> Watched:
        made.append(Watched(tmp_path, command, **options))
        made[-1].start()
        return made[-1]

    yield build
    for client in made:
        client.close()


def told(diary: Path) -> list[protocol.Command]:
    return [protocol.decode_command(line) for line in diary.read_bytes().splitlines()]


def patch(notes: str = "") -> dict[str, object]:
    return {"notes": notes, "nodes": {"harmonic": {}}}


def chord(client: EngineClient) -> None:
    for key in (60, 64, 67):
        client.send(protocol.Midi(data=[0x90, key, 100]))


def test_commands_sent_before_the_engine_is_up_arrive(make: Callable[..., Watched], diary: Path) -> None:
    client = make()
    client.send(protocol.LoadPatch(patch=patch(), revision=7))
    wait_until(lambda: client.count(protocol.PatchPlays))
    assert client.health is Health.RUNNING
    assert told(diary)[0] == protocol.LoadPatch(patch=patch(), revision=7)


def test_a_killed_engine_comes_back_with_everything(make: Callable[..., Watched], diary: Path) -> None:
    client = make()
    sent: list[protocol.Command] = [
        protocol.Configure(settings=protocol.AudioSettings(block=128)),
        protocol.LoadPatch(patch=patch(), revision=1),
        protocol.SetValue(node="harmonic", control="level", values=[0.25]),
        protocol.SetAmount(source="lfo.out", target="harmonic.level", amount=0.5),
        protocol.Song(path="/song.mid"),
        protocol.Transport(looping=True, tempo=0.5, position_s=3.0, playing=True),
        protocol.Midi(data=[0xB0, 64, 127]),
    ]
    for command in sent:
        client.send(command)
    chord(client)
    client.send(protocol.Midi(data=[0x80, 64, 0]))
    wait_until(lambda: int(client.telemetry.data["voices"]) == 2)
    # a controller has turned a knob meanwhile, and another that was moved before
    for control in ("level", "tilt"):
        client._received(client._run, protocol.Turned(node="harmonic", control=control, values=[0.75]))
    turned = [protocol.SetValue(node="harmonic", control=control, values=[0.75]) for control in ("level", "tilt")]
    first, before = client.pid, len(told(diary))
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: client.count(protocol.PatchPlays) == 2)
    wait_until(lambda: int(client.telemetry.data["voices"]) == 2)
    again = told(diary)[before:]
    assert again[:2] == sent[:2]
    assert again[2:4] == turned
    assert again[4:6] == sent[3:5]
    again = again[1:]
    assert again[5] == protocol.Transport(playing=True, looping=True, tempo=0.5, position_s=3.0)
    assert again[6:] == [sent[6], protocol.Midi(data=[0x90, 60, 100]), protocol.Midi(data=[0x90, 67, 100])]
    assert client.pid != first
    assert (Health.RESTARTING, "The sound engine was ended by SIGKILL; it is being restarted with your patch.") in client.words


def test_what_is_to_be_heard_waits_until_something_can_sound(make: Callable[..., Watched], diary: Path) -> None:
    client = make()
    client.send(protocol.Preview(files=["/first.wav"]))
    client.send(protocol.Preview(files=["/last.wav"]))
    client.send(protocol.Configure(settings=protocol.AudioSettings()))
    wait_until(lambda: len(told(diary)) == 2)
    assert told(diary)[1] == protocol.Preview(files=["/last.wav"])
    client.send(protocol.Preview(files=[]))
    wait_until(lambda: len(told(diary)) == 3)
    assert told(diary)[2] == protocol.Preview(files=[])


def test_an_engine_that_stands_still_is_replaced(make: Callable[..., Watched]) -> None:
    client = make(patience=Patience(stall_s=0.6))
    client.send(protocol.Configure(settings=protocol.AudioSettings()))
    wait_until(lambda: client.count(protocol.Status))
    os.kill(client.pid, signal.SIGSTOP)
    wait_until(lambda: client.count(protocol.Hello) == 2)
    assert any("stood still for 0.6 s" in sentence for _, sentence in client.words)


def test_an_engine_that_never_greets_is_given_up_on(make: Callable[..., Watched]) -> None:
    client = make(command=(sys.executable, str(FAKE), "--mute-start"), patience=Patience(start_s=0.3))
    wait_until(lambda: any("did not come up" in sentence for _, sentence in client.words))


def test_a_deadly_patch_is_refused_and_the_last_good_one_plays(make: Callable[..., Watched]) -> None:
    client = make()
    client.send(protocol.LoadPatch(patch=patch(), revision=1))
    wait_until(lambda: client.count(protocol.PatchPlays) == 1)
    client.send(protocol.LoadPatch(patch=patch("deadly"), revision=2))
    wait_until(lambda: client.count(protocol.PatchPlays) == 2)
    refused = [event for event in client.events if isinstance(event, protocol.PatchRefused)]
    assert [event.revision for event in refused] == [2]
    assert "ended twice" in refused[0].reason
    assert "a deadly patch arrived" in client.log_path.read_text()


def test_a_hopeless_engine_is_given_up_with_its_last_words(make: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddsp_studio.audio.client._RESTART_DELAYS_S", (0.0, 0.05))
    client = make(command=(sys.executable, "-c", "raise SystemExit('no such luck')"))
    wait_until(lambda: client.health is Health.FAILED)
    assert "no such luck" in client.report()
    assert client.words[-1][1] == "The sound engine ended with status 1 again and again, and was given up."


def test_another_protocol_is_refused_at_once(make: Callable[..., Watched]) -> None:
    script = 'print(\'{"what":"Hello","protocol":99,"pid":1,"version":"9"}\', flush=True); input()'
    client = make(command=(sys.executable, "-c", script))
    wait_until(lambda: client.health is Health.FAILED)
    assert "protocol 99" in client.words[-1][1]


def test_a_refused_patch_does_not_come_back(make: Callable[..., Watched], diary: Path) -> None:
    client = make()
    client.send(protocol.LoadPatch(patch=patch(), revision=1))
    wait_until(lambda: client.count(protocol.PatchPlays) == 1)
    client.send(protocol.LoadPatch(patch=patch("refused"), revision=2))
    wait_until(lambda: client.count(protocol.PatchRefused))
    client.restart()
    wait_until(lambda: client.count(protocol.PatchPlays) == 2)
    assert [c.revision for c in told(diary) if isinstance(c, protocol.LoadPatch)] == [1, 2, 1]


def test_close_ends_the_process_and_removes_the_page(make: Callable[..., Watched]) -> None:
    client = make()
    wait_until(lambda: client.health is Health.RUNNING)
    pid, page = client.pid, client.telemetry.path
    client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not page.exists()
    assert client.health is Health.STOPPED


def test_the_engine_ends_when_the_studio_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from ddsp_studio.audio.client import EngineClient
client = EngineClient(lambda event: None, lambda *words: None,
                      Path({str(tmp_path / "log")!r}),
                      command=({sys.executable!r}, {str(FAKE)!r}))
client.start()
print(client.pid, flush=True)
time.sleep(60)
"""
    studio = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    engine = int(studio.stdout.readline())  # type: ignore[union-attr]
    studio.kill()
    studio.communicate()
    wait_until(lambda: not Path(f"/proc/{engine}").exists() or "Z" in Path(f"/proc/{engine}/stat").read_text().split()[2])


def test_the_client_needs_neither_qt_nor_tensorflow() -> None:
    script = "import sys, ddsp_studio.audio.client; print([m for m in ('PySide6', 'tensorflow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_what_is_to_be_heard_waits_for_the_next_engine(
    make: Callable[..., Watched], diary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddsp_studio.audio.client._RESTART_DELAYS_S", (0.3,))
    client = make()
    client.send(protocol.Configure(settings=protocol.AudioSettings()))
    wait_until(lambda: client.count(protocol.Status))
    os.kill(client.pid, signal.SIGKILL)
    wait_until(lambda: client.health is Health.RESTARTING)
    client.send(protocol.Preview(files=["/wanted.wav"]))
    wait_until(lambda: protocol.Preview(files=["/wanted.wav"]) in told(diary))
    os.kill(client.pid, signal.SIGKILL)
    wait_until(lambda: client.health is Health.FAILED)
    before = len(told(diary))
    client.restart()
    wait_until(lambda: len(told(diary)) > before and client.health is Health.RUNNING)
    assert not any(isinstance(command, protocol.Preview) for command in told(diary)[before:])


def test_what_waits_is_forgotten_with_an_engine_that_is_given_up(
    make: Callable[..., Watched], diary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ddsp_studio.audio.client._RESTART_DELAYS_S", ())
    client = make()
    wait_until(lambda: client.health is Health.RUNNING)
    client.send(protocol.Preview(files=["/forgotten.wav"]))
    os.kill(client.pid, signal.SIGKILL)
    wait_until(lambda: client.health is Health.FAILED)
    client.send(protocol.Configure(settings=protocol.AudioSettings()))
    client.restart()
    wait_until(lambda: client.count(protocol.Status))
    client.send(protocol.Preview(files=[]))
    wait_until(lambda: protocol.Preview(files=[]) in told(diary))
    assert protocol.Preview(files=["/forgotten.wav"]) not in told(diary)
