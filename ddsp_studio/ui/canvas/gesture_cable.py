"""The gesture of dragging a cable: from a socket, or the loose end of a cable that was taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from ddsp_studio.processors.patch import Cable, Port
from ddsp_studio.ui import edits, theme
from ddsp_studio.ui.canvas.geometry import Socket
from ddsp_studio.ui.canvas.gestures import Gesture, Pointer
from ddsp_studio.ui.canvas.scene import Under
from ddsp_studio.ui.canvas.style import cable_path, cable_pen, socket_path

if TYPE_CHECKING:
    from ddsp_studio.ui.canvas.view import PatchView


class DragCable(Gesture):
    """Drag from `socket`; with `taken` the end of that cable at the other side hangs on the pointer.

    Released on a port that fits it connects; on one that does not, it says why; in empty space it asks for a node to
    add, or, if it was taken from a port, stays off.
    """

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: PatchView, start: Pointer, socket: Socket, taken: Cable | None = None) -> None:
        super().__init__(view, start)
        self._from, self._taken = socket, taken
        self._end = start.place
        self._over: Port | None = None
        self._began = False
        self._base = self.document.shown.without_cables([taken]) if taken else self.document.shown
        self._allowed: set[Port] = set()

    def _begin(self) -> None:
        self._began = True
        others = [s.port for s in self.scene.sockets() if s.is_outlet is not self._from.is_outlet]
        why_not = lambda base, source, target: self.document.why_not(source, target, base)  # noqa: E731
        self._allowed = edits.open_ports(self._base, self._from.port, others, from_outlet=self._from.is_outlet, reason=why_not)
        self.scene.allow({*self._allowed, self._from.port})
        if self._taken is not None:
            self.scene.cables[self._taken.source, self._taken.target].show_all(False)

    def _why_not(self, port: Port) -> str | None:
        source, target = (self._from.port, port) if self._from.is_outlet else (port, self._from.port)
        return self.document.why_not(source, target, self._base)

    def move(self, pointer: Pointer) -> None:
        """Follow the pointer, snap to a port that fits, say why others do not."""
        if not self._began:
            if not self.strayed(pointer):
                return
            self._begin()
        self._end, self._over, reason = pointer.place, None, None
        target = self._target(pointer.place)
        if target is not None and target.port in self._allowed:
            self._over = target.port
            self._end = self.scene.nodes[target.port.node].mapToScene(target.place)
        elif target is not None and target.port != self._from.port:
            reason = "two outlets cannot be joined" if target.is_outlet and self._from.is_outlet else self._refused(target)
        self.view.hint(reason, pointer.at) if reason else self.view.hide_hint()
        for name, item in self.scene.nodes.items():
            item.mark(lit_port=self._over if self._over and self._over.node == name else None)
        self.view.viewport().update()

    def _refused(self, target: Socket) -> str | None:
        if target.is_outlet is self._from.is_outlet:
            return "two inlets cannot be joined"
        return self._why_not(target.port)

    def _target(self, place: QPointF) -> Socket | None:
        """The socket under the pointer; on a node's body the nearest one that fits."""
        hit = self.scene.hit(place, self.view.zoom())
        if hit.under is Under.SOCKET:
            return hit.socket
        if hit.node and hit.node != self._from.port.node:
            item = self.scene.nodes[hit.node]
            inside = item.mapFromScene(place)
            fitting = [s for s in item.geometry.sockets.values() if s.port in self._allowed]
            return min(fitting, key=lambda s: abs(s.place.y() - inside.y()), default=None)
        return None

    def release(self, pointer: Pointer) -> None:
        """Connect, refuse, take off, or ask for a node."""
        began, over = self._began, self._over
        reason_at = self._target(pointer.place) if began else None
        self.cancel()
        if not began:
            return
        if over is not None:
            self._plug(over)
        elif reason_at is not None and reason_at.port != self._from.port:
            if reason := self._refused(reason_at):
                self.view.hint(reason, pointer.at, linger=True)
        elif self._taken is not None:
            if not self._is_home(pointer.place):
                self.document.disconnect_cables([self._taken])
        elif self.scene.hit(pointer.place, self.view.zoom()).under in (Under.NOTHING, Under.CABLE):
            self.view.search_requested.emit(pointer.at, self._from)

    def _is_home(self, place: QPointF) -> bool:
        hit = self.scene.hit(place, self.view.zoom())
        return hit.socket is not None and self._taken is not None and hit.socket.port in (self._taken.source, self._taken.target)

    def _plug(self, port: Port) -> None:
        source, target = (self._from.port, port) if self._from.is_outlet else (port, self._from.port)
        if self._taken is not None:
            self.document.reconnect(self._taken, source, target)
        else:
            self.document.connect_ports(source, target)

    def cancel(self) -> None:
        """Undim everything; a cable that was taken off hangs where it hung."""
        self.scene.allow(None)
        self.scene.light(None)
        self.view.hide_hint()
        if self._taken is not None and (item := self.scene.cables.get((self._taken.source, self._taken.target))):
            item.show_all(True)

    def paint(self, painter: QPainter) -> None:
        """Paint the loose cable."""
        if not self._began:
            return
        fixed = self.scene.nodes[self._from.port.node].mapToScene(self._from.place)
        start, end = (fixed, self._end) if self._from.is_outlet else (self._end, fixed)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(cable_path(start, end), cable_pen(self._from.signal, lit=self._over is not None))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillPath(socket_path(self._from.signal, self._end), theme.colour(theme.SIGNAL[self._from.signal.value]))
