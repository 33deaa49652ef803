import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.audio.events import HOP, Cut, Midi, Move, by_time
from ddsp_studio.audio.renderer import Renderer
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.processors.performance import GATE, VELOCITY

from .fake import FakePlayer, FakeSmoother
from .patches import synth


def renderer(voices=4, patch=None):
    player = FakePlayer(patch or synth(), 48_000, voices)
    return Renderer(player, FakeSmoother(player), VoiceAllocator(voices), sample_rate=48_000)


def on(sample, note=69, velocity=127):
    return Midi(sample, bytes((0x90, note, velocity)))


def render(events, hops, sizes=(4,)):
    held, pieces, index = renderer(), [], 0
    for event in events:
        held.post(event)
    while held.position < hops * HOP:
        pieces.append(held.render(min(sizes[index % len(sizes)], hops - held.position // HOP)).audio)
        index += 1
    return np.concatenate(pieces, axis=1)


some_events = st.lists(
    st.one_of(
        st.builds(on, st.integers(0, 60 * HOP), st.integers(60, 63), st.sampled_from([0, 90])),
        st.builds(lambda s, g: Move(s, "out.gain", (g,)), st.integers(0, 60 * HOP), st.sampled_from([-20.0, -6.0, 0.0])),
        st.builds(Cut, st.integers(0, 60 * HOP), st.integers(1, 5)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(some_events, st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_the_block_length_is_inaudible(events, sizes):
    events = by_time(events)
    np.testing.assert_allclose(render(events, 64, sizes), render(events, 64, [64]), atol=1e-6)


def test_a_cut_fades_and_starts_over():
    sound = render([on(0), Cut(20 * HOP, 4)], 40)
    assert np.abs(sound[:, 10 * HOP : 20 * HOP]).max() > 0.05
    assert np.abs(sound[:, 24 * HOP :]).max() == 0.0
    assert np.abs(np.diff(sound)).max() < 0.02  # no click


def test_a_swap_is_a_crossfade_of_one_block():
    held = renderer()
    held.post(on(0))
    before = held.render(8).audio
    softer = FakePlayer(synth().with_value("out", "gain", (-60.0,)), 48_000, 4)
    held.swap(softer, FakeSmoother(softer), adopt=False)
    fade = held.render(8).audio
    after = held.render(8).audio
    assert held.player is softer
    assert np.abs(after).max() < 0.01 * np.abs(before).max()
    steps = np.abs(np.diff(np.concatenate([before, fade, after], axis=1)[0]))
    assert steps[8 * HOP :].max() <= steps[: 8 * HOP].max() * 1.05
    assert np.abs(fade[0, : 2 * HOP]).max() > 2 * np.abs(fade[0, 6 * HOP :]).max()


def test_a_swap_may_bring_another_voice_count_and_keeps_the_keys():
    held = renderer(voices=2)
    held.post(on(0))
    held.render(8)
    bigger = FakePlayer(synth(), 48_000, 6)
    held.swap(bigger, FakeSmoother(bigger), shape=(6, "poly"), adopt=False)
    held.render(8)
    assert held.allocator.voices == 6
    assert held.allocator.sounding == 1
    assert np.abs(held.render(4).audio).max() > 0.05


def pitch_hz(audio, rate=48_000):
    """Of the loudest partial of a block, to about 10 Hz."""
    spectrum = np.abs(np.fft.rfft(audio[0] * np.hanning(audio.shape[1]), 1 << 14))
    return np.argmax(spectrum) * rate / (1 << 14)


def test_a_note_that_fades_keeps_its_pitch_when_the_mode_changes():
    held = renderer(voices=2)
    held.post(on(0, 81))
    held.post(on(4 * HOP, 81, 0))
    held.render(6)
    held.reshape(2, "mono")
    assert pitch_hz(held.render(12).audio) == pytest.approx(880.0, rel=0.02)


def test_a_note_that_fades_keeps_its_pitch_and_loudness_when_a_patch_brings_another_mode():
    held = renderer(voices=2)
    held.post(on(0, 81, 100))
    held.post(on(4 * HOP, 81, 0))
    held.render(6)
    same = FakePlayer(synth(), 48_000, 2)
    held.swap(same, FakeSmoother(same), shape=(2, "legato"))
    assert pitch_hz(held.render(12).audio) == pytest.approx(880.0, rel=0.02)
    frames = held.allocator.frames([], 0, 1)
    assert frames[0, 0, VELOCITY] == pytest.approx(100 / 127)
    assert not frames[:, 0, GATE].any()


def test_what_starts_over_knows_no_note():
    held = renderer(voices=2)
    held.post(on(0, 81))
    held.post(Cut(8 * HOP, 2))
    held.render(20)
    fresh = VoiceAllocator(2)
    held.allocator.silence()
    np.testing.assert_array_equal(held.allocator.frames([], 0, 1), fresh.frames([], 0, 1))


def test_numbers_that_are_none_become_silence():
    from dataclasses import replace

    held = renderer(patch=replace(synth(), name="broken"))
    held.post(on(0))
    rendered = held.render(4)
    assert rendered.faulty
    assert not rendered.audio.any()


def test_refresh_only_while_nothing_sounds():
    held = renderer()
    held.render(4)
    assert held.refresh()
    assert held.origin == 4 * HOP
    held.post(on(0))
    held.render(4)
    assert not held.refresh()


def test_a_late_event_acts_at_once_and_says_so():
    held = renderer()
    held.render(4)
    held.post(on(10))
    rendered = held.render(4)
    assert rendered.events[0].sample == 4 * HOP
    assert held.allocator.sounding == 1


def test_unknown_knobs_are_ignored():
    held = renderer()
    held.post(Move(0, "gone.gain", (1.0,)))
    held.post(Move(0, "out.gain", (1.0, 2.0)))
    assert not held.render(4).faulty
