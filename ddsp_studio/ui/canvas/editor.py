"""The node editor as one widget: canvas, search, menus, keys and clipboard. The window builds on its public methods."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMenu, QVBoxLayout, QWidget

from ddsp_studio.processors import nesting
from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.check import OUTPUT
from ddsp_studio.processors.declare import Spec
from ddsp_studio.processors.patch import Cable, Patch, PatchError
from ddsp_studio.ui import edits
from ddsp_studio.ui.canvas import menus
from ddsp_studio.ui.canvas.arrange import natural_places
from ddsp_studio.ui.canvas.breadcrumb import Breadcrumb
from ddsp_studio.ui.canvas.geometry import RowKind, Socket, field_rect
from ddsp_studio.ui.canvas.gestures import snapped
from ddsp_studio.ui.canvas.keys import EditorKeys
from ddsp_studio.ui.canvas.minimap import Minimap
from ddsp_studio.ui.canvas.no_output import NoOutput, loose_end
from ddsp_studio.ui.canvas.scene import Hit, PatchScene, Under
from ddsp_studio.ui.canvas.search import AddSearch
from ddsp_studio.ui.canvas.style import GRID, TITLE, WIDTH
from ddsp_studio.ui.canvas.view import PatchView
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.widgets.texts import amount_text, parse_amount
from ddsp_studio.ui.widgets.type_in import TypeIn

_READABLE = 0.6
"""Zoom under which a patch is not shown by itself: its words would be too small."""

Wish = Socket | Cable | None
"""What asked for a node: a socket to connect it to, a cable to put it on, or nothing."""


class PatchEditor(QWidget):
    """Edits the document's patch."""

    value_menu_opening = Signal(QMenu, str, str)
    """A value's context menu, its node and control as they are played, before it opens: for MIDI learn."""
    group_save_requested = Signal(str)
    """A group that shall be saved for the browser."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.scene = PatchScene(document, self)
        self.view = PatchView(self.scene, self)
        self.minimap = Minimap(self.view)
        self.no_output = NoOutput(self.view, self.add_output)
        self.search = AddSearch(self)
        self.breadcrumb = Breadcrumb(self)
        self._keys = EditorKeys(self)
        self._wish: Wish = None
        self._search_place = QPointF()
        self._framed = False
        self._level: nesting.Path = ()
        self._views: dict[nesting.Path, tuple[float, QPointF]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.breadcrumb)
        layout.addWidget(self.view)
        self.setFocusProxy(self.view)
        self.setAccessibleName("Patch editor")
        self.view.installEventFilter(self)
        self._connect()

    def _connect(self) -> None:
        self.view.search_requested.connect(self._search_at)
        self.view.menu_requested.connect(self._open_menu)
        self.view.double_clicked.connect(self._double_clicked)
        self.view.option_clicked.connect(self._choose_option)
        self.search.chosen.connect(self._add_chosen)
        self.search.closed.connect(self.view.setFocus)
        self.document.refused.connect(self._say_refused)
        self.document.opened.connect(self._show_opened)
        self.document.structure_changed.connect(self.view.abandon_gesture)
        self.document.selection_changed.connect(self._describe)
        self.document.level_changed.connect(self._show_level)
        self.document.changed.connect(self._show_path)
        self.breadcrumb.chosen.connect(self.document.leave)

    # -- showing ------------------------------------------------------------------------------------------------------

    def _show_opened(self) -> None:
        self._framed = False
        self._views.clear()
        if self.isVisible():
            self._frame_once()

    def _frame_once(self) -> None:
        if not self._framed and self.view.viewport().width() > 50:
            self._framed = True
            self._frame_readably()

    def showEvent(self, event: QShowEvent) -> None:
        """Frame the patch when it is first seen."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._frame_once)

    def _frame_again(self) -> None:
        if self.view.untouched:
            self._frame_readably()

    def _frame_readably(self) -> None:
        """Show everything if it can be read then; if not, as much as can be from the upper left on (the map shows the rest)."""
        self.view.show_rect(self.scene.nodes_rect(), least=_READABLE)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole patch in sight until the user takes over, and the minimap in its corner."""
        super().resizeEvent(event)
        if self.view.untouched:
            QTimer.singleShot(0, self, self._frame_again)
        self.minimap.refresh()
        self.no_output.refresh()

    def _show_level(self) -> None:
        """Show another level: on the way in all of it, on the way out as it was left."""
        self.view.abandon_gesture()
        self.search.close_search()
        left, self._level = self._level, self.document.inside
        self._views[left] = self.view.outlook()
        self._show_path()
        if len(self._level) < len(left) and self._level in self._views:
            self.view.look(*self._views.pop(self._level))
            return
        self._framed = False
        if self.isVisible():
            self._frame_once()

    def _show_path(self) -> None:
        names, patch = list[str](), self.document.patch
        for name in self.document.inside:
            names.append(patch.nodes[name].label or name)
            patch = nesting.level(self.document.patch, self.document.inside[: len(names)])
        self.breadcrumb.show_path(self.document.title, names)

    def _describe(self) -> None:
        chosen = self.document.selection
        text = (
            f"{len(chosen)} nodes selected"
            if len(chosen) != 1
            else f"{chosen[0]}, {self.document.shown.nodes[chosen[0]].type}, selected"
        )
        self.view.setAccessibleDescription(text)

    def set_levels(self, levels: Mapping[str, float]) -> None:
        """Feed the nodes' level thumbnails: rms of each node's first audio outlet, linear; call at display rate."""
        self.scene.set_levels(levels)

    def show_problem(self, node: str, port: str, reason: str) -> None:
        """Mark a node (and say why) that keeps the patch from being played."""
        self.scene.show_problem(self.document.at_level(node), port, reason)

    def clear_problems(self) -> None:
        """Take all marks of problems away."""
        self.scene.clear_problems()

    def frame_selection(self) -> None:
        """Show the selected nodes as large as fits; everything if none is selected."""
        self.view.show_rect(self.scene.nodes_rect(self.document.selection or None))

    def frame_all(self) -> None:
        """Show everything as large as fits."""
        self.view.show_rect(self.scene.nodes_rect())

    def _say_refused(self, node: str, port: str, reason: str) -> None:
        at = self.view.pointer_at or self.view.viewport().rect().center()
        self.view.hint(reason, at, linger=True)

    # -- verbs on the selection ---------------------------------------------------------------------------------------

    def copy(self) -> None:
        """Copy the selected nodes and the cables among them as JSON text."""
        if self.document.selection:
            QApplication.clipboard().setText(self.document.copy_text(self.document.selection))

    def cut(self) -> None:
        """Copy the selected nodes and delete them."""
        if self.document.selection:
            self.copy()
            self.document.remove(self.document.selection, "Cut")

    def paste(self) -> None:
        """Paste nodes at the pointer, or in the middle of the view."""
        place = snapped(self._pointer_place())
        self.document.paste(QApplication.clipboard().text(), (place.x(), place.y()))

    def duplicate(self) -> None:
        """Duplicate the selected nodes with the cables among them."""
        if self.document.selection:
            self.document.duplicate(self.document.selection)

    def delete(self) -> None:
        """Delete the selected cable, or the selected nodes."""
        ends = self.scene.selected_cable
        if ends is not None and ends in self.scene.cables:
            self.document.disconnect_cables([self.scene.cables[ends].cable])
        else:
            self.document.remove(self.document.selection)

    def select_all(self) -> None:
        """Select every node."""
        self.document.select(self.document.shown.nodes)

    def toggle_bypass(self) -> None:
        """Bypass the selected nodes, or take them in again if all are bypassed."""
        chosen = edits.bypassable(self.document.shown, self.document.selection)
        self.document.bypass(chosen, not all(self.document.shown.nodes[n].bypassed for n in chosen))
        if self.document.selection and not chosen:
            self._say_refused("", "", "there is no audio to pass around this")

    def toggle_mute(self) -> None:
        """Mute the selected nodes, or unmute them if all are muted."""
        chosen = edits.mutable(self.document.shown, self.document.selection)
        self.document.mute(chosen, not all(self.document.shown.nodes[n].muted for n in chosen))
        if self.document.selection and not chosen:
            self._say_refused("", "", "there is no audio to mute here")

    def auto_arrange(self) -> None:
        """Place all nodes in columns from the sources to the output, as one edit."""
        try:
            places = natural_places(self.document.shown)
        except PatchError as problem:
            self._say_refused(problem.node, problem.port, problem.reason)
            return
        self.document.move(places, "Arrange")
        self.frame_all()

    # -- groups -------------------------------------------------------------------------------------------------------

    def group(self) -> None:
        """Put the selected nodes into a group."""
        self.document.group(self.document.selection)

    def ungroup(self) -> None:
        """Put what the selected groups hold in their place."""
        if not self.document.ungroup(self.document.selection):
            self._say_refused("", "", "select a group to take it apart")

    def open_group(self) -> None:
        """Open the selected group."""
        chosen = self.document.selection
        if not (len(chosen) == 1 and self.document.enter(chosen[0])):
            self._say_refused("", "", "select a group to open it")

    def leave_group(self) -> None:
        """Go back out of the opened group."""
        self.document.leave()

    def insert_group(self, patch: Patch) -> None:
        """Add a whole patch as a group, in the middle of the view."""
        middle = snapped(self.view.mapToScene(self.view.viewport().rect().center()))
        self.document.insert_group(patch, (middle.x(), middle.y()))

    def rename_port(self, socket: Socket, outer: str, group: str) -> None:
        """Open an editor over a port's socket for its outer name; `group` is "" for the opened one."""

        def renamed(text: str) -> float:
            if text.strip() != outer and not self.document.rename_port(outer, text.strip(), group):
                raise ValueError(self.view.hint_text or "this name is not possible")
            return 0.0

        place = self.scene.nodes[socket.port.node].mapToScene(socket.place)
        left = place.x() - (WIDTH / 2.0 if socket.is_outlet else 0.0)
        editor = TypeIn(self.view.viewport(), outer, renamed, lambda _: None)
        self._open_type_in(QRectF(left, place.y() - 11.0, WIDTH / 2.0, 22.0), editor, None)

    # -- adding -------------------------------------------------------------------------------------------------------

    def _pointer_place(self) -> QPointF:
        at = self.view.pointer_at
        return self.view.mapToScene(at if at is not None else self.view.viewport().rect().center())

    def add_node_search(self) -> None:
        """Open the search at the pointer, or in the middle of the view."""
        self._search_at(self.view.pointer_at or self.view.viewport().rect().center(), None)

    def search_for_socket(self, socket: Socket) -> None:
        """Open the search for a node to connect to a socket, beside it."""
        place = self.scene.nodes[socket.port.node].mapToScene(socket.place)
        self._search_at(self.view.mapFromScene(place + QPointF(60.0 if socket.is_outlet else -60.0, 0.0)), socket)

    def search_for_cable(self, cable: Cable) -> None:
        """Open the search for a node to put on a cable."""
        start, end = self.scene.cables[cable.source, cable.target].ends()
        self._search_at(self.view.mapFromScene((start + end) / 2.0), cable)

    def _search_at(self, at: QPoint, wish: Wish) -> None:
        self._wish, self._search_place = wish, self.view.mapToScene(at)
        patch = self.document.shown
        known = [s for s in specs().values() if s.name != OUTPUT or self.document.takes_output]
        heading = ""
        if isinstance(wish, Socket):
            known = [s for s in known if fits_socket(patch, s, wish)]
            heading = f"Connect {wish.port} to" if wish.is_outlet else f"Feed {wish.port} from"
        elif isinstance(wish, Cable):
            known = [s for s in known if fits_cable(patch, s, wish)]
            heading = f"Insert between {wish.source} and {wish.target}"
        self.search.open_at(self.view.mapTo(self, at), known, heading)

    def _add_chosen(self, type_name: str) -> None:
        wish, place = self._wish, self._search_place
        if isinstance(wish, Socket):
            place = place - QPointF(0.0 if wish.is_outlet else WIDTH, TITLE + 14.0)
        elif isinstance(wish, Cable):
            place = place - QPointF(WIDTH / 2.0, TITLE)
        spot = snapped(place)
        self.document.add_node(
            type_name,
            (spot.x(), spot.y()),
            source=wish.port if isinstance(wish, Socket) and wish.is_outlet else None,
            target=wish.port if isinstance(wish, Socket) and not wish.is_outlet else None,
            cable=wish if isinstance(wish, Cable) else None,
        )

    def add_output(self) -> None:
        """Add an Output to the right of the patch, connected to what was not heard yet, and show it."""
        around, source = self.scene.nodes_rect(), loose_end(self.document.patch)
        top = self.scene.nodes[source.node].y() if source is not None else around.top()
        spot, untouched = snapped(QPointF(around.right() + 3 * GRID, top)), self.view.untouched
        name = self.document.add_node(OUTPUT, (spot.x(), spot.y()), source=source)
        if untouched:
            self._frame_readably()
        elif name:
            self.view.ensureVisible(self.scene.nodes[name].scene_rect())

    # -- typing -------------------------------------------------------------------------------------------------------

    def _open_type_in(self, place: QRectF, editor: TypeIn, text: str | None) -> None:
        rect: QRect = self.view.mapFromScene(place).boundingRect()
        rect.setHeight(max(rect.height(), 22))
        rect.setWidth(max(rect.width(), 70))
        editor.closed.connect(self.view.setFocus)
        self.view.viewed.connect(editor.dismiss)
        self.document.opened.connect(editor.dismiss)
        editor.begin(rect, text)

    def type_value(self, node: str, control: str, text: str | None = None) -> None:
        """Open an editor over a control's field; Tab goes on to the next one."""
        item = self.scene.nodes[node]
        row = next((r for r in item.geometry.rows if r.kind is RowKind.VALUE and r.name == control), None)
        if row is None or item.spec is None:
            return
        declared, value = item.spec.controls[control], item.values[control][0]
        editor = TypeIn(
            self.view.viewport(),
            declared.format(value),
            declared.parse,
            lambda typed: self.document.set_value(node, control, [typed]),
        )
        editor.stepped.connect(lambda step: self._type_next(node, control, step))
        self._open_type_in(item.mapRectToScene(field_rect(row)), editor, text)

    def _type_next(self, node: str, control: str, step: int) -> None:
        names = self.typeable(node)
        if control in names:
            self.type_value(node, names[(names.index(control) + step) % len(names)])

    def typeable(self, node: str) -> list[str]:
        """The controls of a node whose values can be typed on the canvas."""
        item = self.scene.nodes[node]
        return [r.name for r in item.geometry.rows if r.kind is RowKind.VALUE and r.name not in item.driven_by]

    def type_amount(self, cable: Cable) -> None:
        """Open an editor over a modulation cable's amount."""
        item = self.scene.cables[cable.source, cable.target]
        editor = TypeIn(
            self.view.viewport(),
            amount_text(cable.amount or 0.0),
            parse_amount,
            lambda typed: self.document.set_amount(cable.source, cable.target, typed),
        )
        self._open_type_in(item.pill(), editor, None)

    def rename(self, node: str) -> None:
        """Open an editor over a node's title."""
        item = self.scene.nodes[node]

        def renamed(text: str) -> float:
            if text.strip() != node and not self.document.rename(node, text.strip()):
                raise ValueError(self.view.hint_text or "this name is not possible")
            return 0.0

        editor = TypeIn(self.view.viewport(), node, renamed, lambda _: None)
        self._open_type_in(item.mapRectToScene(QRectF(4.0, 3.0, WIDTH - 8.0, TITLE - 4.0)), editor, None)

    def _choose_option(self, node: str, option: str, at: QPoint) -> None:
        spec = self.scene.nodes[node].spec
        if spec is None:
            return
        now, menu = spec.option_values(self.document.shown.nodes[node].options)[option], QMenu(self)
        for choice in spec.options[option].choices:
            entry = menu.addAction(choice)
            entry.setCheckable(True)
            entry.setChecked(choice == now)
        chosen = menu.exec(self.view.viewport().mapToGlobal(at))
        if chosen is not None:
            self.document.set_option(node, option, chosen.text())
        menu.deleteLater()

    # -- clicks and keys ----------------------------------------------------------------------------------------------

    def _double_clicked(self, hit: Hit) -> None:
        if hit.under is Under.NOTHING:
            self.add_node_search()
        elif hit.under is Under.AMOUNT and hit.cable is not None:
            self.type_amount(hit.cable)
        elif hit.under is Under.CABLE and hit.cable is not None:
            self.search_for_cable(hit.cable)
        elif hit.under is Under.ROW and hit.row is not None:
            self._reset_row(hit)
        elif hit.under is Under.NODE and hit.row is None and not self.document.enter(hit.node):
            self.rename(hit.node)

    def _reset_row(self, hit: Hit) -> None:
        item = self.scene.nodes[hit.node]
        if hit.row is not None and hit.row.kind is RowKind.VALUE and item.spec is not None and hit.row.name not in item.driven_by:
            self.document.set_value(hit.node, hit.row.name, item.spec.controls[hit.row.name].defaults(1))

    def _open_menu(self, at: QPoint, hit: Hit) -> None:
        if hit.node and hit.node not in self.document.selection:
            self.document.select([hit.node])
        if hit.cable is not None:
            self.scene.select_cable(hit.cable)
        menu = menus.build(self, hit)
        menu.exec(self.view.viewport().mapToGlobal(at))
        menu.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the canvas."""
        if watched is self.view and isinstance(event, QKeyEvent):
            return self._keys.handle(event)
        if watched is self.view and event.type() is QEvent.Type.FocusOut:
            self._keys.forget()
        return False

    def open_menu_by_key(self) -> None:
        """Open the menu of the selected node, or of the canvas."""
        chosen = self.document.selection
        hit = Hit(Under.NODE, chosen[0]) if chosen else Hit()
        place = self.scene.nodes[chosen[0]].scene_rect().center() if chosen else self.view.visible_rect().center()
        self._open_menu(self.view.mapFromScene(place), hit)


def fits_socket(patch: Patch, spec: Spec, socket: Socket) -> bool:
    """Whether a processor type has a port that a cable from or to a socket can take."""
    ends = {"source": socket.port} if socket.is_outlet else {"target": socket.port}
    return bool(edits.fitting_ports(patch, spec.name, **ends))


def fits_cable(patch: Patch, spec: Spec, cable: Cable) -> bool:
    """Whether a processor type can be put on a cable."""
    return edits.is_insertable(patch, spec.name, cable)
