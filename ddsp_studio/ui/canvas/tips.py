"""Tooltips of what lies on the canvas."""

from __future__ import annotations

from ddsp_studio.processors.declare import Spec
from ddsp_studio.processors.nesting import sheet_of
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
        return f"{node.type} is not installed here; the node is kept as it is"
    if hit.socket is not None:
        return _of_port(document, spec, hit.node, hit.socket.port.name, is_outlet=hit.socket.is_outlet)
    if hit.under is Under.ROW and hit.row is not None:
        if hit.row.name in spec.controls:
            return _of_port(document, spec, hit.node, hit.row.name, is_outlet=False)
        if hit.row.name in spec.options:
            return spec.options[hit.row.name].doc
        return ""
    return f"{hit.node}: {spec.name}\n{spec.summary}"


def _of_port(document: Document, spec: Spec, node: str, name: str, *, is_outlet: bool) -> str:
    if is_outlet:
        return outlet_tip(name, spec.outlets[name], spec.channels(name, document.shown.nodes[node].options))
    if name in spec.inlets:
        return inlet_tip(name, spec.inlets[name])
    driver = next(
        (str(c.source) for c in document.shown.cables if (c.target.node, c.target.name) == (node, name) and c.amount is None), ""
    )
    return control_tip(name, spec.controls[name], document.values(node)[name], driver)
