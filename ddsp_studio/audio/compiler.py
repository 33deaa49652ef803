"""Compiles patches beside the music and swaps them in. Rapid edits coalesce: only the latest patch is built.

Thread rule: `Compiler` is a thread of its own, the only one that builds players. `load`, `move`, `configure` and `use_rate` may
be called on any other thread and never wait.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ddsp_studio.audio.events import HOP, Move
from ddsp_studio.audio.improver import Improver
from ddsp_studio.audio.instrument import Player, Smoother
from ddsp_studio.audio.live import LiveThread
from ddsp_studio.audio.priority import lower_compilers, raise_helpers
from ddsp_studio.audio.protocol import PatchPlays, PatchRefused
from ddsp_studio.audio.values import patch_values, structure_key, turns, with_values
from ddsp_studio.audio.voices import DEFAULT_VOICES
from ddsp_studio.audio.workshop import Workshop
from ddsp_studio.processors.check import check
from ddsp_studio.processors.declare import MODEL
from ddsp_studio.processors.nesting import playable
from ddsp_studio.processors.patch import Patch, PatchError

_DEVICE_WAIT_S = 5.0
_TIDY_S = 0.2
_SILENT_S = 1.0
"""For which the first sound may wait, so that it does not crackle."""
_MAX_RETIRED = 100
"""Old players, without their state, that are kept while something sounds."""
_logger = logging.getLogger(__name__)

Values = dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class _Wish:
    """What should play. `moves` are the knob moves since the patch was sent; the dict goes on being filled."""

    patch: Patch | None = None
    revision: int = 0
    asked_s: float = 0.0
    sample_rate: int = 48_000
    voices: int = DEFAULT_VOICES
    mode: str = "poly"
    block: int = 256
    safety_blocks: int = 2


class Compiler(threading.Thread):
    """Brings the live thread to what was last asked for."""

    def __init__(
        self,
        live: LiveThread,
        workshop: Workshop,
        rate_known: threading.Event,
        reply: Callable[[PatchPlays | PatchRefused], None],
    ) -> None:
        """`reply` gets the fate of each patch; patches that were overtaken by a later one get none."""
        super().__init__(name="compiler", daemon=True)
        self._live, self._workshop, self._rate_known, self._reply = live, workshop, rate_known, reply
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._wish = _Wish()
        self._moves: Values = {}
        self._known: Values = {}
        self._plays: tuple[str, int, int] | None = None
        self._answered = -1
        self._player: Player | None = None
        self._ending = False
        self._improved: tuple[Player, int] | None = None
        self._improver = Improver(workshop.improve, self._note_improved)
        self._renewed: set[str] = set()
        self._retired: list[Player] = []

    # -- any thread -------------------------------------------------------------------------------------------------------

    def load(self, patch: Patch, revision: int) -> None:
        """Play a patch as soon as it is compiled."""
        with self._lock:
            self._moves = {}
            self._wish = replace(self._wish, patch=patch, revision=revision, asked_s=time.perf_counter())
        self._wake.set()

    def move(self, name: str, values: tuple[float, ...]) -> None:
        """Move a knob of what plays, and of what is being compiled."""
        with self._lock:
            self._moves[name] = self._known[name] = values
        renderer = self._live.renderer
        if renderer is not None:
            renderer.post(Move(0, name, values))

    def note(self, name: str, values: tuple[float, ...]) -> None:
        """A knob of what plays has been turned by a MIDI controller, and stays there when the patch is compiled anew."""
        with self._lock:
            self._moves[name] = self._known[name] = values

    def configure(self, *, voices: int, mode: str, block: int, safety_blocks: int) -> None:
        """Play with another voice count, voice mode or block length."""
        with self._lock:
            self._wish = replace(self._wish, voices=voices, mode=mode, block=block, safety_blocks=safety_blocks)
        self._wake.set()

    def use_rate(self, sample_rate: int) -> None:
        """The output runs at this rate now, in Hz."""
        with self._lock:
            self._wish = replace(self._wish, sample_rate=sample_rate)
        self._wake.set()

    def renew(self, model: str) -> None:
        """A model file has changed: what plays from it reads it again."""
        with self._lock:
            self._renewed.add(model)
        self._wake.set()

    @property
    def document(self) -> Patch | None:
        """The patch that was last asked for, as it was sent."""
        return self._wish.patch

    @property
    def patch(self) -> Patch | None:
        """The patch that was last asked for, with its knobs where they are now."""
        with self._lock:
            wish, moves = self._wish, dict(self._moves)
        return None if wish.patch is None else with_values(wish.patch, moves)

    def _note_improved(self, player: Player, hops: int) -> None:
        self._improved = (player, hops)
        self._wake.set()

    def close(self) -> None:
        """End after the compilation that runs."""
        self._ending = True
        self._wake.set()

    # -- the thread -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Compile what is asked for."""
        self._workshop.prepare()
        _set_garbage_aside()
        self._rate_known.wait(_DEVICE_WAIT_S)
        while not self._ending:
            if not self._wake.wait(_TIDY_S if self._retired else None):
                self._clean_up()
                continue
            self._wake.clear()
            with self._lock:
                wish, moves = self._wish, self._moves
            try:
                self._follow(wish, moves)
                self._reload()
                self._refresh()
            except PatchError as refusal:
                self._refuse(wish, refusal.node, refusal.port, refusal.reason)
            except Exception as problem:  # TensorFlow and foreign processors may raise anything; the patch before plays on
                _logger.exception("the patch cannot be compiled")
                self._refuse(wish, "", "", f"the patch cannot be compiled: {type(problem).__name__}: {str(problem)[:200]}")

    def _refuse(self, wish: _Wish, node: str, port: str, reason: str) -> None:
        if self._answered != wish.revision:
            self._answered = wish.revision
            self._reply(PatchRefused(revision=wish.revision, node=node, port=port, reason=reason))

    def _follow(self, wish: _Wish, moves: Values) -> None:
        live = self._live
        renderer = live.renderer
        shape = (renderer.allocator.voices, renderer.allocator.mode) if renderer is not None else None
        if renderer is not None and shape is not None and shape[0] == wish.voices and shape[1] != wish.mode:
            live.call(lambda: renderer.reshape(wish.voices, wish.mode))
        self._use_blocks(wish)
        if wish.patch is None:
            return
        check(playable(wish.patch))
        key = (structure_key(wish.patch), wish.sample_rate, wish.voices)
        if key == self._plays and live.renderer is not None:
            self._turn_knobs(wish)
        else:
            self._compile(wish, moves, key)

    def _refresh(self) -> None:
        """Build what plays anew from the nodes that were compiled better meanwhile, unless another edit waits."""
        improved, self._improved = self._improved, None
        if improved is not None and improved[0] is self._player and not self._wake.is_set():
            player, hops = improved
            if player.refresh(hops):
                self._improver.offer(player, hops, nodes=player.nodes_left(hops))

    def _reload(self) -> None:
        """Let what plays take the newer weights of models that have changed; what cannot be read leaves it as it is."""
        with self._lock:
            renewed, self._renewed = self._renewed, set()
        patch, player = self._wish.patch, self._player
        if player is None or patch is None or not renewed:
            return
        if renewed & {str(node.options.get(MODEL, "")) for node in playable(patch).nodes.values()}:
            try:
                player.reload_weights()
            except ValueError as problem:
                _logger.warning("the newer weights cannot be used: %s", problem)

    def _use_blocks(self, wish: _Wish) -> None:
        live = self._live
        if (live.block, live.safety_blocks) == (wish.block, wish.safety_blocks):
            return
        if self._player is not None and live.renderer is not None:
            self._workshop.warm(self._player, wish.block // HOP)
        live.call_and_wait(lambda: live.set_blocks(wish.block, wish.safety_blocks))

    def _turn_knobs(self, wish: _Wish) -> None:
        """The same structure: only values differ, and they travel as knob moves."""
        if self._answered == wish.revision or wish.patch is None or self._player is None:
            return
        renderer = self._live.renderer
        found = turns(wish.patch)
        self._live.call(lambda: self._live.use_turns(found))
        goal = patch_values(wish.patch)
        with self._lock:
            goal |= self._moves
            changed = {name: held for name, held in goal.items() if self._known.get(name) != held}
            self._known = goal
        for name, held in changed.items():
            if renderer is not None:
                renderer.post(Move(0, name, held))
        self._answer(wish, self._player)

    def _compile(self, wish: _Wish, moves: Values, key: tuple[str, int, int]) -> None:
        patch = wish.patch
        if patch is None:
            return
        player = self._workshop.player(patch, wish.sample_rate, wish.voices)
        if self._player is None:  # XLA has not begun yet
            raise_helpers()
        self._workshop.warm(player, wish.block // HOP)
        if self._player is None:
            self._improve_silently(player, wish.block // HOP)
        lower_compilers()
        if self._wish.patch is not wish.patch:
            return  # overtaken while compiling; the wake flag is set
        smoother = self._workshop.smoother(player)
        with self._lock:
            self._known = patch_values(patch) | moves
        done: list[bool] = []
        self._live.call_and_wait(lambda: done.append(_install(self._live, player, smoother, wish, moves)))
        if not (done and done[0]):
            self._wake.set()  # the output changed its rate meanwhile
            return
        old, self._plays, self._player = self._player, key, player
        if old is None:
            self._live.call(self._live.reset_counters)  # what came late while everything was being loaded was silence
        self._answer(wish, player)
        self._improver.offer(player, wish.block // HOP, nodes=True)
        self._retire(old)

    def _improve_silently(self, player: Player, hops: int) -> None:
        """Before anything sounds, have XLA compile the dearest nodes that it does not know: beside sound it takes far longer."""
        end, improved = time.monotonic() + _SILENT_S, False
        while player.nodes_left(hops) and time.monotonic() < end and self._workshop.improve(player, hops, lambda run: run()):
            improved = True
        if improved:
            player.refresh(hops)

    def _retire(self, old: Player | None) -> None:
        """Keep an old player until nothing sounds: to free a compiled patch holds up the one that plays for some milliseconds."""
        target, patience = self._live.position + 2 * self._live.block, time.monotonic() + 0.5
        while old is not None and self._live.position < target and time.monotonic() < patience:
            time.sleep(0.002)
        if old is not None:
            old.release()
            self._retired.append(old)

    def _clean_up(self) -> None:
        renderer = self._live.renderer
        if len(self._retired) > _MAX_RETIRED or renderer is None or renderer.quiet:
            self._retired.pop(0)
            if not self._retired:
                gc.collect()

    def _answer(self, wish: _Wish, player: Player) -> None:
        if self._answered == wish.revision:
            return
        self._answered = wish.revision
        self._reply(
            PatchPlays(
                revision=wish.revision,
                seconds=time.perf_counter() - wish.asked_s,
                latency_samples=player.latency_samples,
                nodes=list(player.nodes),
                partials_node=player.partials_node,
            )
        )


def _install(live: LiveThread, player: Player, smoother: Smoother, wish: _Wish, moves: Values) -> bool:
    """Swap a player in (render thread); False if the output now runs at another rate."""
    if live.song.sample_rate != wish.sample_rate:
        return False
    values = player.values.copy()
    for name, held in dict(moves).items():
        column = player.columns.get(name)
        if column is not None and column.stop - column.start == len(held):
            values[column] = held
    smoother.jump(values)
    renderer = live.renderer
    live.use_turns(turns(wish.patch) if wish.patch is not None else {})
    if renderer is None:
        live.begin(player, smoother, wish.voices, wish.mode)
        return True
    held_shape = (renderer.allocator.voices, renderer.allocator.mode)
    shape = (wish.voices, wish.mode)
    renderer.swap(player, smoother, shape=None if shape == held_shape else shape, adopt=shape[0] == held_shape[0])
    return True


def _set_garbage_aside() -> None:
    """Collect garbage only when told to, so never on the render thread, and look no more at what was imported."""
    gc.disable()
    gc.collect()
    gc.freeze()
