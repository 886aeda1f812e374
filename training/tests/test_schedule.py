"""The learning rate ends with the run."""

from itertools import pairwise

import pytest

from bdc_training.schedule import CosineSchedule, TimeBudget


def test_warms_up_and_ends_at_the_final_share() -> None:
    schedule = CosineSchedule(peak=2.0, warmup_steps=10, final_share=0.01)
    rates = []
    for step in range(100):
        rates.append(schedule.rate(step))
        schedule.advance(100 - step)
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(2.0, rel=0.03)
    assert rates[50] == pytest.approx(1.01)
    assert schedule.progress == pytest.approx(1)
    assert schedule.rate(100) == pytest.approx(0.02)


def test_a_changed_estimate_of_the_remaining_steps_bends_the_cosine_without_a_jump() -> None:
    schedule = CosineSchedule(peak=1.0, warmup_steps=0, final_share=0.0)
    rates = []
    # Half way, every step starts to take twice as long: 25 of the 50 steps left still fit.
    for remaining in [*range(100, 50, -1), *range(25, 0, -1)]:
        rates.append(schedule.rate(len(rates)))
        schedule.advance(remaining)
    assert schedule.progress == pytest.approx(1)
    assert max(a - b for a, b in pairwise(rates)) < 0.04
    assert rates == sorted(rates, reverse=True)


def test_a_time_budget_counts_in_median_steps_and_ends_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("bdc_training.schedule.time.monotonic", lambda: now)
    budget = TimeBudget(seconds=300, used_before=100, _started=now)
    budget.remaining(0)
    # Ten steps of 2 s, and a pause of 30 s for a validation.
    for step in range(1, 11):
        now += 2 + (30 if step == 5 else 0)
        remaining = budget.remaining(step)
    assert remaining == pytest.approx((300 - 100 - 50) / 2)
    now += 150
    assert budget.remaining(11) < 1
