"""How well the rule of `factual:rule` finds what is invented on the simulated desk, whose truth is known.

    python benchmarks/factuality.py --prompts 300 --n 8 --seed 1

Prints what the rule says of statements that the world made true or false, how often it sees an abstention, and how an
answer's reward goes with what is invented in it. All of it is simulated. Phrases of the desk are known to the truth's
reader alone; the rule reads the prompt as it would read any.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
from scipy.stats import spearmanr

from assay.scorers.factuality.factual_reward import reward_of
from assay.scorers.factuality.known_facts import evidence
from assay.scorers.factuality.looked_up import Looked, look_up
from assay.scorers.factuality.statements import statements
from assay.simulate.support.answer_policy import agent_mix, draw_answer
from assay.simulate.support.fresh_prompts import fresh_prompts
from assay.simulate.support.reading import ReadCase, gold_utility, read_case, read_quality
from assay.simulate.support.reading.pieces import facts, normal
from assay.stats.unknown import Unknown

AGENTS = "plain,inventive,hedging,courteous"


def truth_of(case: ReadCase, text: str) -> str:
    """What the world says of one statement: wrong, right, denied (rightly said not to be on file) or nothing."""
    held = {fact.kind.name: fact.value.lower() for fact in case.facts}
    found = set()
    for piece in facts(normal(text)):
        if piece.kind == "fact":
            found.add("right" if held.get(piece.says[0]) == piece.says[1] else "wrong")
        else:
            found.add("wrong" if piece.says[0] in held else "denied")
    if case.ruling is not None:
        found |= {"right" if right else "wrong" for _, _, right in case.ruling.reasons(normal(text))}
    return next((one for one in ("wrong", "right", "denied") if one in found), "nothing")


def answers(prompts: int, n: int, seed: int) -> Iterator[tuple[str, str, ReadCase, list[str]]]:
    """Prompts with their category, case and n answers of mixed agents."""
    mix = agent_mix(AGENTS)
    for one in fresh_prompts(prompts, seed=seed):
        case = read_case(one.prompt, one.category)
        assert isinstance(case, ReadCase)
        rng = random.Random(f"{seed} {one.id}")
        yield one.prompt, one.category, case, [draw_answer(rng, case, mix.draw(rng)) for _ in range(n)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--prompts", type=int, default=300)
    parser.add_argument("--n", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="examples of each kind of mistake")
    asked = parser.parse_args()
    table: Counter[tuple[str, str]] = Counter()
    shown: Counter[tuple[str, str]] = Counter()
    rows: list[tuple[str, str, float, float, float]] = []
    for prompt, category, case, texts in answers(asked.prompts, asked.n, asked.seed):
        known = evidence(prompt)
        for text in texts:
            looked = [look_up(one, known) for one in statements(text)]
            for one in looked:
                cell = (truth_of(case, one.statement.text), one.verdict)
                table[cell] += 1
                if shown[cell] < asked.show:
                    shown[cell] += 1
                    show(cell, one, prompt)
            quality = read_quality(case, text)
            invented = quality.facts_wrong + quality.extras_invented
            worth = gold_utility(prompt, text, category)
            assert not isinstance(worth, Unknown)
            rows.append((prompt, category, reward_of(looked), invented, worth))
    report(table, rows)


def show(cell: tuple[str, str], one: Looked, prompt: str) -> None:
    print(f"--- truth {cell[0]}, rule {cell[1]}: {one.statement.text}\n    {one.why}: {one.fact}\n    {prompt!r}")


def report(table: Counter[tuple[str, str]], rows: list[tuple[str, str, float, float, float]]) -> None:
    verdicts = ("supported", "contradicted", "not_found", "abstains", "no_claim")
    print(f"{'truth (simulated)':18}" + "".join(f"{name:>14}" for name in verdicts))
    for truth in ("right", "wrong", "denied", "nothing"):
        print(f"{truth:18}" + "".join(f"{table[truth, name]:14}" for name in verdicts))
    named = [table[truth, "contradicted"] for truth in ("right", "wrong", "denied", "nothing")]
    either = [
        table[truth, "contradicted"] + table[truth, "not_found"] for truth in ("right", "wrong", "denied", "nothing")
    ]
    wrong = sum(table["wrong", name] for name in verdicts)
    denied = sum(table["denied", name] for name in verdicts)
    print(f"contradicted: precision {named[1] / sum(named):.3f}, recall {named[1] / wrong:.3f} of {wrong} wrong ones")
    print(f"contradicted or not found: precision {either[1] / sum(either):.3f}, recall {either[1] / wrong:.3f}")
    print(f"abstentions recognised: {table['denied', 'abstains'] / denied:.3f} of {denied}")
    for name in ("all", *dict.fromkeys(row[1] for row in rows)):
        some = [row for row in rows if name in ("all", row[1])]
        reward, invented, worth = (np.array([row[at] for row in some], dtype=float) for at in (2, 3, 4))
        print(
            f"{name:14} answers {len(some):6}  rank correlation of the reward with what is invented "
            f"{spearmanr(reward, invented).statistic:+.3f}, with worth {spearmanr(reward, worth).statistic:+.3f}"
        )
    below = [row for row in rows if row[3] and row[2] < 0]
    lying = [row for row in rows if row[3]]
    honest = [row for row in rows if not row[3]]
    print(
        f"answers with something invented that are below an abstention: {len(below) / len(lying):.3f} of {len(lying)}"
    )
    print(
        f"answers with nothing invented that are below one: {sum(row[2] < 0 for row in honest) / len(honest):.3f} "
        f"of {len(honest)}"
    )


if __name__ == "__main__":
    main()
