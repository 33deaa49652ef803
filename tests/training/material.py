"""The shared recordings, where they are; and small sounds and files that tests write themselves."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_studio.training.data.crc32c import masked_crc32c

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not (SHARED / "README.md").is_file(), reason="the shared recordings are not here")
RATE = 16_000


def harmonic(
    f0_hz: np.ndarray | float, seconds: float = 1.0, rate: int = RATE, partials: int = 8, slope: float = 1.0
) -> np.ndarray:
    """A tone of partials with amplitudes 1 / k^slope and a peak of about 0.3, faded in and out; f0 in Hz, fixed or by sample."""
    count = round(seconds * rate)
    turns = np.cumsum(np.broadcast_to(f0_hz, count) / rate)
    top = np.max(f0_hz)
    tone = sum(np.sin(2 * np.pi * k * turns) / k**slope for k in range(1, partials + 1) if k * top < 0.45 * rate)
    fade = np.clip(np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.01 * rate), 0.0, 1.0)
    return (0.3 * fade * tone / np.abs(tone).max()).astype(np.float32)


def melody(keys: list[int], seconds: float = 0.5, gap: float = 0.1, rate: int = RATE) -> np.ndarray:
    """Notes one after the other, with pauses between them, before and after."""
    pause = np.zeros(round(gap * rate), np.float32)
    parts = [pause]
    for key in keys:
        parts += [harmonic(440.0 * 2.0 ** ((key - 69) / 12), seconds, rate), pause]
    return np.concatenate(parts)


def drum_loop(seconds: float = 6.0, rate: int = RATE) -> np.ndarray:
    """Kick, snare and hat at 120 beats a minute."""
    chance, out, t = np.random.default_rng(0), np.zeros(round(seconds * rate)), np.arange(rate // 2) / rate
    kick = np.sin(2 * np.pi * (50 * t + 2 * (1 - np.exp(-30 * t)))) * np.exp(-12 * t)
    snare = (0.6 * chance.standard_normal(len(t)) + 0.5 * np.sin(2 * np.pi * 190 * t)) * np.exp(-18 * t)
    hat = np.diff(chance.standard_normal(len(t) + 1)) * np.exp(-60 * t) * 0.4
    for beat in range(int(seconds * 4)):
        begin = beat * rate // 4
        for sound, plays in ((kick, beat % 4 == 0), (snare, beat % 4 == 2), (hat, True)):
            part = sound[: len(out) - begin] * plays
            out[begin : begin + len(part)] += part
    return (0.4 * out / np.abs(out).max()).astype(np.float32)


def write(path: Path, audio: np.ndarray, rate: int = RATE, **kwargs: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate, **kwargs)
    return path


# -- published layouts ---------------------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def serialised(features: dict[str, object]) -> bytes:
    """A tf.train.Example: bytes and strings, floats (float32 arrays) or integers (int64 arrays) by name."""
    entries = b""
    for name, value in features.items():
        if isinstance(value, (list, bytes)):
            feature = _field(1, b"".join(_field(1, item) for item in (value if isinstance(value, list) else [value])))
        elif np.asarray(value).dtype.kind == "f":
            feature = _field(2, _field(1, np.asarray(value, "<f4").tobytes()))
        else:
            feature = _field(3, _field(1, b"".join(_varint(int(v)) for v in np.ravel(value))))
        entries += _field(1, _field(1, name.encode()) + _field(2, feature))
    return _field(1, entries)


def framed(records: list[bytes]) -> bytes:
    """The bytes of a TFRecord file."""
    out = b""
    for record in records:
        length = struct.pack("<Q", len(record))
        out += length + struct.pack("<I", masked_crc32c(length)) + record + struct.pack("<I", masked_crc32c(record))
    return out


def nsynth_entry(name: str, number: int = 1) -> dict[str, object]:
    """What examples.json says of a note."""
    instrument, pitch, velocity = name.rsplit("-", 2)
    family, source, _ = instrument.rsplit("_", 2)
    return {
        "qualities": [0] * 10,
        "pitch": int(pitch),
        "note": number,
        "instrument_source_str": source,
        "velocity": int(velocity),
        "instrument_str": instrument,
        "instrument": 0,
        "sample_rate": RATE,
        "qualities_str": [],
        "instrument_source": 0,
        "note_str": name,
        "instrument_family": 8,
        "instrument_family_str": family,
    }


def nsynth_folder(folder: Path, names: list[str], seconds: float = 0.5) -> Path:
    """The json/wav layout."""
    (folder / "audio").mkdir(parents=True)
    (folder / "examples.json").write_text(json.dumps({name: nsynth_entry(name, i) for i, name in enumerate(names)}))
    for name in names:
        write(folder / "audio" / f"{name}.wav", harmonic(440.0 * 2.0 ** ((int(name.rsplit("-", 2)[1]) - 69) / 12), seconds))
    return folder


def nsynth_record(name: str, seconds: float = 0.5) -> bytes:
    """A note of the TFRecord layout."""
    entry = nsynth_entry(name)
    audio = harmonic(440.0 * 2.0 ** ((int(entry["pitch"]) - 69) / 12), seconds)
    text = {key: str(value).encode() for key, value in entry.items() if isinstance(value, str)}
    numbers = {key: np.array([value], np.int64) for key, value in entry.items() if isinstance(value, int)}
    return serialised({**text, **numbers, "audio": audio, "qualities": np.zeros(10, np.int64), "qualities_str": []})
