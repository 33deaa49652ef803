"""Colour maps of the spectrogram as tables of 256 ARGB words, interpolated between a few anchor colours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_ANCHORS = {
    "Ember": ("#101216", "#23203f", "#5a2a6b", "#a43a63", "#e2694a", "#f8b45a", "#fdf3c7"),
    "Ocean": ("#101216", "#10283f", "#14506b", "#1f8086", "#4fb59a", "#a8dfa6", "#f3fbd9"),
    "Ice": ("#101216", "#1a2340", "#2a4480", "#3f78bf", "#74b2e2", "#bfe0f2", "#ffffff"),
    "Grey": ("#101216", "#3a3d42", "#74777c", "#b5b7ba", "#ffffff"),
}
NAMES = tuple(_ANCHORS)
"""Names for a menu; the first is the default. "Grey" and "Ocean" read well for every kind of colour vision."""


def table(name: str) -> npt.NDArray[np.uint32]:
    """256 colours [256] as 0xAARRGGBB, from silence to loud; the default map for an unknown name."""
    anchors = _ANCHORS.get(name, _ANCHORS[NAMES[0]])
    rgb = np.array([[int(text[i : i + 2], 16) for i in (1, 3, 5)] for text in anchors], dtype=np.float64)
    places = np.linspace(0.0, 255.0, len(anchors))
    channels = [np.interp(np.arange(256), places, rgb[:, c]).round().astype(np.int64) for c in range(3)]
    words = 0xFF << 24 | channels[0] << 16 | channels[1] << 8 | channels[2]
    return words.astype(np.uint32)
