"""How much memory something takes while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_FORGET_THE_PEAK = "5"
"""As proc(5) has it: the peak is counted anew from what is resident now."""


@dataclass
class Grown:
    """By how much the process grew at its peak."""

    mib: float = 0.0


def _kib(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


@contextmanager
def growth() -> Iterator[Grown]:
    """Says, when the block has ended, how far above what was resident before it the process rose in it."""
    _RESET.write_text(_FORGET_THE_PEAK)
    found, before = Grown(), _kib("VmRSS")
    yield found
    found.mib = (_kib("VmHWM") - before) / 1024
