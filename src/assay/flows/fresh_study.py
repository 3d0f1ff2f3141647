"""The last stage of tuning a policy: base and tuned answer the same fresh prompts, and a blind study of it is written.

What is in it is told by hashes in fresh_study.json, written last: with it the study is whole and its links are known;
without it nobody can have voted, and it is made anew. Knows the run folder and policies; knows no vote.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from assay.artifacts import policy_run_files
from assay.artifacts.files import differences, sha256_file
from assay.artifacts.fresh_study_body import FRESH_STUDY, AnsweringBody, FreshStudyBody
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError, InputError
from assay.flows.generate import generate_file
from assay.policies.local_policy import LocalPolicy
from assay.policies.prompt_files import read_prompts
from assay.policies.protocol import Prompt, Sampling
from assay.records import Pair, plain_text
from assay.stats.unknown import Unknown
from assay.study.config import StudyConfig
from assay.study.plan.link_table import links_at, table_of, write_links
from assay.study.study_records import Editor
from assay.train.dpo.config import DpoRunConfig, FreshStudyConfig
from assay.train.result import TrainResult

if TYPE_CHECKING:
    from assay.study.plan.create import Created

STUDY, ANSWERS = Path(policy_run_files.STUDY), "answers"
BASE, TUNED = "base", "tuned"  # ordinary words, so that an answer that says one gives nothing away
# At the end of a long run nothing is refused that can be left out, counted and named.
PLAN = {"title": "Which answer is better?", "empty": "set_aside", "identical": "set_aside", "giveaways": "set_aside"}
EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked, read before anything is tuned: what is wrong with it costs no training."""

    prompts: Sequence[Prompt]
    study: FreshStudyConfig
    plan: StudyConfig
    inputs: dict[str, str]

    @classmethod
    def of(cls, study: FreshStudyConfig) -> Asking | None:
        """None where no prompts are given. Raises InputError, ConfigError for what cannot be read."""
        if study.prompts is None:
            return None
        if find_spec("sqlalchemy") is None:
            raise InputError("A study needs the extra: pip install 'assay[study]'. Or tune without fresh prompts.")
        files = {"prompts": Path(study.prompts)}
        if study.attention is not None:
            files["attention"] = Path(study.attention)
        for path in files.values():
            if not path.is_file():
                raise InputError(f"{path}: no such file.")
        if not study.editors and not study.simulated:
            raise InputError("study.editors is 0 and no simulated judge is named: a study needs somebody who judges.")
        return cls(
            prompts=read_prompts(files["prompts"]),
            study=study,
            plan=StudyConfig.build({**PLAN, **study.plan}),
            inputs={name: sha256_file(path) for name, path in files.items()},
        )

    def sampling(self, name: str) -> Sampling:
        """How both are drawn, but each by numbers of its own: by the same ones a policy that changed little writes the
        same answers, and what is left to judge would be no fair draw of what it writes."""
        told = self.study
        seed = told.seed + (name == TUNED)
        return Sampling(max_tokens=told.max_new_tokens, temperature=told.temperature, top_p=told.top_p, seed=seed)

    @property
    def editors(self) -> list[Editor]:
        people = [Editor(name=f"editor-{number}") for number in range(1, self.study.editors + 1)]
        return people + [Editor(name=name, judge="simulated") for name in self.study.simulated]

    def refuse_trained_on(self, trained: Sequence[Pair]) -> None:
        """Raises InputError where a prompt is one of the training pairs: it would show what was learned by heart."""
        seen = {plain_text(pair.prompt).strip() for pair in trained}
        found = [prompt.id for prompt in self.prompts if plain_text(prompt.text).strip() in seen]
        if found:
            named = ", ".join(found[:EXAMPLES]) + (", ..." if found[EXAMPLES:] else "")
            raise InputError(
                f"{self.study.prompts}: {len(found)} of {len(self.prompts)} prompts are prompts of training pairs "
                f"({named}), so they are not fresh. Leave them out."
            )


def written_study(run: RunFolder) -> FreshStudyBody | None:
    """The study in this run folder, or None."""
    path = run.path(FRESH_STUDY)
    return FreshStudyBody.read(path, again="Run `assay dpo` again.") if path.exists() else None


