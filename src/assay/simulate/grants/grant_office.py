"""The simulated grant office, whole: pairs voted on by three editors, fresh prompts apart, attention items, the truth.

Knows everything that is true of a row; nothing outside this package may read it to judge the row.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict

from assay.artifacts.files import write_jsonl
from assay.errors import ConfigError
from assay.simulate.grants.application import SECTIONS, Application, draw, prompt_of
from assay.simulate.grants.editorial_utility import QUALITIES, WEIGHTS
from assay.simulate.grants.grant_editors import EDITORS, vote
from assay.simulate.grants.paragraphs import best, write
from assay.simulate.known_truth import Oracle, RowTruth, agreement, oracle, utilities, write_with_truth
from assay.simulate.paired_votes import Labelled, couples, numbered, put_to_vote
from assay.simulate.random_values import other, simulation_stream, weighted

SOURCE = {"generator": "assay simulate grants", "batch": "sim-1", "label": "simulated"}
# Pairs of candidates nearer in utility than this are not sent to the editors: nobody could tell them apart.
LEAST_APART = 0.6
ATTENTION = 8

Row = dict[str, object]


class EditorialUtility(TypedDict):
    """The table by which paragraphs are worth something, and the qualities its measures make up."""

    weights: dict[str, float]
    qualities: dict[str, list[str]]


class Truth(TypedDict):
    """Everything that is true of the rows. agreement: how many rows had so many votes for their chosen answer."""

    world: str
    pairs: int
    fresh: int
    seed: int
    oracle: Oracle
    agreement: dict[str, int]
    editors: list[dict[str, object]]
    utility: EditorialUtility
    rows: dict[str, RowTruth]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFiles:
    """Where the world was written."""

    pairs: Path
    truth: Path
    fresh: Path
    attention: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantOffice:
    """Rows in assay's own layout, fresh prompts, attention items of a study, and all that is true of the rows."""

    rows: list[Row]
    fresh: list[Row]
    attention: list[Row]
    truth: Truth

    def write(self, path: Path) -> GrantFiles:
        """Write the rows to `path`, and beside it FILE.truth.json, NAME.fresh.jsonl and NAME.attention.jsonl."""
        fresh, attention = (path.with_name(f"{path.stem}.{what}.jsonl") for what in ("fresh", "attention"))
        write_jsonl(fresh, self.fresh)
        write_jsonl(attention, self.attention)
        return GrantFiles(
            pairs=path, truth=write_with_truth(path, self.rows, self.truth), fresh=fresh, attention=attention
        )


def grants(pairs: int, *, seed: int = 0, fresh: int = 50) -> GrantOffice:
    """Exactly `pairs` labelled pairs of grant paragraphs in five equal categories, and `fresh` prompts apart.

    The same arguments give the same rows. No prompt stands twice, here or among the fresh ones.
    Raises ConfigError for impossible numbers.
    """
    if pairs < 1:
        raise ConfigError(f"pairs: expected a number of at least 1, got {pairs}.")
    if fresh < 0:
        raise ConfigError(f"fresh: expected a number of at least 0, got {fresh}.")
    seen: set[str] = set()
    labelled: list[Labelled] = []
    for place, section in enumerate(SECTIONS):
        labelled += _labelled(section, pairs // len(SECTIONS) + (place < pairs % len(SECTIONS)), seed=seed, seen=seen)
    simulation_stream(seed, "grants/order").shuffle(labelled)
    # Named after the shuffle: a name in the order of drawing would give the category away.
    rows = numbered(labelled, "grant")
    asked = _asked(simulation_stream(seed, "grants/fresh"), fresh, seen)
    known = [
        _attention_row(simulation_stream(seed, f"grants/attention/{number}"), application, prompt)
        for number, (application, prompt) in enumerate(
            _asked(simulation_stream(seed, "grants/attention"), ATTENTION, seen)
        )
    ]
    return GrantOffice(
        rows=[_row(row) for row in rows],
        fresh=[
            {"id": f"fresh-{number}", "prompt": prompt, "category": application.section, "source": SOURCE}
            for number, (application, prompt) in enumerate(asked)
        ],
        attention=known,
        truth=_truth(rows, fresh=fresh, seed=seed),
    )


def _labelled(section: str, wanted: int, *, seed: int, seen: set[str]) -> list[Labelled]:
    """Applications of one section until there are enough pairs; several candidates each, two to four pairs of them."""
    rng, votes = simulation_stream(seed, f"grants/{section}"), simulation_stream(seed, f"grants/votes/{section}")
    voters = [(editor.name, partial(vote, editor=editor)) for editor in EDITORS]
    out: list[Labelled] = []
    number = 0
    while len(out) < wanted:
        application = draw(rng, section)
        prompt = prompt_of(rng, application)
        answers = [write(rng, application, prompt) for _ in range(rng.choice((3, 4, 4, 5)))]
        found = couples(rng, answers, least_apart=LEAST_APART, most=weighted(rng, {2: 0.3, 3: 0.4, 4: 0.3}))
        if len(found) < 2 or prompt in seen:
            continue
        seen.add(prompt)
        group = f"{section}/{number}"
        for couple in found[: wanted - len(out)]:
            out.append(put_to_vote(votes, answers, couple, voters, prompt=prompt, category=section, group=group))
        number += 1
    return out


def _asked(rng: random.Random, count: int, seen: set[str]) -> list[tuple[Application, str]]:
    """`count` applications with prompts that nobody has seen, sections in turn."""
    out: list[tuple[Application, str]] = []
    sections = tuple(SECTIONS)
    while len(out) < count:
        application = draw(rng, sections[len(out) % len(sections)])
        prompt = prompt_of(rng, application)
        if prompt not in seen:
            seen.add(prompt)
            out.append((application, prompt))
    return out


def _attention_row(rng: random.Random, application: Application, prompt: str) -> Row:
    """A paragraph nobody can fault beside one about another application: who reads, sees it."""
    stranger = draw(rng, other(rng, tuple(SECTIONS), application.section))
    return {
        "prompt": prompt,
        "good": best(rng, application, prompt).text,
        "bad": write(rng, stranger, prompt_of(rng, stranger)).text,
    }


def _row(row: Labelled) -> Row:
    return {
        "id": row.id,
        "prompt": row.prompt,
        "chosen": row.chosen.text,
        "rejected": row.rejected.text,
        "category": row.category,
        "group": row.group,
        "votes": row.votes,
        "source": SOURCE,
    }


def _truth(rows: list[Labelled], *, fresh: int, seed: int) -> Truth:
    return {
        "world": "grants",
        "pairs": len(rows),
        "fresh": fresh,
        "seed": seed,
        "oracle": oracle(rows, SECTIONS),
        "agreement": agreement(rows),
        "editors": [editor.as_dict() for editor in EDITORS],
        "utility": {
            "weights": dict(WEIGHTS),
            "qualities": {name: list(measures) for name, measures in QUALITIES.items()},
        },
        "rows": utilities(rows),
    }
