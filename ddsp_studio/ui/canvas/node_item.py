"""A node on the canvas: holds what it shows and answers what lies under a point. `node_paint.py` paints it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from ddsp_studio.processors.declare import Spec
from ddsp_studio.processors.nesting import sheet_of
from ddsp_studio.processors.patch import Cable, Node, Patch, Port
from ddsp_studio.ui import edits
from ddsp_studio.ui.canvas import node_paint
from ddsp_studio.ui.canvas.geometry import Geometry, Row, Socket, lay_out
from ddsp_studio.ui.canvas.style import METER, SOCKET, TAG_ROOM, TITLE, WIDTH

_HISTORY = 30


class NodeItem(QGraphicsItem):
    """One node. The scene gives it its node anew whenever that changes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.node = Node("")
        self.spec: Spec | None = None
        self.geometry = Geometry()
        self.values: dict[str, tuple[float, ...]] = {}
        self.driven_by: dict[str, str] = {}
        self.exposed: dict[str, str] = {}
        """Ports that the group around shows outside, and what they are called there."""
        self.depths: dict[str, tuple[float, ...]] = {}
        self.plugged: frozenset[tuple[bool, str]] = frozenset()
        self.selected = self.unfolded = self.hovered = False
        self.problem: tuple[str, str] | None = None
        self.allowed: Collection[Port] | None = None
        """While a cable is dragged: the ports it may end in; the others are dimmed."""
        self.lit_port: Port | None = None
        self.levels: deque[float] = deque([0.0] * _HISTORY, _HISTORY)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(2.0)

    @property
    def title(self) -> str:
        """The label, or the name."""
        return self.node.label or self.name

    def update_from(self, patch: Patch, exposed: Mapping[str, str]) -> None:
        """Show the node as the patch holds it, and which of its ports the group around shows outside."""
        self.node = patch.nodes[self.name]
        self.spec = sheet_of(self.node)
        cables = patch.of_node(self.name)
        self.prepareGeometryChange()
        signals = {cable: edits.signal_of(patch, cable) for cable in cables}
        self.exposed = dict(exposed)
        self.geometry = lay_out(self.name, self.node, self.spec, signals, unfolded=self.unfolded)
        self.values = edits.values(patch, self.name)
        self._read_cables(cables)
        self.setPos(*self.node.position)
        self.update()

    def _read_cables(self, cables: Collection[Cable]) -> None:
        into = [c for c in cables if c.target.node == self.name]
        self.driven_by = {c.target.name: str(c.source) for c in into if c.amount is None}
        depths: dict[str, tuple[float, ...]] = {}
        for cable in into:
            if cable.amount is not None:
                depths[cable.target.name] = (*depths.get(cable.target.name, ()), cable.amount)
        self.depths = depths
        self.plugged = frozenset(
            (c.source.node == self.name, c.source.name if c.source.node == self.name else c.target.name) for c in cables
        )

    def refresh_cables(self, patch: Patch) -> None:
        """Show the amounts of the cables that end here as they are while one is dragged."""
        self._read_cables(patch.of_node(self.name))
        self.update()

    def set_values(self, control: str, values: tuple[float, ...]) -> None:
        """Show a control's values while they are dragged."""
        self.values[control] = values
        self.update()

    def add_level(self, rms: float) -> None:
        """Feed the level thumbnail with an rms, linear."""
        if rms > 1e-6 or any(self.levels):
            before = self.has_levels()
            self.levels.append(rms)
            if before and self.has_levels():
                self.update(METER)
            elif before != self.has_levels():
                self.update()

    def has_levels(self) -> bool:
        """Whether the level thumbnail is shown."""
        return not (self.node.muted or self.node.bypassed) and any(self.levels)

    def mark(self, **flags: object) -> None:
        """Set painted flags (selected, hovered, problem, allowed, lit_port) and repaint if one differs."""
        before: Mapping[str, object] = {key: getattr(self, key) for key in flags}
        if before != flags:
            for key, value in flags.items():
                setattr(self, key, value)
            self.update()

    # -- what lies where ----------------------------------------------------------------------------------------------

    def socket_place(self, port: Port, *, is_outlet: bool) -> QPointF:
        """Where a cable ends, in scene coordinates; a folded or unknown port ends at the node's title."""
        socket = self.geometry.socket(port.name, is_outlet=is_outlet)
        return self.mapToScene(socket.place if socket else QPointF(WIDTH if is_outlet else 0.0, TITLE / 2.0))

    def socket_at(self, place: QPointF, reach: float) -> tuple[float, Socket] | None:
        """The socket within reach of a point of the node, with its distance."""
        found = [((s.place - place).manhattanLength(), s) for s in self.geometry.sockets.values()]
        close = [entry for entry in found if entry[0] <= reach]
        return min(close, key=lambda entry: entry[0]) if close else None

    def row_at(self, place: QPointF) -> Row | None:
        """The row under a point of the node."""
        return next((row for row in self.geometry.rows if row.rect.contains(place)), None)

    def scene_rect(self) -> QRectF:
        """The node's body in scene coordinates."""
        return self.geometry.rect.translated(self.pos())

    # -- painting -----------------------------------------------------------------------------------------------------

    def boundingRect(self) -> QRectF:
        """Body, sockets, the tags of exposed ports, shadow and the problem below."""
        more = 44.0 if self.problem else 6.0
        beside = TAG_ROOM if self.exposed else SOCKET * 2
        return self.geometry.rect.adjusted(-beside, -4.0, beside, more)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Paint the node; below 35 % zoom a plain rectangle."""
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        if getattr(self.scene(), "levels_only", False):
            node_paint.paint_levels(self, painter, zoom)
        else:
            node_paint.paint(self, painter, zoom)
