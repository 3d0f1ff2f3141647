"""One rule of how long a row may be: the engine and the padded reference refuse the same rows, RoBERTa's too."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, BloomConfig, BloomModel, RobertaConfig

from assay.engine.forward import last_hidden
from assay.errors import InputError, ModelError
from assay.models.limits import check_positions, most_tokens
from assay.render.encoder import Encoded
from assay.rewards.padded_forward import rewards_padded
from tests.support.tiny_models import FAMILIES, reward_model

# The table has 34 rows; RoBERTa counts from after its padding index, 1, so that 32 are for tokens.
ROBERTA = RobertaConfig(
    vocab_size=40, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
    max_position_embeddings=34, pad_token_id=1, num_labels=1,
)  # fmt: skip


@pytest.mark.parametrize("made", [AutoModel, AutoModelForSequenceClassification])
def test_roberta_has_two_positions_less_than_its_table(made: type) -> None:
    model = made.from_config(ROBERTA).eval()
    assert most_tokens(model) == 32
    with torch.no_grad():
        last_hidden(model, [[5] * 32])
        with pytest.raises(InputError, match="33 tokens; the model has positions for 32"):
            last_hidden(model, [[5] * 33, [5]])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_engine_and_the_reference_refuse_the_same_rows(family: str) -> None:
    model = reward_model(family).eval()
    limit = most_tokens(model)
    assert limit == 64
    for refused in (
        lambda: last_hidden(model, [[5] * 65]),
        lambda: rewards_padded(model, [Encoded(ids=(5,) * 65, prompt_tokens=1)]),
        lambda: check_positions(model, [3, 65]),
    ):
        with pytest.raises(InputError, match="65 tokens; the model has positions for 64"):
            refused()
    check_positions(model, [64, 1])
    check_positions(model, [])


def test_a_model_without_a_limit_takes_all() -> None:
    model = BloomModel(BloomConfig(vocab_size=40, hidden_size=8, n_layer=1, n_head=2))
    assert most_tokens(model) is None
    check_positions(model, [10**6])
    with pytest.raises(ModelError, match="not a transformers model"):
        most_tokens(torch.nn.Linear(1, 1))
