"""The clock of a training: how many steps fit its minutes, and how fast it learns while that is not known."""

from __future__ import annotations

import pytest

from ddsp_studio.training.pace import ENOUGH, FROM, Clock, Seldom
from ddsp_studio.training.settings import Settings, rate_at


class Time:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def stepped(clock: Clock, time: Time, count: int, seconds: float = 0.5) -> None:
    for _ in range(count):
        time.now += seconds
        clock.stepped()


def test_what_is_told_seldom_is_told_at_once_and_then_after_a_while() -> None:
    time = Time()
    seldom, told = Seldom(0.25, time), []
    for _ in range(21):
        told.append(seldom.due())
        time.now += 0.0625
    assert told[0] and sum(told) == 6


def test_the_pace_leaves_out_compiling_judging_and_pauses() -> None:
    time = Time()
    clock = Clock(60.0, time)
    stepped(clock, time, FROM, 9.0)
    assert clock.pace == 0.0
    stepped(clock, time, 10)
    time.now += 30.0
    clock.judged(30.0)
    time.now += 1000.0
    clock.leave_out(1000.0)
    assert clock.pace == pytest.approx(2.0)
    assert clock.seconds == pytest.approx(60.0 + 9.0 * FROM + 5.0 + 30.0)


def test_no_plan_is_made_of_a_few_steps() -> None:
    """A training that goes on is not at its end because its pace is not known yet."""
    time = Time()
    clock = Clock(60.0, time)
    for _ in range(ENOUGH - 1):
        stepped(clock, time, 1)
        assert clock.fitting(500, 10.0) == 0
    stepped(clock, time, 1)
    left_s = 600.0 - clock.seconds
    assert clock.fitting(500, 10.0) == 500 + int(0.95 * left_s * 2.0)
    time.now += 10_000.0
    assert clock.fitting(500, 10.0) == 501


def test_while_the_plan_is_open_the_minutes_tell_how_far_it_is() -> None:
    settings = Settings(minutes=10.0, warm_up=20)
    assert rate_at(1000, 0, settings, 0.0) == settings.rate
    assert rate_at(1000, 0, settings, 600.0) == pytest.approx(settings.end_rate * settings.rate)
    # a training of five minutes that goes on for five more learns as fast before its plan is made as behind
    planned = rate_at(1020, 2020, settings)
    assert rate_at(1020, 0, settings, 300.0) == pytest.approx(planned, rel=0.05)
    assert rate_at(0, 0, settings, 1.0) < 0.1 * settings.rate
