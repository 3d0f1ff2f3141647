"""Compute log-probabilities under a reference model once, and store them by what they are of.

One file a model, and in it one figure a row, under the hash of the row's tokens and of where its prompt ends: neither
pair ids nor the order of rows nor their number take part, and the model's name holds its weights, its adapters and its
precision. So a second run over the same pairs, another beta, another seed, or ten more pairs, run the reference model
over the new rows only, and whatever would change a figure looks for another file. Knows rows of token ids and a folder;
knows no preference.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from torch import nn

from assay.artifacts.reference_body import ReferenceBody
from assay.engine.logprobs import completion_logprobs
from assay.engine.trie import Row, plan
from assay.models.device_and_mode import device_of, dtype_of, evaluating

STORED_EVERY = 60.0  # seconds: what a killed process loses of a pass over the pairs that takes a quarter of an hour
# Groups that are packed among themselves and stored together. Whoever goes on behind a whole block cuts and packs what
# is left as it would have been, so that the figures, and the weights trained on them, are the same bits.
BLOCK = 256


def nobody(done: int, groups: int) -> None:
    """Tells nobody how far it is."""


def reference_logprobs(
    model: nn.Module,
    groups: Sequence[Sequence[Row]],
    prompt_tokens: Sequence[Sequence[int]],
    *,
    fingerprint: str,
    folder: Path,
    token_budget: int,
    told: Callable[[int, int], None] = nobody,
) -> list[NDArray[np.float32]]:
    """Summed completion log-probability of every row, one array a group, in the order given; no gradient.

    groups: rows that share a prompt; prompt_tokens: their prompts' lengths, in the same shape. fingerprint: what
    identifies the model's weights, adapters included; the precision they run in is added here. folder: where results
    are kept, one file a model; several processes may write at once. What is done is stored every STORED_EVERY seconds.
    told: called with the groups done and all there are to run. Errors as `completion_logprobs`.
    """
    fingerprint = f"{fingerprint} {_precision(model)}"
    path = folder / f"reference-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}.json"
    known = _read(path, fingerprint)
    keys = [[_key(row, n) for row, n in zip(*pair, strict=True)] for pair in zip(groups, prompt_tokens, strict=True)]
    missing = _to_run(keys, known)
    if missing:
        done, stored = 0, time.monotonic()
        told(done, len(missing))
        with evaluating(model), torch.inference_mode():
            for block in (missing[start : start + BLOCK] for start in range(0, len(missing), BLOCK)):
                for members in plan([groups[g] for g in block], token_budget=token_budget):
                    chosen = [block[place] for place in members]
                    rows = [row for g in chosen for row in groups[g]]
                    sums_N = completion_logprobs(model, rows, [n for g in chosen for n in prompt_tokens[g]])
                    known.update(zip((name for g in chosen for name in keys[g]), sums_N.tolist(), strict=True))
                    done += len(members)
                    told(done, len(missing))
                if time.monotonic() - stored >= STORED_EVERY:
                    _store(path, fingerprint, known)
                    stored = time.monotonic()
        known = _store(path, fingerprint, known)
    return [np.array([known[name] for name in names], dtype=np.float32) for names in keys]


def _to_run(keys: Sequence[Sequence[str]], known: Mapping[str, float]) -> list[int]:
    """The groups with a row that neither the store nor a group before them has, in order.

    By group, though one row may be known: rows of a group share their prompt, which is most of the work. A pair that
    stands a second time, or the other way round, is left out at once: whoever goes on would find it stored and leave it
    out then, and every block behind it would be cut elsewhere.
    """
    seen, found = set(known), []
    for g, names in enumerate(keys):
        if not seen.issuperset(names):
            found.append(g)
            seen.update(names)
    return found


def _precision(model: nn.Module) -> str:
    """The type the weights are in and, under autocast, the one products are computed in."""
    device = device_of(model).type
    autocast = f", autocast {torch.get_autocast_dtype(device)}" if torch.is_autocast_enabled(device) else ""
    return f"{dtype_of(model)}{autocast}"


def _store(path: Path, fingerprint: str, known: Mapping[str, float]) -> dict[str, float]:
    """Write them beside what is there, and give all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):  # another process may have stored other rows since
        every = _read(path, fingerprint) | dict(known)
        ReferenceBody(fingerprint=fingerprint, logprobs=every).write(path)
    return every


def _read(path: Path, fingerprint: str) -> dict[str, float]:
    if not path.exists():
        return {}
    stored = ReferenceBody.read(path)
    return dict(stored.logprobs) if stored.fingerprint == fingerprint else {}


def _key(row: Row, prompt: int) -> str:
    """Hash of the tokens and of where the prompt ends."""
    ids = np.asarray(row, dtype="<i8").tobytes()
    return hashlib.sha256(prompt.to_bytes(8, "little") + ids).hexdigest()[:32]
