"""Layouts of published corpora in which people judged several answers to one prompt -> Candidates with their votes.

FineGrainedRLHF: four answers and a judgement on every two. The creativity corpus (LAMP): three texts and each writer's
ranking of them. Known by names nobody else uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from assay.data.layouts.columns import Columns, Names
from assay.data.layouts.stated_fields import name, source
from assay.data.layouts.texts import UnfitError, as_list, as_text, told
from assay.data.sources.row import Row
from assay.data.text_ids import candidates_id
from assay.records import Candidates, Comparison, Text

PREDICTIONS = tuple(f"prediction {place}" for place in (1, 2, 3, 4))
CHOICES: Mapping[object, Literal["first", "second", "tie"]] = {1: "first", 2: "second", 0: "tie"}


def finegrained_columns(_: Sequence[Row], seen: Sequence[str], __: Mapping[str, str]) -> Names | None:
    if not {"question", "preference", *PREDICTIONS} <= set(seen):
        return None
    answers = {f"answers {place}": name for place, name in enumerate(PREDICTIONS)}
    passages = {"prompt passages": "passages"} if "passages" in seen else {}
    return {"prompt": "question"} | passages | answers | {"votes": "preference"}


def finegrained(row: Row, columns: Columns) -> Candidates:
    """Question and passages are the prompt. `preference` holds what was said of 1 and 2, 1 and 3, 1 and 4, 2 and 3, 2
    and 4, 3 and 4: 1 the first is better, 2 the second, 0 a tie."""
    data = row.data
    question = as_text(data.get("question"), "prompt", "question")
    prompt: Text = "\n\n".join([*map(passage, as_list(data.get("passages") or [])), str(question)])
    answers = tuple(as_text(data.get(name), "both", name) for name in PREDICTIONS)
    said, couples = as_list(data.get("preference")), list(combinations(range(len(answers)), 2))
    if len(said) != len(couples) or any(one not in CHOICES for one in said):
        raise UnfitError("missing_field", f"preference is {told(data.get('preference'))}, not six of 0, 1 and 2")
    votes = [Comparison(first=i, second=j, choice=CHOICES[one]) for (i, j), one in zip(couples, said, strict=True)]
    return Candidates(
        id=candidates_id(prompt, answers), prompt=prompt, answers=answers, votes=tuple(votes), where=row.where
    )


def passage(value: object) -> str:
    """A passage: its title, then its sentences, the first of which begins with the title again."""
    title, *sentences = map(str, as_list(value))
    text = " ".join(sentences)
    return text if text.startswith(title) else f"{title}\n\n{text}".strip()


def rankings_columns(_: Sequence[Row], seen: Sequence[str], __: Mapping[str, str]) -> Names | None:
    if not {"instruction", "texts", "rankings_best_first"} <= set(seen):
        return None
    category = {"category": "type"} if "type" in seen else {}
    origin = {"source": "source"} if "source" in seen else {}
    return {"prompt": "instruction", "answers": "texts", "votes": "rankings_best_first"} | category | origin


def rankings(row: Row, columns: Columns) -> Candidates:
    """Texts by the name of what wrote them, and of each annotator a list of these names, the best first."""
    data = row.data
    prompt = as_text(data.get("instruction"), "prompt", "instruction")
    texts, ranked = data.get("texts"), data.get("rankings_best_first")
    if not isinstance(texts, Mapping) or not isinstance(ranked, Mapping):
        raise UnfitError("missing_field", f"texts are {told(texts)} and rankings {told(ranked)}, not objects")
    writers = sorted(map(str, texts))
    answers = tuple(as_text(texts[writer], "both", f"texts.{writer}") for writer in writers)
    votes: list[Comparison] = []
    for annotator, order in ranked.items():
        listed = list(map(str, as_list(order)))
        if strange := sorted(set(listed) - set(writers)):
            raise UnfitError("missing_field", f"{annotator} ranks {strange[0]!r}, of which there is no text")
        places = [writers.index(writer) for writer in listed]
        votes += [
            Comparison(first=better, second=worse, choice="first", annotator=str(annotator))
            for better, worse in combinations(places, 2)
        ]
    return Candidates(
        id=candidates_id(prompt, answers),
        prompt=prompt,
        answers=answers,
        votes=tuple(votes),
        category=name(data.get("type"), "category"),
        source=source(data.get("source")),
        where=row.where,
    )
