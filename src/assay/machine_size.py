"""What this process may use of its machine: processors and memory, also where a container allows less than there is."""

from __future__ import annotations

import math
import os
from pathlib import Path


def usable_cpus() -> int:
    """Processors this process may use: its affinity, and a container's quota rounded up."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return min(cores, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no cgroup v2, or its quota is "max"
        return cores


def memory_gib() -> float | None:
    """Memory of the machine in GiB, to a tenth; None where the system does not say (Windows)."""
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
