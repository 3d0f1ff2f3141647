"""Criteria as people write them, read into values. Knows words and numbers; knows no evidence.

One criterion a line, in a YAML list or under `criteria:` (with `by: point|bound` beside it as the default):
  overall accuracy > 0.72            the accuracy over all pairs; any finding's name may stand there
  every category > 0.65              each category's accuracy; `every category length matched accuracy > 0.6` works too
  category refusals > 0.70           one category; quote a name with spaces: category "billing questions" > 0.7
  accuracy > 0.72 every seed         each seed's own figure, of its own model; category refusals > 0.7 every seed
  seed spread < 0.03                 any finding by name, with spaces or underscores
  win rate > 0.6                     the same for a study: any figure of its analysis; every category win rate > 0.5
  aspect harmless win rate > 0.45    one aspect that editors rated; every aspect ...; editor NAME ..., every editor ...
  judges simulated win rate > 0.6    programs of one kind (simulated, llm), which are in no figure of people
  fit                                samples lie outside what the reward knows at most 5 points oftener than is stated
  beats the length baseline          accuracy above "longest wins" and above "shortest wins"
  fresh accuracy > 0.8               evidence of other commands: fresh pairs, pressure (turning point >= 64), capability
  not degenerate / no prompt overlap / self-checks pass / no probe is a problem
A comparison may end in `by point` or `by bound`. Shares may be written 0.72 or 72%.
Beside the list `looks: 3` plans how often these criteria are held against such evidence (gate/looks.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal, Self, cast

import yaml

from assay.artifacts.files import sha256_json
from assay.config import read_yaml
from assay.errors import GateError
from assay.findings.slice import OVERALL, Slice
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.looks import LookPlan, read_plan

By = Literal["point", "bound"]
Operator = Literal[">", ">=", "<", "<="]
Kind = Literal[
    "overall",
    "category",
    "every_category",
    "every_seed",
    "beats_length",
    "not_degenerate",
    "no_overlap",
    "self_checks",
    "no_probe_problem",
]

BUILT_IN = (
    "support", "overall", "study", "dpo-held-out", "dpo-policy", "dpo-simulated", "ppo-ready", "pressure",
)  # fmt: skip
DEFAULT_BY: By = "bound"
SEED_EXAMPLE = "accuracy > 0.72 every seed"
PHRASES: Mapping[str, Kind] = {
    "not degenerate": "not_degenerate",
    "no prompt overlap": "no_overlap",
    "beats the length baseline": "beats_length",
    "self-checks pass": "self_checks",
    "self checks pass": "self_checks",
    "no probe is a problem": "no_probe_problem",
}
# Words that stand for a comparison, which is what is decided and shown.
MEANT: Mapping[str, str] = {"fit": "outside excess < 0.05"}
COMPARISON = re.compile(r"^(?P<subject>[^<>=]+?)\s*(?P<operator>>=|<=|>|<)\s*(?P<number>[^\s<>=]+)$")
# Slices a criterion may name, and the finding meant where it names none.
PARTS: Mapping[str, str] = {"category": "accuracy", "aspect": "win_rate", "editor": "win_rate", "judges": "win_rate"}
EVERY_SEED = re.compile(r"^every\s+seed\b\s*|\s+every\s+seed$", re.IGNORECASE)
EVERY = re.compile(rf"^every\s+(?P<part>{'|'.join(PARTS)})(?:\s+(?P<finding>.+))?$", re.IGNORECASE)
ONE = re.compile(
    rf'^(?P<part>{"|".join(PARTS)})\s+(?:"(?P<quoted>[^"]+)"|(?P<word>\S+))(?:\s+(?P<finding>.+))?$', re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One condition. finding, operator and threshold are None for phrases.

    slice: what is compared, None for phrases and for "every ..."; part: the slices that an "every ..." runs over. Of
    the kind every_seed either may stand, and is compared for each seed.
    """

    text: str
    kind: Kind
    by: By
    finding: str | None = None
    slice: Slice | None = None
    part: str | None = None
    operator: Operator | None = None
    threshold: float | None = None


class Criteria(tuple[Criterion, ...]):
    """Criteria in their order. looks: how often they are to be held against evidence, None where nobody said."""

    looks: LookPlan | None = None

    @classmethod
    def of(cls, criteria: Iterable[Criterion], looks: LookPlan | None) -> Self:
        made = cls(criteria)
        made.looks = looks
        return made


