"""One module calls trunks: read in the sources, and the ways it has agree with each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import DynamicCache

from assay.engine.trie import pack
from assay.engine.trunk_calls import run_header, run_logits, run_packed, run_padded, run_row
from assay.models.wrappers import trunk_of
from tests.support.engine_rows import ROWS, assert_close
from tests.support.tiny_models import language_model

SOURCES = Path(__file__).parents[2] / "src" / "assay"
# The engine's one place, and the reference that everything is held against.
CALLERS = {"engine/trunk_calls.py", "rewards/padded_forward.py"}
INPUTS = {"input_ids", "inputs_embeds", "past_key_values"}  # what only transformers' forwards take
OBJECTIVES = {"self.forward", "objective.forward"}  # an Objective's own, in train/
MODELS = {"trunk", "model", "inner", "outer", "decoder", "base_model"}  # what they are called here


def model_calls(source: str, *, trains: bool = False) -> Iterator[int]:
    """Lines that run a trunk or a model: one is called by name, by its forward, or anything with a forward's inputs.

    trains: in train/, `model(...)` is the module the Trainer was given, whose forward is `RewardModel.rewards`, and
    `forward` is an Objective's, which calls that.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            forward = isinstance(node.func, ast.Attribute) and name == "forward"
            if trains and forward and ast.unparse(node.func) in OBJECTIVES:
                continue
            if forward or INPUTS & {word.arg for word in node.keywords} or (name in MODELS and not trains):
                yield node.lineno


def test_no_other_module_calls_a_trunk_or_a_model() -> None:
    found = {
        f"{path.relative_to(SOURCES)}:{line}"
        for path in sorted(SOURCES.rglob("*.py"))
        if str(path.relative_to(SOURCES)) not in CALLERS
        for line in model_calls(path.read_text(encoding="utf-8"), trains=path.relative_to(SOURCES).parts[0] == "train")
    }
    assert not found
    for name in CALLERS:
        assert list(model_calls((SOURCES / name).read_text(encoding="utf-8"))), f"{name} calls none any more"


@pytest.mark.parametrize(
    "source",
    [
        "trunk(input_ids=ids)",
        "model(**batch)",
        "self.model(ids)",
        "whatever(input_ids=ids, use_cache=True)",
        "cache = f(past_key_values=cache)",
        "wrapped.forward(ids)",
        "unwrap(m).base_model(ids)",
    ],
)
def test_a_call_of_a_model_is_seen(source: str) -> None:
    assert list(model_calls(source)) == [1]


@pytest.mark.parametrize("source", ["trunk_of(model)", "model.eval()", "open_model(folder)", "model.score(rows)"])
def test_what_is_no_call_of_a_model_is_left_alone(source: str) -> None:
    assert not list(model_calls(source))


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_the_ways_agree(family: str) -> None:
    model = language_model(family).eval()
    trunk, trie = trunk_of(model), pack(ROWS)
    with torch.no_grad():
        alone = [run_row(trunk, row) for row in ROWS]
        padded_NTH = run_padded(trunk, ROWS)
        for kernel in ("segments", "dense"):
            hidden_LH = run_packed(trunk, trie, kernel)
            for n, row in enumerate(ROWS):
                assert_close(hidden_LH[torch.from_numpy(trie.row(n))], alone[n])
                assert_close(padded_NTH[n, : len(row)], alone[n])
        assert_close(run_logits(model, ROWS[0]), model.lm_head(alone[0]))


def test_a_header_run_by_itself_stands_before_all_rows() -> None:
    model = language_model("llama").eval()
    trunk, header, rows = trunk_of(model), ROWS[2], [row[7:] for row in ROWS[:2]]
    with torch.no_grad():
        for kernel in ("segments", "dense"):
            cache = DynamicCache()
            run_header(trunk, np.array(header), cache)
            assert cache.get_seq_length() == len(header)
            trie = pack(rows)
            hidden_LH = run_packed(trunk, trie, kernel, header=cache)
            for n in (0, 1):
                assert_close(hidden_LH[torch.from_numpy(trie.row(n))], run_row(trunk, ROWS[n])[7:])
