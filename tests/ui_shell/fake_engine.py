"""An engine without sound: speaks the protocol as a real process, writes down what it is told, and misbehaves on request.

A patch whose notes say "deadly" ends the process, "frozen" stops its render thread, "refused" is refused.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from ddsp_studio.audio import protocol
from ddsp_studio.audio.telemetry import Telemetry

RATE, BLOCK = 48_000, 480


def say(event: protocol.Message) -> None:
    sys.stdout.buffer.write(protocol.encode(event))
    sys.stdout.buffer.flush()


class Renderer(threading.Thread):
    """Writes a 220 Hz tone with eight partials into the page while keys are down."""

    def __init__(self, page: Telemetry) -> None:
        super().__init__(daemon=True)
        self.page, self.frozen, self.keys = page, False, dict[int, int]()

    def run(self) -> None:
        data, number = self.page.data, 1.0 / np.arange(1, 9)
        data["sample_rate"] = RATE
        while True:
            time.sleep(BLOCK / RATE)
            if self.frozen:
                continue
            at = np.arange(BLOCK) + int(data["position"])
            level = 0.2 if self.keys else 0.0
            tone = level * np.sin(2 * np.pi * 220.0 * at / RATE)
            self.page.write_audio(np.stack([tone, tone]).astype(np.float32))
            data["keys"] = 0
            for key, velocity in list(self.keys.items()):
                data["keys"][key] = velocity
            data["partials"][:8] = level * number
            data["n_partials"], data["f0_hz"], data["voices"], data["load"] = 8, 220.0, len(self.keys), 0.23
            data["peak"] = data["rms"] = level
            data["blocks"] += 1


def answer(command: protocol.Command, renderer: Renderer) -> None:
    match command:
        case protocol.Configure(settings=s):
            message = "" if s.device in ("", "none", "system") else f"The output {s.device!r} is not there; using system."
            say(
                protocol.Status(
                    state="running",
                    device="system",
                    sample_rate=s.sample_rate,
                    block=s.block,
                    latency_ms=16.0,
                    voices=s.voices,
                    message=message,
                )
            )
        case protocol.LoadPatch():
            notes = command.patch.get("notes", "")
            if notes == "deadly":
                sys.stderr.write("a deadly patch arrived\n")
                sys.stderr.flush()
                os._exit(3)
            renderer.frozen = notes == "frozen"
            if notes == "refused":
                say(protocol.PatchRefused(revision=command.revision, node="gain", port="level", reason="is not to my taste"))
            else:
                nodes = list(command.patch.get("nodes", {}))
                say(
                    protocol.PatchPlays(
                        revision=command.revision, seconds=0.01, latency_samples=64, nodes=nodes, partials_node=""
                    )
                )
        case protocol.Midi(data=[status, key, velocity]) if status & 0xE0 == 0x80:
            if status & 0x10 and velocity:
                renderer.keys[key] = velocity
            else:
                renderer.keys.pop(key, None)
        case protocol.Panic():
            renderer.keys.clear()
        case protocol.Transport():
            say(
                protocol.TransportState(
                    song="x.mid",
                    playing=bool(command.playing),
                    looping=bool(command.looping),
                    recording=False,
                    tempo=command.tempo or 1.0,
                    position_s=command.position_s or 0.0,
                    length_s=60.0,
                    bpm=120.0,
                )
            )
        case protocol.Rescan():
            say(
                protocol.Devices(
                    outputs=[protocol.Device(name="system", host="JACK", channels=2, sample_rate=RATE, key="system, JACK")],
                    midi_inputs=["Virtual keys"],
                )
            )
        case _:
            pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--telemetry", type=Path, required=True)
    parser.add_argument("--diary", type=Path)
    parser.add_argument("--mute-start", action="store_true")
    options = parser.parse_args()
    renderer = Renderer(Telemetry(options.telemetry))
    renderer.start()
    if not options.mute_start:
        say(protocol.Hello(protocol=protocol.VERSION, pid=os.getpid(), version="fake"))
        answer(protocol.Rescan(), renderer)
    for line in sys.stdin.buffer:
        command = protocol.decode_command(line)
        if options.diary:
            with options.diary.open("ab") as diary:
                diary.write(line)
        if isinstance(command, protocol.Quit):
            break
        answer(command, renderer)


if __name__ == "__main__":
    main()
