"""A prompt kept between passes changes where its gradients are added up, and nothing else."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import pytest
import torch
from torch import Tensor

from assay.engine import kept_prompt
from assay.engine.forward import last_hidden
from assay.engine.kept_prompt import KeptPrompt, keeps_prompts
from assay.engine.logprobs import completion_logprobs
from assay.engine.rows_apart import RowsApart, drops_out
from tests.support.engine_rows import OLD_NAMES, assert_close, bradley_terry
from tests.support.tiny_models import FAMILIES, language_model, reward_model
from tests.support.unshared import plain_last_hidden

pytestmark = pytest.mark.usefixtures("one_thread")
RANDOM = np.random.default_rng(3)
PROMPT = [1, *RANDOM.integers(3, 96, 23).tolist()]
ANSWERS = [RANDOM.integers(3, 96, length).tolist() for length in (6, 5, 3, 6, 1, 4)]
ROWS = [[*PROMPT, *answer] for answer in ANSWERS]
PAIRS = ((0, 1), (2, 3), (4, 5))
SHARED = [family for family in FAMILIES if family != "gemma2"]  # which caps its scores and runs with a mask
Losses = Callable[[Any, Sequence[Sequence[int]]], Tensor]


def rewards(model: Any, rows: Sequence[Sequence[int]]) -> Tensor:
    return model.score(last_hidden(model, rows))[:, 0]


def logprobs(model: Any, rows: Sequence[Sequence[int]]) -> Tensor:
    return completion_logprobs(model, rows, [len(PROMPT)] * len(rows))


def gradients(model: Any) -> dict[str, Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


def plainly(model: Any) -> tuple[Tensor, dict[str, Tensor]]:
    """The Bradley-Terry loss of all pairs, and its gradients, from one padded batch."""
    loss = bradley_terry(model.score(plain_last_hidden(model, ROWS))[:, 0])
    loss.backward()
    return loss.detach(), gradients(model)


def kept_between(
    model: Any, of: Losses = rewards, *, recomputed: bool = True, tokens: int = len(PROMPT) - 1
) -> tuple[Tensor, dict[str, Tensor]]:
    """The same, a pass a pair."""
    kept, total = KeptPrompt(PROMPT[:tokens], recomputed=recomputed), torch.zeros(())
    for number, pair in enumerate(PAIRS):
        with kept.attended(closing=number == len(PAIRS) - 1):
            loss = bradley_terry(of(model, [ROWS[n] for n in pair])) / len(PAIRS)
        loss.backward()
        total += loss.detach()
    return total, gradients(model)


def assert_same(ours: tuple[Tensor, dict[str, Tensor]], plain: tuple[Tensor, dict[str, Tensor]]) -> None:
    assert_close(ours[0], plain[0])
    assert ours[1].keys() == plain[1].keys()
    for name, gradient in plain[1].items():
        assert_close(ours[1][name], gradient)


@pytest.mark.parametrize("recomputed", [True, False])
@pytest.mark.parametrize("family", SHARED)
def test_loss_and_every_gradient_are_those_of_the_padded_batch(family: str, recomputed: bool) -> None:
    model = reward_model(family).train()
    assert keeps_prompts(model)
    plain = plainly(model)
    assert_same(kept_between(model, recomputed=recomputed), plain)


def test_gradients_that_do_not_gather_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: the last pass goes back through the prompt with its own gradient alone."""
    monkeypatch.setattr(kept_prompt, "_rejoined", lambda made, _cut: made)
    model = reward_model("llama").train()
    plain = plainly(model)
    loss, ours = kept_between(model)
    assert_close(loss, plain[0])
    with pytest.raises(AssertionError):
        assert_same((loss, ours), plain)


def test_the_first_token_of_an_answer_is_foretold_from_a_token_that_runs_with_it() -> None:
    model = language_model("qwen2").train()
    loss = bradley_terry(logprobs(model, ROWS))
    loss.backward()
    plain = loss.detach(), gradients(model)
    assert_same(kept_between(model, logprobs), plain)


@OLD_NAMES
def test_layers_that_make_their_activations_again() -> None:
    model = reward_model("llama").train()
    plain = plainly(model)
    model.gradient_checkpointing_enable({"use_reentrant": False})
    assert_same(kept_between(model), plain)
    assert_same(kept_between(model, recomputed=False), plain)
    assert_same(by_slopes(model), plain)


