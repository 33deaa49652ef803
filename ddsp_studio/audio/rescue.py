"""Takes that were being recorded when their engine died: finished from what it left in the folder.

The sound is there up to the last block that was written; the journal tells what was played, for .mid and .take.

Thread rule: blocks on the disk; never on the render thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import soundfile

from ddsp_studio.audio.events import Midi
from ddsp_studio.audio.journal import Journaled, claimed, read_journal
from ddsp_studio.audio.keys import is_channel_message
from ddsp_studio.audio.names import candidates
from ddsp_studio.audio.recorder import PART, keep, part_of
from ddsp_studio.audio.take import SUFFIX, Take
from ddsp_studio.audio.take_recorder import Recorded, existing, named, write_notes

_SOUND, _INPUT = ".wav", ".input.wav"


def rescue(folder: Path) -> Iterator[Recorded]:
    """Finish the takes in a folder that nobody records any more, one after the other; nothing is told of what holds no sound."""
    for stem in sorted(set(_stems(folder))):
        journal, sound = (part_of(named(stem, suffix)) for suffix in (SUFFIX, _SOUND))
        try:
            with claimed(journal, sound) as ours:
                if not ours:
                    continue
                done = _finish(stem, read_journal(journal))
            if done is None or not done.problem:
                journal.unlink(missing_ok=True)
        except OSError as failure:
            reason = failure.strerror or failure
            done = Recorded(None, None, None, 0.0, f"The recording {stem.name} was cut short and cannot be finished: {reason}.")
        if done is not None:
            yield done


def _stems(folder: Path) -> Iterator[Path]:
    for suffix in (SUFFIX, _SOUND):
        for part in folder.glob(f".*{PART}{suffix}"):
            name = part.name.removeprefix(".").removesuffix(PART + suffix)
            if not named(part.with_name(name), _SOUND).name.endswith(_INPUT):
                yield part.with_name(name)


def _finish(stem: Path, journal: Journaled | None) -> Recorded | None:
    """Finish the sounds, and make the notes; None if there is no sound, or nothing was left to do."""
    left = part_of(named(stem, _SOUND)).exists()
    final = _free(stem) if left else stem
    for suffix in (_SOUND, _INPUT):
        keep(part_of(named(stem, suffix)), named(final, suffix))
    sound, heard = named(final, _SOUND), existing(named(final, _INPUT))
    seconds, samples = _length(sound)
    if not samples or not (left or journal):
        return None
    problem = ""
    if journal is not None:
        begin, rate = journal.begin, journal.sample_rate
        played = tuple(event for event in journal.events if not isinstance(event, Midi) or is_channel_message(event.data))
        problem = write_notes(final, Take(journal.patch, rate, begin.voices, begin.mode, samples, played, heard), begin.bpm)
    return Recorded(sound, existing(named(final, ".mid")), existing(named(final, SUFFIX)), seconds, problem)


def _free(stem: Path) -> Path:
    """The stem, or the first like it that no sound has yet."""
    names = (stem.with_name(name) for name in candidates(stem.name))
    return next(each for each in names if not named(each, _SOUND).exists())


def _length(sound: Path) -> tuple[float, int]:
    """Seconds and samples of a sound file; 0 if there is none."""
    with contextlib.suppress(OSError, soundfile.LibsndfileError):
        facts = soundfile.info(sound)
        return facts.frames / facts.samplerate, facts.frames
    return 0.0, 0
