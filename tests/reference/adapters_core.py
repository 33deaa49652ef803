"""Parity: units, scales, safe arithmetic and small helpers of the peer's core."""

from __future__ import annotations

from typing import Any

from ddsp_studio.dsp import heads, scaling
from ddsp_studio.dsp.tensor import tf

from .loader import Adapter, Case, Difference


def renamed(function: Any, **names: str) -> Adapter:
    """Adapter for a function of ours whose arguments have other names than theirs: theirs="ours"."""

    def adapt(case: Case) -> Any:
        given = {names.get(key, key): value for key, value in {**case.inputs, **case.kwargs}.items()}
        given.pop("use_tf", None)  # both of their libraries are one function here
        return function(**given)

    return adapt


def with_depth(function: Any) -> Adapter:
    """Adapter for a head, whose components they may hold in the channel axis."""

    def adapt(case: Case) -> Any:
        given = dict(case.kwargs)
        depth, logits = int(given.pop("depth", 1)), case.inputs["freqs"]
        logits = heads.split_depth(logits, depth) if len(logits.shape) == 3 else logits
        ends = {"low_hz": given.pop("hz_min", None), "high_hz": given.pop("hz_max", None)}
        return function(logits, **given, **{key: value for key, value in ends.items() if value is not None})

    return adapt


def pad_axis(case: Case) -> Any:
    """Ours is tf.pad itself."""
    x, given = case.inputs["x"], dict(case.kwargs)
    axis, padding = int(given.pop("axis", 0)), list(given.pop("padding", (0, 0)))
    room = [[0, 0] for _ in x.shape]
    room[axis] = padding
    return tf.pad(x, room, **given)


def diff(case: Case) -> Any:
    """Ours is a difference of slices."""
    x, axis = case.inputs["x"], int(case.kwargs.get("axis", -1))
    count = int(x.shape[axis])
    return tf.gather(x, range(1, count), axis=axis) - tf.gather(x, range(count - 1), axis=axis)


DB = {"ref_db": "reference_db"}
HZ = {"hz_min": "low_hz", "hz_max": "high_hz"}
MIDI = {"midi_min": "low", "midi_max": "high"}
ADAPTERS: dict[str, Adapter] = {
    "core.amplitude_to_db": renamed(scaling.amplitude_to_db, **DB),
    "core.power_to_db": renamed(scaling.power_to_db, **DB),
    "core.db_to_power": renamed(scaling.db_to_power),
    "core.db_to_amplitude": renamed(scaling.db_to_amplitude),
    "core.midi_to_hz": renamed(scaling.midi_to_hz, notes="midi", midi_zero_silence="zero_is_silence"),
    "core.hz_to_midi": renamed(scaling.hz_to_midi, frequencies="hertz"),
    "core.unit_to_midi": renamed(scaling.unit_to_midi, **MIDI),
    "core.midi_to_unit": renamed(scaling.midi_to_unit, **MIDI),
    "core.unit_to_hz": renamed(scaling.unit_to_hz, **HZ),
    "core.hz_to_unit": renamed(scaling.hz_to_unit, hz="hertz", **HZ),
    "core.hz_to_mel": renamed(scaling.hz_to_mel, hz="hertz"),
    "core.mel_to_hz": renamed(scaling.mel_to_hz),
    "core.hz_to_bark": renamed(scaling.hz_to_bark, hz="hertz"),
    "core.bark_to_hz": renamed(scaling.bark_to_hz),
    "core.hz_to_erb": renamed(scaling.hz_to_erb, hz="hertz"),
    "core.exp_sigmoid": renamed(scaling.exp_sigmoid, max_value="maximum", threshold="floor"),
    "core.sym_exp_sigmoid": renamed(scaling.symmetric_exp_sigmoid),
    "core.safe_divide": renamed(scaling.safe_divide, eps="floor"),
    "core.safe_log": renamed(scaling.safe_log, eps="floor"),
    "core.logb": renamed(scaling.logb, eps="floor"),
    "core.soft_limit": renamed(scaling.soft_limit, x_min="low", x_max="high"),
    "core.gradient_reversal": renamed(scaling.reverse_gradient),
    "core.frequencies_softmax": with_depth(heads.frequencies_softmax),
    "core.frequencies_sigmoid": with_depth(heads.frequencies_sigmoid),
    "core.frequencies_critical_bands": with_depth(heads.frequencies_critical_bands),
    "core.pad_axis": pad_axis,
    "core.diff": diff,
}
DIFFERENT: dict[str, list[Difference]] = {}
UNMATCHED: dict[str, str] = {}
