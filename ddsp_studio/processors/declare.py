"""The declaration language: what a processor's class body says about its ports, controls and options.

Plain data, free of TensorFlow and Qt. Everything that shows, checks, stores, learns or documents a control reads it
from here; nothing about a control is written down twice.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, overload

from ddsp_studio.processors.units import format_quantity, parse_quantity

_BEND = math.log(1000.0)
"""Bend of `Law.CURVED`: the last tenth of the knob covers half of the range, as audio tapers do."""


class Law(str, enum.Enum):
    """How a knob position in 0..1 becomes a value; each law is smooth with a finite, non-zero slope everywhere.

    LINEAR: equal steps. OCTAVES: equal ratios, for ranges above zero. CURVED: exponential from `low`, which may be zero.
    """

    LINEAR = "linear"
    OCTAVES = "octaves"
    CURVED = "curved"

    def value(self, low: float, high: float, knob: Any) -> Any:  # type: ignore[override]
        """Value at a knob position; `knob` is a float, a numpy array or a tensor."""
        if self is Law.LINEAR:
            return low + (high - low) * knob
        if self is Law.OCTAVES:
            return low * (high / low) ** knob
        return low + (high - low) / (math.exp(_BEND) - 1.0) * (math.e ** (_BEND * knob) - 1.0)

    def knob(self, low: float, high: float, value: float) -> float:
        """Knob position of a value, the inverse of `value`."""
        if self is Law.LINEAR:
            return (value - low) / (high - low)
        if self is Law.OCTAVES:
            return math.log(value / low, high / low)
        return math.log1p((value - low) / (high - low) * (math.exp(_BEND) - 1.0)) / _BEND


class Signal(str, enum.Enum):
    """What a cable carries: AUDIO [batch, samples], CONTROL [batch, frames, channels], NOTES, CLOCK and INPUT.

    An inlet for notes, the clock or the input needs no cable: it then gets what is played, the beat, or what is heard.
    """

    AUDIO = "audio"
    CONTROL = "control"
    NOTES = "notes"
    CLOCK = "clock"
    INPUT = "input"


Size = int | str
"""A channel count: a number, or the name of the option that holds it."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """A value that a knob, a cable or a network drives. Holds meaning, never the current value."""

    unit: str
    low: float
    high: float
    default: float | tuple[float, ...]
    law: Law = Law.LINEAR
    channels: Size = 1
    doc: str = ""
    advanced: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise TypeError(f"a control's low must be under its high, got {self.low:g} and {self.high:g}")
        if self.law is Law.OCTAVES and self.low <= 0.0:
            raise TypeError(f"a control in octaves needs a range above 0 {self.unit}, got a low of {self.low:g}")
        for value in self.defaults(1):
            self.check("default", value)

    def defaults(self, channels: int) -> tuple[float, ...]:
        """The default of every channel; a shorter tuple is continued with its last value."""
        given = self.default if isinstance(self.default, tuple) else (self.default,)
        return (*given, *([given[-1]] * channels))[:channels] if channels > 1 or len(given) == 1 else given[:1]

    def from_knob(self, knob: Any) -> Any:
        """Value at a knob position in 0..1 (float, array or tensor)."""
        return self.law.value(self.low, self.high, knob)

    def to_knob(self, value: float) -> float:
        """Knob position in 0..1 of a value; values outside the range land on the nearer end."""
        return self.law.knob(self.low, self.high, min(max(value, self.low), self.high))

    def check(self, name: str, value: float) -> None:
        """Refuse a value outside the range, or one that is no number, in one sentence (ValueError)."""
        if not (math.isfinite(value) and self.low <= value <= self.high):
            unit = f" {self.unit}" if self.unit else ""
            raise ValueError(f"{name} takes {self.low:g} to {self.high:g}{unit}, got {value:g}{unit}")

    def format(self, value: float) -> str:
        """Text of a value with its unit."""
        return format_quantity(value, self.unit)

    def parse(self, text: str) -> float:
        """Value of typed text, held to the range; ValueError in one sentence if it is no quantity in this unit."""
        return min(max(parse_quantity(text, self.unit), self.low), self.high)


@dataclass(frozen=True, kw_only=True)
class Inlet:
    """A socket for audio, the performance or the clock; several audio cables into one inlet are summed, others take one."""

    signal: Signal = Signal.AUDIO
    doc: str = ""


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """A socket that signals leave by. Controls state their unit: "" is a plain number, 0..1 or -1..1.

    `learned` marks the outlet of a network: a cable from it sets any control, whatever its unit and channels, through a head
    of its own that is sized and scaled by that control's declaration.
    """

    signal: Signal = Signal.AUDIO
    unit: str = ""
    channels: Size = 1
    doc: str = ""
    learned: bool = False


@dataclass(frozen=True, kw_only=True)
class Weight:
    """Numbers that training fits: a response, a wavetable, a network's layers. With `trained` False, what it measures and keeps.

    One declaration may stand for several arrays, named "declared/part". Shapes are the processor's own: see `Processor.weights`.
    With `rounded` True its arrays named "…/kernel" and "…/recurrent" are only multiplied with, by `dsp.nn`, and a training in
    mixed precision hands them over in bfloat16.
    """

    trained: bool = True
    rounded: bool = False
    doc: str = ""


@dataclass(frozen=True)
class Head:
    """Where a cable from a `learned` outlet ends: the text of the target port, its control, and its channel count."""

    target: str
    control: Control
    channels: int


OptionValue = int | float | str
MODEL = "model"
"""The option by which every processor with weights names the model file that they are read from."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """A structural choice: changing it builds the processor anew, with a short crossfade.

    One of: `choices`, a number from `low` to `high` (a whole one if the default is), or a file (`path` names the kind).
    """

    default: OptionValue
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    unit: str = ""
    path: str = ""
    doc: str = ""

    def check(self, name: str, value: object) -> OptionValue:
        """Return the value if it is allowed; otherwise ValueError in one sentence."""
        if self.choices:
            if value in self.choices and isinstance(value, str):
                return value
            raise ValueError(f"{name} is one of {', '.join(self.choices)}, got {value!r}")
        if self.path:
            if isinstance(value, str) and len(value) < 4096:
                return value
            raise ValueError(f"{name} is the path of a file ({self.path}), got {str(value)[:80]!r}")
        whole = isinstance(self.default, int)
        numbers = int if whole else (int, float)
        if isinstance(value, numbers) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value if whole else float(value)
        kind, unit = "a whole number" if whole else "a number", f" {self.unit}" if self.unit else ""
        raise ValueError(f"{name} is {kind} from {self.low:g} to {self.high:g}{unit}, got {value!r}")


@dataclass(frozen=True)
class Spec:
    """The data sheet of a processor type, read once from its class body."""

    name: str
    version: int
    category: str
    summary: str
    stereo: bool = False
    """True for what works on left and right, and so belongs after the VoiceMixer."""
    inlets: Mapping[str, Inlet] = field(default_factory=dict)
    controls: Mapping[str, Control] = field(default_factory=dict)
    outlets: Mapping[str, Outlet] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    weights: Mapping[str, Weight] = field(default_factory=dict)

    @classmethod
    def read(cls, owner: type, version: int, category: str, stereo: bool) -> Spec:
        """Collect the declarations of a class body in their order."""
        body = vars(owner)

        def of(kind: type) -> dict[str, Any]:
            return {name: item for name, item in body.items() if isinstance(item, kind)}

        summary = (owner.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        ports_of = [of(Inlet), of(Control), of(Outlet), of(Option), of(Weight)]
        if ports_of[-1]:
            ports_of[3][MODEL] = Option(default="", path="model", doc="The trained model that its weights come from")
        spec = cls(owner.__name__, version, category, " ".join(summary.split()), stereo, *ports_of)
        for name in {**spec.inlets, **spec.controls, **spec.outlets, **spec.options}:
            hidden = (getattr(base, name, None) for base in owner.__bases__)
            if any(part is not None and not isinstance(part, (Inlet, Control, Outlet, Option, Weight)) for part in hidden):
                raise TypeError(f"{spec.name}.{name} hides a part of every processor; give it another name")
        ports: dict[str, Control | Outlet] = {**spec.controls, **spec.outlets}
        for name, port in ports.items():
            if isinstance(port.channels, str) and port.channels not in spec.options:
                raise TypeError(f"{spec.name}.{name} takes its channels from {port.channels!r}, which is not an option of it")
        return spec

    def option_values(self, given: Mapping[str, OptionValue] | None = None) -> dict[str, OptionValue]:
        """Every option's value, the default where none is given."""
        return {name: (given or {}).get(name, option.default) for name, option in self.options.items()}

    def channels(self, port: str, options: Mapping[str, OptionValue] | None = None) -> int:
        """Channel count of a control or outlet under the given options."""
        size = self.controls[port].channels if port in self.controls else self.outlets[port].channels
        return int(self.option_values(options)[size]) if isinstance(size, str) else size

    def to_json(self) -> dict[str, Any]:
        """The data sheet as JSON-able data, for documentation and other programs."""
        return {
            "name": self.name,
            "version": self.version,
            "category": self.category,
            "summary": self.summary,
            "stereo": self.stereo,
            **{
                kind: [{"name": name, **_plain(asdict(item))} for name, item in items.items()]
                for kind, items in (
                    ("inlets", self.inlets),
                    ("controls", self.controls),
                    ("outlets", self.outlets),
                    ("options", self.options),
                    ("weights", self.weights),
                )
            },
        }


@overload
def _plain(data: dict[str, Any]) -> dict[str, Any]: ...
@overload
def _plain(data: object) -> Any: ...
def _plain(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    if isinstance(data, enum.Enum):
        return data._value_  # Law.value is the law itself
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [_plain(value) for value in data]
    return data
