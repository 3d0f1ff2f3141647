"""lm-evaluation-harness on rows that we read: its own MMLU settings, its own code for every step after reading.

Its YAML files name a data set on the hub, so rows are handed over as a data set; nothing else is different.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.questions.choice_files import ChoiceRow

lm_eval = pytest.importorskip("lm_eval", reason="lm-eval is not installed: the Makefile does it")

FOLDERS = {
    "letter": ("default", "_default_template_yaml", ""),
    "text": ("continuation", "_continuation_template_yaml", ""),
}


@dataclass(frozen=True)
class Theirs:
    """logprobs: of each choice, by the question's place; acc and acc_norm as it grades them."""

    logprobs: list[list[float]]
    acc: list[float]
    acc_norm: list[float]


def mmlu_task(subject: str, asked: str, rows: Sequence[ChoiceRow], solved: Sequence[ChoiceRow], shots: int) -> Any:
    """Their task of one subject, from their YAML files."""
    import yaml
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask

    folder, template, _ = FOLDERS[asked]
    place = Path(lm_eval.__file__).parent / "tasks" / "mmlu" / folder
    config = yaml.safe_load((place / template).read_text())
    config |= yaml.safe_load((place / f"mmlu_{subject}.yaml").read_text())
    for name in ("include", "tag", "task_alias", "dataset_path", "dataset_name"):
        config.pop(name, None)
    data = {
        name: Dataset.from_list(
            [{"question": r.question, "choices": list(r.options), "answer": r.right[0]} for r in some]
        )
        for name, some in (("test", rows), ("dev", solved))
    }
    # What they grade by is always both; the files of `default` name acc only.
    metrics = [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")]
    return ConfigurableTask(
        config=config | {"custom_dataset": lambda **_: data, "num_fewshot": shots, "metric_list": metrics}
    )


def language_model(folder: Path | str, *, batch_size: int = 8) -> Any:
    """Their wrapper of a model, in float32."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=str(folder), dtype="float32", batch_size=batch_size, device="cpu", trust_remote_code=False)


def answered(lm: Any, task: Any, *, chat: bool = False) -> Theirs:
    """Their log-probabilities and grades."""
    more = {"apply_chat_template": True, "chat_template": lm.apply_chat_template, "tokenizer_name": "x"} if chat else {}
    task.build_all_requests(**more)
    results = lm.loglikelihood(task.instances, disable_tqdm=True)
    by_doc: dict[int, list[tuple[float, bool]]] = {}
    for instance, result in zip(task.instances, results, strict=True):
        by_doc.setdefault(instance.doc_id, []).append(result)
    found = Theirs([], [], [])
    for number, doc in enumerate(task.eval_docs):
        graded = task.process_results(doc, by_doc[number])
        found.logprobs.append([value for value, _ in by_doc[number]])
        found.acc.append(graded["acc"])
        found.acc_norm.append(graded["acc_norm"])
    return found
