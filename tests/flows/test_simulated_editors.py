"""Simulated editors vote in a real study: a server in its own process, over HTTP, by the texts that were shown."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from assay.artifacts.files import write_jsonl
from assay.errors import InputError, StudyError
from assay.flows.next_by_axis import AxisRequest, next_by_axis
from assay.flows.simulated_candidates import simulate_candidates
from assay.flows.simulated_editors import editors_of, vote_in_study
from assay.flows.simulated_objectives import simulate_objectives
from assay.simulate.grants import EDITORS, grants
from assay.simulate.grants.application import SECTIONS, draw, prompt_of
from assay.simulate.grants.paragraphs import best, write
from assay.simulate.support.answer_policy import agent_mix
from assay.simulate.support.axes import AXES, axis_worths
from assay.simulate.support.desk_editors import DESK_EDITORS
from assay.study import create_study, read_closed
from assay.study.analysis.axis_pool import axis_row
from assay.study.analysis.training_rows import aspect_rows
from assay.study.config import NextConfig, StudyConfig
from assay.study.plan import Created, Sources
from assay.study.store.closing import close_study
from assay.study.study_records import Editor, StudyVote
from tests.study.harness import Served, in_thread, served

PROMPTS = 12
JUDGES = [
    *(Editor(name=e.name, judge="simulated") for e in EDITORS),
    Editor(name="Anna"),
    Editor(name="m", judge="llm"),
]


def made(folder: Path) -> tuple[str, Created]:
    """A study of two systems: one writes paragraphs as they come, the other the best of thirty."""
    rng = random.Random(3)
    files = {"plain": [], "tuned": []}  # type: dict[str, list[str]]
    for number in range(PROMPTS):
        application = draw(rng, list(SECTIONS)[number % 5])
        prompt = prompt_of(rng, application)
        for system, text in (("plain", write(rng, application, prompt)), ("tuned", best(rng, application, prompt))):
            files[system].append(json.dumps({"id": f"q{number}", "prompt": prompt, "answer": text.text}))
    for system, lines in files.items():
        (folder / f"{system}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    attention = grants(1, fresh=0).write(folder / "office.jsonl").attention
    place = str(folder / "study.db")
    created = create_study(
        place,
        Sources(generations=tuple(folder / f"{system}.jsonl" for system in files), attention=attention),
        JUDGES,
        config=StudyConfig(seed=1, repeats=3, attention=3),
    )
    return place, created


def links_file(folder: Path, site: Served, study: Created) -> Path:
    path = folder / "study.db.links.csv"
    rows = [f"{who or 'owner'},{site.base}/s/{token}" for who, token in study.tokens.items()]
    path.write_text("\n".join(["who,link", *rows]) + "\n", encoding="utf-8")
    return path


def seen(votes: tuple[StudyVote, ...]) -> dict[tuple[str, str, int], str]:
    return {(vote.editor, vote.item, vote.position): vote.choice for vote in votes}


def test_three_editors_vote_by_command_and_every_vote_says_simulated(tmp_path: Path) -> None:
    place, study = made(tmp_path)
    with served(place) as site:
        links = links_file(tmp_path, site, study)
        # The first editor has voted already: the command goes on where each one stopped.
        assert vote_in_study(EDITORS[0], editors_of([str(links)])[0][1]).votes == PROMPTS + 3 + 3
        done = subprocess.run(
            [sys.executable, "-m", "assay.cli.main", "simulate", "editors", str(links), "--json"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert [told[editor.name]["votes"] for editor in EDITORS] == [0, 18, 18]
        # The links of a person and of a language model are no place for a simulated editor.
        for who in ("Anna", "m"):
            with pytest.raises(StudyError, match=r"programs|made for a judge of kind llm"):
                vote_in_study(EDITORS[0], f"{site.base}/s/{study.tokens[who]}")
    close_study(place)
    closed = read_closed(place)
    assert {vote.judge for vote in closed.votes} == {"simulated"}
    assert {vote.editor for vote in closed.votes} == {editor.name for editor in EDITORS}
    real = [vote for vote in closed.votes if vote.kind == "real"]
    won = [vote.choice for vote in real if vote.choice in ("left", "right")]
    tuned = [v for v in real if {"left": v.left_system, "right": v.right_system}.get(v.choice) == "tuned"]
    assert len(tuned) / len(won) > 0.75
    known = [vote.choice == vote.expected for vote in closed.votes if vote.kind == "attention"]
    assert len(known) == 9
    assert sum(known) >= 7


def test_the_same_seed_votes_the_same_and_another_does_not(tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 9)):
        (tmp_path / name).mkdir()
        place, study = made(tmp_path / name)
        with in_thread(place) as site:
            for editor in EDITORS:
                vote_in_study(editor, f"{site.base}/s/{study.tokens[editor.name]}", seed=seed)
        close_study(place)
        found.append(seen(read_closed(place).votes))
    assert found[0] == found[1] != found[2]


def test_links_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no table of links"):
        editors_of([str(tmp_path / "none.csv")])
    (tmp_path / "links.csv").write_text("who,link\nAnna,http://x/s/y\n")
    with pytest.raises(StudyError, match="--simulated simulated-editor-1"):
        editors_of([str(tmp_path / "links.csv")])
    with pytest.raises(StudyError, match="one to 3 personal links"):
        editors_of(["http://x/s/1"] * 4)
    assert [editor.name for editor, _ in editors_of(["http://x/s/1", "http://x/s/2"])] == [e.name for e in EDITORS[:2]]


def test_the_desks_agents_rate_each_aspect_over_the_studys_own_addresses(tmp_path: Path) -> None:
    """Candidates -> a study with aspects -> three agents over HTTP -> pairs by objective that follow the truth."""
    simulate_candidates(tmp_path / "c.jsonl", mix=agent_mix("wordy=1,plain=1"), n=2, count=60, seed=3)
    asked = AxisRequest(pairs=str(tmp_path / "c.jsonl"), count=40, random=40)
    found = next_by_axis(asked, settings=NextConfig())
    write_jsonl(tmp_path / "next.jsonl", map(axis_row, found.proposals))
    place = str(tmp_path / "study.db")
    agents = [Editor(name=one.name, judge="simulated") for one in DESK_EDITORS]
    plan = StudyConfig(seed=1, repeats=2, attention=1, aspects=(*AXES, "polite"))
    study = create_study(place, Sources(pairs=tmp_path / "next.jsonl"), agents, config=plan)
    with in_thread(place) as site:
        links = links_file(tmp_path, site, study)
        with pytest.raises(StudyError, match="--world support"):
            editors_of([str(links)])
        done = [vote_in_study(*one) for one in editors_of([str(links)], world="support")]
    assert [one.votes for one in done] == [40 + 2 + 1] * 3
    assert {axis: sum(done[0].ratings[axis].values()) for axis in AXES} == dict.fromkeys(AXES, 42)
    assert done[0].choices["abstain"] == 1  # the attention item is no prompt of the desk's
    close_study(place)
    closed = read_closed(place)
    rows = aspect_rows(closed, judges=("simulated",))
    assert (len(rows["polite"].rows), dict(rows["polite"].left_out)["not rated"]) == (0, 120)
    with pytest.raises(StudyError, match="none of 129 votes rates an aspect"):
        aspect_rows(closed)  # programs are no people
    for axis in AXES:
        right = known = 0
        for row in rows[axis].rows:
            worth = [axis_worths(str(row["prompt"]), row[side]) for side in ("chosen", "rejected")]  # type: ignore[literal-required]
            gap = worth[0][axis] - worth[1][axis]  # type: ignore[index]
            if row["label"] == "chosen" and abs(gap) > 0.6:
                known, right = known + 1, right + (gap > 0)
        assert known >= 4
        assert right / known > 0.8, axis


def test_true_labels_by_objective(tmp_path: Path) -> None:
    """Every comparison is a row by each axis: the better answer by the truth, or a tie where they are near."""
    simulate_candidates(tmp_path / "c.jsonl", mix=agent_mix("plain"), n=3, count=50, seed=4)
    done = simulate_objectives(tmp_path / "c.jsonl", tmp_path / "truth.jsonl", least_apart=0.6)
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    assert len(rows) == 3 * done.prompts
    for axis in AXES:
        mine = [row for row in rows if row["objective"] == axis]
        assert (done.pairs[axis], done.ties[axis]) == (
            sum(row["label"] == "chosen" for row in mine),
            sum(row["label"] == "tie" for row in mine),
        )
        for row in mine:
            one, other = (axis_worths(row["prompt"], row[side], row["category"]) for side in ("chosen", "rejected"))
            gap = one[axis] - other[axis]  # type: ignore[index]
            assert (gap >= 0.6) == (row["label"] == "chosen")
    (tmp_path / "no.jsonl").write_text('{"id": "1", "prompt": "Write a poem.", "answers": ["a", "b"]}\n')
    with pytest.raises(InputError, match="no prompt of the simulated desk with two different answers"):
        simulate_objectives(tmp_path / "no.jsonl", tmp_path / "x.jsonl", least_apart=0.6)
    assert not (tmp_path / "x.jsonl").exists()
