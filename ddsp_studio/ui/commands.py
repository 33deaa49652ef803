"""The undoable verbs: one command class each, named for the Edit menu, pushed once a gesture and never merged.

A patch is immutable, so a command keeps the patch before and the patch after; undo and redo show one or the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from PySide6.QtGui import QUndoCommand

from ddsp_studio.processors.patch import Cable, Patch, Port


class Shows(Protocol):
    """What a command acts on: the document."""

    def show(self, patch: Patch, selection: Collection[str] | None = None, inside: tuple[str, ...] | None = None) -> None:
        """Make `patch` the current one and tell the views; None keeps what is selected, and the group that is open."""


class HasFile(Shows, Protocol):
    """A document with a file."""

    @property
    def path(self) -> Path | None:
        """The file; None while it has none."""

    @property
    def held(self) -> Patch | None:
        """The patch that its file, or an instrument's, holds."""

    def place(self, path: Path | None, held: Patch | None) -> None:
        """Work on another file from now on, and on what it holds; nothing is written."""


class Edit(QUndoCommand):
    """An edit as the patches on both sides of it, and the nodes to select after each."""

    def __init__(self, document: Shows, text: str, before: Patch, after: Patch) -> None:
        super().__init__(text)
        self._document, self.before, self.after = document, before, after
        self.select_before: Collection[str] | None = None
        self.select_after: Collection[str] | None = None
        self.inside: tuple[str, ...] | None = None
        """The way to the group in which the edit was made, so that undoing it shows it."""

    def redo(self) -> None:
        """Show the patch after the edit."""
        self._document.show(self.after, self.select_after, self.inside)

    def undo(self) -> None:
        """Show the patch before the edit."""
        self._document.show(self.before, self.select_before, self.inside)


class AddNode(Edit):
    """A node was added, perhaps with the cable that asked for it."""

    def __init__(self, document: Shows, before: Patch, after: Patch, name: str) -> None:
        super().__init__(document, f"Add {name}", before, after)
        self.select_after = (name,)


class InsertNode(Edit):
    """A node was put on a cable."""

    def __init__(self, document: Shows, before: Patch, after: Patch, name: str) -> None:
        super().__init__(document, f"Insert {name}", before, after)
        self.select_after = (name,)


class RemoveNodes(Edit):
    """Nodes were removed."""

    def __init__(self, document: Shows, before: Patch, after: Patch, names: Iterable[str], verb: str) -> None:
        held = tuple(names)
        super().__init__(document, f"{verb} {counted(held)}", before, after)
        self.select_before, self.select_after = held, ()


class Connect(Edit):
    """A cable was plugged in."""

    def __init__(self, document: Shows, before: Patch, after: Patch, source: Port, target: Port) -> None:
        super().__init__(document, f"Connect {source} → {target}", before, after)


class Disconnect(Edit):
    """Cables were taken off."""

    def __init__(self, document: Shows, before: Patch, after: Patch, cables: Collection[Cable]) -> None:
        first = next(iter(cables))
        text = f"Disconnect {first.source} → {first.target}" if len(cables) == 1 else f"Disconnect {len(cables)} cables"
        super().__init__(document, text, before, after)


class SetValue(Edit):
    """A control was set."""

    def __init__(self, document: Shows, before: Patch, after: Patch, node: str, control: str) -> None:
        super().__init__(document, f"Set {node}.{control}", before, after)


class Turn(Edit):
    """MIDI controllers have turned controls."""

    def __init__(self, document: Shows, before: Patch, after: Patch, turned: Collection[Port]) -> None:
        what = str(next(iter(turned))) if len(turned) == 1 else f"{len(turned)} controls"
        super().__init__(document, f"Set {what} by MIDI", before, after)


class SetController(Edit):
    """A MIDI controller was learnt, or forgotten."""

    def __init__(self, document: Shows, before: Patch, after: Patch, words: str) -> None:
        super().__init__(document, f"Turn {words}", before, after)


class SetAmount(Edit):
    """The amount of a modulation cable was set."""

    def __init__(self, document: Shows, before: Patch, after: Patch, source: str, target: str) -> None:
        super().__init__(document, f"Set amount {source} → {target}", before, after)


