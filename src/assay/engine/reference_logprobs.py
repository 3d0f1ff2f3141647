"""Reference log-probabilities, computed once and stored by what they are of: model, tokens, where the prompt ends.

Knows rows of token ids and a folder; knows no preference. A second run over the same pairs, another beta, another seed,
or ten more pairs, runs the reference model over the new rows only.
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

from assay.artifacts.files import read_json, write_json
from assay.engine.logprobs import completion_logprobs
from assay.engine.trie import Row, plan

SCHEMA = "reference/1"


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
    missing = [g for g, names in enumerate(keys) if any(name not in known for name in names)]
    if missing:
        training = model.training
        model.eval()
        try:
            for members in plan([groups[g] for g in missing], token_budget=token_budget):
                chosen = [missing[place] for place in members]
                rows = [row for g in chosen for row in groups[g]]
                with torch.inference_mode():
                    sums_N = completion_logprobs(model, rows, [n for g in chosen for n in prompt_tokens[g]])
                known.update(zip((name for g in chosen for name in keys[g]), sums_N.tolist(), strict=True))
        finally:
            model.train(training)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):  # another process may have stored other rows since
            known = _read(path, fingerprint) | known
            write_json(path, SCHEMA, {"fingerprint": fingerprint, "logprobs": known})
    return [np.array([known[name] for name in names], dtype=np.float32) for names in keys]


def _precision(model: nn.Module) -> str:
    """The type the weights are in and, under autocast, the one products are computed in."""
    weights = next(model.parameters())
    device = weights.device.type
    autocast = f", autocast {torch.get_autocast_dtype(device)}" if torch.is_autocast_enabled(device) else ""
    return f"{weights.dtype}{autocast}"


def _read(path: Path, fingerprint: str) -> dict[str, float]:
    if not path.exists():
        return {}
    stored = read_json(path, SCHEMA)
    return dict(stored["logprobs"]) if stored["fingerprint"] == fingerprint else {}


def _key(row: Row, prompt: int) -> str:
    """Hash of the tokens and of where the prompt ends."""
    ids = np.asarray(row, dtype="<i8").tobytes()
    return hashlib.sha256(prompt.to_bytes(8, "little") + ids).hexdigest()[:32]