@OLD_NAMES
@pytest.mark.parametrize("targets", ["all-linear", ["q_proj"]])
def test_adapters(targets: Any) -> None:
    """With q_proj alone nothing goes back through the first layer's keys: they are the base's."""
    from peft import LoraConfig, TaskType, get_peft_model

    torch.manual_seed(0)
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=4, target_modules=targets, init_lora_weights=False)
    model = get_peft_model(reward_model("llama"), config).train()
    plain = plainly(model)
    assert any("lora" in name for name in plain[1])
    assert_same(kept_between(model), plain)
    assert_same(by_slopes(model), plain)


def test_a_frozen_trunk_gathers_nothing_and_the_head_learns() -> None:
    model = reward_model("llama").train()
    model.base_model.requires_grad_(False)
    plain = plainly(model)
    assert plain[1].keys() == {"score.weight"}
    assert_same(kept_between(model), plain)
    assert_same(by_slopes(model), plain)


def test_under_autocast_gradients_gather_in_float32() -> None:
    model = reward_model("llama").train()
    with torch.autocast("cpu", torch.bfloat16):
        kept = KeptPrompt(PROMPT[:-1])
        with kept.attended(closing=False):
            rewards(model, ROWS[:2]).sum().backward()
        parts = [part for layer in kept._cut.values() for part in layer]
    assert {part.grad.dtype for part in parts if part.grad is not None} == {torch.float32}
    assert len(parts) == 2 * model.config.num_hidden_layers


def all_pairs(reward_N: Tensor) -> Tensor:
    """The mean Bradley-Terry loss when each row is better than every later one: no two rows can be parted."""
    margin_NN = reward_N[:, None] - reward_N
    return -torch.nn.functional.logsigmoid(margin_NN[torch.ones_like(margin_NN).triu(1) > 0]).mean()


def by_slopes(model: Any, loss: Callable[[Tensor], Tensor] = bradley_terry, of: Losses = rewards) -> Any:
    apart = RowsApart(KeptPrompt(PROMPT[:-1]), token_budget=9)
    with apart.running():
        whole = loss(of(model, ROWS))
    whole.backward()
    apart.backward()
    return whole.detach(), gradients(model)


@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma"])
def test_a_loss_that_needs_all_rows_though_they_run_apart(family: str) -> None:
    model = reward_model(family).train()
    whole = all_pairs(model.score(plain_last_hidden(model, ROWS))[:, 0])
    whole.backward()
    plain = whole.detach(), gradients(model)
    assert_same(by_slopes(model, all_pairs), plain)


def test_log_probabilities_of_rows_apart() -> None:
    model = language_model("llama").train()
    whole = all_pairs(logprobs(model, ROWS))
    whole.backward()
    plain = whole.detach(), gradients(model)
    assert_same(by_slopes(model, all_pairs, logprobs), plain)


