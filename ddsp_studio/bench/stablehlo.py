"""The compiled patch as StableHLO, so that a runtime without TensorFlow can load and time it.

Beside FILE (the module as MLIR text, or as bytecode when its name ends in .mlirbc) stand FILE.json, which says what each
argument and result is, and FILE.npz with the arguments of the first block. The first results of each block's state are the
first arguments of the next.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_studio.bench import subject
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.files import replacing, write_text
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.player import Player

BYTECODE = ".mlirbc"


def export(path: Path, *, voices: int = 8, hops: int = 4) -> dict[str, Any]:
    """Write the bench's patch for `voices` voices and blocks of `hops` hops.

    Returns:
        What was written: files, bytes, arguments and results.

    Raises:
        OSError: the folder cannot be written.
    """
    group = ProcessorGroup(subject.patch(), sample_rate=subject.SAMPLE_RATE)
    player = Player(subject.patch(), sample_rate=subject.SAMPLE_RATE, voices=voices)
    state = group.start(voices)
    values = tf.constant(np.repeat(player.values[None], hops, axis=0))
    performance = tf.constant(subject.chord(voices, hops))
    inputs = [state, values, performance]
    flat = tf.nest.flatten(inputs)

    def block(*tensors: Any) -> Any:
        # arguments by position: other runtimes know no nested structures
        return tf.nest.flatten(group.process(*tf.nest.pack_sequence_as(inputs, tensors)))

    compiled = tf.function(block, autograph=False, jit_compile=True)
    concrete = compiled.get_concrete_function(*flat)
    module = _lowered(compiled.experimental_get_compiler_ir(*flat), path)
    # tables that the processors made (a reverb's response) follow the arguments proper
    arguments = [*flat, *concrete.captured_inputs]
    _write_sheet(path, arguments, concrete.structured_outputs, stateful=len(tf.nest.flatten(state)), voices=voices, hops=hops)
    with replacing(path.with_name(path.name + ".npz")) as temporary:
        np.savez(temporary, *[tensor.numpy() for tensor in arguments])
    return {"file": str(path), "bytes": len(module), "arguments": len(arguments), "results": len(concrete.structured_outputs)}


def _lowered(lower: Any, path: Path) -> str | bytes:
    if path.suffix == BYTECODE:
        module: bytes = lower(stage="stablehlo_serialized")
        with replacing(path) as temporary:
            temporary.write_bytes(module)
        return module
    text = without_locations(lower(stage="stablehlo"))
    write_text(path, text)
    return text


def _write_sheet(path: Path, arguments: list[Any], results: list[Any], *, stateful: int, voices: int, hops: int) -> None:
    """Say what the arguments and results are: state first, then values and performance, then tables."""
    sheet = {
        "patch": subject.patch().content_hash(),
        "sample_rate": subject.SAMPLE_RATE,
        "voices": voices,
        "block": hops * subject.HOP,
        "arguments": [_described(tensor) for tensor in arguments],
        "results": [_described(tensor) for tensor in results],
        "state": {"arguments": stateful, "results_from": len(results) - stateful},
        "audio": {"result": 0},
    }
    write_text(path.with_name(path.name + ".json"), json.dumps(sheet, indent=1) + "\n")


def _described(tensor: Any) -> dict[str, Any]:
    return {"shape": tensor.shape.as_list(), "dtype": tensor.dtype.name}


def without_locations(module: str) -> str:
    """MLIR text without its source locations, which name files of the machine that made it."""
    lines = [line for line in module.splitlines() if not line.startswith("#loc")]
    return re.sub(r" loc\((?:#loc\d*|unknown|[^()]*)\)", "", "\n".join(lines)) + "\n"
