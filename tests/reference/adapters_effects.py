"""Parity: effects, delay lines, routing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ddsp_studio.dsp import convolution
from ddsp_studio.dsp.delay import variable_delay
from ddsp_studio.dsp.follower import exponential_decay
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.catalogue import processor_types

from .adapters_filters import OFF_CENTRE, crops, filter_truth
from .adapters_filters import frequency_filter as their_filter
from .adapters_resample import interpolate
from .adapters_synths import noise_filter, scaled
from .loader import Adapter, Case, Difference

RATE = 16_000
WRAPS = "at its full length their line reads the newest sample, and a long one is read at float32 places; ours does neither"


def whole_hops(audio: Tensor) -> Tensor:
    return tf.pad(audio, [[0, 0], [0, -int(audio.shape[1]) % HOP]])


# -- reverberation -------------------------------------------------------------------------------------------------------


def reverberated(case: Case, response: Tensor) -> Tensor:
    """Audio through the partitioned convolution that plays, without the first sample of the response, and the dry sound."""
    audio = case.inputs["audio"]
    flat = response[:, :, 0] if len(response.shape) == 3 else response[None] if len(response.shape) == 1 else response
    flat = tf.concat([tf.zeros_like(flat[:, :1]), flat[:, 1:]], axis=1)
    memory = convolution.start(int(audio.shape[0]), int(flat.shape[1]))
    wet = convolution.convolve(whole_hops(audio), convolution.partition(flat), memory)[0][:, : audio.shape[1]]
    return wet + audio if case.ctor.get("add_dry", True) else wet


def reverb(case: Case) -> Any:
    response = case.inputs["ir"]
    return {"controls": {"audio": case.inputs["audio"], "ir": response}, "signal": reverberated(case, response)}


def only_recorded(case: Case, outputs: dict[str, Any]) -> dict[str, Any]:
    """The controls that the recording keeps: some leave the audio out."""
    kept = {key: value for key, value in outputs["controls"].items() if f"controls/{key}" in case.out}
    return {"controls": kept, "signal": outputs["signal"]}


def decaying_reverb(case: Case) -> Any:
    """Their response is e^(−(2 + e^decay)·t), t from 0 to 1 over the response; ours is told the same as a time to −60 dB."""
    noise = case.inputs["noise"]
    length = int(noise.shape[-1])
    rate = 2.0 + tf.exp(case.inputs["decay"])
    envelope = exponential_decay(float(np.log(1e3)) * (length - 1) / rate, length, 1.0)
    response = scaled(case, case.inputs["gain"]) * envelope * noise
    return only_recorded(
        case, {"controls": {"audio": case.inputs["audio"], "ir": response}, "signal": reverberated(case, response)}
    )


def noise_response(case: Case) -> Case:
    return noise_filter(case, bias=-3.0)


def noise_reverb(case: Case) -> Any:
    response = their_filter(noise_response(case))
    return only_recorded(
        case, {"controls": {"audio": case.inputs["audio"], "ir": response}, "signal": reverberated(case, response)}
    )


def noise_reverb_truth(case: Case) -> Any:
    response = filter_truth(noise_response(case))
    audio = case.inputs["audio"].numpy().astype(np.float64)
    wet = [np.convolve(x, np.concatenate([[0.0], r[1:]]))[: x.size] for x, r in zip(audio, response, strict=True)]
    dry = audio if case.ctor.get("add_dry", True) else 0.0
    return {"controls": {"ir": response}, "signal": np.stack(wet) + dry}


# -- filter and delay ----------------------------------------------------------------------------------------------------


def fir_case(case: Case) -> Case:
    window = int(case.ctor.get("window_size", 257))
    magnitudes = scaled(case, case.inputs["magnitudes"])
    return case.replaced(inputs={"audio": case.inputs["audio"], "magnitudes": magnitudes}, kwargs={"window_size": window})


def fir_filter(case: Case) -> Any:
    filtered = fir_case(case)
    return {"controls": filtered.inputs, "signal": their_filter(filtered)}


def delayed(audio: Tensor, phase: Tensor, longest: int) -> Tensor:
    """Ours, told the delay as a share of the longest, and in float64, so that a long line keeps its fractions."""
    phase = tf.cast(phase[..., 0] if len(phase.shape) == 3 else phase, tf.float64)
    return variable_delay(audio, phase * float(longest), tf.zeros([audio.shape[0], longest]))[0]


def delay_truth(audio: np.ndarray, delay: np.ndarray) -> np.ndarray:
    """Straight lines between samples, one read at a time, silence before the clip."""
    out = np.zeros_like(audio)
    for row in range(len(audio)):
        line = np.concatenate([np.zeros(int(delay.max()) + 2), audio[row]])
        begin = line.size - audio.shape[1]
        places = begin + np.arange(audio.shape[1]) - np.broadcast_to(delay[row % len(delay)], audio.shape[1:])
        out[row] = np.interp(places, np.arange(line.size), line)
    return out


def variable_length_delay(case: Case) -> Any:
    return delayed(case.inputs["audio"], case.inputs["phase"], int(case.kwargs.get("max_length", 512)))


def share(phase: Any) -> np.ndarray:
    phase = np.asarray(phase, np.float64)
    return phase[..., 0] if phase.ndim == 3 else phase


def line_truth(case: Case) -> np.ndarray:
    longest = int(case.kwargs.get("max_length", 512))
    return delay_truth(case.inputs["audio"].numpy().astype(np.float64), share(case.inputs["phase"]) * longest)


def line_gradients(case: Case) -> dict[str, np.ndarray]:
    """Slopes of the delayed audio under the cotangent: each sample goes to the two that it is read between."""
    longest = int(case.kwargs.get("max_length", 512))
    audio = case.inputs["audio"].numpy().astype(np.float64)
    delay = share(case.inputs["phase"]) * longest
    whole = np.ceil(delay).astype(int)
    line = np.pad(audio, [(0, 0), (longest, 1)])
    earlier = longest + np.arange(audio.shape[1]) - whole
    rows = np.arange(len(audio))[:, None]
    by_line = np.zeros_like(line)
    np.add.at(by_line, (rows, earlier), case.cotangent * (1.0 - whole + delay))
    np.add.at(by_line, (rows, earlier + 1), case.cotangent * (whole - delay))
    by_delay = -case.cotangent * (line[rows, earlier + 1] - line[rows, earlier])
    return {
        "audio": by_line[:, longest : longest + audio.shape[1]],
        "phase": (by_delay * longest).reshape(case.inputs["phase"].shape),
    }


def mod_delay(case: Case) -> Any:
    given, audio = case.ctor, case.inputs["audio"]
    gain, phase = scaled(case, case.inputs["gain"], "gain_scale_fn"), case.inputs["phase"]
    phase = tf.sigmoid(phase) if given.get("phase_scale_fn", "sigmoid") is not None else phase
    place, longest = modulated(case, tf.cast(phase, tf.float64))
    wet = delayed(audio, place, longest) * (gain[..., 0] if len(gain.shape) == 3 else gain)
    signal = wet + audio if given.get("add_dry", True) else wet
    return {"controls": {"audio": audio, "gain": gain, "phase": phase}, "signal": signal}


def modulated(case: Case, phase: Any) -> tuple[Any, int]:
    """Share of the longest delay, and that delay in samples: from the centre to the centre and the depth, as theirs does."""
    given = case.ctor
    centre_ms, depth_ms = float(given.get("center_ms", 15.0)), float(given.get("depth_ms", 10.0))
    longest = int(float(given.get("sample_rate", RATE)) / 1000.0 * (centre_ms + depth_ms))
    return (phase * depth_ms + centre_ms) / (centre_ms + depth_ms), longest


def mod_delay_truth(case: Case) -> Any:
    place, longest = modulated(case, share(case.out["controls/phase"]))
    audio = case.inputs["audio"].numpy().astype(np.float64)
    wet = delay_truth(audio, place * longest) * share(case.out["controls/gain"])
    return {"signal": wet + audio if case.ctor.get("add_dry", True) else wet}


# -- routing -------------------------------------------------------------------------------------------------------------


def played(kind: str, options: dict[str, Any], **inputs: Tensor) -> Tensor:
    """Audio of a processor of ours."""
    processor = processor_types()[kind](RATE, **options)
    batch = max(int(tensor.shape[0]) for tensor in inputs.values())
    return processor.process(processor.start(batch), inputs)[0]["audio"]


def add(case: Case) -> Any:
    one, other = case.inputs["signal_one"], case.inputs["signal_two"]
    signal = played("Add", {}, a=whole_hops(one), b=whole_hops(other))[:, : one.shape[1]]
    return {"controls": {"signal_one": one, "signal_two": other}, "signal": signal}


def crop(case: Case) -> Any:
    """Ours silences what theirs cuts off, because a stream keeps its time; cut, it is theirs."""
    audio, size = case.inputs["audio"], int(case.ctor["frame_size"]) - 1
    if case.ctor.get("crop_location", "front") == "front":
        signal = played("Crop", {"samples": size}, input=whole_hops(audio))[:, size : audio.shape[1]]
    else:
        signal = audio[:, : audio.shape[1] - size]
    return {"controls": {"audio": audio}, "signal": signal}


def centre_crop(case: Case) -> Any:
    half = int(case.kwargs["frame_size"]) // 2
    return case.inputs["audio"][:, half : int(case.inputs["audio"].shape[1]) - half]


def mix(case: Case) -> Any:
    """Every sample becomes a hop of its own, so that our mixer has their level at it."""
    one, other = case.inputs["signal_one"], case.inputs["signal_two"]
    flat = [tf.repeat(tf.reshape(signal, [-1, 1]), HOP, axis=1) for signal in (one, other)]
    level = interpolate(tf.sigmoid(case.inputs["nn_out_mix_level"]), int(one.shape[1]))
    mixed = played("Mix", {}, a=flat[1], b=flat[0], mix=tf.reshape(level, [-1, 1, 1]))
    return {"mix_level": level, "signal": tf.reshape(mixed[:, 0], level.shape)}


def mix_truth(case: Case) -> Any:
    level = case.out["mix_level"].astype(np.float64)
    one, other = (case.inputs[key].numpy().reshape(level.shape) for key in ("signal_one", "signal_two"))
    return {"signal": np.sin(np.pi / 2.0 * level) * one + np.cos(np.pi / 2.0 * level) * other}


POWER = "their gains √m and 1 − √(1 − m) are both 0 at one end and both 1 at the other; ours keep the power constant"
ADAPTERS: dict[str, Adapter] = {
    "core.variable_length_delay": variable_length_delay,
    "core.center_crop": centre_crop,
    "effects.Reverb": reverb,
    "effects.ExpDecayReverb": decaying_reverb,
    "effects.FilteredNoiseReverb": noise_reverb,
    "effects.FIRFilter": fir_filter,
    "effects.ModDelay": mod_delay,
    "processors.Add": add,
    "processors.Crop": crop,
    "processors.Mix": mix,
}
DIFFERENT: dict[str, list[Difference]] = {
    "core.variable_length_delay": [Difference(WRAPS, line_truth, gradients=line_gradients, drift=True)],
    "effects.ModDelay": [Difference(WRAPS, mod_delay_truth, drift=True)],
    "effects.FIRFilter": [
        Difference(OFF_CENTRE, lambda case: {"signal": filter_truth(fir_case(case))}, when=lambda case: crops(fir_case(case)))
    ],
    "effects.FilteredNoiseReverb": [Difference(OFF_CENTRE, noise_reverb_truth, when=lambda case: crops(noise_response(case)))],
    "processors.Mix": [Difference(POWER, mix_truth)],
}
UNMATCHED: dict[str, str] = {}
