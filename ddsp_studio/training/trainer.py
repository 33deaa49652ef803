"""A training from beginning to end: prepares the data, steps, judges, keeps, and does as it is told between steps."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import gpu_peak_mib, limit_gpus, tf
from ddsp_studio.processors.nesting import expand
from ddsp_studio.training import bundle, protocol, samples
from ddsp_studio.training.data.batches import Batches
from ddsp_studio.training.data.clips import Clip, Clips, Cutting, cut_clips
from ddsp_studio.training.data.corpus import Corpus, Recording, open_corpus
from ddsp_studio.training.data.dataset import Feed
from ddsp_studio.training.data.store import Analysis
from ddsp_studio.training.data.survey import learnable
from ddsp_studio.training.evaluation import MEASURE, Judge, Scores, compare, spaced
from ddsp_studio.training.features.f0_swift import check_engine
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.losses.spectral import loss_at
from ddsp_studio.training.pace import FROM, Clock, Seldom, averaged
from ddsp_studio.training.runs import Checkpoint, Material, Order, Run
from ddsp_studio.training.settings import AT_ONCE_S, AT_RATE, Settings, rate_at
from ddsp_studio.training.statistics import measure, widened
from ddsp_studio.training.stepper import Learned, Stepper, Told
from ddsp_studio.training.variation import variation, why_varied

Array = npt.NDArray[np.float32]
Tell = Callable[[protocol.Event], None]
JUDGED_S = 32.0
"""Seconds of sound by which checkpoints are judged."""
_HEARD_S = 16.0
"""Seconds of it that are kept to be heard."""
_TELL_S = 0.25
_CAUTION, _MOST_BACK = 0.5, 6
GPU_MIB = 5120
"""Memory of a GPU that a training takes at most: with the engine's, and what the desktop has, it fits 8 GB."""


