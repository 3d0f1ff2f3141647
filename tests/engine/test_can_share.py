"""Models whose structure could make a pack differ from the plain run: exact, or refused in words that are true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    FalconH1Config,
    GPTNeoConfig,
    GptOssConfig,
    Llama4TextConfig,
    MixtralConfig,
    OPTConfig,
    Phi3Config,
    Qwen2MoeConfig,
)

from assay.engine.can_share import ability
from assay.engine.forward import last_hidden, refusal
from assay.engine.headers import Headers
from assay.render.encoder import Encoded
from assay.rewards.padded_forward import rewards_padded
from tests.support.engine_rows import OLD_NAMES, ROWS, assert_close, loss_and_gradients, pairs
from tests.support.tiny_models import GROUPED, reward_model
from tests.support.unshared import plain_last_hidden

LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 1e4,
    "short_factor": [1.0] * 4,
    "long_factor": [4.0] * 4,
    "original_max_position_embeddings": 16,
}
CONFIGS: dict[str, Any] = {
    "mixtral": lambda: MixtralConfig(**GROUPED, num_local_experts=4),
    "qwen2_moe": lambda: Qwen2MoeConfig(
        **GROUPED, moe_intermediate_size=16, num_experts=4, num_experts_per_tok=2, shared_expert_intermediate_size=16
    ),
    "opt": lambda: OPTConfig(
        vocab_size=96, hidden_size=32, num_hidden_layers=2, ffn_dim=48, num_attention_heads=4,
        max_position_embeddings=64, word_embed_proj_dim=32, pad_token_id=1,
    ),
    "phi3": lambda: Phi3Config(**GROUPED, sliding_window=40),
    "longrope": lambda: Phi3Config(**GROUPED, original_max_position_embeddings=16, rope_parameters=LONGROPE),
    "gpt_oss": lambda: GptOssConfig(**GROUPED, num_local_experts=4, sliding_window=40),
    "llama4": lambda: Llama4TextConfig(**GROUPED, intermediate_size_mlp=48, num_local_experts=2),
    "gpt_neo": lambda: GPTNeoConfig(
        vocab_size=96, hidden_size=32, num_layers=2, num_heads=4, max_position_embeddings=64, intermediate_size=48,
        attention_types=[[["global", "local"], 1]], window_size=40,
    ),
    "falcon_h1": lambda: FalconH1Config(
        **GROUPED, mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8, mamba_d_state=8, mamba_n_groups=1
    ),
}  # fmt: skip


def language_model(kind: str) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[kind]()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(5.0)
    return model


def many_rows() -> list[list[int]]:
    """More packed tokens than any of the models has positions, in rows of 22 to 33 tokens."""
    random = np.random.default_rng(0)
    prompt = random.integers(3, 96, 20).tolist()
    rows = [[start, *prompt, *random.integers(3, 96, size).tolist()] for start in range(1, 7) for size in (1, 7, 12)]
    assert len({tuple(row[: end + 1]) for row in rows for end in range(len(row))}) > 150
    return rows


@pytest.mark.parametrize("kind", CONFIGS)
def test_every_row_is_what_it_is_alone(kind: str) -> None:
    model, rows = language_model(kind), many_rows()
    with torch.no_grad():
        alone = torch.cat([plain_last_hidden(model, [row]) for row in rows])
        assert_close(last_hidden(model, rows), alone)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("gpt_neo", "a token's place in the pass"), ("falcon_h1", "state-space or hybrid"), ("gpt_oss", None)],
)
def test_the_reason_is_the_true_one(kind: str, words: str | None) -> None:
    reason = refusal(language_model(kind), ROWS)
    assert reason is None if words is None else words in str(reason)


def test_rotary_positions_that_depend_on_the_longest_row_keep_rows_apart() -> None:
    model = language_model("longrope")
    short, long = [[5, 6, 7], [5, 6, 8]], [[5, *range(6, 30)], [5, *range(6, 29), 40]]
    assert refusal(model, short) is None
    assert refusal(model, long) is None
    assert "up to 16 tokens" in str(refusal(model, [*short, *long]))
    mixed = [long[0], short[0], long[1], short[1]]
    with torch.no_grad():
        alone = torch.cat([plain_last_hidden(model, [row]) for row in mixed])
        assert_close(last_hidden(model, mixed), alone)
    header = [[1, *range(3, 15), n, n + 1] for n in (20, 30)]  # computed alone it would turn as short rows do
    assert Headers(model, shortest=4).of(header, following=header) is None


def test_rewards_of_short_rows_do_not_depend_on_long_ones_beside_them() -> None:
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    config = Phi3Config(**GROUPED, original_max_position_embeddings=16, rope_parameters=LONGROPE, num_labels=1)
    model = AutoModelForSequenceClassification.from_config(config).eval()
    rows = [Encoded(ids=tuple(range(5, 5 + size)), prompt_tokens=1) for size in (20, 4, 30, 16, 17)]
    with torch.no_grad():
        alone = torch.cat([rewards_padded(model, [row]) for row in rows])
        assert_close(rewards_padded(model, rows), alone)


def test_whether_it_can_share_does_not_depend_on_autocast() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ability(reward_model("llama")).kernel == "segments"


@OLD_NAMES
def test_prompt_tuning_put_on_after_the_probe_is_still_refused() -> None:
    from peft import PrefixTuningConfig, TaskType, get_peft_model

    model = reward_model("llama")
    assert refusal(model, ROWS) is None
    tuned = get_peft_model(model, PrefixTuningConfig(task_type=TaskType.SEQ_CLS, num_virtual_tokens=3))
    assert "learnt tokens" in str(refusal(tuned, ROWS))


def test_an_attention_set_anew_after_the_probe_does_not_matter() -> None:
    model = reward_model("llama").eval()
    with torch.no_grad():
        before = last_hidden(model, ROWS)
        model.set_attn_implementation("eager")
        assert_close(last_hidden(model, ROWS), before)


@pytest.mark.parametrize("family", ["llama", "qwen3", "gpt2", "gpt_neox"])
def test_autocast_shares_by_the_same_kernel_within_its_own_noise(family: str) -> None:
    model, rows = reward_model(family).eval(), pairs(4)
    _, truth = loss_and_gradients(model, plain_last_hidden, rows)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, plain = loss_and_gradients(model, plain_last_hidden, rows)
        loss, ours = loss_and_gradients(model, last_hidden, rows)
    assert ability(model).kernel == "segments"
    assert torch.isfinite(loss)
    noise = sum(float((plain[name] - truth[name]).square().sum()) for name in truth)
    error = sum(float((ours[name] - truth[name]).square().sum()) for name in truth)
    assert error <= 2.0 * noise
