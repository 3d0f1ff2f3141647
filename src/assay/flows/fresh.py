"""From a reward and a current policy to fresh pairs that people are asked about: `assay fresh RUN --policy POLICY`.

1) Prompts of the reward's own data are set aside. 2) The policy answers the others. 3) Two answers a prompt make a
pair, which the reward scores. 4) A random sample for the estimate is drawn, and apart from it pairs where the reward is
unsure. 5) They are written as a blind study and as a file. What people say is joined by `fresh_conclusion.py`. Killed
anywhere, the same call goes on; fresh_pairs.json is written last, and with it the links of the study are known.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from assay.artifacts.files import differences, sha256_file, sha256_json
from assay.artifacts.fresh_body import (
    FRESH_PAIRS,
    FreshPairsBody,
    FreshPolicyBody,
    FreshScorerBody,
    FreshStudyPlace,
)
from assay.audits.fresh.config import FreshConfig
from assay.audits.fresh.vote_widths import vote_widths
from assay.config import StageConfig
from assay.data.config import DataConfig
from assay.errors import ArtifactError, ConfigError, InputError
from assay.flows.fresh_formed import PAIRS, PEOPLE, choose_and_write, formed_pairs
from assay.flows.fresh_known import reward_scorers, static_accuracy, without_leaks
from assay.flows.generate import AnswersFile, generate_file
from assay.policies.protocol import Policy, Prompt, Sampling
from assay.records import to_json
from assay.scorers.protocol import Scorer
from assay.scorers.remote.config import RemoteConfig
from assay.stats.unknown import Unknown
from assay.study.config import StudyConfig
from assay.study.plan.link_table import links_at, table_of, write_links
from assay.study.study_records import Editor

if TYPE_CHECKING:
    from assay.study.plan.create import Created

ANSWERS = "answers.jsonl"
STUDY = Path("study") / "study.db"
OTHERS_ARTIFACTS = ("run.json", "audit.json", "compare.json", "bench.json", "pressure.json", "capability.json")
# Both answers of a pair are one policy's: there is no side to give away, and its habits stand on both.
PLAN = {"title": "Which answer is better?", "empty": "set_aside", "giveaways": "accept"}
Notify = Callable[[str], None]


class FreshRunConfig(StageConfig):
    """What `assay fresh` reads: how data and labels are read, how servers are asked, how pairs are drawn."""

    data: DataConfig = DataConfig()
    remote: RemoteConfig = RemoteConfig()
    fresh: FreshConfig = FreshConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshAsking:
    """How the policy is asked, who judges, and where the reward's data and audit are if no run says it.

    editors: people, called editor-1, ...; simulated: programs by name. Without either no study is made, and the pairs
    stand in a file. url: where editors reach the server.
    """

    n: int = 4
    sampling: Sampling = field(default_factory=Sampling)
    editors: int = 3
    simulated: tuple[str, ...] = ()
    attention: Path | None = None
    url: str = "http://127.0.0.1:8321"
    data: str | None = None
    static: Path | None = None
    command: str = ""

    @property
    def judges(self) -> list[Editor]:
        people = [Editor(name=f"editor-{number}") for number in range(1, self.editors + 1)]
        return people + [Editor(name=name, judge="simulated") for name in self.simulated]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Everything one call is asked for. prints: fingerprints of the reward's seeds."""

    reward: str
    scorers: Mapping[int, Scorer]
    prints: Mapping[str, str]
    policy: Policy
    prompts: Sequence[Prompt]
    told: FreshAsking
    settings: FreshRunConfig

    @property
    def inputs(self) -> dict[str, str]:
        """What fresh pairs hang on, by name; another value of any of them makes other pairs."""
        drawn = self.settings.fresh.model_dump(mode="json", include={"votes", "unsure", "seed"})
        return {
            **{f"reward {seed}": print_ for seed, print_ in self.prints.items()},
            "policy": self.policy.fingerprint,
            "prompts": sha256_json([[one.id, to_json(one.text)] for one in self.prompts]),
            "sampling": sha256_json([self.told.n, asdict(self.told.sampling)]),
            "draw": sha256_json(drawn),
            "judges": sha256_json([[one.name, one.judge] for one in self.told.judges]),
        }


def fresh_pairs(
    reward: str,
    policy: Policy,
    prompts: Sequence[Prompt],
    out: Path,
    *,
    asking: FreshAsking | None = None,
    config: FreshRunConfig | None = None,
    notify: Notify = lambda _line: None,
) -> FreshPairsBody:
    """Pairs of the policy's fresh answers, scored, some chosen for people; in the folder `out`.

    reward: a run, or any scorer. Raises InputError where all prompts stood in its data, ConfigError for fewer than two
    answers a prompt, EmptyBatchError where no pair is left, ArtifactError where `out` holds other fresh pairs.
    """
    told, settings = asking or FreshAsking(), config or FreshRunConfig()
    if told.n < 2:
        raise ConfigError(f"--n {told.n}: a pair is two answers to one prompt, so ask for at least 2 each.")
    refuse_others_folder(out)
    scorers = reward_scorers(reward, settings.remote)
    asked = _Asked(
        reward=reward,
        scorers=scorers,
        prints={str(seed): one.fingerprint for seed, one in scorers.items()},
        policy=policy,
        prompts=prompts,
        told=told,
        settings=settings,
    )
    out.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(out / ".fresh.lock", timeout=0):
            return _there(out, asked.inputs) or _made(asked, out, notify)
    except filelock.Timeout:
        raise InputError(f"{out}: another assay writes fresh pairs here. Wait for it, or give another --out.") from None


