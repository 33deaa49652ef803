"""The size of a patch's networks. Free of TensorFlow."""

from __future__ import annotations

from dataclasses import replace

from ddsp_studio.processors.nesting import node_at, playable, sheet_of, with_node_at
from ddsp_studio.processors.patch import Node, Patch


def sizable(patch: Patch, size: str) -> list[str]:
    """The nodes that have weights and come in a size, those in groups, too: their names in the expanded patch."""
    found = {name: node_at(patch, name) for name in playable(patch).nodes}
    return [name for name, node in found.items() if node is not None and size in _sizes(node)]


def _sizes(node: Node) -> tuple[str, ...]:
    sheet = sheet_of(node)
    if sheet is None or not sheet.weights or "size" not in sheet.options:
        return ()
    return tuple(str(choice) for choice in sheet.options["size"].choices or ())


def sized(patch: Patch, size: str) -> Patch:
    """The patch with its networks in a size.

    Raises:
        ValueError: in one sentence, if it has none that come in it.
    """
    names = sizable(patch, size)
    if not names:
        raise ValueError(f"nothing in this patch comes in the size {size!r}: it has no network of several sizes")
    for name in names:
        node = node_at(patch, name)
        if node is not None:
            patch = with_node_at(patch, name, replace(node, options={**node.options, "size": size}))
    return patch
