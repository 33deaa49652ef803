"""The document's verbs on groups: making them, opening them up, and choosing the ports that they show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ddsp_studio.processors import grouping, nesting
from ddsp_studio.processors.nesting import Moved
from ddsp_studio.processors.patch import Patch, PatchError, Port
from ddsp_studio.ui import commands, edits
from ddsp_studio.ui.open_patch import OpenPatch


class GroupVerbs(OpenPatch):
    """An open patch whose nodes can be grouped."""

    def group(self, names: Iterable[str]) -> str:
        """Put nodes into a new group; returns its name, "" if there is nothing to group."""
        self._end_drag()
        held = [name for name in names if name in self.shown.nodes]
        try:
            after, name, moved = grouping.grouped(self.shown, held, [shown.port for shown in self._opened_ports()])
        except PatchError as problem:
            self.refused.emit(problem.node, problem.port, problem.reason)
            return ""
        return name if self._push(commands.MakeGroup(self, self.shown, after, held, name), moved) else ""

    def ungroup(self, names: Iterable[str]) -> list[str]:
        """Put what groups hold in their place; returns the names of the nodes."""
        self._end_drag()
        after, out, steps = self.shown, list[str](), list[Moved]()
        groups = [name for name in names if name in after.nodes and after.nodes[name].inside is not None]
        for name in groups:
            after, inner, moved = grouping.ungrouped(after, name)
            out, steps = [*out, *inner], [*steps, moved]

        def moved_all(port: Port) -> Port:
            for step in steps:
                port = step(port)
            return port

        done = bool(groups) and self._push(commands.Ungroup(self, self.shown, after, groups, out), moved_all)
        return out if done else []

    def insert_group(self, patch: Patch, position: tuple[float, float]) -> str:
        """Add a whole patch as a group; returns its name, "" if it is refused."""
        self._end_drag()
        try:
            node = grouping.as_group(patch)
        except PatchError as problem:
            self.refused.emit("", "", str(problem))
            return ""
        name = edits.named_after(self.shown, node.label or patch.name)
        after = self.shown.with_node(name, replace(node, position=position))
        return name if self._push(commands.AddNode(self, self.shown, after, name)) else ""

    def show_port(self, port: Port) -> bool:
        """Show a port of the open level as a port of the opened group."""
        return self._change_ports("", f"Show {port}", lambda patch, group: (grouping.port_shown(patch, group, port), None))

    def hide_port(self, name: str, group: str = "") -> bool:
        """No longer show a port of a group of the open level, or of the opened group itself if none is named."""
        return self._change_ports(group, f"Hide {name}", lambda patch, held: (grouping.port_hidden(patch, held, name), None))

    def rename_port(self, old: str, new: str, group: str = "") -> bool:
        """Give a port of a group another name; refused if it is taken or no name."""
        text = f"Rename {old} to {new}"
        return self._change_ports(group, text, lambda patch, held: grouping.port_renamed(patch, held, old, new))

    def place_port(self, name: str, by: int, group: str = "") -> bool:
        """Move a port of a group up (-1) or down (1) among its ports."""
        return self._change_ports(group, f"Place {name}", lambda patch, held: (grouping.port_placed(patch, held, name, by), None))

    def _change_ports(self, group: str, text: str, edit: Callable[[Patch, str], tuple[Patch, Moved | None]]) -> bool:
        """Change the ports of a group of the open level, or of the opened group, which lies one level out."""
        self._end_drag()
        if not (group or self._inside):
            return False
        path, name = (self._inside, group) if group else (self._inside[:-1], self._inside[-1])
        try:
            after, moved = edit(nesting.level(self._patch, path), name)
        except PatchError as problem:
            self.refused.emit(problem.node, problem.port, problem.reason)
            return False
        whole = nesting.with_level(self._patch, path, after, moved)
        return self._do(commands.ChangePorts(self, text, self._patch, whole))