def write_study(
    run: RunFolder,
    asking: Asking,
    tuned: TrainResult,
    *,
    config: DpoRunConfig,
    notify: Callable[[str], None] = lambda _line: None,
) -> FreshStudyBody:
    """Answers of both, the study and its links, in the run folder; what is there already is kept.

    Raises ArtifactError where a study of other answers is there, InputError for prompts that cannot be answered, and
    what making a study raises.
    """
    policies = {
        # By their part and not by where they lie: a run that was moved goes on.
        BASE: LocalPolicy(config.model.base, template=config.model.template, called=BASE, said=notify),
        TUNED: LocalPolicy(tuned.model_folder, called=TUNED, said=notify),
    }
    there = written_study(run)
    if there is not None:
        _refuse_other(run, there, asking, {name: policy.fingerprint for name, policy in policies.items()})
        return there
    sides = {name: _answered(run, name, policy, asking, notify) for name, policy in policies.items()}
    if sides[BASE].template != sides[TUNED].template:
        notify("study      note: base and tuned policy have different chat templates, each is asked by its own")
    created = _made(run, asking, sides)
    body = FreshStudyBody(
        id=created.id,
        study=STUDY.as_posix(),
        links=table_of(STUDY).as_posix(),
        seed=tuned.seed,
        base=sides[BASE],
        tuned=sides[TUNED],
        prompts=len(asking.prompts),
        shown=created.prompts,
        showings=created.showings,
        editors={editor.name: editor.judge for editor in asking.editors},
        aside=dict(Counter(entry.reason for entry in created.aside)),
        power=created.power.as_dict(),
        sentence=created.power.sentence(),
        notes=created.notes,
        config=asking.study.model_dump(mode="json"),
        inputs=asking.inputs,
    )
    body.write(run.path(FRESH_STUDY))
    return body


def _answered(
    run: RunFolder, name: str, policy: LocalPolicy, asking: Asking, notify: Callable[[str], None]
) -> AnsweringBody:
    path = run.path(ANSWERS, f"{name}.jsonl")
    done = generate_file(policy, asking.prompts, path, n=1, sampling=asking.sampling(name))
    if done.tokens:
        notify(f"answers    {name}: {done.answers:,} fresh prompts, {done.tokens:,} tokens ({done.seconds:.0f} s)")
    made = done.made
    return AnsweringBody(
        policy=policy.model if name == BASE else Path(policy.model).relative_to(run.root).as_posix(),
        fingerprint=made.fingerprint,
        template="unknown" if isinstance(made.template, Unknown) else made.template,
        answers=f"{ANSWERS}/{name}.jsonl",
        sha256=sha256_file(path),
    )


def _made(run: RunFolder, asking: Asking, sides: dict[str, AnsweringBody]) -> Created:
    """The study and its links, made beside their place and put there whole."""
    from assay.study.plan.create import Sources, create_study

    place, beside = run.path(STUDY.parent.name), run.path(f".{STUDY.parent.name}.tmp")
    for old in (place, beside):  # of an attempt that ended before its links were told to anybody
        shutil.rmtree(old, ignore_errors=True)
    beside.mkdir()
    told = asking.study
    sources = Sources(
        generations=tuple(run.path(sides[name].answers) for name in (BASE, TUNED)),
        names=(BASE, TUNED),
        attention=None if told.attention is None else Path(told.attention),
    )
    study = beside / STUDY.name
    created = create_study(str(study), sources, asking.editors, config=asking.plan)
    write_links(study, links_at(told.url, created.tokens))
    beside.rename(place)
    return created


def _refuse_other(run: RunFolder, there: FreshStudyBody, asking: Asking, fingerprints: dict[str, str]) -> None:
    now = {
        "config": asking.study.model_dump(mode="json", exclude={"prompts", "attention"}),
        "inputs": asking.inputs,
        "policies": fingerprints,
    }
    before = {
        "config": {name: value for name, value in there.config.items() if name not in ("prompts", "attention")},
        "inputs": there.inputs,
        "policies": {BASE: there.base.fingerprint, TUNED: there.tuned.fingerprint},
    }
    if changed := differences(before, now):
        raise ArtifactError(
            f"{run.root} holds a study of other prompts or options: {'; '.join(changed[:4])}. Run the command as it "
            f"was; or, if nobody has voted, delete {run.path(FRESH_STUDY)}, and {run.path(ANSWERS)} where answers "
            "change, to make it anew."
        )
