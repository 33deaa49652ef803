"""The view of the canvas: zoom and pan, and which gesture a press begins."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLineF, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QLabel, QToolTip, QWidget

from ddsp_studio.processors.patch import Cable
from ddsp_studio.ui import theme
from ddsp_studio.ui.canvas import tips
from ddsp_studio.ui.canvas.geometry import RowKind, Socket
from ddsp_studio.ui.canvas.gesture_cable import DragCable
from ddsp_studio.ui.canvas.gesture_value import DragAmount, DragValue, DrawBars
from ddsp_studio.ui.canvas.gestures import CutCables, Gesture, MoveNodes, Pan, Pointer, RubberBand
from ddsp_studio.ui.canvas.scene import Hit, PatchScene, Under
from ddsp_studio.ui.canvas.style import GRID, METER
from ddsp_studio.ui.widgets.paint import ink

_ZOOMS = (0.08, 4.0)
_WHEEL_ZOOM = 1.0015
_LINGER_MS, _HINT_WIDTH = 3500, 360
_DOT, _LEAST_DOT_PITCH = 1.5, 24.0


class PatchView(QGraphicsView):
    """Shows a PatchScene and turns mouse events into gestures."""

    search_requested = Signal(QPoint, object)
    """Where, and the Socket, the Cable or None that asks for a node."""
    menu_requested = Signal(QPoint, object)
    """Where, and the Hit that was clicked."""
    double_clicked = Signal(object)
    """The Hit."""
    option_clicked = Signal(str, str, QPoint)
    viewed = Signal()
    """The visible part changed."""

    def __init__(self, scene: PatchScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self.patch_scene, self.document = scene, scene.document
        self.gesture: Gesture | None = None
        self.pointer_at: QPoint | None = None
        self.under = Hit()
        self._space = self._space_panned = False
        self.untouched = False
        """Whether the view is as it was framed: nothing was zoomed, panned or pressed since."""
        self._hint = _Hint(self.viewport())
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptDrops(False)  # files dropped here are the window's
        self.setMouseTracking(True)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Patch canvas")

    # -- zoom and pan -------------------------------------------------------------------------------------------------

    def zoom(self) -> float:
        """View pixels a scene unit."""
        return self.transform().m11()

    def zoom_by(self, factor: float, at: QPointF) -> None:
        """Zoom, keeping the scene point under a view point where it is."""
        self.untouched = False
        target = min(max(self.zoom() * factor, _ZOOMS[0]), _ZOOMS[1])
        before = self.mapToScene(at.toPoint())
        self.scale(target / self.zoom(), target / self.zoom())
        after = self.mapToScene(at.toPoint())
        self.translate(after.x() - before.x(), after.y() - before.y())
        self.viewed.emit()

    def pan_by(self, pixels: QPointF) -> None:
        """Move the picture by view pixels."""
        self.untouched = False
        self.translate(pixels.x() / self.zoom(), pixels.y() / self.zoom())
        self.viewed.emit()

    def show_rect(self, rect: QRectF, *, margin: float = 48.0, least: float = 0.0) -> None:
        """Frame a scene rectangle, at 100 % at most; where it does not fit at the `least` zoom, its upper left part."""
        if rect.isEmpty() or self.viewport().width() < 10:
            return
        size = self.viewport().size()
        margin = min(margin, size.width() * 0.04, size.height() * 0.08)
        room_x, room_y = max(size.width() - 2 * margin, 50.0), max(size.height() - 2 * margin, 50.0)
        zoom = min(max(min(room_x / rect.width(), room_y / rect.height()), least, _ZOOMS[0]), 1.0)
        seen = QPointF(min(rect.width(), room_x / zoom), min(rect.height(), room_y / zoom))
        self.look(zoom, rect.topLeft() + seen / 2.0)
        self.untouched = True

    def outlook(self) -> tuple[float, QPointF]:
        """The zoom and the scene point in the middle, as `look` takes them."""
        return self.zoom(), self.mapToScene(self.viewport().rect().center())

    def look(self, zoom: float, middle: QPointF) -> None:
        """Show a scene point in the middle, at a zoom."""
        self.resetTransform()
        self.scale(zoom, zoom)
        centre = self.mapToScene(self.viewport().rect().center())
        self.translate(centre.x() - middle.x(), centre.y() - middle.y())
        self.viewed.emit()

    def visible_rect(self) -> QRectF:
        """What is visible, in scene coordinates."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel zooms at the pointer; a touchpad pans, with Ctrl it zooms."""
        touchpad = event.phase() is not Qt.ScrollPhase.NoScrollPhase and not event.pixelDelta().isNull()
        if touchpad and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.pan_by(QPointF(event.pixelDelta()))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            delta = event.angleDelta()
            self.pan_by(QPointF(delta.y() or delta.x(), 0.0) * 0.5)
        else:
            self.zoom_by(_WHEEL_ZOOM ** event.angleDelta().y(), event.position())
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        """Tooltips, and pinching on a touchpad."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            hit = self.patch_scene.hit(self.mapToScene(event.pos()), self.zoom())
            QToolTip.showText(event.globalPos(), tips.of(self.document, hit), self.viewport())
            return True
        if isinstance(event, QNativeGestureEvent) and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(1.0 + event.value(), event.position())
            return True
        return super().viewportEvent(event)

    # -- hints at the pointer -----------------------------------------------------------------------------------------

    def hint(self, text: str, at: QPoint, *, good: bool = False, linger: bool = False) -> None:
        """Show a short text at the pointer: a reason, or with `good` a reading."""
        self._hint.say(text, at, good=good, linger=linger)

    def hide_hint(self) -> None:
        """Take the text away."""
        self._hint.hide()

    @property
    def hint_text(self) -> str:
        """The text that is shown at the pointer, or ""."""
        return self._hint.text() if self._hint.isVisibleTo(self) else ""

    # -- mouse --------------------------------------------------------------------------------------------------------

    def _pointer(self, event: QMouseEvent) -> Pointer:
        at = event.position().toPoint()
        self.pointer_at = at
        return Pointer(self.viewportTransform().inverted()[0].map(event.position()), at, event.modifiers())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin the gesture that fits what was pressed."""
        self.setFocus()
        self.untouched = False
        pointer = self._pointer(event)
        hit = self.patch_scene.hit(pointer.place, self.zoom())
        if self.gesture is not None:
            return
        button = event.button()
        if button is Qt.MouseButton.MiddleButton or (button is Qt.MouseButton.LeftButton and self._space):
            self.gesture = Pan(self, pointer)
            self._space_panned = True
        elif button is Qt.MouseButton.RightButton and pointer.holds(Qt.KeyboardModifier.ControlModifier):
            self.gesture = CutCables(self, pointer)
        elif button is Qt.MouseButton.LeftButton:
            self.hide_hint()
            self.gesture = self._gesture_for(hit, pointer)
        if self.gesture is not None and self.gesture.cursor is not None:
            self.viewport().setCursor(self.gesture.cursor)
        event.accept()

    def _gesture_for(self, hit: Hit, pointer: Pointer) -> Gesture | None:
        if hit.under is Under.SOCKET and hit.socket is not None:
            return self._cable_gesture(hit.socket, pointer)
        if hit.under is Under.AMOUNT and hit.cable is not None:
            return DragAmount(self, pointer, hit.cable)
        if hit.under is Under.CABLE and hit.cable is not None:
            self.patch_scene.select_cable(hit.cable)
            return self._loose_end(hit.cable, pointer)
        if hit.under is Under.ROW:
            return self._row_gesture(hit, pointer)
        if hit.under is Under.NODE:
            return MoveNodes(self, pointer, hit.node)
        return RubberBand(self, pointer)

    def _cable_gesture(self, socket: Socket, pointer: Pointer) -> Gesture:
        into = [] if socket.is_outlet else self.document.shown.into(socket.port)
        if into and not pointer.holds(Qt.KeyboardModifier.ControlModifier):
            held = self._socket_of(into[-1], outlet=True)
            if held is not None:
                return DragCable(self, pointer, held, taken=into[-1])
        return DragCable(self, pointer, socket)

    def _loose_end(self, cable: Cable, pointer: Pointer) -> Gesture | None:
        """Dragging a cable takes off the end that is nearer to the pointer."""
        item = self.patch_scene.cables[cable.source, cable.target]
        held = self._socket_of(cable, outlet=item.end_near(pointer.place))
        return DragCable(self, pointer, held, taken=cable) if held is not None else None

    def _socket_of(self, cable: Cable, *, outlet: bool) -> Socket | None:
        port = cable.source if outlet else cable.target
        return self.patch_scene.nodes[port.node].geometry.socket(port.name, is_outlet=outlet)

    def _row_gesture(self, hit: Hit, pointer: Pointer) -> Gesture | None:
        item, row = self.patch_scene.nodes[hit.node], hit.row
        if row is None or item.spec is None:
            return None
        toggles = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        if hit.node not in self.document.selection and not pointer.modifiers & toggles:
            self.document.select([hit.node])
        if row.kind is RowKind.MORE:
            self.patch_scene.toggle_fold(hit.node)
            return None
        if row.kind is RowKind.OPTION:
            self.option_clicked.emit(hit.node, row.name, pointer.at)
            return None
        if row.name in item.driven_by:
            return MoveNodes(self, pointer, hit.node)
        control, values = item.spec.controls[row.name], item.values[row.name]
        if row.kind is RowKind.BARS:
            return DrawBars(self, pointer, hit.node, row, control, values)
        return DragValue(self, pointer, hit.node, row.name, control, values[0])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Hand the movement to the gesture, or light what is under the pointer."""
        pointer = self._pointer(event)
        if self.gesture is not None:
            self.gesture.move(pointer)
        else:
            self._hover(self.patch_scene.hit(pointer.place, self.zoom()))

    def _hover(self, hit: Hit) -> None:
        if hit == self.under:
            return
        self.under = hit
        if hit.cable is not None:
            self.patch_scene.light_cable(hit.cable)
        else:
            self.patch_scene.light(hit.socket.port if hit.socket else None)
        for name, item in self.patch_scene.nodes.items():
            item.mark(hovered=name == hit.node)
        self.viewport().setCursor(_cursor_for(hit, space=self._space))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the gesture."""
        if self.gesture is not None and not event.buttons():
            pointer, gesture = self._pointer(event), self.gesture
            self.gesture = None
            gesture.release(pointer)
            self.viewport().update()
            self.under = Hit(Under.NODE, "?")  # what is under the pointer is found anew
            self._hover(self.patch_scene.hit(pointer.place, self.zoom()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Tell what was double-clicked."""
        if event.button() is Qt.MouseButton.LeftButton and not self._space:
            self.cancel_gesture()
            pointer = self._pointer(event)
            self.double_clicked.emit(self.patch_scene.hit(pointer.place, self.zoom()))

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self.pointer_at = None
        self._hover(Hit())
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of what is under the pointer, or of the selection."""
        if self.gesture is None and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.menu_requested.emit(event.pos(), self.patch_scene.hit(self.mapToScene(event.pos()), self.zoom()))

    def cancel_gesture(self) -> bool:
        """Give up a running gesture; whether there was one."""
        gesture, self.gesture = self.gesture, None
        if gesture is not None:
            gesture.cancel()
            self.viewport().update()
        return gesture is not None

    def abandon_gesture(self) -> None:
        """Forget a running gesture, for what it holds may be gone (an undo in the middle of a drag)."""
        if self.gesture is not None:
            self.gesture = None
            self.patch_scene.allow(None)
            self.patch_scene.light(None)
            for item in self.patch_scene.cables.values():
                item.show_all(True)
            self.hide_hint()

    @property
    def space_held(self) -> bool:
        """Whether the space bar was pressed here and is held."""
        return self._space

    def hold_space(self, held: bool) -> bool:
        """While the space bar is held the left button pans; whether it has since it was pressed."""
        panned, self._space_panned, self._space = self._space_panned, False, held
        self.viewport().setCursor(_cursor_for(self.under, space=held))
        return panned

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No key is held any more."""
        self._space = False
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys are the editor's: QGraphicsView would scroll."""
        event.ignore()

    # -- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint; when nothing but level thumbnails changed, nodes paint no more than those."""
        meters = QRegion()
        for item in self.patch_scene.nodes.values():
            if item.has_levels():
                meters += self.mapFromScene(item.mapRectToScene(METER)).boundingRect().adjusted(-2, -2, 2, 2)
        self.patch_scene.levels_only = event.region().subtracted(meters).isEmpty()
        super().paintEvent(event)
        self.patch_scene.levels_only = False

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:  # type: ignore[override]
        """Paint the canvas and the grid's dots."""
        painter.fillRect(rect, ink(theme.CANVAS))
        step = GRID * 2.0
        while step * self.zoom() < _LEAST_DOT_PITCH:
            step *= 2.0
        left, top = (rect.left() // step) * step, (rect.top() // step) * step
        pen = QPen(ink(theme.HOVER), _DOT, c=Qt.PenCapStyle.FlatCap)
        pen.setCosmetic(True)
        pen.setDashPattern([1.0, step * self.zoom() / _DOT - 1.0])  # a dotted line a row is much quicker than points
        painter.setPen(pen)
        rows = int(rect.height() / step) + 2
        painter.drawLines([QLineF(left, top + y * step, rect.right(), top + y * step) for y in range(rows)])

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:  # type: ignore[override]
        """Paint the running gesture, or say how to begin."""
        if self.gesture is not None:
            painter.save()
            self.gesture.paint(painter)
            painter.restore()
        if not self.patch_scene.nodes:
            painter.save()
            painter.resetTransform()
            painter.setPen(ink(theme.TEXT_FAINT))
            painter.setFont(theme.font(14))
            text = "Press Tab or double-click to add a processor"
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, text)
            painter.restore()


def _cursor_for(hit: Hit, *, space: bool) -> Qt.CursorShape:
    if space:
        return Qt.CursorShape.OpenHandCursor
    if hit.under is Under.SOCKET:
        return Qt.CursorShape.CrossCursor
    if hit.under is Under.AMOUNT or (hit.row is not None and hit.under is Under.ROW and hit.row.kind is RowKind.VALUE):
        return Qt.CursorShape.SizeVerCursor
    if hit.under is Under.ROW and hit.row is not None and hit.row.kind is RowKind.BARS:
        return Qt.CursorShape.CrossCursor
    if hit.under in (Under.ROW, Under.CABLE):
        return Qt.CursorShape.PointingHandCursor
    return Qt.CursorShape.ArrowCursor


class _Hint(QLabel):
    """A short text beside the pointer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._room = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setWordWrap(True)
        self._rest = QTimer(self, singleShot=True, interval=_LINGER_MS)
        self._rest.timeout.connect(self.hide)
        self.hide()

    def say(self, text: str, at: QPoint, *, good: bool, linger: bool) -> None:
        """Show a text."""
        edge, ground = (theme.ACCENT_DEEP, theme.RAISED) if good else (theme.DANGER, "#3a1f22")
        self.setStyleSheet(
            f"background: {ground}; color: {theme.TEXT}; border: 1px solid {edge}; border-radius: 4px; padding: 4px 7px;"
        )
        self.setText(text)
        self.setFixedWidth(min(self.fontMetrics().horizontalAdvance(text) + 26, _HINT_WIDTH))
        self.adjustSize()
        room = self._room.rect()
        x = min(at.x() + 16, room.width() - self.width() - 4)
        y = at.y() + 18 if at.y() + 18 + self.height() < room.height() else at.y() - self.height() - 8
        self.move(max(x, 2), max(y, 2))
        self.show()
        self.raise_()
        self._rest.stop()
        if linger:
            self._rest.start()
