"""train_dpo: pairs in, a tuned policy out. One seed; the loop, checkpoints and files are those of every method."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from torch import nn

from assay.errors import EmptyBatchError
from assay.models.limits import most_tokens
from assay.models.precision import Precision
from assay.models.resolve import resolve
from assay.records import Pair, Text
from assay.render.length_gate import RenderedPairs
from assay.rewards.new_model import fit_padding
from assay.train.compile_choice import Compiling
from assay.train.config import TrainConfig
from assay.train.dpo.ches import Ches, ches_scores
from assay.train.dpo.config import DpoConfig, PolicyModelConfig, PolicyTrainConfig, WatchConfig
from assay.train.dpo.dpo_objective import DpoObjective, answer_tokens
from assay.train.dpo.fresh_answers import fresh_prompts
from assay.train.dpo.new_policy import new_policy, open_language_model, policy_renderer, training_device
from assay.train.dpo.policy_examples import policy_examples
from assay.train.dpo.reference import Cut, Reference, referenced
from assay.train.experiment import Experiment, hash_pairs
from assay.train.pair_examples import PairExample
from assay.train.precision_choice import PrecisionChoice, choose, stored_in
from assay.train.progress import Progress, display
from assay.train.result import TrainResult
from assay.train.seed_run import Seed, train_seed

CHES_AT_ONCE = (
    256  # pairs: their scores are kept before the next ones are run; a fixed number, so that no bit hangs on it
)


class DpoRecipe(TypedDict, total=False):
    """How to tune. fresh: prompts answered while training is under way; left out, those of held-out pairs.

    precision, compiling: chosen for all seeds of a run, in place of what `config` asks for.
    """

    model: PolicyModelConfig
    dpo: DpoConfig
    watch: WatchConfig
    config: TrainConfig
    fresh: Sequence[Text]
    precision: PrecisionChoice
    compiling: Compiling


def train_dpo(
    train_pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    *,
    seed: int = 0,
    out: Path | str,
    progress: Callable[[Progress], None] | None = None,
    rendered: RenderedPairs | None = None,
    **recipe: Unpack[DpoRecipe],
) -> TrainResult:
    """Tune one seed into the folder `out`: model/, metrics.jsonl, scores.jsonl, train.json; reference/ beside it.

    recipe: model=PolicyModelConfig(...), dpo=DpoConfig(...), config=PolicyTrainConfig(...), watch=WatchConfig(...);
    left out, they take their defaults. rendered: rows as the length gate made them for this base.
    Killed anywhere, the next call goes on and ends with the same weights; finished, it returns what is there.
    Raises EmptyBatchError without training pairs, InputError for rows over max_tokens, ModelError and TemplateError
    for a base that cannot be tuned, ArtifactError if `out` belongs to another recipe, data or base, or the reference
    store to another model, TrainingError for a loss that is not finite or a self-check that fails.
    """
    if not train_pairs:
        raise EmptyBatchError("There are no training pairs. Look into rejects.jsonl for why rows were rejected.")
    model, dpo = recipe.get("model", PolicyModelConfig()), recipe.get("dpo", DpoConfig())
    watch, config = recipe.get("watch", WatchConfig()), recipe.get("config", PolicyTrainConfig())
    precision = recipe.get("precision") or choose(config.precision, stored=stored_in(Path(out)))
    config = config.model_copy(update={"precision": precision.used})
    base = resolve(model.base, model.revision)
    tuning = Tuning(
        train_pairs=train_pairs,
        held_out=held_out,
        rendered=rendered,
        fresh=recipe.get("fresh") or [pair.prompt for pair in held_out],
        fingerprint=held_as(base.fingerprint, model),
        store=Path(out).parent / "reference" if dpo.reference_store is None else Path(dpo.reference_store),
        model=model,
        dpo=dpo,
        watch=watch,
        config=config,
    )
    experiment = Experiment(
        options={"model": model, "dpo": without_place(dpo), "watch": watch, "train": config},
        seed=seed,
        base=base.fingerprint,
        data={"train": hash_pairs(train_pairs), "held_out": hash_pairs(held_out)},
    )
    compiling = recipe.get("compiling", Compiling())
    seed_to_train = Seed(experiment, Path(out), config, precision, base_name=base.name, compiling=compiling)
    show = progress or display()
    return train_seed(seed_to_train, lambda: tuning.objective(seed, show), notify=show)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a seed is tuned on and how; fingerprint: of its reference, whose figures are kept in `store`."""

    train_pairs: Sequence[Pair]
    held_out: Sequence[Pair]
    rendered: RenderedPairs | None
    fresh: Sequence[Text]
    fingerprint: str
    store: Path
    model: PolicyModelConfig
    dpo: DpoConfig
    watch: WatchConfig
    config: TrainConfig

    def objective(self, seed: int, show: Callable[[Progress], None]) -> DpoObjective:
        """The policy as it begins, its pairs as rows, and what the reference gives them."""
        policy, renderer, origin = new_policy(self.model, seed=seed)
        examples, held = (
            policy_examples(pairs, renderer, max_tokens=self.model.max_tokens, rendered=self.rendered)
            for pairs in (self.train_pairs, self.held_out)
        )
        return DpoObjective(
            model=policy,
            renderer=renderer,
            origin=origin,
            base=self.model,
            examples=examples,
            held_out=held,
            held_out_pairs=self.held_out,
            reference=self._reference(policy, examples, held, shown(seed, show)),
            fresh=fresh_prompts(self.fresh, renderer, self.watch, most=most_tokens(policy)),
            dpo=self.dpo,
            config=self.config,
        )

    def _reference(
        self,
        policy: nn.Module,
        examples: Sequence[PairExample],
        held: Sequence[PairExample],
        told: Callable[[int, int], None],
    ) -> Reference:
        """The reference's figures of all rows: in the precision of training; of held-out ones in float32 as well."""
        used: Precision = "bf16" if self.config.precision == "bf16" else "float32"
        groups: dict[Precision, list[list[Cut]]] = {used: list(_cuts([*examples, *held], self.dpo))}
        if used != "float32":
            groups["float32"] = list(_cuts(held, self.dpo))
        return referenced(
            policy,
            groups,
            fingerprint=self.fingerprint,
            folder=self.store,
            micro_tokens=self.config.micro_tokens,
            told=told,
        )


