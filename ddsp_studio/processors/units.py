"""Text for quantities and back: "440 Hz", "-6 dB", "A4", "250 ms", "440*2"."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "µ": 1e-6}
_PREFIXED_UNITS = {"Hz", "s"}
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = re.compile(r"([A-Ga-g])([#b♯♭]?)(-?\d+)\s*([+-]\s*\d+(?:\.\d+)?)?\s*(?:c|ct|cents?)?$")
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_NUMBER = r"[-+*/().\d\s]|(?<=\d)[eE](?=[-+]?\d)"
_OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def note_to_hz(note: float) -> float:
    """Frequency in Hz of a MIDI note number (A4 = 69 = 440 Hz, equal temperament)."""
    return float(440.0 * 2.0 ** ((note - 69.0) / 12.0))


def hz_to_note(frequency_hz: float) -> float:
    """MIDI note number, fractional, of a positive frequency in Hz."""
    return 69.0 + 12.0 * math.log2(frequency_hz / 440.0)


def note_name(note: int) -> str:
    """Scientific name of a MIDI note number: 60 is "C4"."""
    return f"{_NAMES[note % 12]}{note // 12 - 1}"


def format_quantity(value: float, unit: str) -> str:
    """Write a value with its unit in four significant digits, with k and m prefixes for Hz and s."""
    prefix = ""
    if unit in _PREFIXED_UNITS and value and math.isfinite(value):
        # 999.96 would round to "1000" of the smaller prefix and no longer read back as itself
        size = abs(float(f"{value:.4g}"))
        prefix = "k" if size >= 1e3 else "m" if size < 1.0 and unit == "s" else ""
    number = f"{float(f'{value / _PREFIXES[prefix]:.4g}'):.10g}"
    suffix = f"{prefix}{unit}"
    return f"{'0' if number == '-0' else number} {suffix}".rstrip()


def parse_quantity(text: str, unit: str) -> float:
    """Read what a person typed for a quantity in `unit`.

    Accepts arithmetic ("440*2"), the unit with an optional prefix ("2.2 kHz", "30ms"), "%" for plain numbers, and note
    names where Hz are asked for ("A4", "C#3", "A4 +20 cents").

    Raises:
        ValueError: in one sentence, when the text is no such quantity.
    """
    stripped = text.strip()
    refusal = f"expected a number{f' in {unit}' if unit else ''}, got {text.strip()!r}"
    if unit == "Hz" and (match := _NOTE.match(stripped)):
        letter, accidental, octave, cents = match.groups()
        sharp = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[accidental]
        note = _SEMITONES[letter.upper()] + sharp + 12 * (int(octave) + 1)
        return note_to_hz(note + float((cents or "0").replace(" ", "")) / 100.0)
    match = re.match(rf"((?:{_NUMBER})+)\s*([^\d\s].*)?$", stripped)
    if not match:
        raise ValueError(refusal)
    number, suffix = match.group(1), (match.group(2) or "").strip()
    factor = 0.01 if suffix == "%" and not unit else _factor(suffix, unit, refusal)
    value = _evaluate(number, refusal) * factor
    if not math.isfinite(value):
        raise ValueError(refusal)
    return value


def _factor(suffix: str, unit: str, refusal: str) -> float:
    if not suffix or suffix.lower() == unit.lower():
        return 1.0
    for prefix, factor in _PREFIXES.items():
        if unit in _PREFIXED_UNITS and prefix and suffix in (prefix, prefix + unit, prefix + unit.lower()):
            return factor
    raise ValueError(refusal)


def _evaluate(text: str, refusal: str) -> float:
    def walk(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return float(node.value)
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return float(_OPERATORS[type(node.op)](walk(node.operand)))
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return float(_OPERATORS[type(node.op)](walk(node.left), walk(node.right)))
        raise ValueError(refusal)

    if len(text) > 100:
        raise ValueError(refusal)
    try:
        return walk(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, OverflowError, RecursionError) as problem:
        raise ValueError(refusal) from problem