def refuse_others_folder(out: Path) -> None:
    """Raises InputError where `out` holds the results of another command."""
    for name in OTHERS_ARTIFACTS:
        if (out / name).exists():
            raise InputError(f"{out} holds {name} of something else. Give --out a folder of its own.")


def _there(out: Path, asked: Mapping[str, str]) -> FreshPairsBody | None:
    """Fresh pairs made before by the same call; raises ArtifactError where another made them."""
    path = out / FRESH_PAIRS
    if not path.exists():
        return None
    body = FreshPairsBody.read(path, again="Give another --out.")
    if differences(body.inputs, asked):
        changed = [name for name in {**body.inputs, **asked} if body.inputs.get(name) != asked.get(name)]
        raise ArtifactError(
            f"{out} holds fresh pairs made otherwise (changed: {', '.join(changed)}), which people may be judging. Run "
            "the command as it was, or give another --out."
        )
    return body


def _made(asked: _Asked, out: Path, notify: Notify) -> FreshPairsBody:
    told, settings, prompts = asked.told, asked.settings, asked.prompts
    static, _ = static_accuracy(asked.reward, asked.prints, given=told.static, level=settings.fresh.level)
    leaks = without_leaks(asked.reward, prompts, data=told.data, config=settings.data)
    if leaks.leaked:
        notify(f"leakage    {len(leaks.leaked):,} of {len(prompts):,} prompts stood in the reward's data: set aside")
    done = generate_file(asked.policy, leaks.fresh, out / ANSWERS, n=told.n, sampling=told.sampling)
    notify(f"answers    {done.answers:,} to {done.prompts:,} prompts, {done.unanswered:,} without a text")
    near = settings.data.near_duplicates
    formed = formed_pairs(
        asked.scorers, leaks, out, answers=out / ANSWERS, seed=settings.fresh.seed, near_duplicates=near
    )
    notify(f"pairs      {len(formed.pairs):,}, one a prompt; {len(formed.aside):,} prompts without one")
    uses = choose_and_write(formed, out, settings.fresh)
    votes = uses.count("estimate")
    widths, assumed = vote_widths(static.value, static.interval, asked=votes, level=settings.fresh.level)
    body = FreshPairsBody(
        reward=FreshScorerBody(name=asked.reward, fingerprints=dict(asked.prints)),
        policy=_policy(asked.policy, told, done),
        static=static,
        prompts=len(prompts),
        aside=dict(Counter(row["reason"] for row in formed.aside)),
        leaks=leaks.body,
        formed=len(formed.pairs),
        votes=votes,
        unsure=uses.count("unsure"),
        widths=widths,
        assumed=assumed,
        pairs=sha256_file(out / PAIRS),
        study=_study(out, told),
        config=settings.model_dump(mode="json"),
        inputs=asked.inputs,
        command=told.command,
    )
    body.write(out / FRESH_PAIRS)
    return body


def _policy(policy: Policy, told: FreshAsking, done: AnswersFile) -> FreshPolicyBody:
    return FreshPolicyBody(
        name=policy.name,
        fingerprint=done.made.fingerprint,
        template="unknown" if isinstance(done.made.template, Unknown) else done.made.template,
        sampling={**asdict(told.sampling), "stop": list(told.sampling.stop)},
        answers_each=told.n,
        answers=done.answers - done.unanswered,
        unanswered=done.unanswered,
    )


def _study(out: Path, told: FreshAsking) -> FreshStudyPlace | None:
    """The blind study of the pairs for people, made beside its place and put there whole."""
    if not told.judges:
        return None
    from assay.study.plan.create import Sources, create_study

    place, beside = out / STUDY.parent, out / f".{STUDY.parent.name}.tmp"
    for old in (place, beside):  # of an attempt that ended before its links were told to anybody
        shutil.rmtree(old, ignore_errors=True)
    beside.mkdir()
    study = beside / STUDY.name
    sources = Sources(pairs=out / PEOPLE, attention=told.attention)
    created: Created = create_study(str(study), sources, told.judges, config=StudyConfig.build(PLAN))
    write_links(study, links_at(told.url, created.tokens))
    beside.rename(place)
    return FreshStudyPlace(
        id=created.id,
        study=STUDY.as_posix(),
        links=table_of(STUDY).as_posix(),
        editors={editor.name: editor.judge for editor in told.judges},
        showings=created.showings,
        notes=list(created.notes),
    )