class SetOption(Edit):
    """An option was chosen."""

    def __init__(self, document: Shows, before: Patch, after: Patch, node: str, option: str) -> None:
        super().__init__(document, f"Choose {node}.{option}", before, after)


class Move(Edit):
    """Nodes were moved."""

    def __init__(self, document: Shows, before: Patch, after: Patch, names: Collection[str], verb: str = "Move") -> None:
        super().__init__(document, f"{verb} {counted(names)}", before, after)


class Rename(Edit):
    """A node got another name."""

    def __init__(self, document: Shows, before: Patch, after: Patch, old: str, new: str) -> None:
        super().__init__(document, f"Rename {old} to {new}", before, after)
        self.select_before, self.select_after = (old,), (new,)


class Relabel(Edit):
    """A node got another label."""

    def __init__(self, document: Shows, before: Patch, after: Patch, name: str) -> None:
        super().__init__(document, f"Label {name}", before, after)


class Bypass(Edit):
    """Nodes were bypassed or taken in again."""

    def __init__(self, document: Shows, before: Patch, after: Patch, names: Collection[str], on: bool) -> None:
        super().__init__(document, f"{'Bypass' if on else 'Stop bypassing'} {counted(names)}", before, after)


class Mute(Edit):
    """Nodes were muted or unmuted."""

    def __init__(self, document: Shows, before: Patch, after: Patch, names: Collection[str], on: bool) -> None:
        super().__init__(document, f"{'Mute' if on else 'Unmute'} {counted(names)}", before, after)


class Paste(Edit):
    """Nodes were pasted or duplicated."""

    def __init__(self, document: Shows, before: Patch, after: Patch, names: Collection[str], verb: str = "Paste") -> None:
        super().__init__(document, f"{verb} {counted(names)}", before, after)
        self.select_after = tuple(names)


class MakeGroup(Edit):
    """Nodes were put into a group."""

    def __init__(self, document: Shows, before: Patch, after: Patch, names: Collection[str], group: str) -> None:
        super().__init__(document, f"Group {counted(names)}", before, after)
        self.select_before, self.select_after = names, (group,)


class Ungroup(Edit):
    """What groups held was put in their place."""

    def __init__(self, document: Shows, before: Patch, after: Patch, groups: Collection[str], names: Collection[str]) -> None:
        super().__init__(document, f"Ungroup {counted(groups)}", before, after)
        self.select_before, self.select_after = groups, names


class ChangePorts(Edit):
    """The ports that a group shows were changed."""


class SetProperties(Edit):
    """The patch's title, author, licence, notes or tags were changed."""

    def __init__(self, document: Shows, before: Patch, after: Patch, fields: Sequence[str]) -> None:
        super().__init__(
            document, f"Change patch {' and '.join(filter(None, (', '.join(fields[:-1]), fields[-1])))}", before, after
        )


class ReplaceAll(Edit):
    """The whole patch was exchanged (a preset was tried, values were randomised)."""


class ReplaceDocument(ReplaceAll):
    """Another patch took the place of the one that a file holds, and has no file: saving it must not overwrite that one."""

    def __init__(self, document: HasFile, text: str, before: Patch, after: Patch, *, held: bool) -> None:
        """`held`: an instrument's file holds the patch after it, so that there is nothing to be saved."""
        super().__init__(document, text, before, after)
        self._placed = document
        self._other: tuple[Path | None, Patch | None] = (None, after if held else None)
        """The file of the patch that is not shown, and what it holds."""

    def redo(self) -> None:
        """Show the patch after the edit, without the file of the one before."""
        super().redo()
        self._exchange_files()

    def undo(self) -> None:
        """Show the patch before the edit, with its file."""
        super().undo()
        self._exchange_files()

    def _exchange_files(self) -> None:
        other, self._other = self._other, (self._placed.path, self._placed.held)
        self._placed.place(*other)


def counted(names: Collection[str]) -> str:
    """One node by its name, more by their number."""
    return next(iter(names)) if len(names) == 1 else f"{len(names)} nodes"
