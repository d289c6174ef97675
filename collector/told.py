"""How the hub's own observers put what they saw on the record, without knowing the intake."""

from collections.abc import Awaitable, Callable, Sequence

from ledger.entry import NewEntry

Append = Callable[[str, Sequence[NewEntry]], Awaitable[object]]
"""A client and entries of ours, as Intake.append_derived takes them. Raises Busy, IntakeStopped."""
