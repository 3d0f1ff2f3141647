"""The layouts pairs come in, each a function from a row to a Draft, in one visible dict.

Knows layouts; judges nothing (that is contract.py). A layout is recognised from the first rows or named by the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assay.data.config import DataConfig
from assay.data.layouts.annotation_tools import (
    argilla,
    argilla_columns,
    label_studio,
    label_studio_columns,
    shp,
    shp_columns,
    ukp,
    ukp_columns,
)
from assay.data.layouts.columns import (
    LABEL_NAMES,
    PROMPT_NAMES,
    VOTES_NAMES,
    WAY_OUT,
    Columns,
    find,
    find_answers,
    listed,
    optional,
    stated_columns,
)
from assay.data.layouts.draft import Draft
from assay.data.layouts.labels import Ballot, ballots
from assay.data.layouts.texts import UnfitError, after_prompt, as_text, missing, shared_prompt, turns
from assay.data.sources.row import Row
from assay.errors import ConfigError, InputError
from assay.records import Text

SAMPLE = 200  # rows from which a layout is recognised


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way pairs are written down.

    columns: from the columns seen and those the user stated, role -> column; None if this layout does not fit.
    build: a row's pair, as it stands. Raises UnfitError if there is none.
    """

    about: str
    columns: Callable[[Sequence[Row], Sequence[str], Mapping[str, str]], dict[str, str] | None]
    build: Callable[[Row, Columns], Draft]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The layout chosen for a source, and its columns."""

    name: str
    layout: Layout
    columns: Columns

    def build(self, row: Row) -> Draft:
        return self.layout.build(row, self.columns)

    def report(self) -> dict[str, Any]:
        return {"name": self.name, "about": self.layout.about, "columns": dict(self.columns.names)}


LATER = {role: role for role in ("votes", "category", "group", "margin", "source")}


def native_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str] | None:
    answers = find(seen, stated, "chosen", ("chosen",)) | find(seen, stated, "rejected", ("rejected",))
    prompt = two_prompts(seen, stated) or find(seen, stated, "prompt", PROMPT_NAMES)
    if len(answers) < 2 or not prompt or "left" in stated:
        return None
    # A label column of another meaning is left alone where the user names the answers himself.
    extra = find(seen, stated, "label", ("label",)) if "chosen" not in stated or "label" in stated else {}
    found = answers | prompt | extra | find(seen, stated, "votes", ("votes",)) | optional(seen, stated)
    return LATER | found  # an optional column may first occur after the rows that showed the layout


def two_prompts(seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str]:
    """Columns of separate prompts for the two answers."""
    for left, right in (("prompt_left", "prompt_right"), ("prompt_chosen", "prompt_rejected")):
        found = find(seen, stated, left, (left,)) | find(seen, stated, right, (right,))
        if len(found) == 2:
            return {"prompt_left": found[left], "prompt_right": found[right]}
    couple = find_answers(seen, {}, "prompt") if "prompt" not in stated else {}
    return {f"prompt_{side}": name for side, name in couple.items()}


def native(row: Row, columns: Columns) -> Draft:
    """prompt, chosen, rejected: texts or messages. Answers that repeat the prompt in front lose it."""
    data, pick = row.data, columns.pick
    prompt, other = prompts(data, columns)
    chosen = as_text(pick(data, "chosen"), "chosen", columns.names["chosen"])
    rejected = as_text(pick(data, "rejected"), "rejected", columns.names["rejected"])
    draft = Draft(
        prompt=prompt, other_prompt=other, left=after_prompt(prompt, chosen), right=after_prompt(other, rejected)
    )
    draft.label = native_label(pick(data, "label"))
    draft.votes = votes(data, columns)
    return extras(draft, data, columns)


def native_label(value: Any) -> Any:
    """chosen (also when unsaid), tie or abstain. Raises InputError for any other: it may turn the pair around."""
    if missing(value) or (isinstance(value, str) and value == "chosen"):
        return "left"
    if isinstance(value, str) and value in ("tie", "abstain"):
        return value
    raise InputError(
        f'the column "label" holds {value!r} beside chosen and rejected: only "chosen", "tie" and "abstain" are '
        "understood there. "
        "If it means something else, name the answers yourself: --columns prompt=prompt,chosen=chosen,rejected=rejected"
    )


def prompts(data: Mapping[str, Any], columns: Columns) -> tuple[Any, Any]:
    if "prompt" in columns.names:
        prompt = as_text(columns.pick(data, "prompt"), "prompt", columns.names["prompt"])
        return prompt, prompt
    left = as_text(columns.pick(data, "prompt_left"), "prompt", columns.names["prompt_left"])
    return left, as_text(columns.pick(data, "prompt_right"), "prompt", columns.names["prompt_right"])


def votes(data: Mapping[str, Any], columns: Columns) -> tuple[Ballot, ...]:
    """The votes on one row, none where it has none."""
    if "votes" not in columns.names:
        return ()
    value = columns.pick(data, "votes")
    if missing(value):
        return ()
    try:
        return ballots(value, columns.spelling)
    except InputError as error:
        if "chosen" not in columns.names:
            raise  # the votes decide which answer won: a meaning nobody stated concerns every row
        raise UnfitError("not_text", str(error)) from None


def extras(draft: Draft, data: Mapping[str, Any], columns: Columns) -> Draft:
    for role in columns.extras:
        setattr(draft, role, columns.pick(data, role))
    return draft


def implicit_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str] | None:
    if native_columns(rows, seen, stated) is not None or "left" in stated or "prompt" in stated:
        return None
    answers = find(seen, stated, "chosen", ("chosen",)) | find(seen, stated, "rejected", ("rejected",))
    if len(answers) < 2:
        return None
    return answers | find(seen, stated, "votes", ("votes",)) | optional(seen, stated)


def hh_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str] | None:
    names = implicit_columns(rows, seen, stated)
    if names is None:
        return None
    texts = [row.data.get(names["chosen"]) for row in rows]
    spoken = [turns(text) is not None for text in texts if isinstance(text, str)]
    return names if spoken and 2 * sum(spoken) > len(spoken) else None


def plain_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str] | None:
    return None if hh_columns(rows, seen, stated) is not None else implicit_columns(rows, seen, stated)


def implicit(row: Row, columns: Columns) -> Draft:
    """chosen and rejected begin with the prompt they share: messages, or text cut at a line break."""
    data = row.data
    chosen = as_text(columns.pick(data, "chosen"), "chosen", columns.names["chosen"])
    rejected = as_text(columns.pick(data, "rejected"), "rejected", columns.names["rejected"])
    return from_shared(data, columns, chosen, rejected)


def hh(row: Row, columns: Columns) -> Draft:
    """Transcripts with Human: and Assistant: turns."""
    return from_shared(row.data, columns, spoken(row, columns, "chosen"), spoken(row, columns, "rejected"))


def spoken(row: Row, columns: Columns, side: Literal["chosen", "rejected"]) -> Text:
    text = as_text(columns.pick(row.data, side), side, columns.names[side])
    said = turns(text) if isinstance(text, str) else text
    if said is None:
        raise UnfitError("missing_field", f'"{side}" has no "Human:" and "Assistant:" turns', side)
    return said


def from_shared(data: Mapping[str, Any], columns: Columns, chosen: Any, rejected: Any) -> Draft:
    prompt, left, right = shared_prompt(chosen, rejected)
    draft = Draft(prompt=prompt, other_prompt=prompt, left=left, right=right, label="left")
    draft.votes = votes(data, columns)
    return extras(draft, data, columns)


def rewardbench_columns(rows: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str] | None:
    if not {"prompt", "chosen", "rejected", "subset"} <= set(seen) or stated:
        return None
    names = native_columns(rows, [name for name in seen if name != "label"], stated)
    return None if names is None else names | {"category": "subset"}


def comparison_columns(_: Sequence[Row], seen: Sequence[str], stated: Mapping[str, str]) -> dict[str, str] | None:
    if "chosen" in stated or "rejected" in stated:
        return None
    answers = find_answers(seen, stated)
    prompt = two_prompts(seen, stated) or find(seen, stated, "prompt", PROMPT_NAMES)
    if not answers or not prompt:
        return None
    others = [name for name in seen if name not in {*answers.values(), *prompt.values()}]
    votes = find(others, stated, "votes", VOTES_NAMES)
    label = find(others, stated, "label", LABEL_NAMES)
    return answers | prompt | label | votes | optional(others, stated) if label or votes else None


def comparison(row: Row, columns: Columns) -> Draft:
    """prompt, two answers in the order shown, and who won: a label, several people's votes, or both."""
    data, pick = row.data, columns.pick
    prompt, other = prompts(data, columns)
    left = as_text(pick(data, "left"), "both", columns.names["left"])
    right = as_text(pick(data, "right"), "both", columns.names["right"])
    draft = Draft(prompt=prompt, other_prompt=other, left=after_prompt(prompt, left), right=after_prompt(other, right))
    draft.votes, label = votes(data, columns), pick(data, "label")
    if not draft.votes or not missing(label):
        draft.label = columns.spelling.read(label)
    return extras(draft, data, columns)


