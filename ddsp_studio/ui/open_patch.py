"""The open patch as the window holds it: what is shown of it, its undo stack, and running drags. `document.py` adds the verbs.

The canvas shows one level of the patch: the patch itself, or the inside of a group that was opened. Names in verbs, in the
selection and in refusals are those of that level; `patch` is always the whole. Values and amounts are announced under the names
of the patch as it is played, groups expanded ("strings/filter"), which `surface` translates for views.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack

from ddsp_studio.processors import nesting
from ddsp_studio.processors.check import check, zones
from ddsp_studio.processors.nesting import Moved, playable
from ddsp_studio.processors.patch import Exposed, Patch, PatchError, Port
from ddsp_studio.ui import commands, edits

_REST_MS = 500
"""A controller that has not moved for this long has been turned: its turn becomes an edit."""


class OpenPatch(QObject):
    """The open patch.

    `changed` follows every edit, undo and redo; a running drag emits `value_changed` or `amount_changed` alone.
    """

    changed = Signal()
    opened = Signal()
    """Another patch took the place of the one before (new, open)."""
    level_changed = Signal()
    """Another group was opened, or left."""
    structure_changed = Signal()
    """Nodes, options or cables differ: the patch must be compiled again."""
    value_changed = Signal(str, str, object)
    """Node (groups expanded), control, values in real units (a tuple, one number a channel)."""
    amount_changed = Signal(str, str, float)
    """Source port, target port (as "node.port", groups expanded), amount."""
    selection_changed = Signal()
    path_changed = Signal()
    settling = Signal()
    """What is being typed into fields should be written now."""
    dirty_changed = Signal(bool)
    refused = Signal(str, str, str)
    """Node, port, reason in one sentence."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self._patch = Patch()
        self._held: Patch | None = self._patch
        self._inside: nesting.Path = ()
        self._selection: tuple[str, ...] = ()
        self.following = False
        """Whether a value is announced that the engine has already."""
        self._before_drag: Patch | None = None
        self._drag: tuple[str, str, str] = ("", "", "")
        self._before_turn: Patch | None = None
        self._turned: dict[Port, None] = {}
        self._turn_rest = QTimer(self, interval=_REST_MS, singleShot=True)
        self._turn_rest.timeout.connect(self._turn_rested)
        self.undo_stack.cleanChanged.connect(self._take_clean)

    def _take_clean(self, clean: bool) -> None:
        if clean:
            self._held = self._patch
        self.dirty_changed.emit(self.dirty)

    def _hold(self) -> None:
        """The patch's file holds it as it is now."""
        self._held = self._patch
        self.undo_stack.setClean()
        self.dirty_changed.emit(False)

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def patch(self) -> Patch:
        """The whole patch as it is now, a running drag included."""
        return self._patch

    @property
    def shown(self) -> Patch:
        """The level that is open: the patch itself, or what is inside the opened group."""
        return nesting.level(self._patch, self._inside)

    @property
    def inside(self) -> nesting.Path:
        """The way to the opened group: names of groups from the outermost in; () while the patch itself is open."""
        return self._inside

    @property
    def shown_ports(self) -> dict[Port, str]:
        """The ports of the open level that its group shows outside, and what they are called there."""
        return {shown.port: shown.name for shown in self._opened_ports()}

    def _opened_ports(self) -> tuple[Exposed, ...]:
        if not self._inside:
            return ()
        held = nesting.level(self._patch, self._inside[:-1]).nodes[self._inside[-1]].inside
        return held.ports if held is not None else ()

    @property
    def held(self) -> Patch | None:
        """The patch that its file holds, or the one that it was begun with; None if nothing but the editor holds it."""
        return self._held

    @property
    def dirty(self) -> bool:
        """Whether there are edits that no file holds, a running drag or turn included."""
        return self._patch != self._held

    @property
    def selection(self) -> tuple[str, ...]:
        """Names of the selected nodes."""
        return self._selection

    def values(self, node: str) -> dict[str, tuple[float, ...]]:
        """Every control's value of a node, defaults included."""
        return edits.values(self.shown, node)

    def surface(self, node: str, port: str) -> Port | None:
        """What a port of the patch as it is played is at the open level; None if it is not seen there."""
        return nesting.surface(self._patch, self._inside, Port(node, port))

    def at_level(self, node: str) -> str:
        """The node of the open level that a node of the patch as it is played is, or is in; "" if it is elsewhere."""
        return nesting.at_level(self._inside, node)

    @property
    def takes_output(self) -> bool:
        """Whether an Output may be added: the patch has none yet, and no group is open."""
        return not self._inside and not edits.has_output(self._patch)

    def problem(self) -> PatchError | None:
        """Why the patch cannot be played, or None."""
        try:
            check(self._patch)
        except PatchError as found:
            return found
        return None

    # -- showing ------------------------------------------------------------------------------------------------------

    def show(self, patch: Patch, selection: Collection[str] | None = None, inside: nesting.Path | None = None) -> None:
        """Make `patch` the current one and tell the views (commands call this); `inside` opens that level."""
        before, self._patch = self._patch, patch
        was, selected = self._inside, self._selection
        self._inside = nesting.existing(patch, self._inside if inside is None else inside)
        kept = (selected if self._inside == was else ()) if selection is None else selection
        self._selection = tuple(name for name in kept if name in self.shown.nodes)
        if self._inside != was:
            self.level_changed.emit()
        if _compiled_form(before) != _compiled_form(patch):
            self.structure_changed.emit()
        else:
            self._tell_values(before)
        self.changed.emit()
        if selected != self._selection:
            self.selection_changed.emit()

    def _tell_values(self, before: Patch) -> None:
        old, new = playable(before), playable(self._patch)
        for name, node in new.nodes.items():
            if node.values != old.nodes[name].values:
                held = edits.values(old, name)
                for control, values in edits.values(new, name).items():
                    if values != held.get(control):
                        self.value_changed.emit(name, control, values)
        amounts = {(c.source, c.target): c.amount for c in old.cables}
        for cable in new.cables:
            if cable.amount is not None and amounts[cable.source, cable.target] != cable.amount:
                self.amount_changed.emit(str(cable.source), str(cable.target), cable.amount)

    def enter(self, group: str) -> bool:
        """Open a group of the open level; whether it is one. This is no edit."""
        node = self.shown.nodes.get(group)
        if node is None or node.inside is None:
            return False
        self.commit()
        self._go((*self._inside, group), ())
        return True

    def leave(self, depth: int | None = None) -> bool:
        """Go back out to the level within `depth` groups (one level out if None), with the group that was left selected."""
        depth = len(self._inside) - 1 if depth is None else depth
        if not 0 <= depth < len(self._inside):
            return False
        self.commit()
        self._go(self._inside[:depth], (self._inside[depth],))
        return True

    def _go(self, inside: nesting.Path, selection: tuple[str, ...]) -> None:
        self._inside, self._selection = inside, selection
        self.level_changed.emit()
        self.selection_changed.emit()

    def select(self, names: Iterable[str]) -> None:
        """Select nodes, the ones named and no others."""
        chosen = tuple(dict.fromkeys(name for name in names if name in self.shown.nodes))
        if chosen != self._selection:
            self._selection = chosen
            self.selection_changed.emit()

    # -- dragging a value ---------------------------------------------------------------------------------------------

    def preview_value(self, node: str, control: str, values: Sequence[float]) -> None:
        """Set a control while it is dragged: sounds at once, no command yet. End with `commit` or `cancel`."""
        self._begin_drag(("value", node, control))
        before = self.shown
        after = self._try(lambda patch: edits.with_control(patch, node, control, values))
        if after is not None and after != before:
            self._patch = nesting.with_level(self._patch, self._inside, after)
            played = self.played(Port(node, control))
            self.value_changed.emit(played.node, played.name, self.values(node)[control])

    def played(self, port: Port) -> Port:
        """A port of the open level under its name in the patch as it is played."""
        found = nesting.deep(self.shown, port) or port
        return Port(nesting.flat_name(self._inside, found.node), found.name)

    def follow_value(self, node: str, control: str, values: Sequence[float]) -> None:
        """Show a control where a MIDI controller has turned it, `node` being named as it is played.

        Once the controllers rest, all of their turn is one edit. A drag of the same control goes on undisturbed, and what is
        unknown is left alone: the patch may have changed meanwhile.
        """
        held = nesting.node_at(self._patch, node)
        spec = nesting.sheet_of(held) if held is not None else None
        dragging = self._before_drag is not None and self._drag[0] == "value"
        dragged = dragging and self.played(Port(*self._drag[1:])) == Port(node, control)
        if held is None or spec is None or control not in spec.controls or dragged:
            return
        if self._before_turn is None:
            self._before_turn = self._before_drag or self._patch
        self._turned[Port(node, control)] = None
        self._turn_rest.start()
        self._patch = _turned(self._patch, node, control, values)
        if self._before_drag is not None:  # a drag of something else runs: its edit comes after this one
            self._before_drag = _turned(self._before_drag, node, control, values)
        self.following = True
        try:
            self.value_changed.emit(node, control, tuple(values))
        finally:
            self.following = False

    def _turn_rested(self) -> None:
        if self._before_drag is not None:
            self._turn_rest.start()  # an edit now would end the drag
        else:
            self._end_turn(self._patch)

    def _end_turn(self, after: Patch) -> None:
        """Make one command of what controllers have turned since they rested last."""
        before, turned = self._before_turn, tuple(self._turned)
        self._before_turn, self._turned = None, {}
        self._turn_rest.stop()
        if before is not None and before != after:
            self.undo_stack.push(commands.Turn(self, before, after, turned))

    def preview_amount(self, source: Port, target: Port, amount: float) -> None:
        """Set a modulation amount, -1 to 1, while it is dragged. End with `commit` or `cancel`."""
        self._begin_drag(("amount", str(source), str(target)))
        after = edits.with_amount(self.shown, source, target, amount)
        self._patch = nesting.with_level(self._patch, self._inside, after)
        self.amount_changed.emit(str(self.played(source)), str(self.played(target)), min(max(amount, -1.0), 1.0))

    def commit(self) -> None:
        """End a drag or a turn, and have fields write what is typed: one command holds all of it; none if nothing differs."""
        self.settling.emit()
        self._end_drag()

    def _end_drag(self) -> None:
        if self._before_drag is None:
            self._end_turn(self._patch)
            return
        before, after, (kind, first, second) = self._before_drag, self._patch, self._drag
        self._before_drag = None
        self._end_turn(before)
        if before == after:
            return
        kept = (
            commands.SetValue(self, before, after, first, second)
            if kind == "value"
            else commands.SetAmount(self, before, after, first, second)
        )
        kept.inside = self._inside
        self.undo_stack.push(kept)

    def cancel(self) -> None:
        """Give up a drag: everything is as it was before."""
        if self._before_drag is not None:
            before, self._before_drag = self._before_drag, None
            self.show(before)

    def _begin_drag(self, drag: tuple[str, str, str]) -> None:
        if self._before_drag is None or self._drag != drag:
            self._end_drag()
        if self._before_drag is None:
            self._before_drag, self._drag = self._patch, drag

    def undo(self) -> None:
        """Undo the last edit; a running drag counts as one."""
        self.commit()
        self.undo_stack.undo()

    def redo(self) -> None:
        """Redo what was undone last."""
        self.commit()
        self.undo_stack.redo()

    # -- edits ----------------------------------------------------------------------------------------------------------

    def _push(self, command: commands.Edit, moved: Moved | None = None) -> bool:
        """Do a command on the open level, unless it would change nothing; `moved` says where it put ports."""
        command.before, command.after = self._patch, nesting.with_level(self._patch, self._inside, command.after, moved)
        return self._do(command)

    def _do(self, command: commands.Edit) -> bool:
        """Do a command on the whole patch, unless it would change nothing, or what no file or group can hold."""
        if command.before == command.after:
            return False
        command.inside = self._inside
        large = edits.too_large(command.after)
        if large and large != edits.too_large(command.before):
            self.refused.emit("", "", large)
            return False
        problem = self._misfit(command.after)
        if problem is not None:
            self.refused.emit(self.at_level(problem.node), problem.port, problem.reason)
            return False
        self.undo_stack.push(command)
        return True

    def _misfit(self, after: Patch) -> PatchError | None:
        """What an edit inside a group would break outside of it: the zones of the whole patch."""
        if not self._inside:
            return None
        try:
            zones(playable(after))
        except PatchError as problem:
            try:
                zones(playable(self._patch))
            except PatchError:
                return None  # it was broken before
            return problem
        return None

    def _try(self, edit: Callable[[Patch], Patch]) -> Patch | None:
        """The open level after an edit; None, and `refused` says why, if the edit is refused."""
        try:
            return edit(self.shown)
        except PatchError as problem:
            self.refused.emit(problem.node, problem.port, problem.reason)
            return None


def _turned(patch: Patch, node: str, control: str, values: Sequence[float]) -> Patch:
    """A patch with a control of a node, named as it is played, at other values."""
    held = nesting.node_at(patch, node)
    if held is None:
        return patch
    return nesting.with_node_at(patch, node, replace(held, values={**held.values, control: tuple(values)}))


def _compiled_form(patch: Patch) -> object:
    """What the engine must be told as a whole when it differs; values and amounts are inputs of the compiled patch."""
    flat = playable(patch)
    nodes = {n: (v.type, v.version, dict(v.options), v.bypassed, v.muted, dict(v.midi)) for n, v in flat.nodes.items()}
    return nodes, {(c.source, c.target, c.amount is None) for c in flat.cables}
