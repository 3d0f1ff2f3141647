"""Closed studies whose truth is known, made without a server: for tests of the analysis only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.stats.draws import stream
from assay.study.study_records import ClosedStudy, Editor, EditorKind, Item, SetAside, Study, StudyVote


@dataclass(frozen=True, kw_only=True)
class Truth:
    """rate: true win rate of `tuned`, ties half. left: chance that a vote goes to the left whatever it shows."""

    rate: float = 0.6
    ties: float = 0.2
    icc: float = 0.3
    left: float = 0.0
    careless: Sequence[str] = ()


PEOPLE = (Editor(name="Anna"), Editor(name="Bilal"), Editor(name="Carmen"))


def closed_study(
    truth: Truth | None = None,
    *,
    prompts: int = 50,
    editors: Sequence[Editor] = PEOPLE,
    repeats: int = 5,
    attention: int = 3,
    seed: int = 0,
) -> ClosedStudy:
    """A study of base and tuned, every editor judging every prompt, with categories, aspects and times."""
    truth = truth or Truth()
    generator = stream(seed, "simulated study")
    items = {f"i{n}": _item(n, generator) for n in range(prompts)}
    items |= {
        f"x{n}": replace(_item(900 + n, generator), id=f"x{n}", kind="attention", known="a") for n in range(attention)
    }
    votes: list[StudyVote] = []
    chances = _chances(truth, prompts, generator)
    for editor in editors:
        showings = [(f"i{n}", "real") for n in range(prompts)] + [(f"x{n}", "attention") for n in range(attention)]
        showings += [(f"i{n}", "repeat") for n in range(min(repeats, prompts))]
        for position, (name, kind) in enumerate(showings):
            votes.append(_vote(items[name], kind, editor, chances, truth, position, generator))
    study = Study(
        id="s-simulated",
        title="Simulated study",
        created_at="2026-03-02T09:00:00+00:00",
        closed_at="2026-03-04T17:00:00+00:00",
        seed=seed,
        seal="sha256:simulated",
        systems=("base", "tuned"),
        editors=tuple(editors),
        config={"aspects": ["helpful"], "question": "Which answer is better?"},
        inputs={"base.jsonl": "sha256:base", "tuned.jsonl": "sha256:tuned"},
        power={"sentence": "planned"},
        giveaways=(),
        set_aside=(SetAside(prompt_id="p99", reason="identical", detail="the two answers are the same"),),
    )
    planned = {editor.name: prompts + min(repeats, prompts) + attention for editor in editors}
    return ClosedStudy(study=study, items=items, votes=tuple(votes), planned=planned)


def with_votes(closed: ClosedStudy, votes: Sequence[StudyVote]) -> ClosedStudy:
    return replace(closed, votes=tuple(votes))


def machine(name: str, kind: EditorKind = "llm") -> Editor:
    return Editor(name=name, judge=kind)


def _item(n: int, generator: np.random.Generator) -> Item:
    short, long = (" ".join(["word"] * int(size)) for size in generator.integers(20, 60, size=2))
    return Item(
        id=f"i{n}",
        prompt_id=f"p{n}",
        prompt=f"Question {n}?",
        answer_a=f"{short} {n}.",
        answer_b=f"{long} {n}!",
        system_a="base",
        system_b="tuned",
        category=("refunds", "delivery")[n % 2],
    )


def _chances(truth: Truth, prompts: int, generator: np.random.Generator) -> np.ndarray:
    """Chance of (tuned, tie, base) per prompt: a Dirichlet whose concentration gives the intraclass correlation."""
    mean = np.array([truth.rate - truth.ties / 2, truth.ties, 1 - truth.rate - truth.ties / 2])
    if truth.icc == 0:
        return np.tile(mean, (prompts, 1))
    draws = generator.gamma(np.maximum(mean * (1 / truth.icc - 1), 1e-9), size=(prompts, 3))
    return draws / draws.sum(axis=1, keepdims=True)


def _vote(
    item: Item,
    kind: str,
    editor: Editor,
    chances: np.ndarray,
    truth: Truth,
    position: int,
    generator: np.random.Generator,
) -> StudyVote:
    left = "a" if generator.random() < 0.5 else "b"
    systems = (item.system_a, item.system_b) if left == "a" else (item.system_b, item.system_a)
    if kind == "attention":
        expected = "left" if left == item.known else "right"
        choice = expected if editor.name not in truth.careless else ("right" if expected == "left" else "left")
    else:
        expected = None
        outcome = generator.choice(3, p=chances[int(item.id[1:])])
        choice = "tie" if outcome == 1 else ("left" if systems[0] == ("tuned", "", "base")[outcome] else "right")
        choice = "left" if generator.random() < truth.left else choice
    return StudyVote(
        item=item.id,
        prompt_id=item.prompt_id,
        editor=editor.name,
        choice=choice,  # type: ignore[arg-type]
        left_system=systems[0],
        right_system=systems[1],
        kind=kind,  # type: ignore[arg-type]
        judge=editor.judge,
        position=position,
        ms=int(generator.lognormal(10.2, 0.5)),
        ms_source="page",
        ratings={} if choice == "abstain" else {"helpful": choice},  # type: ignore[dict-item]
        expected=expected,  # type: ignore[arg-type]
        category=item.category,
    )