LAYOUTS: dict[str, Layout] = {
    "ukp": Layout(about="UKPConvArg1: #id, label, a1, a2; file = debate and side", columns=ukp_columns, build=ukp),
    "label_studio": Layout(about="Label Studio pairwise export", columns=label_studio_columns, build=label_studio),
    "argilla": Layout(about="Argilla records, flat or nested", columns=argilla_columns, build=argilla),
    "shp": Layout(about="SHP: history, human_ref_A, human_ref_B, labels (1 = A)", columns=shp_columns, build=shp),
    "rewardbench": Layout(
        about="RewardBench: prompt, chosen, rejected; category = subset", columns=rewardbench_columns, build=native
    ),
    "hh": Layout(about="chosen and rejected as Human:/Assistant: transcripts", columns=hh_columns, build=hh),
    "implicit": Layout(about="chosen and rejected that begin with the prompt", columns=plain_columns, build=implicit),
    "native": Layout(about="prompt, chosen, rejected: texts or messages", columns=native_columns, build=native),
    "comparison": Layout(about="prompt, two answers, label or votes", columns=comparison_columns, build=comparison),
}
GENERAL = frozenset({"hh", "implicit", "native", "comparison"})  # the others are known by names nobody else uses


def recognise(rows: Sequence[Row], config: DataConfig, source: str) -> Plan:
    """The layout of these first rows. Raises InputError if none or several fit, ConfigError for an unknown name."""
    seen = list(dict.fromkeys(str(name) for row in rows for name in row.data))
    columns = stated_columns(config.columns, seen)
    if config.layout != "auto":
        return named(config, rows, seen, columns, source)
    fitting: dict[str, dict[str, str]] = {}
    for name, layout in LAYOUTS.items():
        if (found := layout.columns(rows, seen, columns)) is not None:
            if name not in GENERAL:
                fitting = {name: found}
                break
            fitting[name] = found
    if not fitting:
        raise InputError(f"{source}: no known layout has the columns {listed(seen)}. {WAY_OUT}")
    if len(fitting) > 1:
        names = " and ".join(fitting)
        raise InputError(f"{source}: the columns fit the layouts {names}. Choose one: --layout {next(iter(fitting))}")
    name, names_found = next(iter(fitting.items()))
    return Plan(name=name, layout=LAYOUTS[name], columns=Columns(names_found, config.labels))


def named(config: DataConfig, rows: Sequence[Row], seen: list[str], columns: Mapping[str, str], source: str) -> Plan:
    """The layout the user named."""
    layout = LAYOUTS.get(config.layout)
    if layout is None:
        raise ConfigError(f"There is no layout {config.layout!r}. Layouts: auto, {', '.join(LAYOUTS)}.")
    found = layout.columns(rows, seen, columns)
    if found is None:
        raise InputError(
            f"{source}: layout {config.layout} ({layout.about}) does not fit the columns {listed(seen)}. {WAY_OUT}"
        )
    return Plan(name=config.layout, layout=layout, columns=Columns(found, config.labels))
