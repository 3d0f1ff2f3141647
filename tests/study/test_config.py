"""Every option is read: changing it changes the plan, the pages, the power statement or the error."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from assay.errors import AssayError
from assay.study import create_study
from assay.study.config import StudyConfig
from assay.study.plan import Sources
from assay.study.store.database import open_database, tables
from assay.study.store.open_study import read_facts, slots_of
from assay.study.study_records import Editor
from tests.study.harness import Browser, in_thread

BASE: dict[str, object] = {
    "seed": 5, "repeats": 2, "attention": 1, "unmatched": "set_aside", "empty": "set_aside", "giveaways": "set_aside",
}  # fmt: skip
CHANGES: dict[str, object] = {
    "title": "Another title", "question": "Which is kinder?", "instructions": "Read **all**.", "seed": 6, "overlap": 1,
    "pairs_per_prompt": "all", "repeats": 1, "attention": 2, "aspects": ["kind"], "comments": "off",
    "unmatched": "refuse", "empty": "refuse", "identical": "refuse", "giveaways": "accept",
    "giveaway_words": ["bed 3"], "longest_answer": 15, "link_days": 2.0, "assumed_icc": 0.1, "assumed_ties": 0.4,
}  # fmt: skip
PAGES = {"title", "question", "instructions", "aspects", "comments"}


def sources(folder: Path) -> Sources:
    """Three systems; one prompt unmatched, one answer empty, one pair identical, one giveaway."""
    paths = []
    for number, system in enumerate(("silent-fox", "loud-owl", "calm-cod")):
        rows = [
            {"id": f"p{n}", "prompt": f"Question {n}?", "answer": f"Answer {number * 7 + n} in bed {n}"}
            for n in range(9)
        ]
        if number == 0:
            rows.append({"id": "p9", "prompt": "Question 9?", "answer": "Alone."})
            rows[8]["answer"] = "As the tuned model, I say so."
        if number < 2:
            rows[7]["answer"] = "Just the same."
            rows[6]["answer"] = "" if number else "Something."
        paths.append(folder / f"{system}.jsonl")
        paths[-1].write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return Sources(generations=tuple(paths))


def outcome(folder: Path, name: str, options: dict[str, object], *, pages: bool) -> object:
    """What a study made with these options is, without what is random by design."""
    place = str(folder / f"{name}.db")
    people = [Editor(name="a"), Editor(name="b")]
    try:
        made = create_study(place, sources(folder), people, config=StudyConfig.build(options))
    except AssayError as error:
        return str(error)
    shown = ""
    if pages:
        with in_thread(place) as site:
            anna = Browser(site.port)
            shown = anna.get(f"/s/{made.tokens['a']}").body.replace(made.tokens["a"], "")
            anna.enter(made.tokens["a"])
            page = anna.get("/judge")
            shown += page.body.replace(page.field("csrf"), "").replace(page.field("showing"), "")
    with closing(open_database(place)) as database, database.begin() as connection:
        plan = [(s.editor, s.position, s.item, s.left, s.kind) for s in slots_of(connection)]
        links = tables.links.c
        days = [round(e - c) for c, e in connection.execute(select(links.created_at, links.expires_at))]
    study = read_facts(place)
    return plan, days, shown, dict(study.power), study.giveaways, study.set_aside


def test_every_option_changes_something(tmp_path: Path) -> None:
    assert set(CHANGES) == set(StudyConfig.model_fields)
    base = {pages: outcome(tmp_path, f"base-{pages}", BASE, pages=pages) for pages in (False, True)}
    assert base[False] == outcome(tmp_path, "again", BASE, pages=False)
    idle = [
        name
        for name, value in CHANGES.items()
        if outcome(tmp_path, name, {**BASE, name: value}, pages=name in PAGES) == base[name in PAGES]
    ]
    assert idle == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("overlap", 0), ("repeats", -1), ("assumed_icc", 1.0), ("title", ""), ("comments", "maybe"), ("link_days", 0)],
)
def test_impossible_values_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(AssayError, match=name):
        StudyConfig.build({name: value})