@dataclass
class Control:
    """What others ask of a training, any thread; it looks between steps."""

    stop: threading.Event = field(default_factory=threading.Event)
    discard: threading.Event = field(default_factory=threading.Event)
    running: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin unpaused."""
        self.running.set()


class Stopped(Exception):
    """Somebody asked to stop while the data were being prepared."""


class Trainer:
    """One training. Thread rule: `run` on one thread; `control` from any."""

    def __init__(
        self, run: Run, tell: Tell, control: Control | None = None, *, cache: Path | None = None, resumed: bool = False
    ) -> None:
        """Train what a run's folder orders, from its last checkpoint if it has one.

        Args:
            run: a folder in which a training was begun. tell: called with every event, on the thread of `run`.
            control: by which others stop or pause it. cache: folder for analysed recordings, the platform's own if not given.
            resumed: the order was given at another time, and outlives a failure; a new one that fails at once leaves nothing.
        """
        self.folder, self._tell, self.control, self._cache, self._resumed = run, tell, control or Control(), cache, resumed
        self._stepped, self._stumbled = False, False

    def run(self) -> str:
        """Train; returns "done", "stopped" or "discarded".

        Raises:
            ValueError, OSError: in one sentence, when the data, the patch or a checkpoint cannot be used, the disk is full, or
                another trainer is at work in the folder.
        """
        with self.folder.locked():
            return self._run()

    def _run(self) -> str:
        try:
            how = self._train()
        except Stopped:
            how = "stopped"
        except BaseException:
            if not (self._resumed or self._stepped or self.folder.has_checkpoint):
                self.folder.abandon()
            raise
        if self.control.discard.is_set():
            shutil.rmtree(self.folder.folder, ignore_errors=True)
            how = "discarded"
        model = str(self.folder.model) if self.folder.model.is_file() else ""
        self._tell(protocol.Ended(how=how, model=model, peak_mib=peak_mib(), peak_gpu_mib=gpu_peak_mib()))
        return how

    # -- before the first step ----------------------------------------------------------------------------------------------

    def _train(self) -> str:
        order, patch = self.folder.order()
        self.order, settings = order, order.settings
        limit_gpus(GPU_MIB)
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        tf.config.experimental.enable_op_determinism()
        tf.random.set_seed(settings.seed)
        corpus = self._corpus(order)
        clips = cut_clips(corpus, Cutting(seconds=settings.clip_s, held_out=settings.held_out, seed=settings.seed))
        learnt = {id(clip.recording): clip.recording for clip in clips.train}
        self._varied = variation(settings, self._heeding(learnt.values()))
        self.statistics = measure(self._heeding(learnt.values()))
        if settings.gain_db is None:
            self.statistics = widened(self.statistics, self._varied.gain_db)
        self.fitting = Fitting(bundle.banded(expand(patch), settings.sample_rate), settings.sample_rate)
        self.fitting.measure(self.statistics)
        judged, self._judged_on = _to_judge_by(clips)
        self._say_prepared(corpus, clips)
        held = self.folder.load()
        self.at = held or Checkpoint(self._first(), settings.steps, 0.0, 1.0, _at_once(settings), float("inf"))
        if self.at.learned.weights.shape != (self.fitting.size,):
            raise ValueError("the checkpoint does not fit the patch in the training's folder")
        rounded = settings.precision == "mixed" or (settings.precision == "auto" and _rounds_quickly())
        loss = loss_at(settings.sample_rate)
        self.stepper = Stepper(self.fitting, loss, settings.clip_norm, self.at.learned, rounded=rounded, seed=settings.seed)
        self.judge = Judge(self.fitting, judged, JUDGED_S)
        self._judged_by = _measure(self.judge.chosen, settings.sample_rate)
        self.folder.rewind(self.at.learned.step)
        self._clips, self._corpus_seconds = clips, corpus.seconds
        return self._loop(settings)

    def _first(self) -> Learned:
        nothing = np.zeros(self.fitting.size, np.float32)
        return Learned(self.fitting.vector(), nothing, nothing, 0)

    def _heeding(self, recordings: Iterable[Recording]) -> Iterator[Recording]:
        """The recordings, of which there may be very many, unless somebody asks to stop."""
        for recording in recordings:
            self._heed()
            yield recording

    def _heed(self) -> None:
        if self.control.stop.is_set():
            raise Stopped

    def _corpus(self, order: Order) -> Corpus:
        seldom = Seldom(_TELL_S)

        def follow(share: float) -> None:
            self._heed()
            if seldom.due():
                self._tell(protocol.Preparing(share=share))

        settings = order.settings
        check_engine(settings.engine)
        if self._resumed:
            self.folder.check_sources(order)
        how = Analysis(sample_rate=settings.sample_rate, engine=settings.engine)
        corpus = open_corpus([source.entry() for source in order.sources], how, cache=self._cache, progress=follow)
        self.folder.check_material([Material(r.name, r.samples, _content(r)) for r in corpus.recordings])
        return learnable(corpus, self._heed)

    def _say_prepared(self, corpus: Corpus, clips: Clips) -> None:
        self._tell(
            protocol.Prepared(
                seconds=corpus.seconds,
                clips=len(clips.train),
                held_out=len(clips.held_out),
                range_midi=[float(x) for x in self.statistics["range"]],
                weights=self.fitting.size,
                problems=list(corpus.problems),
            )
        )
        if told := why_varied(self.order.settings, self._varied):
            self._tell(protocol.Notice(text=told, warning=False))
        if clips.beside:
            told = "What is held out are keys that nothing else plays: the scores are of them and of notes that are learned from."
            self._tell(protocol.Notice(text=told, warning=False))
        if not clips.held_out:
            told = "There is too little material to hold some of it out: the scores tell how well it plays what it has heard."
            self._tell(protocol.Notice(text=told))

    # -- steps ----------------------------------------------------------------------------------------------------------------

    def _loop(self, settings: Settings) -> str:
        clock = Clock(self.at.seconds)
        feed = self._feed(settings)
        self._judge_best_anew()
        if self.at.learned.step and not self.folder.judged(self.at.learned.step):
            self._judge(clock, [])  # the last process ended while it did
        self._mend_model()
        kept, told_at, smooth = time.monotonic(), 0.0, averaged(float("nan"), *self.folder.losses())
        lines: list[dict[str, float]] = []
        while not self._finished(settings, clock):
            if not self.control.running.is_set():
                self._hold(clock, smooth)
                continue
            told, rate = self._step(settings, feed, clock)
            clock.stepped()
            smooth = averaged(smooth, told.loss)
            lines.append({"step": self.stepper.step - 1, "loss": told.loss, "gradient": told.norm, "rate": rate})
            if not self.at.steps:
                self._plan(settings, clock)
            if time.monotonic() - told_at > _TELL_S:
                told_at = time.monotonic()
                self._progress(clock, smooth)
            if clock.steps <= FROM:  # the first steps compile, and there is little to judge yet
                kept = time.monotonic()
            if self._due(settings, kept):
                self._checkpoint(clock, lines)
                self._plan(settings, clock)
                lines, kept = [], time.monotonic()
        if self.control.discard.is_set():
            return "discarded"
        how = "stopped" if self.control.stop.is_set() else "done"
        self._settle(clock, lines, done=how == "done")
        self._mend_model()
        self._progress(clock, smooth)
        return how

    def _settle(self, clock: Clock, lines: list[dict[str, float]], *, done: bool) -> None:
        """Keep what was learned since the last checkpoint; of what is done no step is left, whatever was planned."""
        planned = self.at.steps
        if done:
            self.at = self.at._replace(steps=self.stepper.step)
        if lines or not self.folder.has_checkpoint:
            self._checkpoint(clock, lines)
        elif self.at.steps != planned:
            self.folder.save(self.at, best=False)

    def _finished(self, settings: Settings, clock: Clock) -> bool:
        if self.control.stop.is_set() or self.control.discard.is_set():
            return True
        enough = bool(self.at.steps) and self.stepper.step >= self.at.steps
        late = not settings.steps and clock.seconds >= 60.0 * settings.minutes
        return enough or late

    def _feed(self, settings: Settings) -> Iterator[dict[str, Any]]:
        return Feed(Batches(self._clips.train, settings.batch, settings.seed, self._varied), self.stepper.step)

    def _step(self, settings: Settings, feed: Iterator[dict[str, Any]], clock: Clock) -> tuple[Told, float]:
        """One step, with fewer clips at once where the memory does not hold so many."""
        rate = self.at.caution * rate_at(self.stepper.step, self.at.steps, settings, clock.seconds)
        try:
            batch = next(feed)
        except MemoryError as problem:
            text = f"the memory does not hold {settings.batch} clips of {settings.clip_s:g} s; shorten the clips, or take fewer"
            raise ValueError(text) from problem
        while True:
            try:
                told = self.stepper.learn(batch, rate, self.at.at_once)
                self._stepped = True
                break
            except (tf.errors.ResourceExhaustedError, MemoryError) as problem:
                if self.at.at_once == 1:
                    text = f"the memory does not hold a single clip of {settings.clip_s:g} s; shorten the clips"
                    raise ValueError(text) from problem
                self.at = self.at._replace(at_once=_divisor(settings.batch, self.at.at_once - 1))
                self._tell(protocol.Notice(text=f"The memory ran out; going on with fewer clips at once: {self.at.at_once}."))
        if not told.sound:
            self._step_back()
        return told, rate

    def _step_back(self) -> None:
        """Weights that gave no numbers are given up for those of the last checkpoint, and approached more slowly."""
        caution = self.at.caution * _CAUTION
        if caution < _CAUTION**_MOST_BACK:
            raise ValueError("the training gives no numbers again and again; there may be something wrong with the recordings")
        step, self.at, self._stumbled = self.stepper.step, self.at._replace(caution=caution), True
        self.stepper.restore(self.at.learned._replace(step=step))
        told = f"Step {step} gave no numbers; going on from step {self.at.learned.step}, at {caution:g} of the pace."
        self._tell(protocol.Notice(text=told))

    def _plan(self, settings: Settings, clock: Clock) -> None:
        """Find out how many steps fit the minutes, once the pace is known."""
        planned = 0 if settings.steps else clock.fitting(self.stepper.step, settings.minutes)
        if planned:
            self.at = self.at._replace(steps=planned)

    def _hold(self, clock: Clock, loss: float) -> None:
        self._progress(clock, loss, paused=True)
        began = time.monotonic()
        while not self.control.running.wait(0.2) and not self.control.stop.is_set() and not self.control.discard.is_set():
            pass
        clock.leave_out(time.monotonic() - began)

    def _progress(self, clock: Clock, loss: float, *, paused: bool = False) -> None:
        left = (self.at.steps - self.stepper.step) / clock.pace if self.at.steps and clock.pace else 0.0
        self._tell(
            protocol.Progress(
                step=self.stepper.step,
                steps=self.at.steps,
                loss=loss if math.isfinite(loss) else 0.0,
                steps_per_s=clock.pace,
                seconds=clock.seconds,
                left_s=max(0.0, left),
                paused=paused,
            )
        )

    # -- checkpoints ----------------------------------------------------------------------------------------------------------

    def _due(self, settings: Settings, kept: float) -> bool:
        if settings.checkpoint_steps:
            return self.stepper.step % settings.checkpoint_steps == 0
        return time.monotonic() - kept > settings.checkpoint_s

    def _checkpoint(self, clock: Clock, lines: list[dict[str, float]]) -> None:
        """Keep and write down what was learned, then judge it: whatever happens while it is judged loses nothing."""
        began = time.monotonic()
        if not self._stumbled:
            self.at = self.at._replace(caution=min(1.0, self.at.caution / _CAUTION))
        self._stumbled = False
        self.at = self.at._replace(learned=self.stepper.learned(), seconds=clock.seconds)
        self.folder.log("log.csv", lines)  # what it says beyond the checkpoint is forgotten when the training goes on
        self.folder.save(self.at, best=False)
        clock.judged(time.monotonic() - began)
        self._judge(clock, lines)

    def _judge(self, clock: Clock, lines: list[dict[str, float]]) -> None:
        """Judge the last checkpoint, keep it if it is the best, and let hear."""
        began, learned = time.monotonic(), self.at.learned
        targets, played, scores = self._heard(learned.weights)
        better = scores.spectral <= self.at.best  # equal, if it is judged again since the last process ended before it was told
        self.at = self.at._replace(seconds=clock.seconds, best=min(self.at.best, scores.spectral))
        self.folder.save(self.at, best=better)
        if better:
            self._export(self.at, scores, bundle.preview_of(list(played)))
        self._events(learned.step, lines, scores)
        target, heard = self._write_samples(learned.step, targets, played)
        self.folder.log("scores.csv", [_line_of(learned.step, clock.seconds, scores)])
        self._tell(
            protocol.Checkpointed(
                step=learned.step,
                seconds=clock.seconds,
                best=better,
                scores={key: value if value == value else -1.0 for key, value in scores._asdict().items()},
                target=target,
                played=heard,
                model=str(self.folder.model),
            )
        )
        for text in scores.warnings():
            self._tell(protocol.Notice(text=text))
        clock.judged(time.monotonic() - began)

    def _judge_best_anew(self) -> None:
        """Let the best score be one by today's measure: the program or what is held out may have changed since it was found."""
        if self.at.judged_by == self._judged_by:
            return
        best = self._best() if self.at.learned.step else None
        score = self._heard(best.learned.weights)[2].spectral if best is not None else float("inf")
        self.at = self.at._replace(best=score, judged_by=self._judged_by)

    def _heard(self, weights: Array) -> tuple[Array, Array, Scores]:
        """What is meant and what weights play, [clips, samples], and how near it comes."""
        targets, played, pitches = self.judge.clips(weights, self.at.at_once)
        return targets, played, compare(targets, played, self.order.settings.sample_rate, pitches, self.judge.lengths)

    def _mend_model(self) -> None:
        """Write the model of the best checkpoint if there is another one in its place, or none: the disk was full, say."""
        if not self.folder.has_checkpoint:
            return
        best = self._best() or self.folder.load()
        if best is None or bundle.step_of(self.folder.model) == best.learned.step:
            return
        _, played, scores = self._heard(best.learned.weights)
        self._export(best, scores, bundle.preview_of(list(played)))

    def _best(self) -> Checkpoint | None:
        with contextlib.suppress(ValueError):  # it is damaged
            return self.folder.load("best.ckpt")
        return None

    def _write_samples(self, step: int, targets: Array, played: Array) -> tuple[str, str]:
        rate, place = self.order.settings.sample_rate, self.folder.folder / "samples"
        every = max(1, round(targets.size / rate / _HEARD_S))
        targets, played = targets[::every], played[::every]
        target = place / "target"
        if not all(target.with_suffix(suffix).is_file() for suffix in samples.SUFFIXES):
            samples.write(place, "target", bundle.preview_of(list(targets)), rate)
        heard = samples.write(place, f"played-{step:07d}", bundle.preview_of(list(played)), rate)
        samples.forget_old(place)
        return str(target), str(heard)

    def _events(self, step: int, lines: list[dict[str, float]], scores: Scores) -> None:
        # tf.summary.scalar would need TensorBoard itself
        about = tf.compat.v1.SummaryMetadata(data_class=1)
        about.plugin_data.plugin_name = "scalars"
        place, judged_on = str(self.folder.folder / "events"), self._judged_on.replace("training", "training clips")
        try:
            writer = tf.summary.create_file_writer(place)
            with writer.as_default():
                for line in lines:
                    for key in ("loss", "gradient", "rate"):
                        tf.summary.write(f"training/{key}", line[key], step=int(line["step"]), metadata=about)
                for key, value in scores._asdict().items():
                    tf.summary.write(f"{judged_on}/{key}", value, step=step, metadata=about)
            writer.close()
        except tf.errors.OpError as problem:  # a disk that is full or gone
            raise OSError(errno.EIO, str(problem.message).splitlines()[0], place) from problem

    def _export(self, at: Checkpoint, scores: Scores, preview: Array) -> None:
        order = self.order
        bundle.save_bundle(
            self.folder.model,
            self.fitting,
            at.learned.weights,
            name=order.name,
            statistics=self.statistics,
            data={
                "sources": sorted(Path(s.path).name for s in order.sources),
                "seconds": round(self._corpus_seconds, 1),
                "licence": order.licence,
            },
            training={
                "step": at.learned.step,
                "seconds": round(at.seconds, 1),
                "batch": order.settings.batch,
                "clip_s": order.settings.clip_s,
                "seed": order.settings.seed,
                "judged_on": self._judged_on,
                "scores": {key: round(value, 4) if value == value else None for key, value in scores._asdict().items()},
            },
            preview=preview,
        )


