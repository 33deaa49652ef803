"""Training from the command line: progress, Ctrl+C keeps what was learned."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_studio import resources
from ddsp_studio.cli_commands.terminal import harmless
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.quiet import load_tensorflow

if TYPE_CHECKING:
    from ddsp_studio.training import protocol
    from ddsp_studio.training.runs import Order, Run, Source
    from ddsp_studio.training.settings import Precision


_JUDGED = {
    "training": "recordings that it learned from: there were too few to hold some out",
    "held out and training": "notes that it did not hear, and some that it learned from",
}


@dataclass(frozen=True)
class Job:
    """What to train: recordings, a patch or template by path or name, the decoder's size, how long, and where to keep it.

    `families`, `origins`, `instruments`, `pitch` and `velocity` ("48-72", "60") choose among the notes of NSynth, `splits` (none
    for all) among the parts of NSynth and MAESTRO. `gain_db`, `pitch_cents`, `noise_db`: how far clips vary, as in `Settings`.
    """

    audio: tuple[Path, ...]
    patch: str
    out: Path
    name: str = ""
    size: str = ""
    minutes: float = 5.0
    steps: int = 0
    sample_rate: int = 16_000
    clip_s: float = 0.0
    batch: int = 0
    rate: float = 0.0
    seed: int = 1
    octave: int = 0
    engine: str = "autocorrelation"
    families: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    pitch: str = ""
    velocity: str = ""
    splits: tuple[str, ...] = ()
    gain_db: float | None = None
    pitch_cents: float | None = None
    noise_db: float = -120.0
    precision: Precision = "auto"
    licence: str = ""
    checkpoint_steps: int = 0


def train(job: Job, *, as_json: bool = False) -> None:
    """Begin a training and see it through.

    Raises:
        OSError, ValueError: refused input, in one sentence.
    """
    from ddsp_studio.training.runs import Run

    run = Run(job.out)
    with _stoppable(run) as stopping:
        run.begin(*_asked(job))
        _see_through(run, as_json, stopping)


def _asked(job: Job) -> tuple[Order, Patch]:
    """What a training's folder is begun with (OSError, ValueError: what is asked for cannot be)."""
    from ddsp_studio.training.features.f0_swift import check_engine
    from ddsp_studio.training.runs import Order
    from ddsp_studio.training.settings import Settings
    from ddsp_studio.training.sizes import sized

    missing = next((path for path in job.audio if not path.exists()), None)
    if missing is not None:
        raise FileNotFoundError(f"there is no file or folder {str(missing)!r} to learn from")
    check_engine(job.engine)
    sources = _sources(job)
    patch = load_template(job.patch)
    if job.size:
        patch = sized(patch, job.size)
    chosen: dict[str, Any] = {"clip_s": job.clip_s, "batch": job.batch, "rate": job.rate}
    settings = Settings(
        sample_rate=job.sample_rate,
        steps=job.steps,
        minutes=0.0 if job.steps else job.minutes,
        seed=job.seed,
        engine=job.engine,
        gain_db=job.gain_db,
        pitch_cents=job.pitch_cents,
        noise_db=job.noise_db,
        precision=job.precision,
        checkpoint_steps=job.checkpoint_steps,
        **{key: value for key, value in chosen.items() if value},
    )
    return Order(name=job.name or _name_of(job.audio), sources=sources, settings=settings, licence=job.licence), patch


def _name_of(audio: Sequence[Path]) -> str:
    """A name for what recordings teach: a single one's or its folder's; that of the folder in which several lie."""
    first = audio[0].absolute()
    return (first.stem if first.is_file() else first.name) if len(audio) == 1 else first.parent.name or first.stem


def _sources(job: Job) -> tuple[Source, ...]:
    from ddsp_studio.training.data.corpus import Entry, expanded, kind_of
    from ddsp_studio.training.data.maestro import SPLITS
    from ddsp_studio.training.data.nsynth import NSynthFilter
    from ddsp_studio.training.runs import Source

    notes = NSynthFilter(
        families=job.families,
        sources=job.origins,
        instruments=job.instruments,
        pitch=_range(job.pitch, "--pitch"),
        velocity=_range(job.velocity, "--velocity"),
    )
    sources = tuple(
        Source(str(path.absolute()), octave=job.octave, nsynth=notes, splits=job.splits or SPLITS) for path in job.audio
    )
    kinds = {kind_of(entry.path) for path in job.audio for entry in expanded(Entry(path), [])}
    if notes != NSynthFilter() and "nsynth" not in kinds:
        options = "--family, --source, --instrument, --pitch and --velocity"
        raise ValueError(f"{options} choose among the notes of NSynth, and there are none here")
    if job.splits and not kinds & {"nsynth", "maestro"}:
        raise ValueError("--split chooses among the parts of NSynth and MAESTRO, and there is neither here")
    for source in sources:
        source.entry()
    return sources


