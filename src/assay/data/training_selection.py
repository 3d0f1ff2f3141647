"""Which training pairs are trained on and what each weighs: by votes, and without labels that somebody suspects.

Held-out pairs are not touched: to leave those out that a reward got wrong would be to choose one's own evidence. Every
pair left out is counted, by reason. Knows votes and ids; knows no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from assay.data.config import SelectConfig
from assay.data.made_mark import made_kind
from assay.data.pair_agreement import agreement
from assay.errors import ConfigError, InputError
from assay.records import Pair

SUSPECTED, LOW, EVEN = "suspected", "low_agreement", "even_votes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The pairs that are trained on and the group of each; left_out: how many are not, by reason.

    suspected_held_out: ids of the file that are held out, and stay; suspected_unknown: that no pair has.
    """

    pairs: list[Pair]
    groups: list[str]
    left_out: Mapping[str, int]
    suspected_held_out: int = 0
    suspected_unknown: int = 0


def selected(
    pairs: Sequence[Pair], groups: Sequence[str], config: SelectConfig, *, held_out: Sequence[Pair] = ()
) -> Selection:
    """The training pairs that `config` leaves, weighed as it says.

    A pair without votes stays and keeps its weight. Raises ConfigError where votes are asked about and no pair has any,
    InputError for a file that cannot be read or if nothing is left to train on.
    """
    suspects = frozenset[str]() if config.without is None else suspected_ids(Path(config.without))
    if (config.min_agreement is not None or config.weight == "votes") and not any(pair.votes for pair in pairs):
        raise ConfigError(
            "select.min_agreement and select.weight=votes go by votes, and no training pair has any. Leave them out, "
            "or name the column of the votes (docs/data.md)."
        )
    kept: list[tuple[Pair, str]] = []
    left_out: Counter[str] = Counter()
    for pair, group in zip(pairs, groups, strict=True):
        why = reason(pair, config, suspects)
        if why is None:
            kept.append((weighed(pair, config), group))
        else:
            left_out[why] += 1
    if pairs and not kept:
        raise InputError(
            f"No training pair is left ({', '.join(f'{why} {n:,}' for why, n in left_out.items())}). Lower "
            "select.min_agreement, or leave out fewer."
        )
    known, held = {pair.id for pair in pairs}, {pair.id for pair in held_out}
    return Selection(
        pairs=[pair for pair, _ in kept],
        groups=[group for _, group in kept],
        left_out=dict(left_out),
        suspected_held_out=len(suspects & held),
        suspected_unknown=len(suspects - held - known),
    )


def reason(pair: Pair, config: SelectConfig, suspects: Collection[str]) -> str | None:
    """Why a training pair is left out, or None."""
    if pair.id in suspects:
        return SUSPECTED
    agreed = agreement(pair)
    if agreed is None or made_kind(pair) is not None:
        return None
    if config.min_agreement is not None and agreed < config.min_agreement:
        return LOW
    # Its weight would be 0 or less: the votes do not say what the label says.
    return EVEN if config.weight == "votes" and pair.label == "chosen" and agreed <= 0.5 else None


def weighed(pair: Pair, config: SelectConfig) -> Pair:
    """The pair with the weight its votes give it: 2 x agreement - 1, by which a unanimous pair keeps its own."""
    agreed = agreement(pair)
    if config.weight == "stated" or agreed is None or pair.label != "chosen":
        return pair
    return replace(pair, weight=pair.weight * (2 * agreed - 1))


def suspected_ids(path: Path) -> frozenset[str]:
    """The ids of the rows of a file such as suspected_labels.jsonl. Raises InputError that names the line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Give a file of rows with ids.") from None
    found: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{number}: no JSON ({error}). Give one row a line, each with an id.") from None
        if not isinstance(row, dict) or not isinstance(row.get("id"), str | int):
            raise InputError(f"{path}:{number}: a row without an id, by which the pair to leave out is found.")
        found.append(str(row["id"]))
    return frozenset(found)
