"""A suite from its name and its files: which reader, which splits of a hub data set, and what a wrong file looks like.

A new suite is one file beside this one and one line in SUITES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assay.errors import ConfigError, EmptyBatchError, InputError
from assay.suites import judgebench, ppe_correctness, ppe_human, processbench, rewardbench, rewardbench2, rm_bench, rmb
from assay.suites.suite import Suite
from assay.suites.suite_rows import SuiteRow, keys, suite_rows


@dataclass(frozen=True, slots=True)
class Kind:
    """How a suite is read. splits: of its hub data set, each read in turn."""

    read: Callable[[Sequence[SuiteRow]], Suite]
    recognises: Callable[[Mapping[str, object]], bool]
    expects: str
    splits: tuple[str | None, ...]


SUITES: Mapping[str, Kind] = {
    "rewardbench": Kind(
        rewardbench.rewardbench, rewardbench.recognises, "prompt, chosen, rejected (texts) and subset", ("filtered",)
    ),
    "rewardbench2": Kind(
        rewardbench2.rewardbench2,
        rewardbench2.recognises,
        "prompt, chosen and rejected (lists), num_correct and subset",
        ("test",),
    ),
    "rm-bench": Kind(
        rm_bench.rm_bench, rm_bench.recognises, "prompt, chosen and rejected (three texts each)", ("train",)
    ),
    "judgebench": Kind(
        judgebench.judgebench,
        judgebench.recognises,
        "question, response_A, response_B, label and source",
        ("gpt", "claude"),
    ),
    "rmb": Kind(rmb.rmb, rmb.recognises, "conversation_input with pair_uid or bon_uid", ("train",)),
    "ppe-human": Kind(
        ppe_human.ppe_human,
        ppe_human.recognises,
        "prompt, response_1, response_2, model_a, model_b and winner",
        ("test",),
    ),
    "ppe-correctness": Kind(
        ppe_correctness.ppe_correctness, ppe_correctness.recognises, "prompt, response_1 ... and scores", ("train",)
    ),
    "processbench": Kind(
        processbench.processbench,
        processbench.recognises,
        "problem, steps and label",
        ("gsm8k", "math", "olympiadbench", "omnimath"),
    ),
}


def open_suite(name: str, sources: Sequence[str], *, split: str | None = None, threshold: float | None = None) -> Suite:
    """The suite `name` of files, folders or hub ids; split: of a data set, in place of the published ones.

    threshold: below which a step is wrong, for suites of steps. Raises ConfigError for a suite there is not or an
    option it does not read, InputError where a row is of another suite or none, EmptyBatchError where there are none.
    """
    if name not in SUITES:
        raise ConfigError(f"{name}: no such suite. There are {', '.join(SUITES)}.")
    kind = SUITES[name]
    if threshold is not None and name != "processbench":
        raise ConfigError(f"{name} has no steps, so --threshold {threshold:g} is not read. Leave it out.")
    rows = []
    for source in sources:
        for row in suite_rows(source, kind.splits if split is None else (split,)):
            if not kind.recognises(row.data):
                raise another(name, row)
            rows.append(row)
    if not rows:
        raise EmptyBatchError(f"{', '.join(sources)}: no item of {name}. Give the suite's file as published.")
    return processbench.processbench(rows, threshold=threshold) if name == "processbench" else kind.read(rows)


def another(name: str, row: SuiteRow) -> InputError:
    """What a row that is not of the suite is: of which other one, or what it has."""
    others = [other for other, kind in SUITES.items() if other != name and kind.recognises(row.data)]
    guess = f" It looks like {others[0]}: assay bench SCORER {others[0]} --data ..." if others else ""
    return InputError(
        f"{row.where}: no item of {name}, which holds {SUITES[name].expects}. The row has {keys(row.data)}.{guess}"
    )