def _range(text: str, option: str) -> tuple[int, int]:
    """Both ends of "48-72" or "60"; all of MIDI's range for "" (ValueError for anything else)."""
    low, _, high = text.partition("-")
    try:
        return (int(low), int(high or low)) if text else (0, 127)
    except ValueError as problem:
        raise ValueError(f"{option} takes a number or a range such as 48-72, got {text!r}") from problem


RESUMED = frozenset({"out", "resume", "json", "steps", "minutes"})
"""Options that go with --resume; all others were chosen when the training began."""


def resume(folder: Path, given: Collection[str] = (), *, steps: int = 0, minutes: float = 0.0, as_json: bool = False) -> None:
    """Go on with the training in a folder.

    Args:
        folder: of the training. given: names of the options and arguments that were given; of them `steps` and `minutes` make
        the training longer.

    Raises:
        ValueError, OSError: in one sentence.
    """
    from ddsp_studio.training.runs import Run

    other = sorted(set(given) - RESUMED)
    if other:
        named = "recordings" if "audio" in other else "--" + other[0].replace("_", "-")
        raise ValueError(f"with --resume all is as it was when the training began; {named} cannot be chosen anew")
    run = Run(folder)
    run.order()
    asked_steps, asked_minutes = steps if "steps" in given else 0, minutes if "minutes" in given else 0.0
    if asked_steps or asked_minutes:
        run.lengthen(steps=asked_steps, minutes=asked_minutes)
    finished = run.finished
    with _stoppable(run, resumed=True) as stopping:
        _see_through(run, as_json, stopping, resumed=True)
    if finished and not as_json:
        sys.stderr.write("all steps had been done before; --steps or --minutes asks for more\n")


def load_template(given: str) -> Patch:
    """A patch file, a template or a factory patch, by path or name."""
    if given in resources.factory(resources.TEMPLATES):
        return patch_file.load(resources.find(resources.TEMPLATES, given))
    return patch_file.load(resources.find(resources.PATCHES, given))


class _Stopping:
    """What Ctrl+C and SIGTERM do: before anything is learned they end all at once; later the current step is done and kept.

    Whoever asks a second time need not wait for that either. `learned`: there was a step. `asked`: to stop after the current one.
    """

    def __init__(self, *, learned: bool = False) -> None:
        self.learned, self.asked = learned, threading.Event()

    def __call__(self, number: int, _frame: object) -> None:
        if self.asked.is_set() or not self.learned:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(143)
        self.asked.set()


