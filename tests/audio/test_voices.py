import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.audio.events import HOP, Midi
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.processors.performance import BEND, GATE, MOD, NOTE, PRESSURE, TRIGGER, VELOCITY


def on(sample, note, velocity=100, channel=0, source=0):
    return Midi(sample, bytes((0x90 | channel, note, velocity)), source)


def off(sample, note, channel=0, source=0):
    return Midi(sample, bytes((0x80 | channel, note, 0)), source)


def cc(sample, number, value, channel=0):
    return Midi(sample, bytes((0xB0 | channel, number, value)))


def play(events, hops, voices=4, mode="poly"):
    return VoiceAllocator(voices, mode).frames(events, 0, hops)


def gates(frames):
    return frames[:, :, GATE].sum(axis=0).astype(int).tolist()


def test_a_note_acts_in_the_hop_that_holds_its_sample():
    frames = play([on(2 * HOP - 1, 69, 127), off(5 * HOP, 69)], 8)
    assert gates(frames) == [0, 1, 1, 1, 1, 0, 0, 0]
    assert frames[0, :, TRIGGER].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert frames[0, 1, NOTE] == 69
    assert frames[0, 1, VELOCITY] == 1.0
    assert frames[0, 7, NOTE] == 69  # held after release


def test_a_note_shorter_than_a_hop_still_sounds():
    frames = play([on(10, 60), off(20, 60)], 3)
    assert gates(frames) == [1, 0, 0]


def test_a_chord_and_a_steal_spare_lowest_and_newest():
    notes = [36, 60, 64, 67]
    frames = play([on(i * HOP, n) for i, n in enumerate(notes)] + [on(6 * HOP, 72)], 8)
    held = sorted(frames[:, 7, NOTE].tolist())
    assert held == [36, 64, 67, 72]  # 60 was the oldest that is neither lowest nor newest
    stolen = frames[:, :, NOTE].argmax(axis=0)[6]
    assert frames[stolen, 6, TRIGGER] == 1
    assert frames[stolen, 5:8, GATE].tolist() == [1, 1, 1]


def test_released_voices_go_first():
    frames = play([on(0, 60), on(HOP, 62), off(2 * HOP, 60), on(3 * HOP, 64)], 5, voices=2)
    assert frames[:, 4, GATE].tolist() == [1, 1]
    assert sorted(frames[:, 4, NOTE].tolist()) == [62, 64]


def test_the_same_note_uses_its_voice_again():
    frames = play([on(0, 60), on(HOP, 62), off(2 * HOP, 60), off(2 * HOP, 62), on(4 * HOP, 62)], 6)
    assert frames[1, 4, TRIGGER] == 1
    assert frames[1, 5, GATE] == 1


def test_sustain_holds_and_releases():
    events = [cc(0, 64, 127), on(0, 60), off(2 * HOP, 60), cc(5 * HOP, 64, 0)]
    assert gates(play(events, 7)) == [1, 1, 1, 1, 1, 0, 0]


def test_sostenuto_holds_only_what_was_down():
    events = [on(0, 60), cc(HOP, 66, 127), on(2 * HOP, 64), off(3 * HOP, 60), off(3 * HOP, 64), cc(5 * HOP, 66, 0)]
    assert gates(play(events, 7)) == [1, 1, 2, 1, 1, 0, 0]


def test_mono_returns_to_the_key_held_before():
    events = [on(0, 60), on(2 * HOP, 67), off(4 * HOP, 67), off(6 * HOP, 60)]
    frames = play(events, 8, mode="mono")[0]
    assert frames[:, NOTE].tolist() == [60, 60, 67, 67, 60, 60, 60, 60]
    assert frames[:, GATE].tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert frames[:, TRIGGER].tolist() == [1, 0, 1, 0, 1, 0, 0, 0]


def test_legato_triggers_only_after_silence():
    events = [on(0, 60), on(2 * HOP, 67), off(4 * HOP, 67), off(5 * HOP, 60), on(6 * HOP, 72)]
    frames = play(events, 8, mode="legato")[0]
    assert frames[:, TRIGGER].tolist() == [1, 0, 0, 0, 0, 0, 1, 0]


