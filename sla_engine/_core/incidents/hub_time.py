"""Puts what a probe tells on the hub's time: a machine may boot with its clock behind, after just the cut that matters.

How far behind is the least that any word of this run came late by. It is counted anew when the probe starts: the first
word after a start, and after a silence, comes on the snapshot lane, whose epoch is computed from the one of the run.
A backlog of earlier runs comes after it and begins nothing.
"""

from msgspec.structs import replace

from sla_engine._core.incidents.model import Probe, SitesState
from sla_engine._core.incidents.probe_time import Run
from wire.frame import snapshot_epoch
from wire.recorded import Recorded
from wire.seat import Noticed, ProbeNote
from wire.uplink import LineReading


def by_hub_clock(state: SitesState, entry: Recorded) -> Recorded:
    """The entry with its event time moved by what its probe's clock is behind, where that is more than a delay."""
    site_id = state.site_with(entry.source)
    if site_id is None or entry.body is None:
        return entry
    probe = state.sites[site_id].probes.get(entry.source)
    if probe is None:
        return entry
    is_of_now = _follow(probe, entry, entry.received_at - entry.body.occurred_at, state.limits.runs_remembered)
    behind_ms = probe.run.behind_ms
    if not is_of_now or behind_ms <= state.limits.replay_ms:
        return entry
    body = replace(entry.body, occurred_at=min(entry.body.occurred_at + behind_ms, entry.received_at))
    if isinstance(body, LineReading) and body.first_bad_at is not None:
        body = replace(body, first_bad_at=min(body.first_bad_at + behind_ms, entry.received_at))
    return replace(entry, body=body)


def _follow(probe: Probe, entry: Recorded, late_ms: int, remembered: int) -> bool:
    """Learn which run of its probe an entry is of, and how far behind that one is. True for the present run."""
    run, epoch = probe.run, entry.epoch
    if epoch in {run.snapshots, run.events}:
        _heard(run, entry, late_ms)
        return True
    lane = snapshot_epoch(epoch)
    if lane == run.snapshots:
        run.events = epoch
        _heard(run, entry, late_ms)
    elif epoch == snapshot_epoch(run.snapshots):
        # what was heard first was the run's other lane
        run.snapshots, run.events = epoch, run.snapshots
        _heard(run, entry, late_ms)
    elif epoch in run.past or lane in run.past:
        return False
    elif lane in run.perhaps:
        _begin(probe, lane, epoch, min(late_ms, run.perhaps[lane]), remembered)
    elif not run.snapshots or probe.silent_since is not None:
        _begin(probe, epoch, b"", late_ms, remembered)
    else:
        run.perhaps[epoch] = min(late_ms, run.perhaps.pop(epoch, late_ms))
        while len(run.perhaps) > remembered:
            del run.perhaps[next(iter(run.perhaps))]
        return False
    return True


def _heard(run: Run, entry: Recorded, late_ms: int) -> None:
    """Of the present run. A clock that was set is behind by so much more, until the next word tells better."""
    if isinstance(entry.body, ProbeNote) and entry.body.noticed is Noticed.CLOCK_STEPPED:
        run.behind_ms -= entry.body.step_ms
    run.behind_ms = max(0, min(run.behind_ms, late_ms))


def _begin(probe: Probe, snapshots: bytes, events: bytes, late_ms: int, remembered: int) -> None:
    was = probe.run
    past = [*was.past, was.snapshots, was.events][-2 * remembered :] if was.snapshots else was.past
    probe.run = Run(snapshots=snapshots, events=events, past=[each for each in past if each], behind_ms=max(0, late_ms))
