"""Fills the telemetry page after every block.

Thread rule: the render thread only; nothing here waits or allocates much.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.instrument import Block
from ddsp_studio.audio.telemetry import NODES, PARTIALS, Telemetry

_LOAD_SMOOTHING_S = 0.3


class Meters:
    """Writes levels, load, keys and scope to the page that the studio reads."""

    def __init__(self, page: Telemetry) -> None:
        self._page, self._data = page, page.data
        self._load = 0.0

    def reset_load(self) -> None:
        """Forget the highest load."""
        self._data["load_peak"] = 0.0

    def show_format(self, sample_rate: int) -> None:
        """Show the rate in Hz of what follows."""
        self._data["sample_rate"] = sample_rate

    def show_input(self, heard: npt.NDArray[np.float32] | None) -> None:
        """Show the level of what came in, [2, samples]."""
        self._data["input_peak"] = 0.0 if heard is None else np.abs(heard).max(axis=1)

    def show_block(self, audio: npt.NDArray[np.float32], seconds: float, length_s: float, dropouts: int) -> None:
        """Show a block [2, samples] that took `seconds` to make and lasts `length_s`."""
        data, load = self._data, seconds / length_s
        self._load += (load - self._load) * min(1.0, length_s / _LOAD_SMOOTHING_S)
        peak = np.abs(audio).max(axis=1)
        data["load"], data["load_peak"] = self._load, max(load, float(data["load_peak"]))
        data["dropouts"] = dropouts
        data["peak"], data["rms"] = peak, np.sqrt(np.mean(audio * audio, axis=1))
        data["clipped"] += bool((peak >= 1.0).any())
        self._page.write_audio(audio)
        data["blocks"] += 1

    def show_patch(self, shown: Block, voices: int, keys: npt.NDArray[np.uint8], limiting: bool) -> None:
        """Show what the patch tells about its last block."""
        data = self._data
        partials, levels, f0_hz = (
            np.nan_to_num(np.asarray(x), posinf=0.0, neginf=0.0) for x in (shown.partials, shown.levels, shown.f0_hz)
        )
        count = min(PARTIALS, partials.shape[0])
        data["partials"][:count] = partials[:count]
        data["n_partials"], data["f0_hz"] = count, f0_hz
        data["node_levels"][: min(NODES, levels.shape[0])] = levels[:NODES]
        data["voices"], data["keys"], data["limiting"] = voices, keys, limiting

    def show_nothing(self) -> None:
        """Show that no patch plays."""
        data = self._data
        data["n_partials"] = data["voices"] = data["limiting"] = 0
        data["keys"], data["node_levels"] = 0, 0.0
