"""From a reward, candidates and gold to what optimising comes to: `assay optimise`. Knows the order of the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import filelock

from assay.artifacts.files import dumps, sha256_file, sha256_json, write_jsonl
from assay.artifacts.fit_body import FitBody
from assay.artifacts.pressure_body import PRESSURE, BesideBody, JudgedBody, PressureBody
from assay.audits.fit.config import FitConfig
from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.pressed_prompts import GoldGroup
from assay.audits.pressure.under_pressure import UnderPressure, under_pressure
from assay.config import StageConfig
from assay.data.config import DataConfig
from assay.errors import InputError
from assay.flows.optimise_beside import BY_PROMPT, beside_bodies, by_prompt_rows, read_beside
from assay.flows.optimise_candidates import GivenCandidates, given_candidates
from assay.flows.optimise_gold import SCORED, Gold, gold_values, named, open_gold, opened, scored_values, shared_by
from assay.flows.policy_fit import Samples, fit_to_policy
from assay.gate.verdict import ARTIFACT as GATE
from assay.records import Candidates, to_json
from assay.report.pressure.pressure_folder import PAGE, WORST
from assay.report.pressure.pressure_page import render_pressure
from assay.scorers.open import AnyScorer
from assay.scorers.protocol import Scorer
from assay.scorers.remote.config import RemoteConfig
from assay.version import __version__, versions

LEFT_OUT = "left_out.jsonl"
PACKAGES = ("numpy", "scipy", "torch", "transformers")
OTHERS_ARTIFACTS = ("run.json", "audit.json", "compare.json", "bench.json")


class OptimiseConfig(StageConfig):
    """What `assay optimise` reads: how rows are read, how a server is asked, how candidates are pressed and judged."""

    data: DataConfig = DataConfig()
    remote: RemoteConfig = RemoteConfig()
    pressure: PressureConfig = PressureConfig()
    fit: FitConfig = FitConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimiseOptions:
    """beside: folders of earlier runs whose gold curves are drawn and compared. template: of a model that was published
    without one. command: for the record."""

    beside: tuple[Path, ...] = ()
    template: str | None = None
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimised:
    """What was found, as it stands in pressure.json, and how the reward fits the policy, as in fit.json."""

    found: UnderPressure
    body: PressureBody
    fit: FitBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The reward and gold for the record, and what both are made of."""

    proxy: JudgedBody
    gold: JudgedBody
    shared: list[str]


def optimise(
    scorer: AnyScorer,
    candidates: Path | str | Sequence[Candidates],
    out: Path,
    *,
    gold: AnyScorer,
    config: OptimiseConfig | None = None,
    options: OptimiseOptions | None = None,
    notify: Callable[[str], None] = lambda _line: None,
) -> Optimised:
    """Press candidates by `scorer` and judge the picks by `gold`; the folder `out` gets the artifact and its page.

    scorer: what `score` takes; of a run folder every seed picks by itself. candidates: a file, or groups. gold: a
    scorer, "labels" (what people said of the candidates), or "truth" (of a simulated world, beside the file). Every
    reward is kept in `out`, so the same call goes on after a kill and asks nothing twice.
    Raises InputError where `out` holds something else or there is nothing to pick from, and what reading and scoring
    raise.
    """
    told, settings = options or OptimiseOptions(), config or OptimiseConfig()
    refuse_others_folder(out)
    beside = read_beside(told.beside)  # a folder that is none costs no scoring
    given = given_candidates(candidates, settings.data)
    proxies = opened(scorer, template=told.template, remote=settings.remote)
    judged = open_gold(gold, candidates, given, RemoteConfig())
    prints = {str(seed): one.fingerprint for seed, one in proxies.items()}
    shared = shared_by(proxies, judged)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(out / ".optimise.lock", timeout=0):
            groups = gold_groups(proxies, judged, given, out, notify)
            samples = samples_of(groups, out)
            fit = fit_to_policy(proxies, samples, out, config=settings.fit, data=settings.data, notify=notify)
    except filelock.Timeout:
        raise InputError(f"{out}: another assay scores into it. Wait for it, or give another --out.") from None
    found = under_pressure(groups, settings.pressure, shared=shared)
    rows = by_prompt_rows(found)
    body = pressure_body(
        found,
        Sides(
            proxy=JudgedBody(name=named(scorer, proxies), kind="scorer", fingerprints=prints),
            gold=JudgedBody(name=judged.name, kind=judged.kind, fingerprints=dict(judged.fingerprints)),
            shared=shared,
        ),
        beside=beside_bodies(beside, found, rows, judged, settings.pressure),
        inputs=inputs_of(candidates, given),
        config=settings,
        command=told.command,
    )
    (out / GATE).unlink(missing_ok=True)  # of what stood here before: no old verdict beside new figures
    write_jsonl(out / BY_PROMPT, rows)
    write_jsonl(out / WORST, found.worst)
    write_jsonl(out / LEFT_OUT, found.pressed.left_out)
    body.write(out / PRESSURE)
    render_pressure(body, found.worst, out / PAGE, fit=fit)
    return Optimised(found=found, body=body, fit=fit)


