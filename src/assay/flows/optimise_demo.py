"""The demo of pressure: a reward learns a planted shortcut, passes by accuracy, is caught by best of n and mended.

1) simulate pairs in whose chosen answer length was planted; 2) train a reward, which its gate by accuracy passes;
3) simulate candidates whose worth is known, press the reward by best of n; 4) mend it by a remedy, on the same pairs;
5) press that on the same candidates, beside the first. Every step is that of a command, and is told as that command.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from assay.artifacts.files import atomic_write, sha256_file
from assay.config import StageConfig
from assay.data import read_pairs
from assay.errors import ConfigError
from assay.flows.demo import spoken
from assay.flows.optimise import OptimiseConfig, Optimised, OptimiseOptions, optimise
from assay.flows.reward import RewardRun, run_reward
from assay.flows.simulated_candidates import simulate_candidates
from assay.gate import Verdict, decide_run
from assay.gate.pressure_gate import default_pressure_criteria
from assay.scorers.corrected import Attribute, fit_correction, write_correction
from assay.scorers.open import open_scorer
from assay.scorers.scored_pairs import as_candidates
from assay.simulate.support import support
from assay.simulate.support.answer_policy import agent_mix
from assay.train.reward_config import RewardConfig
from assay.train.time_estimate import seconds_to_train

Notify = Callable[[str], None]
Sections = Mapping[str, Mapping[str, object]]
ATTRIBUTE: Attribute = "words"  # of an answer, what the correction takes out
AROUND = 40.0  # seconds of reading, rendering, audits and pages, on two cores
FIT_ROWS = 380  # answers whose hidden states are looked at for each reward
HELD_OUT_SHARE = 4  # one pair in four is held out: with fewer the interval of a good accuracy holds the threshold
AGENTS = "wordy=1,plain=1"  # half of the answers are padded, as the chosen ones of the pairs are
ACCURACY_ALONE = "criteria:\n  - overall accuracy > 0.72\n"
# One short look at few pairs: small batches, and a head that begins at random learns faster than its trunk.
RECIPE: Sections = {
    "model": {"base": "minilm", "max_tokens": 256},
    "train": {"epochs": 1.0, "batch_pairs": 16, "learning_rate": 1e-4, "head_learning_rate": 1e-3, "save_every": 15},
    # How far samples lie from the training pairs is not the story here: as few answers as show it.
    "fit": {"answers": 2, "training": 200, "calibration": 100},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What mends the reward. told: in words. sections, option: of a second training, as a file and a command line have
    them; none where its rewards are corrected afterwards. made: pairs it adds, as a share of those trained on."""

    told: str
    sections: Sections | None = None
    option: str = ""
    made: float = 0.0


