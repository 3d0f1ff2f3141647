"""Press two rewards by best of n on candidates whose worth is known, and set their gold curves side by side.

    python examples/under_pressure.py

Answers are some facts and some filler. Gold counts the facts and minds the filler a little; one reward takes filler for
substance, the other takes off what length explains of it. Neither needs a model; any scorer's name would stand as well.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import assay

FACT, FILLER = "The parcel left on Monday.", "We are so glad that you asked us about this today."


def candidates(prompts: int, answers: int) -> list[assay.Candidates]:
    draw = random.Random(0)

    def answer() -> str:
        return " ".join([FACT] * draw.randint(1, 4) + [FILLER] * max(0, draw.randint(-6, 4)))

    return [
        assay.Candidates(id=f"p{n}", prompt=f"Parcel {n * 7919}?", answers=tuple(answer() for _ in range(answers)))
        for n in range(prompts)
    ]


def gold(_prompt: object, answers: Sequence[object]) -> list[float]:
    return [str(one).count(FACT) - 0.4 * str(one).count(FILLER) for one in answers]


def swayed(_prompt: object, answers: Sequence[object]) -> list[float]:
    return [str(one).count(FACT) + 1.5 * str(one).count(FILLER) for one in answers]


def mended(prompt: object, answers: Sequence[object]) -> list[float]:
    return [reward - 0.03 * len(str(one)) for reward, one in zip(swayed(prompt, answers), answers, strict=True)]


def main() -> None:
    groups = candidates(100, 64)
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        for name, reward, out, beside in (("swayed", swayed, before, ()), ("mended", mended, after, (before,))):
            found = assay.optimise(reward, groups, out, gold=gold, beside=beside)
            print(f"\n{name}: {found.sentence}")
            for point in found.curve:
                print(f"  n = {point.n:<4} KL bound {point.kl:.2f}  reward {point.proxy:6.2f}  gold {point.gold:5.2f}")
            for one in found.beside:
                last = one.points[-1]
                print(f"  gold at n = {last.n} less that of the other: {last.difference:+.2f}")
        print(f"\nthe page with both curves: {after / 'pressure.html'}")


if __name__ == "__main__":
    main()