def shown(seed: int, show: Callable[[Progress], None]) -> Callable[[int, int], None]:
    """Tell how far the reference's pass over the pairs is, with the time left at the rate so far."""
    start = time.monotonic()

    def told(done: int, pairs: int) -> None:
        left = (time.monotonic() - start) / done * (pairs - done) if done else None
        show(Progress(seed=seed, stage="reference", step=done, steps=pairs, seconds_left=left))

    return told


def ches_of_pairs(
    pairs: Sequence[Pair], *, rendered: RenderedPairs | None, model: PolicyModelConfig
) -> Iterator[list[Ches]]:
    """The CHES score of each pair by the base, in order, some pairs at a time. Raises as `train_dpo`."""
    base = resolve(model.base, model.revision)
    renderer = policy_renderer(base, template=model.template)
    examples = policy_examples(pairs, renderer, max_tokens=model.max_tokens, rendered=rendered)
    opened = open_language_model(base, model)
    fit_padding(opened, renderer)
    opened.eval().to(training_device())
    for start in range(0, len(examples), CHES_AT_ONCE):
        yield ches_scores(opened, examples[start : start + CHES_AT_ONCE])


def held_as(fingerprint: str, model: PolicyModelConfig) -> str:
    """The fingerprint of a reference: 4-bit weights give other figures than those they were made from."""
    return f"{fingerprint}+nf4" if model.tuning == "qlora" else fingerprint


def without_place(dpo: DpoConfig) -> DpoConfig:
    """Where figures are stored changes no weight."""
    return dpo.model_copy(update={"reference_store": None})


def _cuts(examples: Iterable[PairExample], dpo: DpoConfig) -> Iterable[list[Cut]]:
    for one in examples:
        cuts: list[Cut] = [(row, row.prompt_tokens) for row in one.rows]
        if dpo.ld_alpha is not None:  # what stands behind the shorter answer's length, too
            shared = min(map(answer_tokens, one.rows))
            cuts += [(row, row.prompt_tokens + shared) for row in one.rows if answer_tokens(row) > shared]
        yield cuts
