"""Trained models on disk (`.ddspmodel`): a zip of JSON and plain arrays. Loading executes nothing and bounds sizes.

Members: `model.json` says what the model is; `weights/NODE/NAME.npy` holds each array; others (patch, preview) are the trainer's.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio import resources
from ddsp_studio.files import check_regular, read_member, replacing
from ddsp_studio.processors.model_about import check_about

FORMAT, SCHEMA, SUFFIX = "ddsp_studio model", 1, ".ddspmodel"
MAX_BYTES = 512 * 2**20
_MAX_JSON = 4 * 2**20
_KINDS = "fiu"
_WITHIN, _WRITTEN = "/", ":"
"""How a node within a group is called ("strings/tone"), and how a member's name writes that."""

Arrays = Mapping[str, npt.NDArray[Any]]


class Trained(NamedTuple):
    """What one node takes from a model: its arrays by name, and the rate in Hz at which they were trained."""

    sample_rate: float
    arrays: Arrays


@dataclass(frozen=True)
class Model:
    """A model: `about` is its JSON, `weights` the arrays of each node, `files` the other members by name."""

    about: Mapping[str, Any]
    weights: Mapping[str, Arrays] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def sample_rate(self) -> float:
        """Rate in Hz at which the model was trained."""
        return float(self.about["sample_rate"])

    def of_node(self, name: str, type_name: str) -> Trained:
        """The weights for a node: those of the node of that name and type, else of the only node of that type.

        Raises:
            ValueError: in one sentence, if the model has none.
        """
        types: Mapping[str, str] = self.about["nodes"]
        alike = [node for node, held in types.items() if held == type_name]
        chosen = name if name in alike else alike[0] if len(alike) == 1 else None
        if chosen is None:
            has = ", ".join(f"{node} ({held})" for node, held in types.items()) or "nothing"
            raise ValueError(f"the model has no weights for a {type_name} called {name}; it has {has}")
        return Trained(self.sample_rate, self.weights.get(chosen, {}))


def save(model: Model, path: Path) -> None:
    """Write a model atomically.

    Raises:
        OSError: with the reason, when it cannot be written; what was there stays.
    """
    held = {node: sorted(arrays) for node, arrays in model.weights.items()}
    about = {**model.about, "format": FORMAT, "schema": SCHEMA, "arrays": held}
    with replacing(Path(path)) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        _member(archive, "model.json", json.dumps(about, indent=1, sort_keys=True).encode())
        for node, arrays in sorted(model.weights.items()):
            for name, array in sorted(arrays.items()):
                written = io.BytesIO()
                np.save(written, np.ascontiguousarray(array), allow_pickle=False)
                _member(archive, f"weights/{node.replace(_WITHIN, _WRITTEN)}/{name}.npy", written.getvalue())
        for name, content in sorted(model.files.items()):
            _member(archive, name, content)


def _member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # a fixed date: equal models are equal files
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


def load(path: Path) -> Model:
    """Read a model.

    Raises:
        ValueError: in one sentence, when the file is missing, damaged, no model, too large, or from a newer version.
    """
    path = Path(path)
    with _opened(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
            raise ValueError(f"the model {path.name!r} is larger than {MAX_BYTES >> 20} MiB")
        return _read(archive, path.name)


def read_about(path: Path) -> Mapping[str, Any]:
    """The description in a model alone, without its arrays, for lists and labels.

    Raises:
        ValueError: in one sentence, as `load`.
    """
    path = Path(path)
    with _opened(path) as archive:
        return _about(archive, path.name)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever goes wrong in it is told in one sentence (ValueError)."""
    try:
        check_regular(path)
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError as problem:
        raise ValueError(f"there is no model {str(path)!r}") from problem
    except OSError as problem:
        raise ValueError(f"the model {path.name!r} cannot be read: {problem.strerror or problem}") from problem
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError, NotImplementedError) as problem:
        raise ValueError(f"the model {path.name!r} is cut short, damaged or no model") from problem


def _about(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    if archive.getinfo("model.json").file_size > _MAX_JSON:
        raise ValueError(f"the description in the model {name!r} is larger than {_MAX_JSON >> 20} MiB")
    try:
        about = json.loads(read_member(archive, "model.json"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as problem:
        raise ValueError(f"the model {name!r} is damaged: its description is no JSON") from problem
    _check(about, name)
    described: dict[str, Any] = about
    return described


def _read(archive: zipfile.ZipFile, name: str) -> Model:
    about = _about(archive, name)
    weights: dict[str, dict[str, npt.NDArray[Any]]] = {node: {} for node in about["nodes"]}
    files: dict[str, bytes] = {}
    for info in archive.infolist():
        folder, _, rest = info.filename.partition("/")
        node, _, weight = rest.partition("/")
        node = node.replace(_WRITTEN, _WITHIN)
        if folder == "weights" and node in weights and weight.endswith(".npy"):
            weights[node][weight.removesuffix(".npy")] = _array(read_member(archive, info.filename), name, info.filename)
        elif info.filename != "model.json":
            files[info.filename] = read_member(archive, info.filename)
    for node, arrays in about.get("arrays", {}).items():  # models of before do not say which there are
        if missing := set(arrays) - weights.get(node, {}).keys():
            raise ValueError(f"the model {name!r} is damaged: {min(missing)!r} of {node} is missing")
    return Model(about, weights, files)


def _check(about: object, name: str) -> None:
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError(f"{name!r} is no ddsp_studio model")
    schema = about.get("schema")
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise ValueError(
            f"the model {name!r} was saved by a newer ddsp_studio (schema {schema!r}, this one reads up to {SCHEMA})"
        )
    try:
        check_about(about)
    except ValueError as problem:
        raise ValueError(f"the description in the model {name!r} is damaged: {problem}") from problem


def _array(content: bytes, name: str, member: str) -> npt.NDArray[Any]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as problem:
        raise ValueError(f"the model {name!r} is damaged: {member} is no array") from problem
    if not isinstance(array, np.ndarray) or array.dtype.kind not in _KINDS or not np.all(np.isfinite(array)):
        raise ValueError(f"the model {name!r} is damaged: {member} holds no finite numbers")
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def find(given: str) -> Model:
    """The model that a person means: a path or the name of a shipped one; kept until its file changes.

    Raises:
        ValueError: in one sentence.
    """
    try:
        path = resources.find(resources.MODELS, given)
    except FileNotFoundError as problem:
        raise ValueError(str(problem).replace("no file", "no model", 1)) from problem
    return _kept(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _kept(path: Path, _changed: int) -> Model:
    return load(path)
