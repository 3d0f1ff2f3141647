"""One seed under way, of any method: resume or start, train, score, save, check, and say that it is finished.

Knows an Objective and the files of a seed's folder; knows no pair and no reward.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from assay.artifacts.files import sha256_json, write_jsonl
from assay.artifacts.train_body import TrainBody, TrainedBase
from assay.engine.compiled import compile_layers, plain_again, plain_layers
from assay.errors import AssayError, TrainingError
from assay.tracking.tracker import TrackedRun
from assay.train import compile_choice, loop
from assay.train.callbacks import Reporting, Schedule, Sealing
from assay.train.checkpoint import Checkpoint, latest, remove_all, sweep
from assay.train.compile_choice import CompileChoice, Compiling
from assay.train.compile_trial import in_one_line, tried
from assay.train.config import TrainConfig
from assay.train.early_stopping import WEIGHTS, BestSoFar, KeepingBest, Validation
from assay.train.experiment import FREE, Experiment
from assay.train.launched import held
from assay.train.loop import Evaluation, ObjectiveTrainer, Training, chosen_precision
from assay.train.metrics import MetricsFile
from assay.train.objective import AnyObjective
from assay.train.precision_choice import PrecisionChoice, store, weighed
from assay.train.process_group import of_the_first, told_of_others
from assay.train.progress import Progress, Stage
from assay.train.result import TrainResult, finished, hashes, read_result, save_whole
from assay.train.threads import threads_within_quota
from assay.train.tracked_steps import Tracking, guard, tracked
from assay.train.trainer_options import checkpoint_activations, own_randomness, trainer_arguments, without_printer
from assay.train.weights_in_parts import whole
from assay.version import versions

PACKAGES = ("assay", "torch", "transformers", "accelerate", "peft", "tokenizers", "numpy")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seed:
    """What one seed is and where: its experiment, its folder, its options with the precision chosen.

    experiment: `train` among its options is `config`. compiling: how it comes to compile its layers or not.
    validation: what early stopping of an objective goes by; None: all steps are made.
    """

    experiment: Experiment
    folder: Path
    config: TrainConfig
    precision: PrecisionChoice
    base_name: str
    compiling: Compiling = field(default_factory=Compiling)
    validation: Callable[[AnyObjective], Validation] | None = None

    def begun(self) -> Seed:
        """The seed with its layers as asked for, or else as its run or its folder began; as it is where none has."""
        found = self.compiling.choice
        if found is None:
            found = compile_choice.choose(self.config.compile, stored=compile_choice.stored_in(self.folder))
        return self if found is None else self.with_layers(found)

    def with_layers(self, choice: CompileChoice) -> Seed:
        """The seed with its layers compiled or not: what its weights depend on, and so what the experiment is."""
        config = self.config.model_copy(update={"compile": choice.used})
        experiment = replace(self.experiment, options={**self.experiment.options, "train": config})
        compiling = replace(self.compiling, choice=choice)
        return replace(self, config=config, experiment=experiment, compiling=compiling)


def train_seed(seed: Seed, objective: Callable[[], AnyObjective], *, notify: Callable[[Progress], None]) -> TrainResult:
    """Train a seed from the first step or the last checkpoint on; finished already, return what is there.

    objective: makes what is trained, drawing what is new in it from the seed's random numbers. Raises ArtifactError if
    the folder belongs to another experiment, TrainingError for what is not finite or a self-check that fails.
    """
    started = time.monotonic()
    how = held()  # before any model is opened: Accelerate's settings would have a part of it loaded alone
    seed = seed.begun()
    done = finished(seed.folder, identity=seed.experiment.identity)
    if done is not None:
        return done
    with own_randomness(seed.experiment.seed), threads_within_quota():
        made = objective()
        seed = replace(seed, precision=weighed(seed.precision, _log.warning))
        validation = None if seed.validation is None else seed.validation(made)
        training = Training(
            seed=seed.experiment.seed, objective=made, config=seed.config, validation=validation, held=how
        )
        seconds = {"prepare": time.monotonic() - started}
        with told_of_others():
            return SeedRun(seed=seed, training=training, notify=notify, seconds=seconds).run()


@dataclass(slots=True, kw_only=True)
class SeedRun:
    """One seed that is being trained, whom to tell, and the seconds each of its stages took."""

    seed: Seed
    training: Training
    notify: Callable[[Progress], None]
    seconds: dict[str, float]

    def run(self) -> TrainResult:
        """Everything from the first step or the last checkpoint to train.json."""
        store(self.seed.precision, self.seed.folder)
        with self._shown():
            trainer = self._trainer()
            evaluation = self._train(trainer)
            with trainer.whole_objective() as objective:
                # One process writes, and the others wait for it: they read train.json below.
                if trainer.args.process_index == 0:
                    self._finish(objective, evaluation, trainer.metrics, trainer.best)
            trainer.accelerator.wait_for_everyone()
        return read_result(self.seed.folder)

    def _trainer(self) -> ObjectiveTrainer:
        config, objective = self.seed.config, self.training.objective
        args = trainer_arguments(config, seed=self.training.seed, folder=self.seed.folder)
        if config.gradient_checkpointing == "on":
            checkpoint_activations(objective.model, "on")
        self._settle_layers(args.device)
        metrics = MetricsFile(self.seed.folder / "metrics.jsonl", writes=args.process_index == 0)
        stopping = self.training.validation
        best = None if stopping is None else BestSoFar(self.seed.folder, stopping.patience)
        trainer = ObjectiveTrainer(self.training, args, metrics=metrics, best=best)
        without_printer(trainer)
        guard(trainer, _warn)
        return trainer

    def _settle_layers(self, device: torch.device) -> None:
        """Compile the layers or leave them plain: as asked for, as the seed began, or as is measured now."""
        choice = self.seed.compiling.choice
        if self.training.held.in_parts:
            compile_choice.refuse_in_parts(choice)
        if choice is None:
            # Before the first step and stored before it: a run that goes on tries nothing and does the same.
            choice = of_the_first(tried(self.training, device=device, terms=self.seed.compiling.terms))
            self.seed.compiling.tell(choice)
            self.seed = self.seed.with_layers(choice)
            self.training = replace(self.training, config=self.seed.config)
        compile_choice.store(choice, self.seed.folder)
        if choice.used == "on":
            self.training.objective.model.to(device)
            self._compile(choice)

    def _compile(self, choice: CompileChoice) -> None:
        objective = self.training.objective
        try:
            # The same bits after a kill: compiled code is specialised to the shape it meets first, so that is a fixed
            # one here, and not the batch with which a run happens to begin or to go on, nor the rows of a trial.
            compile_layers(objective.model, objective.forward, precision=chosen_precision(self.training.config))
        except Exception as error:
            if choice.asked != "auto":
                if isinstance(error, AssayError):
                    raise
                raise TrainingError(
                    f"train.compile=on: torch could not compile the layers here ({in_one_line(error)}). Leave "
                    "train.compile at auto, or off."
                ) from error
            # Compiled where it began, which this machine cannot: plain layers differ by rounding, and nobody asked.
            plain_again(objective.model)
            _log.warning(f"Warning: this run began with compiled layers, and goes on plain: {in_one_line(error)}")
            self.seed = self.seed.with_layers(replace(choice, error=in_one_line(error)))

    def _train(self, trainer: ObjectiveTrainer) -> Evaluation:
        """Run or go on with the optimiser's steps; returns the held-out scores of the final weights."""
        training, main = self.training, trainer.args.process_index == 0
        identity = self.seed.experiment.identity
        with trainer.accelerator.main_process_first():  # it removes what is torn before the others look
            checkpoint = latest(self.seed.folder, identity=identity)
        step = checkpoint.step if checkpoint else 0
        if main:  # rows of steps that came after the checkpoint are taken again, and would stand twice
            sweep(self.seed.folder)
            trainer.metrics.resume(step)
        evaluates = training.objective.held_out or trainer.best is not None
        every = (training.config.eval_every or training.steps_per_epoch) if evaluates else None
        trainer.add_callback(Schedule(trainer.batches, steps=training.steps, every=every))
        together = trainer.accelerator.wait_for_everyone
        if trainer.best is not None:
            trainer.best.restore(checkpoint.folder if checkpoint else None, writes=main)
            trainer.add_callback(KeepingBest(trainer.best))
        trainer.add_callback(Sealing(trainer.metrics, identity=identity, together=together))
        start = Progress(seed=training.seed, stage="train", step=step, steps=training.steps)
        trainer.add_callback(Reporting(self._tell if main else _nobody, start=start))
        before = _copies(training.objective.head())
        with self._stage("train", step), self._tracked(trainer, step):
            self._run_steps(trainer, checkpoint)
        after = _copies(training.objective.head())  # asked again: parts are other parameters than the whole were
        if after and all(torch.equal(before[name], value) for name, value in after.items()):
            raise TrainingError(
                "The reward head did not change in training. Raise train.head_learning_rate or train.epochs."
            )
        with self._stage("score", training.steps):
            found = trainer.evaluation
            if trainer.best is not None and trainer.best.best is not None:
                together()  # the first process has written the file
                trainer.load(self.seed.folder / WEIGHTS)
                return replace(trainer.evaluated("float32"), step=trainer.best.best[0])
            # Evaluated in the last step already, unless nothing asked for it or only the weights of a finished training
            # were loaded.
            if found is None or found.step < training.steps:
                found = replace(trainer.evaluated("float32"), step=training.steps)
        return found

    @contextmanager
    def _tracked(self, trainer: ObjectiveTrainer, step: int) -> Iterator[None]:
        """Tell the trackers what the steps from here on find; one process does, for all."""
        experiment, folder = self.seed.experiment, self.seed.folder
        names = self.seed.config.report_to if trainer.args.process_index == 0 else ()
        place = folder.resolve()
        run = TrackedRun(
            name=f"{place.parent.name}-{place.name}",
            group=place.parent.name,
            # The folder too: the same experiment in another folder is another training.
            key=sha256_json([experiment.identity, str(place)]).removeprefix("sha256:")[:16],
            folder=folder,
            options=experiment.identity,
            step=step,
        )
        with tracked(names, run, seed=experiment.seed, folder=folder, say=_warn) as trackers:
            if names:
                trainer.add_callback(Tracking(trackers, seen=lambda: trainer.seen, held_out=trainer.last_scores))
            yield

    def _run_steps(self, trainer: ObjectiveTrainer, checkpoint: Checkpoint | None) -> None:
        over = trainer.best is not None and trainer.best.exhausted
        if checkpoint is None or (checkpoint.step < self.training.steps and not over):
            if self.training.held.in_parts:
                trainer.take_apart()
            trainer.train(resume_from_checkpoint=str(checkpoint.folder) if checkpoint else None)
        else:  # killed after the last step: only the weights are missing
            trainer.load(checkpoint.folder / loop.WEIGHTS)

    def _finish(
        self, objective: AnyObjective, evaluation: Evaluation, metrics: MetricsFile, best: BestSoFar | None
    ) -> None:
        """Save, check, and write train.json last: that file says the seed is finished."""
        folder, steps = self.seed.folder, self.training.steps
        experiment, layers = self.seed.experiment, self.seed.compiling.choice
        if self.seed.config.gradient_checkpointing == "on":
            checkpoint_activations(objective.model, "off")
        objective.model.eval()
        with self._stage("save", steps):
            told = {**experiment.identity, "base_name": self.seed.base_name, "pairs": len(objective.examples)}
            save_whole(folder / "model", lambda place: objective.save(place, provenance=told))
            write_jsonl(folder / "scores.jsonl", evaluation.scores)
        with self._stage("check", steps), plain_layers(self.seed.config.compile):
            checks = objective.self_check(folder / "model")
        rows = metrics.rows()
        training, tokens = sum(row["seconds"] for row in rows), sum(int(row["tokens"]) for row in rows)
        before_and_now = max(training, self.seconds["train"])  # the rows hold earlier starts too
        TrainBody(
            seed=experiment.seed,
            identity=experiment.identity,
            inputs=dict(experiment.data),
            base=TrainedBase(name=self.seed.base_name, fingerprint=experiment.base),
            config={
                **self.seed.config.model_dump(mode="json", exclude=set(FREE)),
                "save_every": self.seed.config.save_every,
            },
            precision=self.seed.precision.body,
            compile=None if layers is None else layers.body,
            report_to=self.seed.config.report_to,
            pairs=len(objective.examples),
            steps=steps if best is None else len(rows),
            tokens=tokens,
            seconds=round(sum(self.seconds.values()) - self.seconds["train"] + before_and_now, 3),
            stages={name: round(value, 3) for name, value in self.seconds.items()},
            pairs_per_second=sum(row["pairs"] for row in rows) / training,
            tokens_per_second=tokens / training,
            held_out=dict(evaluation.figures),
            **({} if best is None else {"stopping": best.body}),
            self_checks=dict(checks),
            files=hashes(folder, "model", "scores.jsonl"),
            threads=torch.get_num_threads(),
            processes=int(os.environ.get("WORLD_SIZE", "1")),
            versions=versions(PACKAGES),
        ).write(folder / "train.json")
        remove_all(folder)
        if best is not None:
            best.clear()

    @contextmanager
    def _stage(self, name: Stage, step: int) -> Iterator[None]:
        """Time one stage and say that it runs."""
        started = time.monotonic()
        self._tell(Progress(seed=self.training.seed, stage=name, step=step, steps=self.training.steps))
        yield
        self.seconds[name] = time.monotonic() - started

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Whatever happens, whoever shows progress hears of the end."""
        last = Progress(seed=self.training.seed, stage="stopped", step=0, steps=self.training.steps)
        try:
            yield
            last = replace(last, stage="done", step=self.training.steps)
        finally:
            self._tell(last)

    def _tell(self, progress: Progress) -> None:
        if int(os.environ.get("RANK", "0")) == 0:
            self.notify(progress)


def _warn(line: str) -> None:
    _log.warning(f"Warning: {line}")


def _nobody(progress: Progress) -> None:
    """The progress of the other processes is that of the first."""


def _copies(parameters: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    """Copies of parameters in main memory, to see later whether they changed."""
    return {name: whole(parameter.detach()).clone().cpu() for name, parameter in parameters.items()}
