"""Rewards of answers that stand in no pair: changed ones, and answers under other prompts.

1. Rows already had are taken from the store. 2. The others are grouped by prompt, so that a prompt is read once for all
its answers, and batches never part a prompt's answers unless they are very many. 3. What a batch gives is stored before
the next is asked for. Knows prompts and answers; knows not what was changed about them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from assay.records import Candidates, Text
from assay.scorers.protocol import Scored, Scorer, chunks, score_chunks
from assay.scorers.reward_store import RewardStore, Row

BATCH = 2048  # answers a scorer is asked about between two writes: seconds of work, and passes well filled


def rescore(
    scorer: Scorer,
    rows: Iterable[Row],
    store: RewardStore,
    *,
    categories: Mapping[Text, str] | None = None,
    notify: Callable[[int, int], None] = lambda _done, _all: None,
) -> dict[Row, Scored]:
    """What `scorer` gives each (prompt, answer), each distinct one asked about once; those in `store` not at all.

    categories: of prompts, where they are known. notify: gets how many rows are done and how many there are, after each
    batch. Raises InputError if the scorer does not keep its promises.
    """
    distinct = dict.fromkeys(rows)
    found = {row: known for row in distinct if (known := store.get(row)) is not None}
    groups: dict[Text, list[Text]] = {}
    for prompt, answer in distinct:
        if (prompt, answer) not in found:
            groups.setdefault(prompt, []).append(answer)
    # All batches are handed over as one stream: a scorer with several workers has several of them scored at once.
    asked = (chunk for batch in _batches(groups, categories or {}) for chunk in chunks(batch))
    for done in score_chunks(scorer, asked):
        fresh: dict[Row, Scored] = {}
        for group, results in done:
            fresh.update(zip(((group.prompt, answer) for answer in group.answers), results, strict=True))
        store.add(fresh)
        found |= fresh
        notify(len(found), len(distinct))
    return found


def _batches(groups: dict[Text, list[Text]], categories: Mapping[Text, str]) -> Iterator[list[Candidates]]:
    """Groups of one prompt each, in batches of about BATCH answers."""
    batch: list[Candidates] = []
    held = 0
    for number, (prompt, answers) in enumerate(groups.items()):
        name, category = f"rescored-{number}", categories.get(prompt)
        batch.append(Candidates(id=name, prompt=prompt, answers=tuple(answers), category=category))
        held += len(answers)
        if held >= BATCH:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
