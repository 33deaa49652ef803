"""The studio's window, at which somebody plays and edits; see `window.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QEvent, QObject, QTimer

from ddsp_studio.audio import protocol
from ddsp_studio.audio.measure import CHORD_S, CHORDS
from ddsp_studio.ui.window import StudioWindow

_SETTLING_S = 12.0
"""From the first sound on, until what is compiled better in the background has been."""


class BusyWindow(StudioWindow):
    """Counts for `seconds`, after a while, then puts what it counted into `report` and closes."""

    seconds: ClassVar[float] = 60.0
    report: ClassVar[dict[str, Any]] = {}

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._edits: list[float] = []
        self._undos: list[float] = []
        self._held: tuple[int, ...] = ()
        self._chord, self._asked, self._began, self._added = 0, 0.0, 0.0, False
        self._pictures: list[float] = []
        self._loads: list[float] = []
        self.link.patch_plays.connect(self._plays)

    def _plays(self, *_: object) -> None:
        if not self._began:
            self._began = time.monotonic()
            self._every(CHORD_S, self._play)
            self._every(1.0, self._edit)
            QTimer.singleShot(int(1e3 * _SETTLING_S), self, self._count)
        elif self._asked:
            (self._edits if self._added else self._undos).append(time.perf_counter() - self._asked)
            self._asked = 0.0

    def _every(self, seconds: float, act: Callable[[], object]) -> None:
        timer = QTimer(self, interval=int(1e3 * seconds))
        timer.timeout.connect(act)
        timer.start()

    def _play(self) -> None:
        for key in self._held:
            self.link.send(protocol.Midi(data=[0x80, key, 0]))
        self._held = CHORDS[self._chord % len(CHORDS)]
        self._chord += 1
        for key in self._held:
            self.link.send(protocol.Midi(data=[0x90, key, 80]))

    def _edit(self) -> None:
        """A Gain before the output, of a name that it never had, and away again."""
        document = self.document
        self._asked = time.perf_counter()
        if self._added:
            document.undo_stack.undo()
            document.undo_stack.undo()
        else:
            output = next(name for name, node in document.patch.nodes.items() if node.type == "Output")
            cable = next(cable for cable in document.patch.cables if cable.target.node == output)
            name = document.add_node("Gain", (0.0, 300.0), cable=cable)
            document.rename(name, f"gain_{self._chord}")
        self._added = not self._added

    def _count(self) -> None:
        self.link.send(protocol.ResetCounters())
        self._edits.clear()
        self._undos.clear()
        self.displays.scope.installEventFilter(self)  # a spectrogram has nothing to draw before its next column
        self._every(0.05, self._look)
        QTimer.singleShot(int(1e3 * self.seconds), self, self._finish)

    def _look(self) -> None:
        if not self.report:
            self._loads.append(float(self.link.client.telemetry.data["load"]))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note when a picture is drawn."""
        if event.type() == QEvent.Type.Paint:
            self._pictures.append(time.perf_counter())
        return bool(super().eventFilter(watched, event))

    def _finish(self) -> None:
        page = self.link.client.telemetry.data
        self.report.update(dropouts=int(page["dropouts"]), seconds=self.seconds, blocks=int(self.seconds * 48_000 / 256))
        self.report.update(_summary(self._loads, self._edits, self._undos, self._pictures))
        self.document.undo_stack.setClean()
        self.close()


def _summary(loads: list[float], edits: list[float], undos: list[float], pictures: list[float]) -> dict[str, Any]:
    gaps = 1e3 * np.diff(pictures)
    return {
        "load_median": float(np.median(loads)),
        "load_p99": float(np.percentile(loads, 99)),
        "edits": len(edits) + len(undos),
        "undo_median_s": float(np.median(undos)) if undos else 0.0,
        "edit_median_s": float(np.median(edits)) if edits else 0.0,
        "edit_max_s": max(edits, default=0.0),
        "pictures_per_s": 1e3 / float(np.mean(gaps)) if gaps.size else 0.0,
        "picture_gap_median_ms": float(np.median(gaps)) if gaps.size else 0.0,
        "picture_gap_p99_ms": float(np.percentile(gaps, 99)) if gaps.size else 0.0,
    }
