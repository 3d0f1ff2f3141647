"""What a policy writes while it is trained: by its layers as they are, whatever the training made of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from assay.train.config import TrainConfig
from assay.train.dpo.config import DpoConfig, PolicyModelConfig, WatchConfig
from assay.train.dpo.dpo_objective import DpoObjective
from assay.train.dpo.fresh_answers import FreshPrompts
from assay.train.dpo.reference import Reference
from tests.support.tiny_models import language_model


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.usefixtures("one_thread")
def test_answers_are_written_by_plain_layers_where_auto_compiled_them() -> None:
    """A cache is other code for every layer: eight are made, with a page of warnings, and then none is used."""
    lora = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear")
    model = get_peft_model(language_model("llama"), lora)
    made: list[int] = []

    def counting(graph: Any, _inputs: Any) -> Any:
        made.append(1)
        return graph.forward

    for layer in model.get_base_model().model.layers:
        layer.compile(backend=counting, dynamic=True)
    unused: Any = None
    watch = WatchConfig(max_new_tokens=3, answers=1)
    objective = DpoObjective(
        model=model, renderer=unused, origin=unused, base=PolicyModelConfig(), examples=[], held_out=[],
        held_out_pairs=[], reference=Reference({}), fresh=FreshPrompts(rows=[(5, 9, 11, 4)], end=2, watch=watch),
        dpo=DpoConfig(), config=TrainConfig(compile="auto"),
    )  # fmt: skip
    with torch.no_grad():
        figures = objective.evaluate([])
    assert figures["answer_tokens"] is not None
    assert made == []
    torch.compiler.reset()
