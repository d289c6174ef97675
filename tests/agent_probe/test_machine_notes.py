"""What a probe notices about its machine and its sensors, and how it is told: once, as a record."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agent_probe._core.machine import MachineRules, MachineWatch, Noticing
from agent_probe.notes import Notes
from agent_probe.platform import current
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.seat.machine import MachineSensor
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.test_runner import Scripted, lived
from wire.codec import decode_body, encode_body
from wire.kinds import Kind
from wire.seat import Noticed, ProbeNote

RULES = MachineRules(slept_ms=2_000, stepped_ms=500)
WALL = 1_800_000_000_000


def looked(*clocks: tuple[int, int, int]) -> list[Noticing]:
    watch = MachineWatch(RULES)
    return [watch.look(wall=WALL + wall, monotonic=monotonic, awake=awake) for wall, monotonic, awake in clocks]


def test_ten_minutes_of_sleep_are_told_with_their_length_and_are_no_clock_step() -> None:
    seen = looked((0, 0, 0), (5_000, 5_000, 5_000), (610_000, 610_000, 10_000), (615_000, 615_000, 15_000))
    assert seen == [Noticing(0, 0), Noticing(0, 0), Noticing(600_000, 0), Noticing(0, 0)]


def test_a_clock_set_a_day_forward_or_back_is_told_with_its_sign() -> None:
    day = 86_400_000
    seen = looked((0, 0, 0), (day + 5_000, 5_000, 5_000), (10_000, 10_000, 10_000))
    assert seen == [Noticing(0, 0), Noticing(0, day), Noticing(0, -day)]


def test_a_clock_set_while_the_machine_slept_is_told_beside_the_sleep() -> None:
    assert looked((0, 0, 0), (608_000, 600_000, 1_000))[1] == Noticing(599_000, 8_000)


def test_a_steered_clock_and_a_busy_machine_are_not_worth_a_word() -> None:
    assert looked((0, 0, 0), (5_499, 5_000, 3_001), (25_000, 25_000, 23_001))[1:] == [Noticing(0, 0)] * 2


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=20))
def test_sleep_is_told_whole_however_it_falls_between_the_looks(naps: list[tuple[int, int]]) -> None:
    monotonic = awake = 0
    watch = MachineWatch(MachineRules(slept_ms=1, stepped_ms=500))
    watch.look(wall=WALL, monotonic=0, awake=0)
    told = 0
    for ran_ms, slept_ms in naps:
        awake += ran_ms
        monotonic += ran_ms + slept_ms
        told += watch.look(wall=WALL + monotonic, monotonic=monotonic, awake=awake).slept_ms
    assert told == sum(slept_ms for _, slept_ms in naps)


async def test_the_sensor_says_nothing_until_something_happens_and_then_a_note_that_is_no_state() -> None:
    awake = [0]
    sensor = MachineSensor(
        SETTINGS.machine_schedule,
        RULES,
        Notes(site="sz1", seat="s1", clock_domain="sz1/p1"),
        awake_ms=lambda: awake[0],
    )
    assert await sensor.sample(Stamp(WALL, 0, True)) == []
    readings = await sensor.sample(Stamp(WALL + 90_000, 60_000, False))
    notes = [reading.body() for reading in readings]
    assert all(reading.once for reading in readings)
    assert len({reading.state for reading in readings}) == 2
    for note in notes:
        assert isinstance(note, ProbeNote)
        assert decode_body(Kind.PROBE_NOTE, 1, encode_body(note)) == note
    told = [(note.noticed, note.duration_ms, note.step_ms) for note in notes if isinstance(note, ProbeNote)]
    assert told == [(Noticed.SUSPENDED, 60_000, 0), (Noticed.CLOCK_STEPPED, 0, 30_000)]


def test_the_platforms_waking_clock_stands_by_the_monotonic_one_while_nothing_sleeps() -> None:
    before = current().monotonic_ms() - current().awake_ms()
    after = current().monotonic_ms() - current().awake_ms()
    assert abs(after - before) < 1_000


class Noting(Scripted):
    """A scripted sensor beside which the notes are told apart by what they say."""

    def unavailable(self, now: Stamp, cause: str) -> Sequence[object]:  # type: ignore[override]  # says nothing here
        self.causes.append(cause)
        return []


def noted(*script: object, time_ms: int) -> list[tuple[Noticed, str, int]]:
    world = lived(Noting(*script), time_ms)
    bodies = [decode_body(kind, version, body) for kind, version, body in world.bodies]
    return [(body.noticed, body.about, body.duration_ms) for body in bodies if isinstance(body, ProbeNote)]


def test_a_sensor_that_hangs_is_told_once_and_its_return_with_how_long_it_was_gone() -> None:
    told = noted("mains", "hang", "hang", "mains", time_ms=20_000)
    assert [(noticed, about) for noticed, about, _ in told] == [
        (Noticed.SENSOR_HUNG, "scripted"),
        (Noticed.SENSOR_BACK, "scripted"),
    ]
    # sampled at 1.0 s and cut off at 1.5, waited 1 s, hung again until 3.0, waited 2 s: back at 5.0
    assert told[1][2] == 4_000


def test_a_sensor_that_is_refused_does_not_hang() -> None:
    assert noted("mains", "mains", time_ms=5_000) == []


def test_a_hung_sensor_delays_no_other() -> None:
    hung, other = Noting("hang"), Noting("mains")
    other.name = "other"
    lived(hung, 10_500, beside=[other])
    assert other.sampled_at == list(range(0, 11_000, 1_000))
