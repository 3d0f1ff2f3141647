"""A scorer from what a user writes: a folder, a file, a hub id, or `kind:argument`. The one parser of all of them.

A new kind of scorer is one file beside this one and one line in KINDS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from assay.artifacts.run_models import seeds_with
from assay.errors import InputError
from assay.scorers.averaged import averaged
from assay.scorers.baseline import baseline
from assay.scorers.combined.combined_scorer import combined
from assay.scorers.corrected import corrected
from assay.scorers.debate.debate_scorer import debate
from assay.scorers.ensemble import ensemble
from assay.scorers.factuality.factual_scorer import factual
from assay.scorers.function import FunctionScorer, RewardFunction
from assay.scorers.implicit import implicit
from assay.scorers.judge.judge_scorer import judge
from assay.scorers.jury.jury_scorer import jury
from assay.scorers.local import LocalScorer, Passes, headed
from assay.scorers.protocol import Scorer
from assay.scorers.recorded import RecordedScorer
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.remote.open_remote import REMOTE_KINDS, with_options
from assay.scorers.remote.remote_scorer import RemoteScorer
from assay.scorers.simulated_truth import simulated_truth
from assay.scorers.suite_results import PublishedScorer
from assay.scorers.verifier.verifier_scorer import verifier

AnyScorer = Scorer | RewardFunction | Path | str
KINDS: Mapping[str, Callable[[str], Scorer]] = {
    "averaged": averaged,
    "baseline": baseline,
    "combined": lambda argument: combined(argument, open_scorer),
    "corrected": lambda argument: corrected(argument, open_scorer),
    "debate": debate,
    "ensemble": lambda argument: ensemble(argument, open_scorers),
    "factual": factual,
    "implicit": implicit,
    "judge": judge,
    "jury": jury,
    "local": LocalScorer,
    "published": PublishedScorer,
    "recorded": RecordedScorer,
    "truth": simulated_truth,
    "verifier": verifier,
    **REMOTE_KINDS,
}
SCORE_FILES = {".jsonl", ".ndjson", ".json", ".gz"}


def open_scorer(
    text: Path | str, *, passes: Passes | None = None, template: str | None = None, remote: RemoteConfig | None = None
) -> Scorer:
    """The scorer that `text` names.

    A folder: its reward model, or a run's, if it has one seed. A file: the scores recorded in it. `kind:argument`: see
    KINDS. Anything else: a reward model by Hugging Face id. passes: how a model's rows are run. template: for a model
    that others published without one: a file of jinja, or `plain`. remote: options for a server, over those named.

    Raises InputError for a kind there is not, a run of several seeds, or options for what is no model or server. A
    model is looked for when its fingerprint or its scores are asked for.
    """
    seeds = open_scorers(text, passes=passes, template=template, remote=remote)
    if len(seeds) > 1:
        raise InputError(
            f"{text} is a run of {len(seeds)} seeds, each a scorer of its own. Name one of them, such as "
            f"{Path(text) / f'seed-{min(seeds)}' / 'model'}."
        )
    return next(iter(seeds.values()))


def open_scorers(
    text: Path | str, *, passes: Passes | None = None, template: str | None = None, remote: RemoteConfig | None = None
) -> dict[int, Scorer]:
    """As open_scorer, by seed: a run folder has a scorer for each seed, everything else is one, called seed 0."""
    folder, head = headed(str(text))
    seeds = seeds_with(Path(folder).expanduser(), "model")
    if not seeds:
        return {0: _one(str(text), passes, template, remote or RemoteConfig())}
    _no_server(text, remote or RemoteConfig())
    named = "" if head is None else f"@{head}"
    return {seed: LocalScorer(f"{seeds[seed]}{named}", passes=passes, template=template) for seed in seeds}


def of_a_server(text: Path | str) -> bool:
    """Whether `text` names a scorer that is asked over a network, and so reads options of `remote`."""
    return str(text).partition(":")[0] in REMOTE_KINDS


def as_scorer(scorer: AnyScorer) -> Scorer:
    """A Scorer from what may stand for one: itself, a function of (prompt, answers), or what open_scorer takes."""
    if isinstance(scorer, Path | str):
        return open_scorer(scorer)
    if hasattr(scorer, "score"):  # isinstance would ask for the fingerprint, which may take long
        return cast("Scorer", scorer)
    if callable(scorer):
        return FunctionScorer(scorer)
    raise InputError(
        f"A {type(scorer).__name__} is no scorer. Give a Scorer, a function of (prompt, answers), or a folder, file or "
        "kind:argument."
    )


def _one(text: str, passes: Passes | None, template: str | None, remote: RemoteConfig) -> Scorer:
    scorer = _named(text)
    if isinstance(scorer, RemoteScorer) and (passes is None or passes == Passes()):
        return with_options(scorer, remote, template=template)
    _no_server(text, remote)
    if template is None and (passes is None or passes == Passes()):
        return scorer
    if not isinstance(scorer, LocalScorer):
        raise InputError(
            f"{text} is no model, so nothing of it is run: device, tokens in one pass, sharing and template do not "
            "apply. Leave them out."
        )
    return LocalScorer(scorer.name, revision=scorer.revision, passes=passes, template=template)


def _no_server(text: Path | str, remote: RemoteConfig) -> None:
    if remote.model_fields_set:
        given = ", ".join(f"remote.{name}" for name in sorted(remote.model_fields_set))
        raise InputError(f"{text} is asked over no network, so {given} would change nothing. Leave it out.")


def _named(text: str) -> Scorer:
    kind, colon, argument = text.partition(":")
    if colon and kind in KINDS:
        return KINDS[kind](argument)
    path = Path(text).expanduser()
    if path.is_file() or (SCORE_FILES & set(path.suffixes) and not path.is_dir()):
        return RecordedScorer(path)
    if colon and kind.isidentifier() and not path.exists():
        raise InputError(f"{text}: no scorer of kind {kind!r}. Kinds: {', '.join(f'{one}:...' for one in KINDS)}.")
    return LocalScorer(text)