def test_wheels_and_pressure_reach_the_voices_of_their_channel():
    events = [
        on(0, 60, channel=0),
        on(0, 64, channel=1),
        cc(HOP, 1, 127, channel=1),
        Midi(HOP, bytes((0xE0, 0x7F, 0x7F))),
        Midi(HOP, bytes((0xD0, 127))),
        Midi(2 * HOP, bytes((0xA1, 64, 127))),
        cc(3 * HOP, 121, 0),
    ]
    frames = play(events, 5)
    assert frames[0, :, BEND].tolist() == [0, 1, 1, 0, 0]
    assert frames[1, :, BEND].tolist() == [0, 0, 0, 0, 0]
    assert frames[1, :, MOD].tolist() == [0, 1, 1, 1, 1]
    assert frames[0, :, PRESSURE].tolist() == [0, 1, 1, 0, 0]
    assert frames[1, :, PRESSURE].tolist() == [0, 0, 1, 1, 1]


def test_a_song_and_a_hand_may_hold_the_same_key():
    events = [on(0, 60), on(HOP, 60, source=1), off(2 * HOP, 60, source=1)]
    assert gates(play(events, 4)) == [1, 2, 1, 1]


@pytest.mark.parametrize("number", [120, 123, 124, 127])
def test_all_notes_off(number):
    assert gates(play([on(0, 60), on(0, 62), cc(2 * HOP, number, 0)], 4)) == [2, 2, 0, 0]


def test_all_sound_off_beats_the_pedal_and_all_notes_off_does_not():
    held = [cc(0, 64, 127), on(0, 60)]
    assert gates(play([*held, cc(2 * HOP, 123, 0)], 4)) == [1, 1, 1, 1]
    assert gates(play([*held, cc(2 * HOP, 120, 0)], 4)) == [1, 1, 0, 0]


@pytest.mark.parametrize(("voices", "mode"), [(0, "poly"), (65, "poly"), (4, "duo")])
def test_refusals(voices, mode):
    with pytest.raises(ValueError, match="got"):
        VoiceAllocator(voices, mode)


@st.composite
def performances(draw):
    events = []
    for _ in range(draw(st.integers(0, 40))):
        sample, channel = draw(st.integers(0, 30 * HOP - 1)), draw(st.integers(0, 1))
        kind = draw(st.sampled_from([0x80, 0x90, 0x90, 0xA0, 0xB0, 0xD0, 0xE0]))
        first = draw(st.sampled_from([1, 64, 66, 120, 121, 123])) if kind == 0xB0 else draw(st.integers(58, 64))
        data = (kind | channel, first) if kind == 0xD0 else (kind | channel, first, draw(st.sampled_from([0, 1, 64, 127])))
        events.append(Midi(sample, bytes(data), draw(st.integers(0, 1))))
    return sorted(events, key=lambda event: event.sample)


modes = st.sampled_from(["poly", "mono", "legato"])


@settings(max_examples=150, deadline=None)
@given(performances(), st.integers(1, 5), modes, st.lists(st.integers(1, 7), min_size=1, max_size=6))
def test_blocks_do_not_matter(events, voices, mode, sizes):
    whole = VoiceAllocator(voices, mode).frames(events, 0, 30)
    split, start, allocator, pieces = 0, 0, VoiceAllocator(voices, mode), []
    while start < 30:
        hops = min(sizes[split % len(sizes)], 30 - start)
        due = [e for e in events if start * HOP <= e.sample < (start + hops) * HOP]
        pieces.append(allocator.frames(due, start, hops))
        start, split = start + hops, split + 1
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


@settings(max_examples=150, deadline=None)
@given(performances(), st.integers(1, 5), modes)
def test_no_note_is_stuck_and_no_voice_too_many(events, voices, mode):
    allocator = VoiceAllocator(voices, mode)
    frames = allocator.frames(events, 0, 30)
    assert frames[:, :, GATE].sum(axis=0).max(initial=0) <= voices
    assert np.isfinite(frames).all()
    # all keys are let go, and the pedals too
    release = [Midi(31 * HOP, bytes((0x80 | c, n, 0)), s) for c in (0, 1) for s in (0, 1) for n in range(58, 65)]
    release += [Midi(31 * HOP, bytes((0xB0 | c, p, 0)), s) for c in (0, 1) for s in (0, 1) for p in (64, 66)]
    after = allocator.frames(release, 30, 4)
    assert after[:, -1, GATE].sum() == 0
    assert allocator.sounding == 0
    assert not allocator.velocities().any()


@settings(max_examples=100, deadline=None)
@given(performances(), st.integers(1, 5), modes)
def test_silence_lets_everything_go(events, voices, mode):
    allocator = VoiceAllocator(voices, mode)
    allocator.frames(events, 0, 30)
    allocator.silence()
    frames = allocator.frames([], 30, 2)
    assert frames[:, :, GATE].sum() == 0
    assert frames[:, :, (MOD, PRESSURE, BEND)].sum() == 0
