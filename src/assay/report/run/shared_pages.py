"""What of a run's pages is given away: its card under another address, its report and findings without people's texts.

A report quotes prompts and answers (worst mistakes, answers that probes moved): those are rows of somebody's data.
Where data and models lay on the machine of whoever made them is nobody's business either: of an absolute path its last
name stays. Knows the artifacts; knows no hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from assay.artifacts.audit_body import AuditTables
from assay.artifacts.body import Body
from assay.artifacts.fresh_study_body import FRESH_STUDY, FreshStudyBody
from assay.artifacts.run_folder import RunFolder
from assay.gate.gate_standing import GateStanding
from assay.report.founder.told_run import read_told_run
from assay.report.run import card as reward_card
from assay.report.run import policy_card
from assay.report.run.page import page
from assay.report.run.reported_run import ReportedRun

# Rows of tables that hold one of these hold words that somebody wrote.
QUOTES = frozenset({"prompt", "chosen", "rejected", "answer"})
NONE = "No mistakes are recorded in audit.json."
# An absolute path: two names at least, and not those of an address (https://host/page).
_PATH = re.compile(r"(?<![\w./~-])(?:/[^\s/'\"=,;:]+){2,}/?")
LEFT_OUT = "Left out of this copy, since they quote the data: they stand in the run's own report."
WORDS: Mapping[str, str] = {
    "pass": "Its gate passed it.",
    "fail": "NOT PASSED: its gate failed it.",
    "undecided": "NOT PASSED: its gate left it undecided.",
    "unknown": "NOT PASSED: no gate stands behind these weights.",
}


def shared_card(run: RunFolder, evidence: ReportedRun, standing: GateStanding, *, repo: str, seed: int) -> str:
    """The model card as it stands in a repository: the verdict on these weights first, the model at the root.

    Raises ArtifactError as the pages do.
    """
    if evidence.policy is None:
        text = reward_card.card(evidence)
    else:
        fresh = run.path(FRESH_STUDY)
        told = FreshStudyBody.read(fresh) if fresh.exists() else None
        text = policy_card.card(evidence, read_told_run(run), told)
    first = evidence.seeds[0].seed if evidence.seeds else 0
    text = text.replace(f'folder = "seed-{first}/model"', f'folder = "{repo}"')
    text = text.replace("`report.html` beside this card", "`evidence/report.html` beside this card")
    of_several = f" Seed {seed} of {len(evidence.seeds)}." if len(evidence.seeds) > 1 else ""
    # By the run's name: where it lies on this machine is nobody's business.
    said = standing.sentence.replace(str(run.root), run.root.resolve().name)
    told_first = reward_card.markdown_text(f"{said}{of_several}")
    front, _, body = text.partition("\n---\n")
    front = front.replace("\n- assay\n", f"\n- assay\n- gate-{standing.word}\n", 1)
    return f"{front}\n---\n\n> **{WORDS[standing.word]}** {told_first}\n\n{body.lstrip()}"


def report_without_texts(evidence: ReportedRun) -> str:
    """The report with every table row that quotes somebody left out, which it says where the mistakes would stand."""
    text = page(replace(evidence, tables=cast("AuditTables", without_quotes(evidence.tables))))
    return text.replace(NONE, LEFT_OUT) if evidence.tables["mistakes"] else text


def placeless(evidence: ReportedRun) -> ReportedRun:
    """The run as its pages read it, without where its files lay."""
    seeds = (
        one if one.train is None else replace(one, train=type(one.train).model_validate(_dumped(one.train)))
        for one in evidence.seeds
    )
    return replace(evidence, run=type(evidence.run).model_validate(_dumped(evidence.run)), seeds=tuple(seeds))


def _dumped(body: Body) -> object:
    return without_places(body.model_dump(exclude_unset=True))


def without_places(value: object) -> object:
    """A JSON value with the last name of each absolute path in place of the path.

    >>> without_places({"command": "assay reward /home/ann/calls.jsonl --set a=/data/b/", "page": "https://a.org/b/c"})
    {'command': 'assay reward calls.jsonl --set a=b', 'page': 'https://a.org/b/c'}
    """
    if isinstance(value, str):
        return _PATH.sub(lambda found: found[0].rstrip("/").rpartition("/")[2], value)
    if isinstance(value, Mapping):
        found: dict[object, object] = {}
        for name, one in value.items():
            known = without_places(name)
            found[name if known in found else known] = without_places(one)  # two of one name stay two
        return found
    if isinstance(value, list | tuple):
        return type(value)(without_places(one) for one in value)
    return value


def findings_alone(evidence: ReportedRun) -> dict[str, object]:
    """The figures of audit.json, and the hashes of the run's artifacts as they stand there.

    By these whoever has one of them can tell that it is the one, also where what is shared leaves out paths.
    """
    return {"of": dict(evidence.hashes), "findings": [one.to_dict() for one in evidence.findings]}


def without_quotes(value: object) -> object:
    """A table, or anything in one, without the rows that hold a text under one of QUOTES.

    >>> without_quotes({"n": 2, "rows": [{"id": "a", "prompt": "May I?"}], "bins": [{"prompt": 3}]})
    {'n': 2, 'rows': [], 'bins': [{'prompt': 3}]}
    """
    if isinstance(value, Mapping):
        return {name: without_quotes(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(without_quotes(one) for one in value if not quotes(one))
    return value


def quotes(row: object) -> bool:
    """Whether a row holds somebody's words."""
    return isinstance(row, Mapping) and any(isinstance(row.get(name), str | list) for name in QUOTES)