def _line_of(step: int, seconds: float, scores: Scores) -> dict[str, float]:
    """A line of scores.csv; `seconds` are those of training, `judged_s` those of sound that was judged."""
    told = scores._asdict()
    judged_s = told.pop("seconds")
    return {"step": step, "seconds": round(seconds, 1), **told, "judged_s": judged_s}


def _to_judge_by(clips: Clips) -> tuple[Sequence[Clip], str]:
    """Clips to judge checkpoints by, and what they are called."""
    if not clips.held_out:
        return clips.train, "training"
    if not clips.beside:
        return clips.held_out, "held out"
    first = clips.held_out[0]
    most = round(JUDGED_S * first.recording.sample_rate / first.samples)
    held = spaced(clips.held_out, most // 2)
    return (*held, *spaced(clips.beside, most - len(held))), "held out and training"


def _measure(clips: Sequence[Clip], sample_rate: int) -> str:
    """What scores depend on besides the weights: the windows that are compared, and the clips."""
    judged = [(clip.recording.name, clip.first, clip.frames) for clip in clips]
    text = json.dumps([loss_at(sample_rate).sizes, MEASURE, judged])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _content(recording: Recording) -> str:
    """Under which key a recording's sound is kept, and where there: another one once its content has changed."""
    return f"{recording.held.place.name} {recording.sound}"


def _at_once(settings: Settings) -> int:
    """Clips whose gradient is computed at once: all of them on a GPU, on a CPU so many that the memory stays small."""
    on_cpu = int(AT_ONCE_S * AT_RATE / settings.sample_rate / settings.clip_s)
    most = settings.batch if tf.config.list_physical_devices("GPU") else on_cpu
    return _divisor(settings.batch, max(1, most))


def _divisor(whole: int, most: int) -> int:
    return next(part for part in range(min(whole, most), 0, -1) if whole % part == 0)


def _rounds_quickly() -> bool:
    """Whether there is a GPU with units for bfloat16 (compute capability 8, Ampere, and later)."""
    gpus = tf.config.list_physical_devices("GPU")
    known = [tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus]
    return bool(known) and min(known) >= (8, 0)


def peak_mib() -> int:
    """Most memory that this process has held, MiB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most >> 20 if sys.platform == "darwin" else most >> 10)
