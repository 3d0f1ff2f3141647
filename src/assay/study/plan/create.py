"""Makes a study: reads answers, leaves out what gives a side away, plans, says what it can see, seals and stores.

The one story of `assay study create`, top to bottom.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.errors import StudyError
from assay.study.config import StudyConfig
from assay.study.plan.generation_files import items_from_generations, read_generations
from assay.study.plan.giveaways import Giveaway, find_giveaways
from assay.study.plan.pair_files import items_from_pairs, read_attention
from assay.study.plan.sealed_plan import make_plan
from assay.study.plan.study_power import Power, study_power
from assay.study.store.new_study import NewStudy, write_study
from assay.study.study_address import Place
from assay.study.study_records import Editor, Item, SetAside, Slot

BUILT_IN_ATTENTION = Path(__file__).parent / "attention.jsonl"
EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a study's answers come from: generation files (one a system, named or not), or one file of pairs."""

    generations: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()
    pairs: Path | None = None
    attention: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A study just made. tokens: by editor name, the owner's under ""; nothing else knows them."""

    id: str
    tokens: dict[str, str]
    prompts: int
    showings: int
    power: Power
    giveaways: tuple[Giveaway, ...]
    aside: tuple[SetAside, ...]
    notes: tuple[str, ...]


def create_study(place: Place, sources: Sources, editors: Sequence[Editor], *, config: StudyConfig) -> Created:
    """Read, check, plan, seal and store. Raises InputError or StudyError, and then nothing is stored."""
    if config.pairs_per_prompt is None:
        config = config.model_copy(update={"pairs_per_prompt": "one" if len(sources.generations) > 2 else "all"})
    items, aside = _read(sources, config)
    giveaways = find_giveaways(items, words=config.giveaway_words)
    items, aside = _without_giveaways(items, aside, giveaways, config)
    attention = read_attention(sources.attention or BUILT_IN_ATTENTION)
    seed = secrets.randbits(63) if config.seed is None else config.seed
    slots = make_plan(items, attention, editors, config=config, seed=seed)
    used = {slot.item for slot in slots}
    prompts = len({item.prompt_id for item in items})
    humans = sum(editor.judge == "human" for editor in editors)
    per_prompt: float = min(config.overlap or len(editors), len(editors))
    if len(sources.generations) <= 2 and config.pairs_per_prompt == "all":
        per_prompt *= len(items) / prompts
    power = study_power(
        prompts=prompts,
        # The plan spreads prompts over all editors, and only the people's share of the votes enters figures of people.
        editors=per_prompt * humans / len(editors) if humans else per_prompt,
        icc=config.assumed_icc,
        ties=config.assumed_ties,
    )
    study_id = secrets.token_hex(4)
    files = [*sources.generations, *(path for path in (sources.pairs, sources.attention) if path is not None)]
    tokens = write_study(
        place,
        NewStudy(
            id=study_id,
            title=config.title,
            seed=seed,
            config=config.model_dump(mode="json"),
            inputs={path.name: sha256_file(path) for path in files},
            power={**power.as_dict(), "sentence": power.sentence()},
            giveaways=[giveaway.as_dict() for giveaway in giveaways],
            editors=editors,
            items=[*items, *(item for item in attention if item.id in used)],
            slots=slots,
            aside=aside,
            link_days=config.link_days,
        ),
    )
    return Created(
        id=study_id,
        tokens=tokens,
        prompts=prompts,
        showings=len(slots),
        power=power,
        giveaways=tuple(giveaways),
        aside=tuple(aside),
        notes=(*_plan_notes(items, slots, editors), *_notes(editors, giveaways, aside)),
    )


def _read(sources: Sources, config: StudyConfig) -> tuple[list[Item], list[SetAside]]:
    if sources.pairs is not None:
        if sources.generations:
            raise StudyError("Give generation files or --pairs, not both.")
        return items_from_pairs(sources.pairs, config=config)
    if sources.names and len(sources.names) != len(sources.generations):
        raise StudyError(f"{len(sources.names)} names for {len(sources.generations)} files. Give --name once a file.")
    names = sources.names or (None,) * len(sources.generations)
    files = [read_generations(path, system=name) for path, name in zip(sources.generations, names, strict=True)]
    return items_from_generations(files, config=config)


def _without_giveaways(
    items: list[Item], aside: list[SetAside], giveaways: Sequence[Giveaway], config: StudyConfig
) -> tuple[list[Item], list[SetAside]]:
    named = [giveaway for giveaway in giveaways if giveaway.kind == "name"]
    if not named or config.giveaways == "accept":
        return items, aside
    if config.giveaways == "refuse":
        shown = "; ".join(giveaway.sentence() for giveaway in named[:EXAMPLES]) + ("; ..." if named[EXAMPLES:] else "")
        raise StudyError(
            f"Answers give their side away: {shown}. Mend the files, leave those prompts out with --set "
            "giveaways=set_aside, or keep them, on the record, with --set giveaways=accept."
        )
    why = {prompt: giveaway.sentence() for giveaway in named for prompt in giveaway.prompts}
    kept = [item for item in items if item.prompt_id not in why]
    aside = [*aside, *(SetAside(prompt_id=p, reason="giveaway", detail=detail) for p, detail in why.items())]
    if not kept:
        raise StudyError("Nothing left to judge: every prompt has an answer that gives its side away.")
    return kept, aside


def _plan_notes(items: Sequence[Item], slots: Sequence[Slot], editors: Sequence[Editor]) -> list[str]:
    """Pairs that share a prompt, pairs that the plan shows to nobody, and plans without overlap."""
    notes = []
    humans = {editor.name for editor in editors if editor.judge == "human"}
    shown = Counter(slot.item for slot in slots if slot.kind == "real")
    judged = Counter(slot.item for slot in slots if slot.kind == "real" and slot.editor in humans)
    repeated = Counter((item.prompt_id, item.system_a, item.system_b) for item in items)
    several = len({prompt for (prompt, *_), count in repeated.items() if count > 1})
    if several:
        notes.append(f"{several} prompts have several pairs of answers; votes on one prompt count as alike.")
    unseen = sum(item.id not in shown for item in items)
    if unseen:
        notes.append(
            f"{unseen} of {len(items)} pairs are shown to nobody: an editor judges one pair a prompt. More editors "
            "would see more; --set pairs_per_prompt=all shows all."
        )
    if len(humans) > 1 and max(judged.values(), default=0) < 2:
        notes.append("No pair is judged by two editors: nothing can be said about agreement between editors.")
    return notes


def _notes(editors: Sequence[Editor], giveaways: Sequence[Giveaway], aside: Sequence[SetAside]) -> list[str]:
    notes = []
    humans = sum(editor.judge == "human" for editor in editors)
    if humans == 1:
        notes.append("One editor: nothing can be said about agreement between editors.")
    if humans == 0:
        notes.append("No human editor: the figures will speak of judges that are programs.")
    for reason in sorted({entry.reason for entry in aside}):
        count = sum(entry.reason == reason for entry in aside)
        notes.append(f"{count} set aside ({reason}), stored with the study and counted on its result page; in no rate.")
    notes += [f"A habit may give the side away: {g.sentence()}." for g in giveaways if g.kind == "style"]
    named = [g for g in giveaways if g.kind == "name"]
    if named:
        notes.append(f"{len(named)} giveaway words found; see assay study status.")
    return notes
