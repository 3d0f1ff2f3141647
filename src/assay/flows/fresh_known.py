"""What is known of a reward before its fresh pairs: its scorers, its held-out accuracy, the prompts of its data.

Of a run all of it stands in its folder; of a scorer trained elsewhere it is told by options, or is unknown with the way
to tell it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.audit_body import AuditBody
from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.fresh_body import LeakBody, StaticBody
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import AUDIT, RUN, RunEvidence
from assay.artifacts.run_folder import RunFolder
from assay.audits.fresh.fresh_findings import Static
from assay.data import contamination, read_pairs
from assay.data.config import DataConfig
from assay.errors import InputError
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL
from assay.policies.protocol import Prompt
from assay.records import Pair
from assay.scorers.open import open_scorers
from assay.scorers.protocol import Scorer
from assay.scorers.remote.config import RemoteConfig
from assay.stats.interval_level import at_level
from assay.stats.intervals import Interval, ending
from assay.stats.unknown import Unknown

NO_AUDIT = "give --static DIR, the folder of `assay audit` on held-out pairs"
NO_DATA = "give --data FILE, the pairs it was trained and held out on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """Prompts that are fresh, in order, and those that are not, by id, with how they were found."""

    fresh: Sequence[Prompt]
    leaked: Mapping[str, str]
    body: LeakBody


def reward_scorers(reward: str, remote: RemoteConfig | None = None) -> dict[int, Scorer]:
    """By seed. Raises InputError for the run of a tuned policy, whose reward is implied and has a name of its own."""
    folder = Path(reward).expanduser()
    run = run_of(folder)
    if run is not None and "dpo" in run.config:
        base = run.base.name if run.base is not None else "BASE"
        model = sorted(folder.glob("seed-[0-9]*/model"))
        first = model[0] if model else folder / "seed-0" / "model"
        raise InputError(
            f"{reward} is the run of a tuned policy. The reward it implies is implicit:{first}@{base}, with --static "
            f"{reward}; as a policy it is {first}."
        )
    return dict(open_scorers(reward, remote=remote))


def run_of(folder: Path) -> RunBody | None:
    """run.json of a folder that is a run, or None."""
    path = folder / RUN
    return RunBody.read(path, again="Run its command again.") if folder.is_dir() and path.is_file() else None


def static_accuracy(
    reward: str, fingerprints: Mapping[str, str], *, given: Path | None, level: float
) -> tuple[StaticBody, Static]:
    """Held-out accuracy as it stands in the run's audit, or in the one given, at the `level` of fresh intervals.

    Raises InputError for an audit of another scorer, ArtifactError for one that is stale or cannot be read.
    """
    folder = given if given is not None else Path(reward).expanduser()
    if not folder.is_dir() or not (folder / AUDIT).is_file():
        if given is not None:
            raise InputError(f"{given}: no {AUDIT}. Give the folder of `assay audit`, or of a run.")
        return _unknown(f"there is no audit of {reward}; {NO_AUDIT}")
    audit = RunEvidence.read(RunFolder(folder), names=(AUDIT,), needed=(AUDIT,)).audit
    assert audit is not None
    _of_this(audit, fingerprints, folder)
    found = next(
        (one for one in map(Finding.from_body, audit.findings)
         if one.name == "accuracy" and one.slice == OVERALL and one.seed is None),
        None,
    )  # fmt: skip
    if found is None or found.known is None:
        return _unknown(f"{folder / AUDIT} has no accuracy")
    interval = found.interval
    if isinstance(interval, Interval) and interval.level != level:
        freedom = found.detail.get("freedom")
        wide = at_level(interval, found.known, level=level, freedom=float(freedom) if freedom else float("inf"))
        interval = ending(wide, 0.0, 1.0)
    body = StaticBody(
        value=found.known,
        interval=IntervalBody.model_validate(interval.to_dict()) if isinstance(interval, Interval) else None,
        n=found.n,
        source=str(folder / AUDIT),
        reason=interval.reason if isinstance(interval, Unknown) else "",
    )
    return body, Static(value=found.known, interval=interval, n=found.n)


def _unknown(why: str) -> tuple[StaticBody, Static]:
    none = Unknown(why)
    return StaticBody(value=None, interval=None, n=0, source="", reason=why), Static(value=none, interval=none)


def _of_this(audit: AuditBody, fingerprints: Mapping[str, str], folder: Path) -> None:
    """An audit of `assay audit` names its scorer by fingerprint; that of a run names the run's own files."""
    audited = {value for name, value in audit.inputs.items() if name.startswith("scorer ")}
    if audited and not audited & set(fingerprints.values()):
        raise InputError(f"{folder / AUDIT} is of another scorer. Give the audit of this one on its held-out pairs.")


def static_of(body: StaticBody, *, level: float) -> Static:
    """As it stands in an artifact, its interval at `level`."""
    if body.value is None:
        return _unknown(body.reason)[1]
    if body.interval is None:
        return Static(value=body.value, interval=Unknown(body.reason), n=body.n)
    interval = Interval(**body.interval.model_dump())
    if interval.level != level:  # of hundreds of pairs, whose Student's t is the normal within rounding
        return Static(value=body.value, interval=ending(at_level(interval, body.value, level=level), 0, 1), n=body.n)
    return Static(value=body.value, interval=interval, n=body.n)


def without_leaks(reward: str, prompts: Sequence[Prompt], *, data: str | None, config: DataConfig) -> Leaks:
    """Prompts that stood in the reward's data are set aside: what it learned by heart says nothing of what is fresh.

    data: where these are, else where the run says. Raises InputError where no prompt is left.
    """
    source, settings, why = _data_of(reward, data, config)
    if source is None:
        return Leaks(fresh=prompts, leaked={}, body=LeakBody(looked=None, same=0, near=0, reason=why))
    known = [pair.prompt for pair in read_pairs(source, config=settings).pairs]
    asked = [Pair(id=prompt.id, prompt=prompt.text, chosen="a", rejected="b") for prompt in prompts]
    same = set(contamination(asked, known, threshold=None).pairs)
    near = set(contamination(asked, known, threshold=settings.near_duplicates).pairs) - same
    leaked = {prompts[place].id: f"the same prompt stands in {source}" for place in sorted(same)}
    leaked |= {prompts[place].id: f"nearly the same prompt stands in {source}" for place in sorted(near)}
    fresh = [prompt for prompt in prompts if prompt.id not in leaked]
    if not fresh:
        raise InputError(
            f"All {len(prompts)} prompts stood in the reward's own data ({source}): {len(same)} as they are, "
            f"{len(near)} nearly. Give prompts that it was neither trained nor held out on."
        )
    return Leaks(fresh=fresh, leaked=leaked, body=LeakBody(looked=source, same=len(same), near=len(near)))


def _data_of(reward: str, data: str | None, config: DataConfig) -> tuple[str | None, DataConfig, str]:
    """Where the reward's pairs are and how they are read; or why nobody can look."""
    if data is not None:
        return data, config, ""
    run = run_of(Path(reward).expanduser())
    if run is None:
        return None, config, f"what {reward} was trained on is not known here; {NO_DATA}"
    if run.data is None or not Path(run.data.path).exists():
        where = "in memory" if run.data is None else run.data.path
        return None, config, f"the run's data ({where}) are not there; {NO_DATA}"
    read_as = run.config.get("data")
    return run.data.path, DataConfig.build(read_as if isinstance(read_as, dict) else {}), ""
