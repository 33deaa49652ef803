"""Tooltips of what lies on the canvas."""

from __future__ import annotations

from ddsp_studio.processors.declare import Spec
from ddsp_studio.processors.nesting import absence, sheet_of
from ddsp_studio.ui.canvas.geometry import Socket
from ddsp_studio.ui.canvas.scene import Hit, Under
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.widgets.texts import amount_text, control_tip, inlet_tip, outlet_tip


def of(document: Document, hit: Hit) -> str:
    """What the tooltip says; "" for none."""
    if hit.cable is not None:
        amount = "" if hit.cable.amount is None else f"\nAmount {amount_text(hit.cable.amount)}: drag, or double-click to type"
        return f"{hit.cable.source} → {hit.cable.target}{amount}"
    node = document.shown.nodes.get(hit.node)
    if node is None:
        return ""
    spec = sheet_of(node)
    if spec is None:
        return f"{absence(node)}.\nThe node is kept as it is, and audio passes it by."
    if hit.socket is not None:
        return _of_socket(document, spec, hit.socket)
    if hit.under is Under.ROW and hit.row is not None:
        if hit.row.name in spec.controls:
            return _of_port(document, spec, hit.node, hit.row.name, is_outlet=False)
        if hit.row.name in spec.options:
            return spec.options[hit.row.name].doc
        return ""
    more = "\nDouble-click or Enter opens it" if node.inside is not None else ""
    return f"{hit.node}: {spec.name}\n{spec.summary}{more}"


def _of_socket(document: Document, spec: Spec, socket: Socket) -> str:
    port, node = socket.port, document.shown.nodes[socket.port.node]
    if port.name not in {**spec.inlets, **spec.controls, **spec.outlets}:
        return f"{port.name} is no port of {spec.name} here"
    lines = [_of_port(document, spec, port.node, port.name, is_outlet=socket.is_outlet)]
    if node.inside is not None:
        lines.append(f"Stands for {node.inside.port(port.name)} inside")
    if outer := document.shown_ports.get(port):
        lines.append(f"Shown outside as {outer}")
    return "\n".join(lines)


def _of_port(document: Document, spec: Spec, node: str, name: str, *, is_outlet: bool) -> str:
    if is_outlet:
        return outlet_tip(name, spec.outlets[name], spec.channels(name, document.shown.nodes[node].options))
    if name in spec.inlets:
        return inlet_tip(name, spec.inlets[name])
    driver = next(
        (str(c.source) for c in document.shown.cables if (c.target.node, c.target.name) == (node, name) and c.amount is None), ""
    )
    return control_tip(name, spec.controls[name], document.values(node)[name], driver)
