"""Each remedy on one's own data: one run a remedy and one without, on the same split, and a table of what each buys.

1) name the remedies, so that a typing error costs no training; 2) a run in a folder of its own for each, and scorers
made of the seeds of the run without; 3) every figure paired with that run's, pair by pair and prompt by prompt; 4) what
serving costs, timed when nothing else of this command runs. The table is written after every remedy. Killed anywhere,
the same call goes on: finished seeds are not trained again, and no answer is scored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.artifacts.remedies_body import REMEDIES, BestOfBody, ElsewhereBody, RemediesBody, RemedyRow, SearchBody
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import RUN
from assay.data import PairSet, read_pairs
from assay.errors import ConfigError, InputError
from assay.flows.remedy_config import RemediesConfig
from assay.flows.remedy_names import NONE, remedy_names
from assay.flows.remedy_pressure import CandidatesFile, ask_gold_once
from assay.flows.remedy_rows import Without
from assay.flows.remedy_serving import scorer_to_serve, serving_ms
from assay.flows.remedy_trial import Measured, Trial, seeds_of
from assay.flows.remedy_workers import measured
from assay.flows.run_record import begun_with
from assay.models.resolve import resolve
from assay.records import Pair
from assay.report.remedies_table import line, write_table
from assay.simulate.support.answer_policy import agent_mix
from assay.stats.best_of_n import powers_of_two
from assay.train.precision_choice import choose
from assay.version import __version__, versions

PACKAGES = ("numpy", "scipy", "torch", "transformers")
GOLD = "gold"  # the folder of what gold gives the candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """The table, and the folder that holds it with a run for each remedy."""

    folder: Path
    body: RemediesBody


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediesOptions:
    """asked: "all", or names of remedies. elsewhere: pairs from outside the data. candidates, gold: for gold at best of
    n; both or neither. processes: that measure remedies at once. command: for the record."""

    asked: str = "all"
    elsewhere: Path | None = None
    candidates: Path | None = None
    gold: str | None = None
    processes: int = 1
    command: str = ""


def run_remedies(
    source: str | Path,
    out: Path,
    *,
    config: RemediesConfig,
    options: RemediesOptions | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> Remedies:
    """Try remedies on `source`, each in out/NAME, and write remedies.json and remedies.md.

    config: of the run without; a remedy's settings stand over it. A remedy that these data or this base do not allow is
    a row that says why. Raises ConfigError for a name or an agent there is not or candidates without gold, and whatever
    the run without raises.
    """
    told = options or RemediesOptions()
    names = remedy_names(told.asked, second_base=config.bases.second)
    candidates = candidates_of(told, out, config)
    if config.press.world is not None:
        agent_mix(config.press.start)
    # One that is not there costs no reading of data.
    base = resolve(config.model.base, config.model.revision)
    if config.bases.second is not None and resolve(config.bases.second).fingerprint == base.fingerprint:
        raise ConfigError(
            f"bases.second={config.bases.second} is the base itself, and several seeds of one base are the ensembles "
            "without it. Name another, or leave it out."
        )
    found = read_pairs(source, config=config.data)
    outside, beside = pairs_elsewhere(told.elsewhere, found, config)
    if candidates is not None:
        ask_gold_once(candidates, notify)
    trial = Trial(
        source=source,
        out=out,
        config=same_precision(config, out),
        found=found,
        candidates=candidates,
        elsewhere=outside,
        command=told.command,
    )
    table = Table(trial=trial, names=names, options=told, elsewhere=beside)
    for one in measured(trial, names, processes=told.processes, notify=notify):
        first = len(table.rows) + 1  # several at once where some were done before none was
        for number, row in enumerate(table.add(one), start=first):
            notify(line(row, number, len(names)))
    # Timed last and one by one: beside trainings a reward takes as long as they let it.
    table.time_serving()
    return Remedies(folder=out, body=table.write())


def pairs_elsewhere(
    path: Path | None, found: PairSet, config: RemediesConfig
) -> tuple[list[tuple[Pair, str]], ElsewhereBody | None]:
    """The pairs with a winner whose prompts are not among the data's, and their groups. Raises InputError for none."""
    if path is None:
        return [], None
    there = read_pairs(str(path), config=config.data)
    seen = {pair.prompt for pair in found.pairs}
    known = [(p, group) for p, group in zip(there.pairs, there.groups, strict=True) if p.label == "chosen"]
    fresh = [(pair, group) for pair, group in known if pair.prompt not in seen]
    if not fresh:
        raise InputError(f"{path}: of {len(known)} pairs with a winner none has a prompt that is not in the data.")
    return fresh, ElsewhereBody(path=str(path), pairs=len(fresh), left_out=len(known) - len(fresh))


