"""A transfer that writes a short sound; a recording named "bad" is refused, "slow" takes its time."""

import json
import struct
import sys
import time
import wave

source, output = sys.argv[2], sys.argv[sys.argv.index("--output") + 1]
if "bad" in source:
    print(json.dumps({"error": "bad.wav is silent"}))
    sys.exit(1)
print(json.dumps({"done": 0.5}), flush=True)
if "slow" in source:
    time.sleep(30.0)
with wave.open(output, "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(16_000)
    file.writeframes(struct.pack("<400h", *range(400)))
print(json.dumps({"done": 1.0, "file": output, "told": "0.1 s, loudness fitted by +3.0 dB"}), flush=True)
