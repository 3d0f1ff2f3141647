"""One thread a process: the suite runs in parallel, and OpenMP teams that share cores wait for each other."""

import contextlib
import os

with contextlib.suppress(ImportError):  # torch.compile needs setuptools' distutils, whoever imports the old one first
    import setuptools  # noqa: F401

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