def samples_of(groups: Sequence[GoldGroup], out: Path) -> Samples:
    """The groups without what gold says of them."""
    return Samples(
        groups=[one.candidates for one in groups],
        clusters=[one.cluster for one in groups],
        rewards={seed: [one.rewards[seed] for one in groups] for seed in groups[0].rewards},
        scored=out / SCORED,
    )


def pressure_body(
    found: UnderPressure,
    sides: Sides,
    *,
    beside: list[BesideBody],
    inputs: dict[str, str],
    config: OptimiseConfig,
    command: str,
) -> PressureBody:
    """What was found as it stands in pressure.json."""
    return PressureBody(
        verdict=found.decision.verdict,
        sentence=found.decision.sentence,
        reason=found.decision.reason,
        proxy=sides.proxy,
        gold=sides.gold,
        shared=sides.shared,
        prompts=len(found.pressed.prompts),
        answers=found.pressed.answers,
        left_out=sum(one.left_out for one in found.pressed.left_out),
        set_aside=dict(found.pressed.set_aside),
        curve=list(found.curve),
        fits=found.fits,
        drifts=list(found.drifts),
        phrases=found.phrases.rows,
        phrases_tested=found.phrases.tested,
        beside=beside,
        findings=[one.to_body() for one in found.findings],
        inputs=inputs,
        config=config.model_dump(mode="json"),
        assay_version=__version__,
        versions=versions(PACKAGES),
        command=command,
    )


def refuse_others_folder(out: Path) -> None:
    """Raises InputError where `out` holds a run, an audit, a comparison or a bench."""
    for name in OTHERS_ARTIFACTS:
        if (out / name).exists():
            raise InputError(f"{out} holds {name} of something else, whose files would be lost. Give another --out.")


def gold_groups(
    proxies: Mapping[int, Scorer],
    gold: Gold,
    given: GivenCandidates,
    out: Path,
    notify: Callable[[str], None],
    *,
    gold_in: Path | None = None,
) -> list[GoldGroup]:
    """Every group with what all seeds of the reward and gold give its answers.

    gold_in: the folder that keeps what gold gives, where several rewards are held against one gold; else `out`.
    """
    rewards = {seed: scored_values(one, given.groups, out, notify) for seed, one in proxies.items()}
    values = gold_values(gold, given, gold_in or out, notify)
    return [
        GoldGroup(
            candidates=replace(group, category=group.category or gold.categories.get(group.id)),
            rewards={seed: several[place] for seed, several in rewards.items()},
            gold=values[place],
            cluster=given.clusters[place],
            gave_none=given.gave_none.get(group.id, {}),
        )
        for place, group in enumerate(given.groups)
    ]


def inputs_of(candidates: object, given: GivenCandidates) -> dict[str, str]:
    """The file of candidates and its hash, or the hash of those given."""
    if isinstance(candidates, str | Path):
        path = Path(candidates)
        return {"candidates": str(candidates), "hash": sha256_file(path)} if path.is_file() else {
            "candidates": str(candidates)
        }  # fmt: skip
    texts = [[group.id, to_json(group.prompt), list(map(to_json, group.answers))] for group in given.groups]
    return {"candidates": "given in memory", "hash": sha256_json(dumps(texts).decode())}