def load_criteria(source: Path | str | None) -> Criteria:
    """Criteria from a YAML file or a built-in set: "support" (None means it), "overall" (no categories), "study",
    "dpo-held-out" (a tuned policy before people have judged it), "dpo-policy" (after), "dpo-simulated" (after programs
    have), "ppo-ready" (before a policy is optimised against the reward), "pressure" (a folder of `assay optimise`).

    Raises GateError that names the file and the criterion if it is missing, empty, or says what no rule understands.
    """
    chosen = BUILT_IN[0] if source is None else str(source)
    if source is None or (chosen in BUILT_IN and not Path(source).is_file()):
        name, text, path = f"{chosen}.yaml", built_in(chosen), None
    else:
        path = Path(source)
        name = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise GateError(
                f"{path}: criteria cannot be read ({error}). Give a YAML file, or leave --criteria out for the "
                f"built-in set {BUILT_IN[0]!r}."
            ) from None
    try:
        loaded = read_yaml(text)
    except yaml.YAMLError as error:
        raise GateError(f"{name}: not YAML ({error}).") from None
    found = read_criteria(loaded, name=name, folder=None if path is None else path.parent)
    if found.looks is not None and found.looks.ledger is None and path is not None:
        # Beside the criteria and not in a run: other runs that these criteria decide on are looks of the same plan.
        found.looks = replace(found.looks, ledger=path.with_name(f"{path.stem}.looks.jsonl"))
    return found


def built_in(name: str) -> str:
    """The text of a built-in criteria file."""
    return resources.files("assay.gate").joinpath("presets", f"{name}.yaml").read_text(encoding="utf-8")


def criteria_hash(criteria: Sequence[Criterion]) -> str:
    """`sha256:...` of what criteria ask for, as gate.json names them among its inputs."""
    return sha256_json([[criterion.text, criterion.by] for criterion in criteria])


def read_criteria(value: object, *, name: str = "criteria", folder: Path | None = None) -> Criteria:
    """Criteria from loaded YAML: a list, or a mapping with `criteria` and perhaps `by` and `looks`.

    folder: from which a ledger of looks is named.
    """
    by: By = DEFAULT_BY
    looks: LookPlan | None = None
    if isinstance(value, Mapping):
        strange = set(value) - {"criteria", "by", "looks"}
        if strange:
            raise GateError(f"{name}: unknown keys {sorted(map(str, strange))}. Known: criteria, by, looks.")
        by = _by(value.get("by", DEFAULT_BY), name)
        looks = read_plan(value["looks"], name=name, folder=folder) if "looks" in value else None
        value = value.get("criteria")
    if not isinstance(value, list) or not value:
        raise GateError(f"{name}: no criteria. A gate without criteria would pass anything; list at least one.")
    read = (_criterion(item, by, f"{name}: criterion {number}") for number, item in enumerate(value, 1))
    return Criteria.of(read, looks)


def parse(text: str, *, by: By = DEFAULT_BY, place: str = "criterion") -> Criterion:
    """One criterion from its words."""
    words, every_seed = _without_every_seed(" ".join(text.split()))
    chosen: By | None = None
    ending = re.search(r"\s+by\s+(\S+)$", words)
    if ending:
        chosen, words = _by(ending[1], place), words[: ending.start()]
    if not every_seed:  # either ending may stand last
        words, every_seed = _without_every_seed(words)
    words = MEANT.get(words.lower(), words)
    lowered = words.lower()
    if lowered in PHRASES:
        kind = PHRASES[lowered]
        if every_seed:
            raise GateError(f"{place}: {text!r}: only a comparison holds for every seed, such as {SEED_EXAMPLE!r}.")
        if chosen and kind != "beats_length":
            raise GateError(f"{place}: {text!r} holds or does not; leave out 'by {chosen}'.")
        return Criterion(text=text, kind=kind, by=chosen or by)
    found = COMPARISON.match(words)
    if not found:
        raise GateError(f"{place}: {text!r} is not understood. {_help()}")
    kind, where, part, finding = _subject(found["subject"], text, place)
    if every_seed:
        kind = "every_seed"
        _measured_of_each_seed(finding, text, place)
    threshold = _number(found["number"], finding, text, place)
    if EVERY_FIGURE[finding].describes:
        if chosen == "bound":
            raise GateError(f"{place}: {text!r}: {finding} describes and has no interval; write 'by point'.")
        chosen = "point"
    return Criterion(
        text=text,
        kind=kind,
        by=chosen or by,
        finding=finding,
        slice=where,
        part=part,
        operator=cast("Operator", found["operator"]),
        threshold=threshold,
    )


