"""Score candidates: open any scorer, give it answers under one prompt, take what it gives.

    python examples/score.py SCORER    # a folder, a Hugging Face id, a file of scores, or kind:argument
    python examples/score.py           # the rule a model should beat, baseline:longest; no model is loaded

`examples/audit_notebook.py FOLDER` leaves a reward model in FOLDER/seed-0/model.
"""

from __future__ import annotations

import sys

import assay

QUESTION = assay.Candidates(
    id="refund",
    prompt="Policy: Refunds reach the card in 3-5 working days.\nCustomer: when will I see my refund?",
    answers=(
        "Refunds reach the card in 3-5 working days.",
        "Refunds reach the card in 2 weeks.",
        "You can find this in the app.",
        "Refunds! " * 2_000,  # longer than a small model reads
    ),
)


def main() -> None:
    scorer = assay.open_scorer(sys.argv[1] if len(sys.argv) > 1 else "baseline:longest")
    (results,) = assay.score(scorer, [QUESTION])  # any number of groups, a tuple for each
    print(scorer.name)
    for answer, result in zip(QUESTION.answers, results, strict=True):
        # A cut answer would get the reward of another text: one that is too long gets none, and the reason.
        told = f"{result.value:+.3f}" if isinstance(result, assay.Reward) else f"no reward: {result.reason}"
        print(f"  {answer[:44]:<44}  {told}")


if __name__ == "__main__":
    main()
