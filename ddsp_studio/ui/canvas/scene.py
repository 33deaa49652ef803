"""The scene: one item for every node and cable of the document, kept in step with it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QRectF
from PySide6.QtWidgets import QGraphicsScene

from ddsp_studio.processors import nesting
from ddsp_studio.processors.declare import Signal
from ddsp_studio.processors.patch import Cable, Patch, Port
from ddsp_studio.ui.canvas.cable_item import CableItem
from ddsp_studio.ui.canvas.geometry import Row, RowKind, Socket, bounds, field_rect
from ddsp_studio.ui.canvas.node_item import NodeItem
from ddsp_studio.ui.canvas.style import REACH, TITLE
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.edits import signal_of

_WORLD = QRectF(-50_000.0, -50_000.0, 100_000.0, 100_000.0)
Ends = tuple[Port, Port]


class Under(enum.Enum):
    """What lies under the pointer."""

    NOTHING = "nothing"
    SOCKET = "socket"
    AMOUNT = "amount"
    CABLE = "cable"
    NODE = "node"
    ROW = "row"


@dataclass(frozen=True)
class Hit:
    """What lies under a point; `row` is set where it is a value, bars, an option or the fold."""

    under: Under = Under.NOTHING
    node: str = ""
    socket: Socket | None = None
    row: Row | None = None
    cable: Cable | None = None


class PatchScene(QGraphicsScene):
    """Items for the document's nodes and cables. Reads the document, never writes it."""

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(_WORLD, parent)
        self.document = document
        self.nodes: dict[str, NodeItem] = {}
        self.cables: dict[Ends, CableItem] = {}
        self.selected_cable: Ends | None = None
        self.levels_only = False
        """While only level thumbnails are painted."""
        self._shown: Patch | None = None
        self._exposed: dict[Port, str] = {}
        self._heard: dict[str, str] = {}
        """Which node here shows the level of a node of the patch as it is played."""
        document.level_changed.connect(self._change_level)
        document.changed.connect(self.sync)
        document.opened.connect(self._forget_view)
        document.value_changed.connect(self._show_value)
        document.amount_changed.connect(self._show_amount)
        document.selection_changed.connect(self.show_selection)
        self.sync()

    # -- keeping in step ----------------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Show the document as it is; only what differs from what is shown is touched."""
        patch, shown = self.document.shown, self._shown or Patch()
        exposed, was_exposed = self.document.shown_ports, self._exposed
        differs = {port.node for port, _ in set(exposed.items()) ^ set(was_exposed.items())}
        for name in [n for n in self.nodes if n not in patch.nodes]:
            self.removeItem(self.nodes.pop(name))
        recabled = {end for c in set(patch.cables) ^ set(shown.cables) for end in (c.source.node, c.target.node)}
        touched = set()
        for name, node in patch.nodes.items():
            if name not in self.nodes:
                self.nodes[name] = NodeItem(name)
                self.addItem(self.nodes[name])
            elif name not in recabled | differs and shown.nodes.get(name) is node and self.nodes[name].node is node:
                continue
            self.nodes[name].update_from(patch, _of_node(exposed, name))
            touched.add(name)
        self._sync_cables(patch, touched)
        self._shown, self._exposed = patch, exposed
        self._heard = self._find_heard(patch)
        self.show_selection()

    def _change_level(self) -> None:
        """Show another level: nothing of the one before stays."""
        for item in [*self.nodes.values(), *self.cables.values(), *(cable.amount for cable in self.cables.values())]:
            self.removeItem(item)
        self.nodes, self.cables, self.selected_cable, self._shown, self._exposed = {}, {}, None, None, {}
        self.sync()

    def _find_heard(self, patch: Patch) -> dict[str, str]:
        found = {}
        for name, item in self.nodes.items():
            outlets = item.spec.outlets if item.spec is not None else {}
            first = next((port for port, outlet in outlets.items() if outlet.signal is Signal.AUDIO), "")
            played = nesting.deep(patch, Port(name, first))
            if played is not None:
                found[nesting.flat_name(self.document.inside, played.node)] = name
        return found

    def _sync_cables(self, patch: Patch, touched: set[str]) -> None:
        kept = {(c.source, c.target): c for c in patch.cables}
        for ends in [e for e in self.cables if e not in kept]:
            gone = self.cables.pop(ends)
            self.removeItem(gone.amount)
            self.removeItem(gone)
        if self.selected_cable not in kept:
            self.selected_cable = None
        for ends, cable in kept.items():
            if not touched & {cable.source.node, cable.target.node}:
                continue
            if ends not in self.cables:
                self.cables[ends] = CableItem(cable)
                self.addItem(self.cables[ends])
                self.addItem(self.cables[ends].amount)
            muted = patch.nodes[cable.source.node].muted
            self.cables[ends].set_cable(cable, signal_of(patch, cable), muted=muted)
            self.place_cable(self.cables[ends])
        self._rank_amounts(patch)

    def _rank_amounts(self, patch: Patch) -> None:
        ranks: dict[Port, int] = {}
        for cable in patch.cables:
            if cable.amount is not None:
                self.cables[cable.source, cable.target].set_rank(ranks.get(cable.target, 0))
                ranks[cable.target] = ranks.get(cable.target, 0) + 1

    def place_cable(self, item: CableItem) -> None:
        """Run a cable between its sockets as they are now."""
        source, target = item.cable.source, item.cable.target
        item.place(
            self.nodes[source.node].socket_place(source, is_outlet=True),
            self.nodes[target.node].socket_place(target, is_outlet=False),
        )

    def place_cables_of(self, names: Collection[str]) -> None:
        """Run the cables of nodes anew, while these are moved."""
        for item in self.cables.values():
            if item.cable.source.node in names or item.cable.target.node in names:
                self.place_cable(item)

    def _forget_view(self) -> None:
        self.clear_problems()

    def _show_value(self, node: str, control: str, values: tuple[float, ...]) -> None:
        seen = self.document.surface(node, control)
        if seen is not None and seen.node in self.nodes:
            self.nodes[seen.node].set_values(seen.name, tuple(values))

    def _show_amount(self, _source: str, _target: str, _amount: float) -> None:
        patch = self.document.shown
        for cable in patch.cables:
            item = self.cables.get((cable.source, cable.target))
            if item is not None and item.cable.amount != cable.amount:
                item.set_cable(cable, item.signal, muted=item.muted)
                self.nodes[cable.target.node].refresh_cables(patch)

    def show_selection(self) -> None:
        """Mark the selected nodes, or the selected cable while no node is."""
        chosen = set(self.document.selection)
        if chosen:
            self.selected_cable = None
        for name, item in self.nodes.items():
            item.mark(selected=name in chosen)
            item.setZValue(4.0 if item.problem else 3.0 if name in chosen else 2.0)
        for ends, cable in self.cables.items():
            cable.mark(selected=ends == self.selected_cable)

    def select_cable(self, cable: Cable | None) -> None:
        """Select one cable instead of nodes; None for no cable."""
        self.selected_cable = (cable.source, cable.target) if cable else None
        if cable:
            self.document.select([])
        self.show_selection()

    def toggle_fold(self, name: str) -> None:
        """Show or hide a node's advanced controls."""
        item = self.nodes[name]
        item.unfolded = not item.unfolded
        item.update_from(self.document.shown, _of_node(self._exposed, name))
        self.place_cables_of([name])

    # -- marks --------------------------------------------------------------------------------------------------------

    def allow(self, ports: Collection[Port] | None) -> None:
        """Dim every port but these while a cable is dragged; None ends that."""
        for item in self.nodes.values():
            item.mark(allowed=ports)

    def light(self, port: Port | None) -> None:
        """Light a port and its cables, and those alone."""
        for name, item in self.nodes.items():
            item.mark(lit_port=port if port and port.node == name else None)
        for ends, cable in self.cables.items():
            cable.mark(lit=port is not None and port in ends)

    def light_cable(self, cable: Cable | None) -> None:
        """Light one cable."""
        for ends, item in self.cables.items():
            item.mark(lit=cable is not None and ends == (cable.source, cable.target))

    def show_problem(self, node: str, port: str, reason: str) -> None:
        """Mark a node with the reason why the patch cannot be played."""
        if node in self.nodes:
            self.nodes[node].prepareGeometryChange()
            self.nodes[node].mark(problem=(port, reason))
            self.nodes[node].setZValue(4.0)

    def clear_problems(self) -> None:
        """Take all such marks away."""
        for item in self.nodes.values():
            if item.problem:
                item.prepareGeometryChange()
                item.mark(problem=None)

    def set_levels(self, levels: Mapping[str, float]) -> None:
        """Feed the level thumbnails: rms of the first audio outlet of the nodes that are played, linear."""
        for played, name in self._heard.items():
            if played in levels:
                self.nodes[name].add_level(levels[played])

    # -- what lies where ----------------------------------------------------------------------------------------------

    def hit(self, place: QPointF, zoom: float) -> Hit:
        """What lies under a scene point: sockets first, then amounts, nodes and cables."""
        reach = REACH / max(zoom, 0.2)
        near = QRectF(place.x() - reach, place.y() - reach, 2.0 * reach, 2.0 * reach)
        items = self.items(near)
        nodes = [item for item in items if isinstance(item, NodeItem)]
        sockets = [found for item in nodes if (found := item.socket_at(item.mapFromScene(place), reach))]
        over = next((item for item in nodes if item.scene_rect().contains(place)), None)
        if sockets:
            socket = min(sockets, key=lambda entry: entry[0])[1]
            if over is None or over.name == socket.port.node:
                return Hit(Under.SOCKET, socket.port.node, socket)
        pill = next((item for item in self.cables.values() if item.pill().contains(place)), None)
        if pill is not None:
            return Hit(Under.AMOUNT, cable=pill.cable)
        if over is not None:
            return self._hit_node(over, over.mapFromScene(place))
        cables = [item for item in items if isinstance(item, CableItem)]
        half = near.adjusted(reach / 2, reach / 2, -reach / 2, -reach / 2)
        touched = next((item for item in cables if item.touches(half)), None)
        return Hit(Under.CABLE, cable=touched.cable) if touched else Hit()

    @staticmethod
    def _hit_node(item: NodeItem, place: QPointF) -> Hit:
        row = item.row_at(place) if place.y() > TITLE else None
        inside = row is not None and (row.kind is RowKind.MORE or field_rect(row).contains(place))
        if row is not None and inside and row.kind is not RowKind.PORTS:
            return Hit(Under.ROW, item.name, row=row)
        return Hit(Under.NODE, item.name, row=row)

    def sockets(self) -> list[Socket]:
        """Every socket of every node."""
        return [socket for item in self.nodes.values() for socket in item.geometry.sockets.values()]

    def nodes_rect(self, names: Collection[str] | None = None) -> QRectF:
        """The rectangle around nodes, around all if None."""
        return bounds([item.scene_rect() for name, item in self.nodes.items() if names is None or name in names])

    def nodes_in(self, rect: QRectF) -> list[str]:
        """The nodes that a rectangle touches."""
        return [name for name, item in self.nodes.items() if item.scene_rect().intersects(rect)]


def _of_node(exposed: Mapping[Port, str], name: str) -> dict[str, str]:
    return {port.name: outer for port, outer in exposed.items() if port.node == name}
