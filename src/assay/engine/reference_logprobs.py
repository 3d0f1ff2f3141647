"""Compute log-probabilities under a reference model once, and store them by what they are of.

One file a model, and in it one figure a row, under the hash of the row's tokens and of where its prompt ends: neither
pair ids nor the order of rows nor their number take part, and the model's name holds its weights, its adapters and its
precision. So a second run over the same pairs, another beta, another seed, or ten more pairs, run the reference model
over the new rows only, and whatever would change a figure looks for another file. Knows rows of token ids and a folder;
knows no preference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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


def reference_logprobs(
    model: nn.Module,
    groups: Sequence[Sequence[Row]],
    prompt_tokens: Sequence[Sequence[int]],
    *,
    fingerprint: str,
    folder: Path,
    token_budget: int,
) -> list[NDArray[np.float32]]:
    """Summed completion log-probability of every row, one array a group, in the order given; no gradient.

    groups: rows that share a prompt; prompt_tokens: their prompts' lengths, in the same shape. fingerprint: what
    identifies the model's weights, adapters included; the precision they run in is added here. folder: where results
    are kept, one file a model; several processes may write at once. Errors as `completion_logprobs`.
    """
    fingerprint = f"{fingerprint} {_precision(model)}"
    path = folder / f"reference-{hashlib.sha256(fingerprint.encode()).hexdigest()[:16]}.json"
    known = _read(path, fingerprint)
    keys = [[_key(row, n) for row, n in zip(*pair, strict=True)] for pair in zip(groups, prompt_tokens, strict=True)]
    # By group, though one row may be known: rows of a group share their prompt, which is most of the work.
    missing = [g for g, names in enumerate(keys) if any(name not in known for name in names)]
    if missing:
        with evaluating(model), torch.inference_mode():
            for members in plan([groups[g] for g in missing], token_budget=token_budget):
                chosen = [missing[place] for place in members]
                rows = [row for g in chosen for row in groups[g]]
                sums_N = completion_logprobs(model, rows, [n for g in chosen for n in prompt_tokens[g]])
                known.update(zip((name for g in chosen for name in keys[g]), sums_N.tolist(), strict=True))
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):  # another process may have stored other rows since
            known = _read(path, fingerprint) | known
            ReferenceBody(fingerprint=fingerprint, logprobs=known).write(path)
    return [np.array([known[name] for name in names], dtype=np.float32) for names in keys]


def _precision(model: nn.Module) -> str:
    """The type the weights are in and, under autocast, the one products are computed in."""
    device = device_of(model).type
    autocast = f", autocast {torch.get_autocast_dtype(device)}" if torch.is_autocast_enabled(device) else ""
    return f"{dtype_of(model)}{autocast}"


def _read(path: Path, fingerprint: str) -> dict[str, float]:
    if not path.exists():
        return {}
    stored = ReferenceBody.read(path)
    return dict(stored.logprobs) if stored.fingerprint == fingerprint else {}


def _key(row: Row, prompt: int) -> str:
    """Hash of the tokens and of where the prompt ends."""
    ids = np.asarray(row, dtype="<i8").tobytes()
    return hashlib.sha256(prompt.to_bytes(8, "little") + ids).hexdigest()[:32]
