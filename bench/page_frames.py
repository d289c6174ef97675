"""How much of the memory of processes that run together is whose, by the page frames that each of them maps."""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from mmap import PAGESIZE
from pathlib import Path
from typing import Final

# Format: proc(5), /proc/PID/pagemap: eight bytes a page; bit 63: is in memory; bits 0 to 54: its frame, 0 for
# whoever may not know.
PAGE: Final = struct.Struct("=Q")
PRESENT: Final = 1 << 63
FRAME: Final = (1 << 55) - 1
KERNEL_HALF: Final = 1 << 63


def shares(pids: Iterable[int]) -> dict[int, int]:
    """Bytes of each: what the kernel's PSS would be if only these ran. Empty where the system does not say frames."""
    mapped = {pid: Counter(_frames(pid)) for pid in pids}
    if any(0 in frames for frames in mapped.values()):
        return {}
    processes = Counter(frame for frames in mapped.values() for frame in frames)
    return {
        pid: round(sum(PAGESIZE * times / processes[frame] for frame, times in frames.items()))
        for pid, frames in mapped.items()
    }


def _frames(pid: int) -> Iterator[int]:
    lines = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    with Path(f"/proc/{pid}/pagemap").open("rb", buffering=0) as pages:
        for line in lines:
            first, end = (int(address, 16) for address in line.split(maxsplit=1)[0].split("-"))
            if end < KERNEL_HALF:
                pages.seek(first // PAGESIZE * PAGE.size)
                found = pages.read((end - first) // PAGESIZE * PAGE.size)
                yield from (page & FRAME for (page,) in PAGE.iter_unpack(found) if page & PRESENT)
