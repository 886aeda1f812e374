"""The learning rate over a run whose length is counted in steps or in minutes."""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median


@dataclass
class CosineSchedule:
    """Linear warm-up, then one cosine from `peak` to `final_share` · peak over the run.

    `progress` (0…1) is advanced by the share of the remaining run that a step is, so the cosine ends with the run even
    when the estimate of what remains changes on the way.
    """

    peak: float
    warmup_steps: int
    final_share: float
    progress: float = 0.0

    def rate(self, step: int) -> float:
        warmup = min(1.0, (step + 1) / max(1, self.warmup_steps))
        cosine = (1 + math.cos(math.pi * self.progress)) / 2
        return self.peak * warmup * (self.final_share + (1 - self.final_share) * cosine)

    def advance(self, remaining_steps: float) -> None:
        """After a step that was one of `remaining_steps`, itself included."""
        self.progress = min(1.0, self.progress + (1 - self.progress) / max(1.0, remaining_steps))


@dataclass
class StepBudget:
    """A run of a number of steps, interruptions included."""

    total: int

    def remaining(self, step: int) -> float:
        return self.total - step


@dataclass
class TimeBudget:
    """A run of a number of seconds.

    A step is taken to last as long as the median of the latest ones: a validation between two doesn't count for all.
    """

    seconds: float
    # Seconds used before this process.
    used_before: float = 0.0
    _started: float = field(default_factory=time.monotonic)
    _stamps: deque[float] = field(default_factory=lambda: deque(maxlen=100))

    def used(self) -> float:
        return self.used_before + time.monotonic() - self._started

    def remaining(self, step: int) -> float:
        """Steps that still fit. The first call of a process assumes one second a step."""
        now = time.monotonic()
        self._stamps.append(now)
        left = self.seconds - self.used()
        if len(self._stamps) < 2:
            return left
        return left / median(later - earlier for earlier, later in pairwise(self._stamps))
