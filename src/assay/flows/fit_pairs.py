"""The answers a reward was trained on and others like them: of its run folder, or of files that are named.

Which pairs a run held out stands in its scores; the data must be those it was trained on, by their hash. Knows runs
and pairs; knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import read_jsonl, sha256_json
from assay.artifacts.run_body import RunBody
from assay.audits.fit.config import FitConfig
from assay.data import PairSet, read_pairs
from assay.data.config import DataConfig
from assay.errors import AssayError, InputError
from assay.flows.reward_stages import content_hashes
from assay.records import Pair, Text
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Scorer
from assay.stats.draws import stream
from assay.stats.unknown import Unknown
from assay.train.recorded_config import recorded_config

RUN, SCORES = "run.json", "scores.jsonl"
ASIDE = 0.3  # of the prompt groups of a single file, to find the threshold on


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAnswer:
    """One answer of a pair, with the prompt group and category of its prompt."""

    prompt: Text
    answer: Text
    cluster: str
    category: str | None

    @property
    def row(self) -> tuple[Text, Text]:
        return self.prompt, self.answer


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPairs:
    """Answers to fit the cloud to, and others of other prompts to find the threshold on, each once.

    run: the folder whose they are, where they are a run's. against: where they come from; notes: what to know of them.
    """

    training: tuple[PairAnswer, ...]
    held_out: tuple[PairAnswer, ...]
    run: Path | None
    against: Mapping[str, object]
    notes: tuple[str, ...] = ()


def fit_pairs(proxies: Mapping[int, Scorer], config: FitConfig, data: DataConfig) -> FitPairs | Unknown:
    """The pairs named in `config`, else those of the run the scorer is of; Unknown with the way out where none are.

    Raises InputError for a file that is named and has no pair, and what reading raises.
    """
    if config.trained_on is not None or config.held_out is not None:
        return named_pairs(config, data)
    run = run_of(next(iter(proxies.values())))
    way = "Name the pairs: --set fit.trained_on=FILE --set fit.held_out=FILE"
    if run is None:
        return Unknown(f"it is not known what the reward was trained on. {way}")
    try:
        return run_pairs(run, config)
    except (AssayError, OSError) as error:
        return Unknown(f"the pairs of {run} are not to be had ({error}). {way}")


def run_of(scorer: Scorer) -> Path | None:
    """The run folder that a local model lies in, as seed-N/model."""
    if not isinstance(scorer, LocalScorer):
        return None
    model = Path(str(getattr(scorer, "models", (scorer.model,))[0])).expanduser()
    run = model.resolve().parent.parent
    return run if model.is_dir() and (run / RUN).is_file() else None


def run_pairs(run: Path, config: FitConfig) -> FitPairs:
    """Raises InputError where the data are others than the run was made of, or no seed has scores."""
    body = RunBody.read(run / RUN)
    options = recorded_config(body.config)
    if body.data is None:
        raise InputError("it stopped before its data were counted")
    found = read_pairs(body.data.path, config=options.data)
    hashes = content_hashes(found)
    if (next(iter(hashes.values())) if len(hashes) == 1 else sha256_json(hashes)) != body.data.sha256:
        raise InputError(f"{body.data.path} has changed since")
    ids = [{str(row["pair_id"]) for row in read_jsonl(path)} for path in sorted(run.glob(f"seed-[0-9]*/{SCORES}"))]
    if not ids:
        raise InputError("no seed has scores of held-out pairs")
    held = set.union(*ids)
    side = {name: [place for place, pair in enumerate(found.pairs) if (pair.id in held) == (name == "held_out")]
            for name in ("training", "held_out")}  # fmt: skip
    return FitPairs(
        training=drawn(found, side["training"], config.training, config.seed),
        held_out=drawn(found, side["held_out"], config.calibration, config.seed),
        run=run,
        against={"run": str(run), "data": body.data.path, "sha256": body.data.sha256},
    )


def named_pairs(config: FitConfig, data: DataConfig) -> FitPairs:
    """Of two files each what it says; of one, prompt groups set aside to find the threshold on."""
    told = {"trained_on": config.trained_on, "held_out": config.held_out}
    read = {name: read_some(path, data) for name, path in told.items() if path is not None}
    hashes = {name: sha256_json(content_hashes(one)) for name, one in read.items()}
    against = {**{name: path for name, path in told.items() if path is not None}, "sha256": sha256_json(hashes)}
    if len(read) == 2:
        training, held_out = read["trained_on"], read["held_out"]
        seen = {pair.prompt for pair in training.pairs}
        fresh = [place for place, pair in enumerate(held_out.pairs) if pair.prompt not in seen]
        notes = () if len(fresh) == len(held_out.pairs) else (
            f"{len(held_out.pairs) - len(fresh):,} held-out pairs share a prompt with training pairs and find no "
            "threshold",
        )  # fmt: skip
        return FitPairs(
            training=drawn(training, range(len(training.pairs)), config.training, config.seed),
            held_out=drawn(held_out, fresh, config.calibration, config.seed),
            run=None, against=against, notes=notes,
        )  # fmt: skip
    ((name, one),) = read.items()
    groups = sorted(set(one.groups))
    aside = set(stream(config.seed, "fit: groups set aside").permutation(groups)[: round(ASIDE * len(groups))].tolist())
    parts = [[place for place, group in enumerate(one.groups) if (group in aside) == flag] for flag in (False, True)]
    note = (
        "the threshold was found on answers the reward was trained on, which lie closer than new ones do: false alarms "
        "are more frequent than stated. Name pairs it has not seen in fit.held_out"
        if name == "trained_on"
        else "what the reward was trained on is not named: the cloud is of held-out answers"
    )
    return FitPairs(
        training=drawn(one, parts[0], config.training, config.seed),
        held_out=drawn(one, parts[1], config.calibration, config.seed),
        run=None, against=against, notes=(note,),
    )  # fmt: skip


def read_some(path: str, data: DataConfig) -> PairSet:
    found = read_pairs(path, config=data)
    if not found.pairs:
        raise InputError(f"{path}: no pair among {found.rows} rows, so samples cannot be held against it.")
    return found


def drawn(found: PairSet, places: Sequence[int], most: int, seed: int) -> tuple[PairAnswer, ...]:
    """At most so many different answers of the pairs at these places, whole pairs in a drawn order."""
    order = stream(seed, "fit: answers of pairs").permutation(len(places))
    rows: dict[tuple[Text, Text], PairAnswer] = {}
    for place in (places[int(at)] for at in order):
        if len(rows) >= most:
            break
        pair: Pair = found.pairs[place]
        for answer in (pair.chosen, pair.rejected):
            one = PairAnswer(prompt=pair.prompt, answer=answer, cluster=found.groups[place], category=pair.category)
            rows.setdefault(one.row, one)
    return tuple(rows.values())