@contextmanager
def _stoppable(run: Run, *, resumed: bool = False) -> Iterator[_Stopping]:
    """Let a training be stopped; a new one that ends before its first checkpoint leaves nothing.

    One that had taken steps and failed keeps its order: it may have been the disk that was full.
    """
    stopping = _Stopping(learned=resumed)
    before = {number: signal.signal(number, stopping) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    except BaseException as problem:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # an impatient second Ctrl+C must not leave half of it behind
        stopped, new = not isinstance(problem, Exception), not (resumed or run.has_checkpoint)
        if new and (stopped or not stopping.learned):
            run.abandon()
        if new and stopped:
            first = "checkpoint" if stopping.learned else "step"
            sys.stderr.write(f"training stopped before the first {first}; nothing is kept\n")
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _see_through(run: Run, as_json: bool, stopping: _Stopping | None = None, *, resumed: bool = False) -> None:
    stopping = stopping or _Stopping()
    from ddsp_studio.training.background import stand_back

    stand_back()
    load_tensorflow()
    from ddsp_studio.training import protocol
    from ddsp_studio.training.trainer import Control, Trainer

    with _json_lines() if as_json else _display() as show:

        def tell(event: protocol.Event) -> None:
            stopping.learned |= isinstance(event, protocol.Progress) and event.step > 0
            show(event)

        how = Trainer(run, tell, Control(stop=stopping.asked), resumed=resumed).run()
    if not as_json:
        kept = f"; the model is {run.model}" if run.model.is_file() else ""
        sys.stderr.write(f"training {'done' if how == 'done' else how}{kept}\n")


@contextmanager
def _json_lines() -> Iterator[Callable[[protocol.Event], None]]:
    from ddsp_studio.training.protocol import encode

    def tell(event: protocol.Event) -> None:
        sys.stdout.write(encode(event).decode())
        sys.stdout.flush()

    yield tell


@contextmanager
def _display() -> Iterator[Callable[[protocol.Event], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.text import Text

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=console, disable=not console.is_interactive) as bar:
        task = bar.add_task("Analysing", total=1.0, told="")

        def tell(event: protocol.Event) -> None:
            change = _shown(event)
            if isinstance(change, str):
                console.print(Text(change), soft_wrap=not console.is_terminal)
            elif change:
                bar.update(task, **change)

        yield tell


def _shown(event: protocol.Event) -> str | dict[str, Any]:
    """A line to print, or what changes in the bar."""
    from ddsp_studio.training import protocol

    match event:
        case protocol.Preparing():
            return {"completed": event.share}
        case protocol.Prepared():
            low, high = event.range_midi
            told = f"{event.seconds / 60:.1f} minutes, {event.clips} clips to learn from and {event.held_out} held out, "
            told += f"notes {low:.0f} to {high:.0f}, {event.weights:,} weights"
            return "\n".join([told, *event.problems])
        case protocol.Progress():
            total = event.steps or None
            left = f", {_clock(event.left_s)} left" if event.left_s else ""
            loss, pace = _number(event.loss or -1.0, 3), _number(event.steps_per_s or -1.0, 2)
            told = f"step {event.step}  loss {loss}  {pace} steps/s{left}"
            return {"description": "Training", "total": total, "completed": event.step, "told": told}
        case protocol.Checkpointed():
            best = "; the best so far" if event.best else ""
            return f"step {event.step} ({_clock(event.seconds)}): {_scored(event.scores)}{best}"
        case protocol.Notice():
            return event.text
        case protocol.Ended(peak_mib=peak, peak_gpu_mib=gpu) if peak:
            return f"peak memory {peak} MiB{f', {gpu} MiB of the GPU' if gpu else ''}"
        case _:
            return {}


def _scored(scores: Mapping[str, float | None]) -> str:
    """How near a model comes, in words."""
    distance, loudness = _number(scores.get("spectral"), 3), _number(scores.get("loudness_db"), 2)
    right, cents = _number(scores.get("f0_accuracy"), 1, per_cent=True), _number(scores.get("f0_cents"), 1)
    return f"distance {distance}, pitch {right} % right ({cents} cents), loudness {loudness} dB off"


def _scored_further(scores: Mapping[str, float | None]) -> str:
    """What else is known of it."""
    told = [f"{_number(scores.get('octaves'), 1, per_cent=True)} % an octave off"]
    if (level_db := scores.get("level_db")) is not None:
        told.append(f"{abs(level_db):.1f} dB {'softer' if level_db < 0.0 else 'louder'} than the recordings")
    return ", ".join([*told, f"in {_number(scores.get('seconds'), 0)} s of sound"])


def _number(value: float | None, digits: int, *, per_cent: bool = False) -> str:
    """A number that is not negative; "–" for none, for which those below 0 stand, too."""
    return f"{value * (100.0 if per_cent else 1.0):.{digits}f}" if value is not None and value >= 0.0 else "–"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def describe(model: str, *, as_json: bool) -> str:
    """What is in a model, as text or JSON (ValueError in one sentence)."""
    from ddsp_studio.processors import model_file
    from ddsp_studio.processors.units import note_name

    held = model_file.find(model)
    if as_json:
        return json.dumps(held.about, indent=1, ensure_ascii=False)
    about = held.about
    data, training = about.get("data", {}), about.get("training", {})
    lines = [f"{about.get('name', 'a model')}, for {about['sample_rate']:g} Hz, {about.get('weights', 0):,} weights"]
    lines += [f"  {node}: {kind}" for node, kind in about["nodes"].items()]
    if "range_midi" in about:
        lines.append("notes {} to {}".format(*(note_name(round(note)) for note in about["range_midi"])))
    if data:
        sources = ", ".join(data.get("sources", []))
        licence = data.get("licence") or "not stated"
        lines.append(f"learned from {data.get('seconds', 0) / 60:.1f} minutes of {sources}; licence: {licence}")
    if training:
        lines.append(f"{training.get('step', 0)} steps in {training.get('seconds', 0) / 60:.1f} minutes")
        if scores := training.get("scores"):
            lines += [f"  {_scored(scores)}", f"  {_scored_further(scores)}"]
        judged = _JUDGED.get(training.get("judged_on", ""))
        lines += [f"  judged by {judged}"] if judged else []
    lines.append("members: " + (", ".join(sorted(held.files)) or "weights only"))
    return "\n".join(map(harmless, lines))
