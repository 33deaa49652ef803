"""The context menus of the canvas: of a node, a port, a value, a cable and the empty canvas."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from ddsp_studio.processors.nesting import sheet_of
from ddsp_studio.processors.patch import Cable, Port
from ddsp_studio.ui import edits
from ddsp_studio.ui.canvas.geometry import Socket
from ddsp_studio.ui.canvas.scene import Hit, Under
from ddsp_studio.ui.widgets.texts import amount_text, readable

if TYPE_CHECKING:
    from ddsp_studio.ui.canvas.editor import PatchEditor

_MOST_TARGETS = 40


def build(editor: PatchEditor, hit: Hit) -> QMenu:
    """The menu for what was clicked."""
    menu = QMenu(editor)
    if hit.under is Under.SOCKET and hit.socket is not None:
        _of_port(editor, menu, hit.socket)
    elif hit.cable is not None:
        _of_cable(editor, menu, hit.cable)
    elif hit.node:
        if hit.under is Under.ROW and hit.row is not None:
            _of_value(editor, menu, hit.node, hit.row.name)
            spec = editor.scene.nodes[hit.node].spec
            if spec is not None and hit.row.name in spec.controls:
                socket = editor.scene.nodes[hit.node].geometry.socket(hit.row.name, is_outlet=False)
                _of_exposure(editor, menu, Port(hit.node, hit.row.name), socket)
                menu.addSeparator()
        _of_nodes(editor, menu)
    else:
        _of_canvas(editor, menu)
    return menu


def _of_port(editor: PatchEditor, menu: QMenu, socket: Socket) -> None:
    port, document = socket.port, editor.document
    menu.addSection(str(port))
    targets = menu.addMenu("Connect to" if socket.is_outlet else "Connect from")
    fill_targets(editor, targets, socket)
    menu.addAction("Add and connect…", functools.partial(editor.search_for_socket, socket))
    cables = [c for c in document.shown.cables if port in (c.source, c.target)]
    if cables:
        menu.addAction("Disconnect", functools.partial(document.disconnect_cables, cables))
    menu.addSeparator()
    _of_exposure(editor, menu, port, socket)
    if not socket.is_outlet:
        menu.addSeparator()
        _of_value(editor, menu, port.node, port.name)


def _of_exposure(editor: PatchEditor, menu: QMenu, port: Port, socket: Socket | None) -> None:
    """Showing a port outside of the opened group; and, of a group on the canvas, the name of its port."""
    document = editor.document
    if document.shown.nodes[port.node].inside is not None:
        if socket is not None:
            menu.addAction("Rename port…", functools.partial(editor.rename_port, socket, port.name, port.node))
        menu.addAction("Hide port", functools.partial(document.hide_port, port.name, port.node))
    if not document.inside:
        return
    outer = document.shown_ports.get(port)
    if outer is None:
        menu.addAction(f"Show {readable(port.name)} outside", functools.partial(document.show_port, port))
        return
    if socket is not None:
        menu.addAction(f"Rename outside ({outer})…", functools.partial(editor.rename_port, socket, outer, ""))
    menu.addAction(f"Hide outside ({outer})", functools.partial(document.hide_port, outer))


def fill_targets(editor: PatchEditor, menu: QMenu, socket: Socket) -> None:
    """List every port that a cable from or to a socket can end in."""
    for other in editor.scene.sockets():
        if other.is_outlet is socket.is_outlet or len(menu.actions()) >= _MOST_TARGETS:
            continue
        source, target = (socket.port, other.port) if socket.is_outlet else (other.port, socket.port)
        if editor.document.why_not(source, target) is None:
            menu.addAction(str(other.port), functools.partial(editor.document.connect_ports, source, target))
    menu.setEnabled(bool(menu.actions()))


def _of_value(editor: PatchEditor, menu: QMenu, node: str, name: str) -> None:
    spec = sheet_of(editor.document.shown.nodes[node])
    if spec is None or name not in spec.controls:
        return
    control = spec.controls[name]
    values = editor.document.values(node)[name]
    if len(values) == 1:
        menu.addAction(f"Type {readable(name)}…", functools.partial(editor.type_value, node, name))
    reset = control.defaults(len(values))
    menu.addAction(f"Reset {readable(name)}", functools.partial(editor.document.set_value, node, name, reset))
    for cable in editor.document.shown.into(Port(node, name)):
        text = f"Disconnect {cable.source}" + ("" if cable.amount is None else f" ({amount_text(cable.amount)})")
        menu.addAction(text, functools.partial(editor.document.disconnect_cables, [cable]))
    played = editor.document.played(Port(node, name))
    editor.value_menu_opening.emit(menu, played.node, played.name)
    menu.addSeparator()


def _of_nodes(editor: PatchEditor, menu: QMenu) -> None:
    document = editor.document
    chosen = document.selection
    _add(menu, "Cut", editor.cut, "Ctrl+X")
    _add(menu, "Copy", editor.copy, "Ctrl+C")
    _add(menu, "Duplicate", editor.duplicate, "Ctrl+D")
    _add(menu, "Delete", editor.delete, "Del")
    menu.addSeparator()
    for text, action, applies, flag, keys in (
        ("Bypass", editor.toggle_bypass, edits.bypassable, "bypassed", "Ctrl+B"),
        ("Mute", editor.toggle_mute, edits.mutable, "muted", "Ctrl+M"),
    ):
        if names := applies(document.shown, chosen):
            entry = _add(menu, text, action, keys)
            entry.setCheckable(True)
            entry.setChecked(all(getattr(document.shown.nodes[name], flag) for name in names))
    menu.addSeparator()
    _of_groups(editor, menu)
    menu.addSeparator()
    if len(chosen) == 1:
        _add(menu, "Rename…", functools.partial(editor.rename, chosen[0]), "F2")
        sockets = [s for s in editor.scene.nodes[chosen[0]].geometry.sockets.values() if s.is_outlet]
        for socket in sockets:
            fill_targets(editor, menu.addMenu(f"Connect {readable(socket.port.name)} to"), socket)
        used = document.shown.of_node(chosen[0])
        if used:
            menu.addAction("Disconnect all", functools.partial(document.disconnect_cables, used))
    _add(menu, "Frame", editor.frame_selection, "Shift+F")


def _of_groups(editor: PatchEditor, menu: QMenu) -> None:
    document, chosen = editor.document, editor.document.selection
    groups = [name for name in chosen if document.shown.nodes[name].inside is not None]
    if len(chosen) == 1 and groups:
        _add(menu, "Open group", editor.open_group, "Return")
        menu.addAction("Save group as…", functools.partial(editor.group_save_requested.emit, groups[0]))
    _add(menu, "Group", editor.group, "Ctrl+G")
    if groups:
        _add(menu, "Ungroup", editor.ungroup, "Ctrl+Shift+G")


def _of_cable(editor: PatchEditor, menu: QMenu, cable: Cable) -> None:
    menu.addSection(f"{cable.source} → {cable.target}")
    if cable.amount is not None:
        menu.addAction("Type the amount…", functools.partial(editor.type_amount, cable))
        menu.addAction(
            "Invert the amount", functools.partial(editor.document.set_amount, cable.source, cable.target, -cable.amount)
        )
    menu.addAction("Insert a node…", functools.partial(editor.search_for_cable, cable))
    menu.addAction("Disconnect", functools.partial(editor.document.disconnect_cables, [cable]))


def _of_canvas(editor: PatchEditor, menu: QMenu) -> None:
    _add(menu, "Add a processor…", editor.add_node_search, "Tab")
    menu.addSeparator()
    _add(menu, "Paste", editor.paste, "Ctrl+V")
    _add(menu, "Select all", editor.select_all, "Ctrl+A")
    menu.addSeparator()
    _add(menu, "Frame all", editor.frame_all, "Home")
    menu.addAction("Arrange", editor.auto_arrange)
    if editor.document.inside:
        menu.addSeparator()
        _add(menu, "Leave group", editor.leave_group, "Alt+Up")


def _add(menu: QMenu, text: str, action: Callable[[], object], keys: str) -> QAction:
    entry: QAction = menu.addAction(text, action)
    entry.setShortcut(QKeySequence(keys))
    return entry
