"""The document: the open patch, its file, its undo stack and the selection. The only writer of the model.

Views listen to its signals and call its verbs. A verb that the rules of a patch refuse changes nothing, emits `refused`
with the reason and returns a false value. Verbs work on the level of the patch that is open: see `open_patch.py`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from ddsp_studio.processors import nesting, patch_file
from ddsp_studio.processors.catalogue import package_of, specs
from ddsp_studio.processors.check import OUTPUT
from ddsp_studio.processors.declare import OptionValue
from ddsp_studio.processors.patch import Cable, Controller, Node, Patch, PatchError, Port
from ddsp_studio.ui import commands, edits
from ddsp_studio.ui.group_verbs import GroupVerbs

Position = tuple[float, float]
SHIFT = 32.0
"""How far a duplicate lands from its original, in scene units, right and down."""


class Document(GroupVerbs):
    """The open patch with its file and its verbs."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None

    @property
    def path(self) -> Path | None:
        """The patch's file; None while it has none."""
        return self._path

    @property
    def title(self) -> str:
        """What to call the document: the file's name, or the patch's."""
        return self._path.stem if self._path else self._patch.name

    # -- files --------------------------------------------------------------------------------------------------------

    def new(self, patch: Patch | None = None) -> None:
        """Begin with `patch` (an empty one if None) that has no file yet."""
        self._begin(patch or Patch(), None)

    def open(self, path: Path) -> None:
        """Open a patch file; nothing changes if that fails.

        Raises:
            PatchError, OSError: with the reason.
        """
        self._begin(patch_file.load(Path(path)), Path(path))

    def recover(self, patch: Patch, path: Path | None) -> None:
        """Take up unsaved work: the document is dirty from the start."""
        self._begin(patch, path)
        self._held = None
        self.undo_stack.resetClean()

    def save(self) -> None:
        """Save to the document's own file. The undo stack stays.

        Raises:
            OSError: the file cannot be written, or the document has none yet.
        """
        if self._path is None:
            raise OSError("the patch has no file yet")
        self.commit()
        patch_file.save(self._patch, self._path)
        self._hold()

    def save_as(self, path: Path) -> None:
        """Save to a file and keep working on that one; an untitled patch takes the file's name.

        Raises:
            OSError: the file cannot be written.
        """
        path = Path(path)
        self.commit()
        name = path.stem if self._patch.name in ("", "Untitled") else self._patch.name
        patch_file.save(replace(self._patch, name=name), path)
        self.set_properties(name=name)
        self._path = path
        self._hold()
        self.path_changed.emit()

    def place(self, path: Path | None, held: Patch | None) -> None:
        """Work on another file from now on (None: on none yet), and on what it holds; nothing is written."""
        self._path, self._held = path, held
        self.path_changed.emit()

    def _begin(self, patch: Patch, path: Path | None) -> None:
        self._before_drag = self._before_turn = None
        self._turned.clear()
        self._turn_rest.stop()
        self.undo_stack.clear()
        self._patch = self._held = patch
        self._path, self._selection, self._inside = path, (), ()
        self.level_changed.emit()
        self.selection_changed.emit()
        self.structure_changed.emit()
        self.changed.emit()
        self.path_changed.emit()
        self.opened.emit()

    # -- verbs --------------------------------------------------------------------------------------------------------

    def add_node(
        self,
        type_name: str,
        position: Position,
        *,
        source: Port | None = None,
        target: Port | None = None,
        cable: Cable | None = None,
    ) -> str:
        """Add a node of a type and return its name; "" if it is refused, as a second Output is.

        A `source` outlet or a `target` socket that asked for it is connected to its first port that fits; a `cable` is
        taken apart and put together through it.
        """
        self._end_drag()
        if type_name == OUTPUT and not self.takes_output:
            self.refused.emit("", "", "the Output stays outside of groups" if self._inside else "a patch has one Output")
            return ""
        before = self.shown
        name = before.free_name(type_name)
        node = Node(type_name, specs()[type_name].version, position=position, package=package_of(type_name))
        plain = after = before.with_node(name, node)
        try:
            if cable is not None:
                after = edits.inserted(after, name, cable)
            elif source is not None and (ports := edits.fitting_ports(before, type_name, source=source)):
                after = edits.connected(after, source, Port(name, ports[0]))
            elif target is not None and (ports := edits.fitting_ports(before, type_name, target=target)):
                after = edits.connected(after, Port(name, ports[0]), target)
            if (problem := self._misfit(nesting.with_level(self._patch, self._inside, after))) is not None:
                after = plain
                self.refused.emit(self.at_level(problem.node), problem.port, problem.reason)
        except PatchError as problem:
            self.refused.emit(problem.node, problem.port, problem.reason)
        return name if self._push(commands.AddNode(self, before, after, name)) else ""

    def insert(self, name: str, cable: Cable, position: Position | None = None) -> bool:
        """Put an existing node on a cable, at `position` if given."""
        self._end_drag()
        after = self._try(lambda patch: edits.inserted(_placed(patch, {name: position} if position else {}), name, cable))
        return after is not None and self._push(commands.InsertNode(self, self.shown, after, name))

    def remove(self, names: Iterable[str], verb: str = "Delete") -> bool:
        """Remove nodes; audio that ran through them goes on where it fits."""
        self._end_drag()
        held = [name for name in names if name in self.shown.nodes]
        after, moved = edits.healed_without(self.shown, held), edits.healed_ports(self.shown, held)
        return bool(held) and self._push(commands.RemoveNodes(self, self.shown, after, held, verb), moved)

    def why_not(self, source: Port, target: Port, base: Patch | None = None) -> str | None:
        """Why `connect` would refuse, in one sentence; None if it would connect. `base` stands for the open level."""
        level = self.shown if base is None else base
        reason = edits.why_not(level, source, target)
        if reason is not None or not self._inside:
            return reason
        problem = self._misfit(nesting.with_level(self._patch, self._inside, edits.connected(level, source, target)))
        return problem.reason if problem is not None else None

    def connect_ports(self, source: Port, target: Port, amount: float | None = None) -> bool:
        """Connect an outlet to an inlet or control; refused with the reason where they do not fit."""
        self._end_drag()
        if any((c.source, c.target) == (source, target) for c in self.shown.cables) and amount is None:
            return False
        after = self._try(lambda patch: edits.connected(patch, source, target, amount))
        return after is not None and self._push(commands.Connect(self, self.shown, after, source, target))

    def disconnect_cables(self, cables: Collection[Cable]) -> bool:
        """Take cables off."""
        self._end_drag()
        after = self.shown.without_cables(cables)
        return bool(cables) and self._push(commands.Disconnect(self, self.shown, after, cables))

    def reconnect(self, cable: Cable, source: Port, target: Port) -> bool:
        """Plug one end of a cable into another port; a modulation keeps its amount where it stays one."""
        self._end_drag()
        if (source, target) == (cable.source, cable.target):
            return False

        def edit(patch: Patch) -> Patch:
            moved = edits.connected(patch.without_cables([cable]), source, target)
            kept = next(c for c in moved.cables if (c.source, c.target) == (source, target))
            return (
                edits.with_amount(moved, source, target, cable.amount)
                if kept.amount is not None and cable.amount is not None
                else moved
            )

        after = self._try(edit)
        return after is not None and self._push(commands.Connect(self, self.shown, after, source, target))

    def set_value(self, node: str, control: str, values: Sequence[float]) -> None:
        """Set a control, real units, one number a channel, held to its range."""
        self._end_drag()
        self.preview_value(node, control, values)
        self._end_drag()

    def set_amount(self, source: Port, target: Port, amount: float) -> None:
        """Set the amount of a modulation cable, held to -1..1."""
        self._end_drag()
        self.preview_amount(source, target, amount)
        self._end_drag()

    def set_option(self, node: str, option: str, value: OptionValue) -> bool:
        """Choose an option; cables that no longer fit are taken off."""
        self._end_drag()
        after = self._try(lambda patch: edits.with_option(patch, node, option, value))
        return after is not None and self._push(commands.SetOption(self, self.shown, after, node, option))

    def move(self, positions: Mapping[str, Position], verb: str = "Move") -> bool:
        """Place nodes (scene units)."""
        self._end_drag()
        moved = {n: p for n, p in positions.items() if n in self.shown.nodes and self.shown.nodes[n].position != p}
        return bool(moved) and self._push(commands.Move(self, self.shown, _placed(self.shown, moved), list(moved), verb))

    def rename(self, old: str, new: str) -> bool:
        """Give a node another name; refused if it is taken or no name."""
        self._end_drag()
        after = self._try(lambda patch: patch.renamed(old, new))
        return after is not None and self._push(
            commands.Rename(self, self.shown, after, old, new), lambda port: Port(new, port.name) if port.node == old else port
        )

    def set_label(self, node: str, label: str) -> bool:
        """Give a node a label, free text that is shown instead of its name; "" takes it away."""
        self._end_drag()
        after = self.shown.with_node(node, replace(self.shown.nodes[node], label=label.strip()[:200]))
        return self._push(commands.Relabel(self, self.shown, after, node))

    def bypass(self, names: Iterable[str], on: bool) -> bool:
        """Pass the audio around nodes, or take them in again."""
        self._end_drag()
        held = [n for n in names if n in self.shown.nodes]
        return bool(held) and self._push(commands.Bypass(self, self.shown, _flagged(self.shown, held, bypassed=on), held, on))

    def mute(self, names: Iterable[str], on: bool) -> bool:
        """Silence nodes, or unmute them."""
        self._end_drag()
        held = [n for n in names if n in self.shown.nodes]
        return bool(held) and self._push(commands.Mute(self, self.shown, _flagged(self.shown, held, muted=on), held, on))

    def copy_text(self, names: Iterable[str]) -> str:
        """Nodes and the cables among them as the JSON text that `paste` reads."""
        return json.dumps(patch_file.part_to_json(self.shown, names), indent=1, ensure_ascii=False)

    def paste(self, text: str, at: Position | None = None) -> list[str]:
        """Add what the clipboard's text holds, top left corner at a place; returns the new names."""
        return self._paste(text, (SHIFT, SHIFT), at, "Paste")

    def duplicate(self, names: Iterable[str]) -> list[str]:
        """Add copies of nodes with their inner cables, a little right and down; returns the new names."""
        return self._paste(self.copy_text(names), (SHIFT, SHIFT), None, "Duplicate")

    def _paste(self, text: str, offset: Position, at: Position | None, verb: str) -> list[str]:
        self._end_drag()
        names: list[str] = []

        def edit(patch: Patch) -> Patch:
            after, added = edits.pasted(patch, text, offset, at, takes_output=self.takes_output)
            names.extend(added)
            return after

        after = self._try(edit)
        if after is not None:
            self._push(commands.Paste(self, self.shown, after, names, verb))
        return names

    def set_properties(
        self,
        *,
        name: str | None = None,
        author: str | None = None,
        licence: str | None = None,
        notes: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> bool:
        """Change what is written about the patch; None leaves a field."""
        self._end_drag()
        name = None if name is None else name[: patch_file.MAX_TITLE]
        words = {"name": name, "author": author, "licence": licence, "notes": notes}
        given: dict[str, str] = {key: value for key, value in words.items() if value is not None}
        after = replace(self._patch, **given, tags=self._patch.tags if tags is None else tuple(tags))  # type: ignore[arg-type]
        fields = [key for key in (*words, "tags") if getattr(after, key) != getattr(self._patch, key)]
        return bool(fields) and self._do(commands.SetProperties(self, self._patch, after, fields))

    def set_controller(self, node: str, control: str, controller: Controller | None) -> bool:
        """Let a MIDI controller turn a control (none: no more), `node` being named as it is played; no other control keeps it."""
        self._end_drag()
        after = self._patch
        for name, held in nesting.playable(after).nodes.items():
            stored = nesting.node_at(after, name)
            kept = {key: by for key, by in held.midi.items() if by != controller and (name, key) != (node, control)}
            if name == node and controller is not None:
                kept[control] = controller
            if stored is not None and kept != dict(stored.midi):
                after = nesting.with_node_at(after, name, replace(stored, midi=kept))
        words = f"{control} by {controller}" if controller is not None else f"{control} by no controller"
        return self._do(commands.SetController(self, self._patch, after, words))

    def replace_all(self, patch: Patch, text: str) -> bool:
        """Exchange the whole patch as one undoable edit named `text`."""
        self._end_drag()
        return self._do(commands.ReplaceAll(self, text, self._patch, patch))

    def replace_document(self, patch: Patch, text: str, *, held: bool = False) -> bool:
        """Exchange the patch for one without a file, as an edit named `text`; undoing it also brings the file back.

        What is `held` by an instrument's file need not be saved.
        """
        self._end_drag()
        return self._do(commands.ReplaceDocument(self, text, self._patch, patch, held=held))


def _placed(patch: Patch, positions: Mapping[str, Position]) -> Patch:
    return replace(patch, nodes={n: replace(v, position=positions[n]) if n in positions else v for n, v in patch.nodes.items()})


def _flagged(patch: Patch, names: Collection[str], *, bypassed: bool | None = None, muted: bool | None = None) -> Patch:
    def flagged(node: Node) -> Node:
        return replace(
            node,
            bypassed=node.bypassed if bypassed is None else bypassed,
            muted=node.muted if muted is None else muted,
        )

    return replace(patch, nodes={n: flagged(v) if n in names else v for n, v in patch.nodes.items()})