def candidates_of(told: RemediesOptions, out: Path, config: RemediesConfig) -> CandidatesFile | None:
    """Raises ConfigError where one of candidates and gold is given without the other, or n is no power of two."""
    if (told.candidates is None) != (told.gold is None):
        given, other = ("--candidates", "--gold") if told.gold is None else ("--gold", "--candidates")
        raise ConfigError(f"{given} is given without {other}: gold at best of n needs both. Give both or neither.")
    if told.candidates is None or told.gold is None:
        return None
    if config.pressure.largest not in powers_of_two(config.pressure.largest):
        raise ConfigError(
            f"pressure.largest is {config.pressure.largest}; the curve has 1, 2, 4, ...: give one of them."
        )
    return CandidatesFile(path=told.candidates, gold=told.gold, kept=out / GOLD, data=config.data)


def same_precision(config: RemediesConfig, out: Path) -> RemediesConfig:
    """The options with one precision for all: measured run by run it might not be the same, and would be compared."""
    from assay.artifacts.run_folder import RunFolder

    choice = choose(config.train.precision, stored=begun_with(RunFolder(out / NONE)))
    return config.model_copy(update={"train": config.train.model_copy(update={"precision": choice.used})})


@dataclass(slots=True, kw_only=True)
class Table:
    """The rows so far. done: what is measured, by name; it stands in the order in which it was asked for."""

    trial: Trial
    names: Sequence[str]
    options: RemediesOptions
    elsewhere: ElsewhereBody | None = None
    done: dict[str, Measured] = field(default_factory=dict)
    rows: dict[str, RemedyRow] = field(default_factory=dict)

    def add(self, one: Measured) -> list[RemedyRow]:
        """The rows that can be told now: nothing can be held against none before none is done."""
        self.done[one.name] = one
        none = self.done.get(NONE)
        if none is None:
            return []
        without = Without(measured=none, config=self.trial.config.audit)
        fresh = [without.row(self.done[name]) for name in self.done if name not in self.rows]
        self.rows.update({row.name: row for row in fresh})
        self.write()
        return fresh

    def time_serving(self) -> None:
        seeds = seeds_of(self.trial, self.trial.out / NONE)
        pairs = [pair for pair, _ in self.trial.pairs_of(seeds.folder)]
        for name, row in self.rows.items():
            if row.why_not is None:
                spent = serving_ms(scorer_to_serve(self.trial, name, seeds), pairs)
                self.rows[name] = row.model_copy(update={"serving": round(spent, 2)})

    def write(self) -> RemediesBody:
        body = self.body()
        body.write(self.trial.out / REMEDIES)
        write_table(body, self.trial.out / "remedies.md")
        return body

    def body(self) -> RemediesBody:
        trial, none = self.trial, self.done[NONE]
        config, best, pressed = trial.config, none.best, none.pressed
        assert none.aligned is not None
        run = RunBody.read(trial.out / NONE / RUN)
        return RemediesBody(
            command=self.options.command,
            data=str(trial.source),
            simulated=bool(run.data and run.data.simulated),
            base=config.model.base,
            seeds=config.train.seeds,
            held_out=none.aligned.n,
            level=config.audit.level,
            elsewhere=self.elsewhere,
            best_of=None
            if best is None or trial.candidates is None
            else BestOfBody(
                candidates=str(trial.candidates.path), gold=trial.candidates.gold, n=best.n, random=best.random,
                best=best.best,
            ),
            search=None
            if pressed is None or config.press.world is None
            else SearchBody(
                world=config.press.world, agents=config.press.start, prompts=len(pressed.picked.prompts),
                answers=config.press.population * (config.press.rounds + 1), seed=config.press.seed,
                start=pressed.start,
            ),
            processes=self.options.processes,
            rows=tuple(self.rows[name] for name in self.names if name in self.rows),
            versions=dict(versions(PACKAGES)),
            assay_version=__version__,
        )  # fmt: skip
