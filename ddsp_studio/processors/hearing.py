"""A patch that is played by keys, turned into one that is played by what comes in."""

from __future__ import annotations

from dataclasses import replace

from ddsp_studio.processors import model_file
from ddsp_studio.processors.check import check, listening
from ddsp_studio.processors.declare import MODEL, Signal, Spec
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
    wheels and pressure are while nobody touches them. Where a trained model takes the loudness, an AutoLevel brings it to the
    median of what that model learned from.

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
    heard, level = _levelled(heard, moved, Port(ear, "loudness"), (place[0], place[1] + _STEP))
    for cable in moved:
        stands = _STANDS[cable.source.name]
        cables.append(replace(cable, source=level if stands == "loudness" else Port(ear, stands)))
    if level.node != ear:
        cables.append(Cable(Port(ear, "loudness"), Port(level.node, "heard")))
    taken: dict[tuple[Port, Port], Cable] = {(c.source, c.target): c for c in cables}
    heard = replace(heard, cables=(*heard.cables, *taken.values()))
    check(playable(heard))
    return heard


def _levelled(patch: Patch, cables: list[Cable], source: Port, place: tuple[float, float]) -> tuple[Patch, Port]:
    """The patch with an AutoLevel after `source` if a model is told a loudness, and the port that is to be listened to."""
    takers = {cable.target.node for cable in cables if cable.source.name == "loudness"}
    medians = [median for name in sorted(takers) if (median := _median_db(patch.nodes[name])) is not None]
    if not medians:
        return patch, source
    name = _free(patch, "level")
    return patch.with_node(name, Node("AutoLevel", position=place, values={"target": (medians[0],)})), Port(name, "loudness")


def _median_db(node: Node) -> float | None:
    """Median loudness of what the model of a node learned from, dB, if it has one that says so."""
    if not (given := node.options.get(MODEL)):
        return None
    try:
        levels = model_file.find(str(given)).about.get("statistics", {}).get("levels", [])
        return min(max(float(levels[len(levels) // 2]), -80.0), 0.0)
    except (ValueError, TypeError, IndexError, AttributeError):
        return None


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
