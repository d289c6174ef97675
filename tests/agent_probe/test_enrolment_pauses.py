"""How long a machine waits before it asks the enrolment door again."""

import heapq
from random import Random

import pytest

from agent_probe.enrolment.enrolling import pause_ms
from collector._core.bucket import Bucket
from collector.enrolment.door import DoorSettings
from seatwatch.settings import load_defaults
from wire.enrolment import EnrolRefusal, Refusal


@pytest.mark.parametrize("seed", range(5))
def test_a_floor_of_600_that_is_switched_on_together_is_in_within_half_a_minute(seed: int) -> None:
    rng, settings = Random(seed), load_defaults().fill(DoorSettings, "enrolment")
    hurry = EnrolRefusal(Refusal.TOO_OFTEN, "", settings.retry_after_ms)
    door = Bucket(settings.requests_per_s, settings.requests_burst, 0)
    asking = [(0, seat) for seat in range(600)]
    let_in_at = 0
    while asking:
        now, seat = heapq.heappop(asking)
        if door.wait_ms(now):
            heapq.heappush(asking, (now + pause_ms(hurry, rng.random()), seat))
        else:
            let_in_at = now
    assert let_in_at <= 31_000


def test_a_name_that_is_speaking_is_waited_for_as_long_as_the_hub_says() -> None:
    assert pause_ms(EnrolRefusal(Refusal.STILL_SPEAKING, "", 30_000), 0.1) == 30_000
