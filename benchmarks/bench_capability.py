"""MMLU with five shots, by letter: `assay capability` beside lm-evaluation-harness, same questions, same answers.

Both are given the model loaded and the rows read; timed is everything from there to a log-probability a choice: texts,
tokens, passes. lm-evaluation-harness runs at several batch sizes, and the ratio is taken to its best. It keeps the
logits of one-token choices after one prompt, so it too runs a question once and not four times; what it runs again is
the five solved examples, for every question.

    python benchmarks/bench_capability.py --data mmlu/ --limit 30 --threads 2

Needs lm-eval (MIT), as the Makefile installs it for the tests.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from harness import Clock, alternate, median, model_folder, parser, peak_bytes, ratios, write

sys.path.insert(0, str(Path(__file__).parents[1]))

OURS, BATCHES = "assay", (1, 2, 4, 8)
THEIRS = tuple(f"lm_eval_{size}" for size in BATCHES)
SUBJECTS = ("high_school_geography", "marketing", "professional_law", "college_mathematics", "virology")


def options_of() -> argparse.Namespace:
    options = parser(__doc__ or "", rounds=2)
    options.add_argument("--limit", type=int, default=30, help="questions of each subject")
    options.add_argument("--shots", type=int, default=5)
    options.add_argument("--subjects", nargs="*", default=list(SUBJECTS))
    return options.parse_args()


def ours(options: argparse.Namespace, questions: Any) -> dict[str, Any]:
    from assay.capability.answer_file import AnswerFile
    from assay.capability.questioning import HowAsked, ask
    from assay.engine.named_language_model import named_language_model

    model = named_language_model(options.model)
    task = questions.task("letter")
    with tempfile.TemporaryDirectory() as folder:
        kept = AnswerFile(Path(folder), "benchmark")
        clock = Clock()
        found = ask(model, task, kept, HowAsked(micro_tokens=options.micro_tokens))
        spent = clock.read()
    return spent | {"logprobs": [list(found[question.id]) for question in task.items()]}


def theirs(options: argparse.Namespace, questions: Any, batch_size: int) -> dict[str, Any]:
    from tests.support import lm_eval_reference

    lm = lm_eval_reference.language_model(model_folder(options.model), batch_size=batch_size)
    tasks = []
    for subject in dict.fromkeys(row.subject for row in questions.rows):
        rows = [row for row in questions.rows if row.subject == subject]
        solved = [row for row in questions.solved if row.subject == subject]
        tasks.append(lm_eval_reference.mmlu_task(subject, "letter", rows, solved, options.shots))
    clock = Clock()
    for task in tasks:
        task.build_all_requests()
    # All subjects in one call, as its evaluator does: it sorts and batches over all of them.
    instances = [instance for task in tasks for instance in task.instances]
    results = lm.loglikelihood(instances, disable_tqdm=True)
    spent = clock.read()
    values = [value for value, _ in results]
    return spent | {"logprobs": [values[start : start + 4] for start in range(0, len(values), 4)]}


def run_one(options: argparse.Namespace) -> dict[str, Any]:
    from assay.questions.question_sets import question_set

    torch.set_num_threads(options.threads)
    questions = question_set(options.data, shots=options.shots, subjects=options.subjects, limit=options.limit)
    if options.contender == OURS:
        run = ours(options, questions)
    else:
        run = theirs(options, questions, int(options.contender.rpartition("_")[2]))
    asked = len(run["logprobs"])
    return run | {
        "questions": asked,
        "questions_per_second": round(asked / run["seconds"], 3),
        "peak_gib": round(peak_bytes() / 2**30, 2),
    }


def main() -> None:
    options = options_of()
    if options.contender:
        print(json.dumps(run_one(options)))
        return
    runs = alternate(options, (OURS, *THEIRS))
    answers = {(run["round"], run["contender"]): run.pop("logprobs") for run in runs}
    summary: dict[str, Any] = {}
    for peer in THEIRS:
        if not (shared := [number for number, name in answers if name == peer and (number, OURS) in answers]):
            continue
        both = [(answers[number, OURS], answers[number, peer]) for number in shared]
        apart = max(
            abs(a - b)
            for one, other in both
            for mine, their in zip(one, other, strict=True)
            for a, b in zip(mine, their, strict=True)
        )
        same = all(
            mine.index(max(mine)) == their.index(max(their))
            for one, other in both
            for mine, their in zip(one, other, strict=True)
        )
        summary[f"{peer} / assay"] = {
            "time": median(ratios(runs, "seconds", peer, OURS)),
            "processor time": median(ratios(runs, "processor_seconds", peer, OURS)),
            "peak memory": median(ratios(runs, "peak_gib", peer, OURS)),
            "same picks": same,
            "largest difference of a log-probability": float(f"{apart:.2g}"),
        }
    best = min((one["processor time"] for one in summary.values()), default=None)
    summary["lm-evaluation-harness at its best batch size / assay"] = {"processor time": best}
    write(options, "capability", {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
