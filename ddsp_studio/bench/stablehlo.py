"""The compiled patch as StableHLO, so that a runtime without TensorFlow can load and time it.

Beside FILE (the module as MLIR text, or as bytecode when its name ends in .mlirbc) stands FILE.json: what each argument and
result is, and the numbers to start from are FILE.npz.
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
    group = ProcessorGroup(subject.patch(), sample_rate=subject.SAMPLE_RATE, jit=True)
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
    lower = compiled.experimental_get_compiler_ir(*flat)
    if path.suffix == BYTECODE:
        module = lower(stage="stablehlo_serialized")
        with replacing(path) as temporary:
            temporary.write_bytes(module)
    else:
        module = without_locations(lower(stage="stablehlo"))
        write_text(path, module)
    outputs = compiled.get_concrete_function(*flat).structured_outputs
    arguments = [_described(tensor) for tensor in flat]
    sheet = {
        "patch": subject.patch().content_hash(),
        "sample_rate": subject.SAMPLE_RATE,
        "voices": voices,
        "block": hops * subject.HOP,
        "arguments": arguments,
        "results": [_described(tensor) for tensor in outputs],
        "state": {"arguments": len(flat) - 2, "results_from": len(outputs) - (len(flat) - 2)},
        "audio": {"result": 0},
    }
    write_text(path.with_name(path.name + ".json"), json.dumps(sheet, indent=1) + "\n")
    with replacing(path.with_name(path.name + ".npz")) as temporary:
        np.savez(temporary, *[tensor.numpy() for tensor in flat])
    return {"file": str(path), "bytes": len(module), "arguments": len(flat), "results": len(outputs)}


def _described(tensor: Any) -> dict[str, Any]:
    return {"shape": tensor.shape.as_list(), "dtype": tensor.dtype.name}


def without_locations(module: str) -> str:
    """MLIR text without its source locations, which name files of the machine that made it."""
    lines = [line for line in module.splitlines() if not line.startswith("#loc")]
    return re.sub(r" loc\((?:#loc\d*|unknown|[^()]*)\)", "", "\n".join(lines)) + "\n"
