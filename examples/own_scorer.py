"""Audit a scorer of your own: anything with a name, a fingerprint and `score(groups)`.

    python examples/own_scorer.py

A rule is audited on a simulated support desk, where the truth is known, beside the baseline "longest answer wins".
The rule counts how many numbers and names of an answer stand in the prompt. It needs no model, and no model is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import assay


class Grounded:
    """Reward: numbers and names of the answer that the prompt holds, less those that it does not."""

    name = "grounded"
    fingerprint = "grounded/1"  # another one whenever rewards may change: results are kept by it

    def score(self, groups: Sequence[assay.Candidates]) -> list[tuple[assay.Reward | assay.Unscored, ...]]:
        return [tuple(self.result(str(group.prompt), answer) for answer in group.answers) for group in groups]

    def result(self, prompt: str, answer: object) -> assay.Reward | assay.Unscored:
        if not isinstance(answer, str):  # what cannot be scored has no reward, rather than the reward 0
            return assay.Unscored("the answer is a conversation; this rule reads plain text")
        said = set(re.findall(r"\d[\d%]*|\b[A-Z][a-z]{3,}\b", answer))
        held = {word for word in said if word in prompt}
        return assay.Reward(float(len(held) - 2 * len(said - held)))


def main() -> None:
    pairs = assay.read_pairs(assay.simulate_support(2000, seed=1).rows).pairs
    for scorer in (Grounded(), assay.open_scorer("baseline:longest")):
        audit = assay.audit(scorer, pairs)
        print(f"\n{scorer.name}")
        for name in ("accuracy", "accuracy_beyond_length", "tied_pairs", "reward_length_correlation"):
            print(f"  {name:<27} {figure(audit.find(name))}")
        for row in audit.tables["categories"]:
            print(f"  {row['category']:<27} {row['accuracy']:.3f}")

    # For a quick look a plain function of (prompt, answers) will do.
    cheerful = assay.audit(lambda _prompt, answers: [answer.count("!") for answer in answers], pairs)
    print(f"\nexclamation marks: {figure(cheerful.find('accuracy'))}; pairs it cannot tell apart count as wrong")


def figure(finding: assay.Finding | None) -> str:
    """Value and interval, or why there is none."""
    if finding is None or finding.known is None:
        return "unknown" if finding is None else f"unknown: {finding.reason}"
    if finding.bounds is None:
        return f"{finding.known:.3f}"
    return f"{finding.known:.3f}  ({finding.bounds.low:.3f} to {finding.bounds.high:.3f})"


if __name__ == "__main__":
    main()