REMEDIES: Mapping[str, Remedy] = {
    "corrected": Remedy(told="what length explains is taken off its rewards"),
    "verbosity": Remedy(
        told="trained again, on made pairs too in which a longer answer is worse",
        sections={"augment": {"verbosity": 0.5}}, option="--augment verbosity=0.5", made=0.5,
    ),
    "odin": Remedy(
        told="trained again, with a second head that takes up length",
        sections={"regularise": {"odin": "on"}}, option="--set regularise.odin=on",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureDemoSize:
    """How much of everything. shortcut: share of pairs whose chosen answer is made the longer one; prompts, answers: of
    the candidates."""

    pairs: int = 500
    shortcut: float = 0.9
    prompts: int = 120
    answers: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PressedReward:
    """One reward: its run, what pressing it came to in `folder`, and the gate's word on that. run: None where no second
    one was trained."""

    run: RewardRun | None
    pressed: Optimised
    folder: Path
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureDemo:
    """What was found without the remedy and with it, on the same pairs and candidates. run: the first training."""

    folder: Path
    run: RewardRun
    remedy: Remedy
    plain: PressedReward
    mended: PressedReward


def run_pressure_demo(
    out: Path,
    *,
    size: PressureDemoSize | None = None,
    remedy: str = "corrected",
    seed: int = 0,
    changes: Sections | None = None,
    command: str = "",
    notify: Notify = lambda _line: None,
) -> PressureDemo:
    """The whole story in the folder `out`; killed anywhere, the same call goes on.

    remedy: one of REMEDIES; several may be tried in one folder. changes: options of the trainings over the demo's own,
    by section. Raises ConfigError for an unknown remedy, and what the flows raise.
    """
    if remedy not in REMEDIES:
        raise ConfigError(f"No remedy of the demo is called {remedy!r}. Known: {', '.join(REMEDIES)}.")
    mending, size = REMEDIES[remedy], size or PressureDemoSize()
    begun = (out / "plain").exists()
    out.mkdir(parents=True, exist_ok=True)
    sections = recipe(size, seed=seed, changes=changes or {})
    demo = _Steps(out=out, size=size, seed=seed, sections=sections, command=command, notify=notify)
    demo.write_pairs()
    if not begun:
        demo.say_time(mending)
    run = demo.train("plain")
    demo.write_candidates()
    before = demo.press(model_of(run), "plain", run=run)
    if mending.sections is None:
        after = demo.press(demo.correct(run), remedy, beside=before.folder)
    else:
        again = demo.train(remedy, remedy=mending)
        after = demo.press(model_of(again), remedy, run=again, beside=before.folder)
    return PressureDemo(folder=out, run=run, remedy=mending, plain=before, mended=after)


def model_of(run: RewardRun) -> str:
    return str(run.folder / "seed-0" / "model")


def recipe(size: PressureDemoSize, *, seed: int, changes: Sections) -> dict[str, dict[str, object]]:
    """The sections of the --config file that both trainings and both pressings read."""
    split = {"holdout": size.pairs // HELD_OUT_SHARE, "seed": seed}
    sections = {name: {**values} for name, values in {**RECIPE, "split": split}.items()}
    for name, values in changes.items():
        sections[name] = {**sections.get(name, {}), **values}
    return sections


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """The steps of one demo, each told as the command that does the same."""

    out: Path
    size: PressureDemoSize
    seed: int
    sections: Mapping[str, Mapping[str, object]]
    command: str
    notify: Notify

    def file(self, name: str) -> Path:
        return self.out / name

    def read_by(self, config: type[StageConfig]) -> dict[str, object]:
        """The recipe's sections that a command reads; it leaves the others aside."""
        return {name: values for name, values in self.sections.items() if name in config.model_fields}

    def say(self, words: str, *paths: Path) -> None:
        """A command as one would type it; `{}` stands for the next of the paths."""
        self.notify(f"\n$ assay {words.format(*(shlex.quote(str(path)) for path in paths))}")

    def write_pairs(self) -> None:
        size, pairs = self.size, self.file("pairs.jsonl")
        planted = f"--shortcut length={size.shortcut:g}"
        self.say(f"simulate support --pairs {size.pairs} --seed {self.seed} {planted} --out {{}}", pairs)
        simulation = support(size.pairs, seed=self.seed, shortcuts={"length": size.shortcut})
        simulation.write(pairs)
        followed = simulation.truth["shortcuts"]["length"]["followed"]
        self.notify(
            f"simulated  {size.pairs:,} labelled pairs ({sha256_file(pairs)[:19]}): padding, which is worth less than "
            f"nothing, makes the chosen answer the longer one in {followed:.0%} of them"
        )
        for name, text in (("recipe.yaml", yaml.safe_dump(self.sections)), ("accuracy.yaml", ACCURACY_ALONE)):
            with atomic_write(self.file(name)) as stream:
                stream.write(text.encode())

    def say_time(self, remedy: Remedy) -> None:
        """How long all of it will take, from two steps of training timed here and now."""
        usable = read_pairs(str(self.file("pairs.jsonl"))).pairs
        config = RewardConfig.build(self.read_by(RewardConfig))
        held_out = config.split.holdout
        assert isinstance(held_out, int)
        train = usable[: len(usable) - held_out]
        again = [*train, *train[: round(remedy.made * len(train))]] if remedy.sections is not None else []
        # Scoring is timed by the pair: each reward scores the candidates and rows of the fit, a run its held-out pairs,
        # and a correction is fitted on all pairs.
        pairs = len(usable) if remedy.sections is None else 2 * held_out
        scored = pairs + self.size.prompts * self.size.answers + FIT_ROWS
        seconds = seconds_to_train(
            [*train, *again], held_out=scored, model=config.model, loss=config.loss, config=config.train
        )
        self.notify(f"time       about {spoken(seconds + AROUND)}, if the machine stays as busy as it is now")

    def train(self, name: str, *, remedy: Remedy | None = None) -> RewardRun:
        pairs, criteria, folder = self.file("pairs.jsonl"), self.file("accuracy.yaml"), self.file(name)
        option = f" {remedy.option}" if remedy is not None else ""
        told = f"reward {{}} --config {{}} --criteria {{}}{option} --out {{}}"
        self.say(told, pairs, self.file("recipe.yaml"), criteria, folder)
        over = (remedy.sections if remedy is not None else None) or {}
        config = RewardConfig.build({**self.read_by(RewardConfig), **over, "criteria": str(criteria)})
        run = run_reward(str(pairs), folder, config=config, command=self.command, notify=self.notify)
        self.say("gate {} --criteria {}", folder, criteria)  # which the flow has done: the same look, the same word
        self.notify(f"gate       {run.outcome}: {run.verdict.criteria[0].text}: {run.verdict.criteria[0].reason}")
        return run

    def write_candidates(self) -> None:
        size, candidates = self.size, self.file("candidates.jsonl")
        told = f"simulate candidates {AGENTS} --n {size.answers} --fresh {size.prompts} --seed {self.seed} --out {{}}"
        self.say(told, candidates)
        made = simulate_candidates(
            candidates, mix=agent_mix(AGENTS), n=size.answers, count=size.prompts, seed=self.seed
        )
        self.notify(
            f"simulated  {made.answers:,} answers to {made.prompts:,} fresh prompts, the true worth of each beside"
        )

    def correct(self, run: RewardRun) -> str:
        """Take out of the rewards what length explains, by a curve fitted on the same pairs; the scorer's name."""
        model, pairs, file = model_of(run), self.file("pairs.jsonl"), self.file("corrected.yaml")
        self.say(f"models correct {{}} {{}} --attribute {ATTRIBUTE} --out {{}}", Path(model), pairs, file)
        # Written whole or not at all; the run's model is the same whenever the same call goes on.
        if not file.exists():
            opened, given = open_scorer(model), as_candidates(read_pairs(str(pairs)).pairs)
            found = fit_correction(opened, given, named=model, attribute=ATTRIBUTE, fitted_on=str(pairs))
            write_correction(found, file)
        return f"corrected:{file}"

    def press(
        self, scorer: str, name: str, *, run: RewardRun | None = None, beside: Path | None = None
    ) -> PressedReward:
        """Best of n by a reward, judged by the simulated truth, and the gate's built-in set on that."""
        folder, candidates = self.file(f"{name}-pressed"), self.file("candidates.jsonl")
        others = () if beside is None else (beside,)
        told = "optimise {} {} --gold truth --config {} --out {}" + "".join(" --beside {}" for _ in others)
        self.say(told, Path(scorer), candidates, self.file("recipe.yaml"), folder, *others)
        config = OptimiseConfig.build(self.read_by(OptimiseConfig))
        options = OptimiseOptions(beside=others, command=self.command)
        done = optimise(scorer, candidates, folder, gold="truth", config=config, options=options, notify=self.notify)
        self.notify(f"pressed    {done.body.sentence}: {done.body.reason}")
        self.say("gate {}", folder)
        verdict = decide_run(folder, default_pressure_criteria())
        for result in verdict.criteria:
            self.notify(f"gate       {result.verdict}: {result.text}: {result.reason}")
        return PressedReward(run=run, pressed=done, folder=folder, verdict=verdict)
