"""A patch that is played by keys, turned into one that is played by what comes in."""

from __future__ import annotations

from dataclasses import replace

from ddsp_studio.processors.check import check, listening
from ddsp_studio.processors.declare import Signal, Spec
from ddsp_studio.processors.nesting import expand, playable, sheet_of
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port

_STANDS = {
    "f0": "f0",
    "loudness": "loudness",
    "level": "level",
    "gate": "level",
    "velocity": "level",
}
"""The tracker's outlet for each outlet of what hears notes; triggers, wheels and pressure have none."""
_STEP = 224.0


def hearing(patch: Patch) -> Patch:
    """The patch with an AudioInput and a PitchTracker in the place of the nodes that hear notes.

    Their pitch and loudness become those of the sound that comes in, gate and velocity its level; what else they gave is 0, as
    wheels and pressure are while nobody touches them.

    Raises:
        PatchError: nothing in the patch takes a pitch or loudness from notes, or it does so within a group.
    """
    players = [name for name, node in patch.nodes.items() if node.inside is None and _hears_notes(sheet_of(node))]
    inner = [name for name, node in expand(patch).nodes.items() if "/" in name and _hears_notes(sheet_of(node))]
    if inner:
        raise PatchError("is played within its group; ungroup it first", inner[0].split("/")[0])
    moved = [c for c in patch.cables if c.source.node in players and c.target.node not in players and c.source.name in _STANDS]
    if not moved:
        raise PatchError("nothing in this patch takes a pitch, a loudness or a gate from notes")
    place = patch.nodes[players[0]].position
    source, ear = _free(patch, "input"), _free(patch, "ear")
    heard = _at_rest(patch, [c for c in patch.cables if c.source.node in players and c not in moved]).without_nodes(players)
    heard = heard.with_node(source, Node("AudioInput", position=(place[0] - _STEP, place[1])))
    heard = heard.with_node(ear, Node("PitchTracker", position=place))
    cables = [Cable(Port(source, "audio"), Port(ear, "input"))]
    cables += [replace(c, source=Port(ear, _STANDS[c.source.name])) for c in moved]
    taken: dict[tuple[Port, Port], Cable] = {(c.source, c.target): c for c in cables}
    heard = replace(heard, cables=(*heard.cables, *taken.values()))
    check(playable(heard))
    return heard


def _at_rest(patch: Patch, cables: list[Cable]) -> Patch:
    """The patch with every control that one of these cables sets at 0, or at the end of its range that is nearest to it."""
    for cable in cables:
        node, name = patch.nodes[cable.target.node], cable.target.name
        spec = sheet_of(node)
        control = spec.controls.get(name) if spec is not None else None
        if control is not None and spec is not None and cable.amount is None:
            value = min(max(0.0, control.low), control.high)
            patch = patch.with_value(cable.target.node, name, (value,) * spec.channels(name, node.options))
    return patch


def hears(patch: Patch) -> bool:
    """Whether a patch that can be played hears the audio input."""
    return bool(listening(playable(patch)))


def _hears_notes(spec: Spec | None) -> bool:
    return spec is not None and any(inlet.signal is Signal.NOTES for inlet in spec.inlets.values())


def _free(patch: Patch, name: str) -> str:
    number = 2
    free = name
    while free in patch.nodes:
        free, number = f"{name}{number}", number + 1
    return free
