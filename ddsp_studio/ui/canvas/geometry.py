"""Where everything of a node lies: rows, sockets and value fields, worked out from its data sheet. No painting."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF

from ddsp_studio.processors.declare import Signal, Spec
from ddsp_studio.processors.patch import Cable, Node, Port
from ddsp_studio.ui.canvas.style import BARS_ROW, FOOT, ROW, TITLE, WIDTH


class RowKind(enum.Enum):
    """What a row of a node shows."""

    PORTS = "ports"
    VALUE = "value"
    BARS = "bars"
    OPTION = "option"
    MORE = "more"


@dataclass(frozen=True)
class Row:
    """A row: for PORTS `name` is the inlet and `outlet` the outlet beside it, either may be ""."""

    kind: RowKind
    name: str
    rect: QRectF
    outlet: str = ""


@dataclass(frozen=True)
class Socket:
    """A place that cables end in, in the node's coordinates."""

    port: Port
    signal: Signal
    is_outlet: bool
    place: QPointF


@dataclass
class Geometry:
    """The layout of one node."""

    rect: QRectF = field(default_factory=QRectF)
    rows: list[Row] = field(default_factory=list)
    sockets: dict[tuple[bool, str], Socket] = field(default_factory=dict)

    def socket(self, name: str, *, is_outlet: bool) -> Socket | None:
        """A socket by name."""
        return self.sockets.get((is_outlet, name))


def lay_out(name: str, node: Node, spec: Spec | None, cables: Mapping[Cable, Signal], *, unfolded: bool) -> Geometry:
    """Lay out a node with its cables and what they carry. Advanced controls show when `unfolded` or when a cable ends in them.

    Ports that are known by their cables alone, as those of a node that is not installed, have sockets, too.
    """
    plugged = {c.target.name for c in cables if c.target.node == name}
    build = _Builder(name)
    known = {**spec.inlets, **spec.controls, **spec.outlets} if spec is not None else {}
    foreign = {c: signal for c, signal in cables.items() if (c.target if c.target.node == name else c.source).name not in known}
    inlets = {n: i.signal for n, i in spec.inlets.items()} if spec is not None else {}
    outlets = {n: o.signal for n, o in spec.outlets.items()} if spec is not None else {}
    build.ports(
        inlets | {c.target.name: signal for c, signal in foreign.items() if c.target.node == name},
        outlets | {c.source.name: signal for c, signal in foreign.items() if c.source.node == name},
    )
    if spec is None:
        build.y += ROW
        return build.done()
    hidden = 0
    for control, declared in spec.controls.items():
        if declared.advanced and not unfolded and control not in plugged:
            hidden += 1
            continue
        wide = spec.channels(control, node.options) > 1
        build.row(RowKind.BARS if wide else RowKind.VALUE, control, BARS_ROW if wide else ROW)
        build.socket(control, Signal.CONTROL, is_outlet=False, y=build.y - (BARS_ROW if wide else ROW) / 2.0)
    for option, choice in spec.options.items():
        if choice.choices:
            build.row(RowKind.OPTION, option, ROW)
    if hidden or (unfolded and any(c.advanced for c in spec.controls.values())):
        build.row(RowKind.MORE, str(hidden), ROW - 4.0)
    return build.done()


class _Builder:
    def __init__(self, node: str) -> None:
        self.node, self.y, self.made = node, TITLE + 3.0, Geometry()

    def row(self, kind: RowKind, name: str, height: float, outlet: str = "") -> None:
        self.made.rows.append(Row(kind, name, QRectF(0.0, self.y, WIDTH, height), outlet))
        self.y += height

    def socket(self, name: str, signal: Signal, *, is_outlet: bool, y: float) -> None:
        place = QPointF(WIDTH if is_outlet else 0.0, y)
        self.made.sockets[is_outlet, name] = Socket(Port(self.node, name), signal, is_outlet, place)

    def ports(self, inlets: dict[str, Signal], outlets: dict[str, Signal]) -> None:
        left, right = list(inlets), list(outlets)
        for index in range(max(len(left), len(right))):
            inlet = left[index] if index < len(left) else ""
            outlet = right[index] if index < len(right) else ""
            self.row(RowKind.PORTS, inlet, ROW, outlet)
            if inlet:
                self.socket(inlet, inlets[inlet], is_outlet=False, y=self.y - ROW / 2.0)
            if outlet:
                self.socket(outlet, outlets[outlet], is_outlet=True, y=self.y - ROW / 2.0)

    def done(self) -> Geometry:
        self.made.rect = QRectF(0.0, 0.0, WIDTH, self.y + FOOT)
        return self.made


def field_rect(row: Row) -> QRectF:
    """The field of a value, bars or option row, inside the node's border."""
    return row.rect.adjusted(9.0, 1.5, -9.0, -1.5)


def bounds(rects: Collection[QRectF]) -> QRectF:
    """The rectangle around rectangles."""
    result = QRectF()
    for rect in rects:
        result = result.united(rect)
    return result