def _criterion(item: object, by: By, place: str) -> Criterion:
    if isinstance(item, str):
        return parse(item, by=by, place=place)
    if isinstance(item, Mapping) and isinstance(item.get("criterion"), str) and set(item) <= {"criterion", "by"}:
        text = str(item["criterion"])
        if "by" not in item:
            return parse(text, by=by, place=place)
        if re.search(r"\s+by\s+\S+$", text):
            raise GateError(f"{place}: {text!r} says 'by' twice.")
        said = parse(f"{text} by {_by(item['by'], place)}", place=place)
        return replace(said, text=text)
    raise GateError(f"{place}: {item!r} is neither a text nor {{criterion: ..., by: point|bound}}. {_help()}")


def _subject(subject: str, text: str, place: str) -> tuple[Kind, Slice | None, str | None, str]:
    """Kind, the slice named, the part of an "every ...", and the finding."""
    every, one = EVERY.match(subject), ONE.match(subject)
    if every:
        part = every["part"].lower()
        return "every_category", None, part, _finding(every["finding"] or PARTS[part], text, place)
    # "category gap" is a figure by name, and not the category called gap.
    if one and subject.lower() != "category gap":
        part = one["part"].lower()
        named = Slice(part, one["quoted"] or one["word"])
        return "category", named, None, _finding(one["finding"] or PARTS[part], text, place)
    words = re.sub(r"^overall\s+", "", subject, flags=re.IGNORECASE)
    return "overall", OVERALL, None, _finding(words, text, place)


def _without_every_seed(words: str) -> tuple[str, bool]:
    """The words without `every seed` at either end, and whether it stood there; `every seed > x` is of the accuracy."""
    rest = EVERY_SEED.sub("", words)
    if rest == words:
        return words, False
    return (f"accuracy {rest}" if rest[:1] in "<>" else rest), True


def _measured_of_each_seed(finding: str, text: str, place: str) -> None:
    known = [name for name, meaning in EVERY_FIGURE.items() if meaning.each_seed]
    if finding not in known:
        raise GateError(
            f"{place}: {text!r}: {finding} is not measured of each seed by itself. Known of each: {', '.join(known)}."
        )


def _finding(words: str, text: str, place: str) -> str:
    name = re.sub(r"[\s-]+", "_", words.strip().lower())
    if name not in EVERY_FIGURE:
        raise GateError(f"{place}: {text!r}: no finding is called {words!r}. {_help()}")
    return name


def _number(words: str, finding: str, text: str, place: str) -> float:
    try:
        value = float(words[:-1]) / 100 if words.endswith("%") else float(words)
    except ValueError:
        raise GateError(f"{place}: {text!r}: {words!r} is not a number.") from None
    low, high = EVERY_FIGURE[finding].range
    if not math.isfinite(value) or not low <= value <= high:
        raise GateError(
            f"{place}: {text!r}: {finding} lies between {low:g} and {high:g}, so {words} decides nothing. "
            "Write a share as 0.72 or 72%."
        )
    return value


def _by(value: object, place: str) -> By:
    if value not in ("point", "bound"):
        raise GateError(f"{place}: 'by' is {value!r}; it takes point or bound.")
    return value


def _help() -> str:
    return (
        "Write for example 'overall accuracy > 0.72', 'every category > 0.65', 'category refusals > 0.7', "
        f"{SEED_EXAMPLE!r}, "
        f"{', '.join(repr(phrase) for phrase in list(PHRASES)[:4])}, or compare a finding: {', '.join(EVERY_FIGURE)}."
    )


def for_several_seeds(criteria: Iterable[Criterion], seeds: Sequence[int]) -> None:
    """Raises GateError where a criterion asks for every seed and there are not several: one seed's figure is the
    overall one, and passing it would look like more than it is."""
    asked = next((criterion for criterion in criteria if criterion.kind == "every_seed"), None)
    if asked is None or len(seeds) > 1:
        return
    have = f"there is one, seed {seeds[0]}" if seeds else "there is none"
    raise GateError(
        f"{asked.text!r} needs several seeds, and {have}: how much seeds differ is not known. Train more "
        "(--seeds 3), or write the criterion without 'every seed'."
    )