def test_the_prompt_runs_once_and_again_in_the_backward_pass() -> None:
    model = reward_model("llama").train()
    keeps_prompts(model)
    seen = counted(model)
    kept_between(model)
    # 23 of 24 tokens are kept; a pass has the last one and its answers: 6 + 5, 3 + 6, 1 + 4. Then the prompt again.
    assert seen == [23, 12, 10, 6, 23]
    seen.clear()
    kept_between(model, recomputed=False)
    assert seen == [23, 12, 10, 6]
    seen.clear()
    by_slopes(model)  # 6, 5, 3, 6, 1 and 4 tokens behind the shared one, at most 9 a pass: the same passes twice
    first, *passes, again = seen
    assert (first, again) == (23, 23)
    assert passes[: len(passes) // 2] == passes[len(passes) // 2 :]
    assert max(passes) <= 9
    assert sum(passes) == 2 * (25 + len(passes) // 2)


def counted(model: Any) -> list[int]:
    """Tokens of every pass from here on."""
    seen: list[int] = []
    model.base_model.layers[0].mlp.register_forward_hook(lambda _m, args, _o: seen.append(args[0].shape[1]))
    return seen


def test_what_is_held_is_one_pass_and_the_keys_and_values() -> None:
    """Bytes that autograd keeps for backward passes, at their most: no clock and no allocator."""
    model = reward_model("llama").train()
    keeps_prompts(model)

    def at_most(rows: Sequence[Sequence[int]]) -> int:
        with Held(model) as held:
            rewards(model, rows).sum().backward()
        return held.most

    whole, packed = at_most(ROWS), at_most(ROWS[:2])  # all in one pass, and a pack that runs the prompt again
    prompt, pair = at_most([PROMPT]), at_most([PROMPT[-1:] + answer for answer in ANSWERS[:2]])
    keys_and_values = 2 * 4 * 2 * 2 * 8 * 23  # keys and values, bytes, layers, key-value heads, their size, tokens
    with Held(model) as held:
        kept_between(model)
    # Beside the widest pass stand what is kept and, since attention takes them in one piece, once more the same.
    assert held.most <= pair + 2 * keys_and_values < packed < whole
    # When the prompt's activations are made again, those of the answers are gone.
    assert [tokens for tokens, _ in held.passes] == [23, 12, 10, 6, 23]
    assert held.passes[-1][1] <= keys_and_values
    with Held(model) as held:
        kept_between(model, recomputed=False)
    assert held.most <= prompt + pair + 2 * keys_and_values
    assert held.most > packed  # what is held is held


def test_nothing_is_held_of_a_prompt_that_has_been_gone_back_through() -> None:
    """A step goes on with other prompts, while its plan and the last loss stand: neither may hold keys and values."""
    model = reward_model("llama").train()
    kept = KeptPrompt(PROMPT[:-1])
    with kept.attended(closing=False):
        bradley_terry(rewards(model, ROWS[:2])).backward()
    gathered = [weakref.ref(part) for layer in kept._cut.values() for part in layer]
    with kept.attended(closing=True):
        loss = bradley_terry(rewards(model, ROWS[2:4]))
    assert not kept._uncut
    loss.backward()
    assert loss.isfinite()
    assert [part() is None for part in gathered] == [True] * 2 * model.config.num_hidden_layers


class Held:
    """Bytes of distinct memory in tensors saved for a backward pass, weights left out: now, at their most, by pass."""

    def __init__(self, model: Any) -> None:
        self.most = 0
        self.passes: list[tuple[int, int]] = []  # tokens of each, and bytes held as it begins
        self._bytes: dict[int, int] = {}
        self._saved: Counter[int] = Counter()
        self._weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._save, lambda saved: saved[0])
        self._model = model

    @property
    def now(self) -> int:
        return sum(size for place, size in self._bytes.items() if self._saved[place])

    def __enter__(self) -> Self:
        layer = self._model.base_model.layers[0]
        self._watch = layer.register_forward_pre_hook(lambda _l, args: self.passes.append((args[0].shape[1], self.now)))
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)
        self._watch.remove()

    def _save(self, tensor: Tensor) -> tuple[Tensor, _Alive]:
        storage = tensor.untyped_storage()
        place = storage.data_ptr()
        if place not in self._weights:
            self._bytes[place] = storage.nbytes()
            self._saved[place] += 1
            self.most = max(self.most, self.now)
        return tensor, _Alive(lambda: self._saved.subtract([place]))


class _Alive:
    """Tells when nobody holds it any more."""

    def __init__(self, gone: Callable[[], None]) -> None:
        weakref.finalize(self, gone)


def test_rows_that_do_not_begin_so_run_as_ever() -> None:
    model = reward_model("llama").train()
    other = [[5, *PROMPT[1:], 7, 8], [*PROMPT, 9]]
    expected = last_hidden(model, other)
    kept = KeptPrompt(PROMPT[:-1])
    with kept.attended(closing=False):
        assert torch.equal(last_hidden(model, other), expected)
        assert not kept._made
        assert torch.equal(last_hidden(model, [PROMPT[:-1]]), last_hidden(model, [PROMPT[:-1]]))  # no token of its own
    assert kept_prompt.in_charge() is None


def test_a_last_pass_that_reads_nothing_kept_is_no_silence() -> None:
    model = reward_model("llama").train()
    kept = KeptPrompt(PROMPT[:-1])
    with kept.attended(closing=False):
        rewards(model, ROWS[:2]).sum().backward()
    with pytest.raises(AssertionError, match="no row that begins with the kept prompt"), kept.attended(closing=True):
        last_hidden(model, [[5, 6]])


def test_who_looks_without_gradients_closes_nothing() -> None:
    model = reward_model("llama").train()
    plain = plainly(model)

    def looks_first(model: Any, rows: Sequence[Sequence[int]]) -> Tensor:
        with torch.no_grad():
            rewards(model, rows)
        return (rewards(model, rows) + rewards(model, rows)) / 2  # and runs rows twice, as a loss may

    assert_same(kept_between(model, looks_first), plain)


def test_models_that_cannot_are_left_out() -> None:
    assert not keeps_prompts(reward_model("gemma2"))  # a mask for all of the pack
    eager = reward_model("llama")
    eager.config._attn_implementation = "eager"
    assert not keeps_prompts(eager)


def test_dropout_is_found_where_it_is_declared_and_where_it_stands() -> None:
    model = reward_model("llama")
    assert not drops_out(model)
    model.config.attention_dropout = 0.1
    assert drops_out(model)
    model.config.attention_dropout = 0.0
    model.lora_dropout = torch.nn.Dropout(0.05)
    assert drops_out(model)
