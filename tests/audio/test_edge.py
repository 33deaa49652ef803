"""Clock, output, recorder and port clock: the edge to devices, without any."""

import threading
import time

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ddsp_studio.audio.clock import StreamClock
from ddsp_studio.audio.midi_input import MidiInputs, PortClock
from ddsp_studio.audio.output import SilentOutput, lead_samples
from ddsp_studio.audio.recorder import SoundRecorder


def test_the_clock_smooths_jitter():
    rng = np.random.default_rng(1)
    clock, errors = StreamClock(48_000), []
    for k in range(1, 3000):
        clock.observe(k * 256 / 48_010 + rng.uniform(0, 0.0006), k * 256)
        if k > 1000:
            seen = clock.position_at(k * 256 / 48_010 + 0.0003)
            errors.append(seen - k * 256)
    assert np.abs(errors).max() < 6.0  # samples; the jitter itself is 29


def test_the_clock_starts_again_after_a_gap():
    clock = StreamClock(48_000)
    assert clock.position_at(0.0) is None
    clock.observe(1.0, 0)
    clock.observe(1.1, 4800)
    clock.observe(5.0, 9600)
    assert clock.position_at(5.0) == pytest.approx(9600)


@given(st.sampled_from([64, 128, 256, 512, 1024, 2048]), st.integers(16, 4096), st.integers(0, 8))
def test_the_lead_feeds_every_device(block, quantum, safety):
    """A render thread that takes up to a block's time for a block never lets the ring run dry."""
    lead = lead_samples(block, quantum, safety)
    cost = 0.98 * block
    fill, done = lead, None
    for call in range(1, 300):
        now = call * quantum
        while done is not None and done <= now:
            fill += block
            done = done + cost if fill + block <= lead else None
        assert fill >= quantum
        fill -= quantum
        if done is None and fill + block <= lead:
            done = now + cost


def test_the_silent_clock_keeps_time_and_counts_what_comes_late():
    output = SilentOutput(48_000, 64, 0, 0)
    written = 0
    start = time.perf_counter()
    while time.perf_counter() - start < 0.1:
        if output.wanted():
            output.write(np.zeros((2, 64), np.float32))
            written += 64
        else:
            output.wait()
    stamp = output.stream_sample(time.perf_counter())
    assert stamp >= written
    before = output.dropouts
    time.sleep(0.05)
    output.wanted()
    assert output.dropouts > before


def test_a_port_clock_undoes_late_arrivals_and_drift():
    clock = PortClock()
    stamps = [clock.stamp(0.01, 5.0 + 0.01 * k + (0.004 if k % 3 else 0.0)) for k in range(30)]
    np.testing.assert_allclose(stamps, 5.0 + 0.01 * np.arange(30), atol=1e-4)
    assert clock.stamp(1000.0, 6.0) == 6.0


def test_a_recording_appears_when_it_is_closed(tmp_path):
    done = threading.Event()
    results = []
    recorder = SoundRecorder(tmp_path / "a.wav", 48_000, lambda r: (results.append(r), done.set()))
    for _ in range(10):
        recorder.write(np.full((2, 256), 0.5, np.float32))
    assert not (tmp_path / "a.wav").exists()
    recorder.finish()
    assert done.wait(5.0)
    assert (results[0].samples, results[0].problem) == (2560, "")
    assert soundfile.read(tmp_path / "a.wav")[0].shape == (2560, 2)


def test_a_recording_that_cannot_be_written_says_so(tmp_path):
    done = threading.Event()
    results = []
    SoundRecorder(tmp_path / "gone" / "a.wav", 48_000, lambda r: (results.append(r), done.set()))
    assert done.wait(5.0)
    assert "a.wav" in results[0].problem


def test_midi_inputs_come_and_go_without_any_server(monkeypatch):
    monkeypatch.setattr("ddsp_studio.audio.midi_input._apis", list)
    seen = []
    inputs = MidiInputs(lambda *_: None, seen.append, lambda _: None)
    inputs.start()
    deadline = time.monotonic() + 5.0
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    inputs.close()
    assert seen == [[]]
