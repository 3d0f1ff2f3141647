"""Nothing of the engine stays on a model it has run: copies, files and generation are as if it had never been there."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from assay.engine.can_share import ability
from assay.engine.drop_in import shared_prefixes
from assay.engine.forward import last_hidden
from tests.support.engine_rows import OLD_NAMES, ROWS, assert_close, padded
from tests.support.tiny_models import language_model, reward_model
from tests.support.unshared import plain_last_hidden

ELSEWHERE = """
import sys
sys.modules["assay"] = None  # as where it is not installed
import torch
for path in sys.argv[1:]:
    model = torch.load(path, weights_only=False).eval()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[1, 17, 23, 5]])).logits
    torch.save(logits, path + ".logits")
assert not any(name.startswith("assay.") for name in sys.modules)
"""


def used(model: Any) -> Any:
    with shared_prefixes(model):
        model(**padded(ROWS))
    last_hidden(model, ROWS)
    assert ability(model).kernel == "segments"
    return model


def test_attention_is_called_what_it_was_called() -> None:
    model = language_model("llama").eval()
    assert model.config._attn_implementation == "sdpa"
    used(model)
    configs = [module.config for module in model.modules() if hasattr(module, "config")]
    assert {config._attn_implementation for config in configs} == {"sdpa"}
    assert "forward" not in model.__dict__
    assert "forward" not in model.base_model.__dict__


@pytest.mark.slow
def test_a_model_saved_whole_runs_where_assay_is_not_installed(tmp_path: Path) -> None:
    model = used(language_model("llama").eval())
    with shared_prefixes(model):
        torch.save(model, tmp_path / "within.pt")
    torch.save(model, tmp_path / "after.pt")
    paths = [str(tmp_path / "within.pt"), str(tmp_path / "after.pt")]
    subprocess.run([sys.executable, "-c", ELSEWHERE, *paths], check=True)
    with torch.no_grad():
        here = model(input_ids=torch.tensor([[1, 17, 23, 5]])).logits
    for path in paths:
        assert_close(torch.load(path + ".logits"), here)


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_made_within_has_its_own_weights_and_is_plain(how: str) -> None:
    model, batch = used(reward_model("llama").eval()), padded(ROWS)
    with shared_prefixes(model), torch.no_grad():
        before = model(**batch).logits
        other = copy.deepcopy(model) if how == "deepcopy" else pickle.loads(pickle.dumps(model))
        assert_close(other(**batch).logits, before)
        for parameter in other.parameters():
            parameter.mul_(0.5)
        assert_close(model(**batch).logits, before)
        changed = other(**batch).logits
        assert not torch.allclose(changed, before)
    with torch.no_grad():
        assert torch.equal(other(**batch).logits, changed)
        torch.save(other, io.BytesIO())


def test_generation_is_the_same_before_within_and_after() -> None:
    model, prompt = language_model("llama").eval(), torch.tensor([[1, 17, 23, 5], [1, 90, 91, 92]])
    mask = torch.ones_like(prompt)

    def generated() -> list[list[int]]:
        found = model.generate(prompt, attention_mask=mask, max_new_tokens=4, do_sample=False, pad_token_id=0)
        return found.tolist()

    before = generated()
    with shared_prefixes(model):
        model(**padded(ROWS))
        assert generated() == before
    assert generated() == before


def test_another_function_registered_under_the_name_is_kept_and_called() -> None:
    model, calls = used(reward_model("llama").eval()), []
    was = ALL_ATTENTION_FUNCTIONS["sdpa"]

    def counted(*args: Any, **options: Any) -> Any:
        calls.append("trie" in options)
        return was.__wrapped__(*args, **options)

    try:
        ALL_ATTENTION_FUNCTIONS.register("sdpa", counted)
        with torch.no_grad():
            assert_close(last_hidden(model, ROWS), plain_last_hidden(model, ROWS))
        assert calls == [False] * model.config.num_hidden_layers  # the plain pass
    finally:
        ALL_ATTENTION_FUNCTIONS.register("sdpa", was)


@OLD_NAMES
def test_recomputed_layers_still_see_the_trie() -> None:
    gradients = []
    for checkpointing in (False, True):
        model = reward_model("llama").train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        with shared_prefixes(model):
            loss = model(**padded(ROWS)).logits.sum()
        loss.backward()  # after the context: layers run again here
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    assert_close(gradients[1], gradients[0])


@pytest.mark.filterwarnings("default")  # torch.compile's own imports warn
def test_a_bystander_is_compiled_in_one_graph() -> None:
    used(reward_model("llama").eval())
    other = reward_model("llama", seed=1).eval()
    taught = ALL_ATTENTION_FUNCTIONS["sdpa"]
    module = other.base_model.layers[0].self_attn
    query = torch.randn(1, 4, 5, 8)

    def call(query: torch.Tensor) -> Any:
        return taught(module, query, query[:, :2], query[:, :2], None)[0]

    torch.testing.assert_close(torch.compile(call, backend="eager", fullgraph=True)(query), call(query))
