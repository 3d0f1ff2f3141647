"""A script: bound the memory of this process, then become the command given. `memory_bound.py MEGABYTES COMMAND ...`

Run by path and with the standard library alone, so that a command starts in the time of a bare Python.
"""

from __future__ import annotations

import os
import sys


def bound_memory(megabytes: int) -> None:
    """Address space of this process and those it starts; nothing where the system knows no such bound (Windows)."""
    try:
        import resource
    except ImportError:
        return
    limits = {resource.RLIMIT_AS: megabytes * 2**20, resource.RLIMIT_CORE: 0}
    for kind, limit in limits.items():
        try:
            resource.setrlimit(kind, (limit, limit))
        except (ValueError, OSError):  # a lower bound is set already, or the system (macOS) takes none
            continue


if __name__ == "__main__":
    bound_memory(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as error:
        sys.exit(f"{sys.argv[2]}: {error.strerror}")
