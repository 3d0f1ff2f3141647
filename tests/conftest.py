"""One thread a process: the suite runs in parallel, and OpenMP teams that share cores wait for each other."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
