"""What the studio says about controls and sockets: tooltips and readable names."""

from __future__ import annotations

from collections.abc import Sequence

from ddsp_studio.processors.declare import Control, Inlet, Outlet, Signal

_CARRIES = {
    Signal.AUDIO: "audio",
    Signal.CONTROL: "control signal",
    Signal.NOTES: "notes",
    Signal.CLOCK: "the clock",
    Signal.INPUT: "the audio input",
}


def readable(name: str) -> str:
    """A declared name as a person reads it: "f0_hz" is "f0", "mod_wheel" is "mod wheel"."""
    for unit in ("_hz", "_db", "_s"):
        name = name.removesuffix(unit)
    return name.replace("_", " ")


def control_tip(name: str, control: Control, values: Sequence[float], driven_by: str = "") -> str:
    """Name, value, unit, range, default and meaning of a control."""
    if len(values) == 1:
        now = control.format(values[0])
    else:
        now = f"{len(values)} values, {control.format(min(values))} to {control.format(max(values))}"
    lines = [f"{readable(name)}: {now}", f"Range {control.format(control.low)} to {control.format(control.high)}"]
    if not isinstance(control.default, tuple):
        lines[1] += f", default {control.format(control.default)}"
    if driven_by:
        lines.append(f"Set by {driven_by}")
    return "\n".join([*lines, *filter(None, [control.doc])])


def inlet_tip(name: str, inlet: Inlet) -> str:
    """What an inlet takes."""
    more = "; several cables are summed" if inlet.signal is Signal.AUDIO else ""
    return "\n".join([f"{readable(name)}: takes {_CARRIES[inlet.signal]}{more}", *filter(None, [inlet.doc])])


def outlet_tip(name: str, outlet: Outlet, channels: int) -> str:
    """What an outlet gives."""
    unit = f" in {outlet.unit}" if outlet.unit else ""
    width = f", {channels} channels" if channels > 1 else ""
    return "\n".join([f"{readable(name)}: gives {_CARRIES[outlet.signal]}{unit}{width}", *filter(None, [outlet.doc])])


def amount_text(amount: float) -> str:
    """A modulation amount as signed percent."""
    return f"{amount * 100.0:+.0f} %"


def parse_amount(text: str) -> float:
    """Read a typed modulation amount: percent, with or without the sign; ValueError in one sentence otherwise."""
    try:
        return min(max(float(text.replace("%", "").replace(",", ".")) / 100.0, -1.0), 1.0)
    except ValueError as problem:
        raise ValueError(f"expected an amount in percent, -100 to 100, got {text.strip()!r}") from problem
