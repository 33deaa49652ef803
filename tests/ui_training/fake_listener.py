"""A listener that hears what the files' names say: "silent" is of no use, "chords" is warned about, "slow" takes its time."""

import json
import sys
import time
from pathlib import Path


def say(**data: object) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


names = [name.decode() for name in sys.stdin.buffer.read().split(b"\0")]
if any("missing" in name for name in names):
    say(what="Refused", text="missing.wav: there is no such file or folder.")
    sys.exit(1)
for number, name in enumerate(names):
    say(what="Listening", share=number / len(names))
    if "slow" in name:
        time.sleep(30.0)
    if Path(name).is_dir():
        continue
    silent = "silent" in name
    warnings = [f"{Path(name).name} is silent"] if silent else ["several notes at once"] if "chords" in name else []
    curves = {"f0_hz": [] if silent else [220.0, 0.0, 440.0], "loudness_db": [] if silent else [-30.0, -70.0, -20.0]}
    keys = None if silent else [57, 69]
    usable_s = 0.0 if silent else 30.0
    say(what="Heard", path=name, seconds=31.0, usable_s=usable_s, keys=keys, warnings=warnings, **curves)
say(what="Listening", share=1.0)
say(what="Surveyed")
