"""A language model on this machine as a Policy: a folder, a catalogue name, a hub id, with an adapter or without.

Renders each prompt by the model's chat template, sets apart what is too long, and lets the engine write. Imports torch
only when the model is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.artifacts.files import sha256_json
from assay.errors import ModelError, TemplateError
from assay.models import precision
from assay.models.folder_faults import ADAPTER, object_in
from assay.models.precision import Asked as AskedPrecision
from assay.models.precision import Precision
from assay.policies.one_by_one import Asked, answer_seed, gathered, with_a_seed
from assay.policies.protocol import Generation, Generations, Made, Prompt, Sampling, generated
from assay.records import Text, as_messages
from assay.stats.unknown import Unknown

if TYPE_CHECKING:
    from assay.engine.language_model import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a model is run; all but the precision changes time and memory, not answers.

    precision: of weights and arithmetic; auto: bf16 where this machine is measured to be clearly faster with it, else
    float32. device: cpu, cuda, ...; auto takes a GPU where there is one. at_once: answers side by side. cache_tokens:
    places for keys and values of all that stand side by side, and so the memory. None: what suits the device.
    """

    device: str = "auto"
    at_once: int | None = None
    cache_tokens: int | None = None
    precision: AskedPrecision = "float32"


class LocalPolicy:
    """Answers by a model. model: folder, catalogue name or hub id; a folder of an adapter takes its base along.

    adapter: a folder of one, on `model` as its base. template: in place of the tokenizer's: a file of jinja, or
    `plain`. called: its name, in place of where it lies. said: gets what is to know of how the model is run.
    """

    def __init__(
        self,
        model: Path | str,
        *,
        adapter: Path | str | None = None,
        writing: Writing | None = None,
        template: str | None = None,
        called: str | None = None,
        said: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.model, self.adapter = str(model), None if adapter is None else str(adapter)
        if self.adapter is None and (Path(self.model).expanduser() / ADAPTER).is_file():
            self.adapter, self.model = self.model, _base_of(Path(self.model).expanduser())
        self.writing, self.template, self.called, self.said = writing or Writing(), template, called, said

    @property
    def name(self) -> str:
        return self.called or (self.model if self.adapter is None else f"{self.adapter}@{self.model}")

    @cached_property
    def precision(self) -> Precision:
        """What it is run in, measured once where that was left to the machine. A file that goes on sets it first."""
        return precision.resolve(self.writing.precision)

    def go_on_in(self, begun: str | None) -> None:
        """Take the precision that answers were begun in, where the choice was left to the machine: its clock may say
        something else today, and half a file in another precision would be of two policies."""
        if self.writing.precision == "auto" and begun in ("float32", "bf16"):
            self.__dict__["precision"] = begun

    @cached_property
    def fingerprint(self) -> str:
        """Of the model's bytes, the adapter's, and how prompts become text. Opens no weights."""
        from assay.models.resolve import folder_fingerprint, locate

        parts = {"model": locate(self.model).fingerprint}
        if self.adapter is not None:
            parts["adapter"] = folder_fingerprint(Path(self.adapter).expanduser())
        if self.precision != "float32":
            parts["precision"] = self.precision
        if self.template is not None:
            parts["template"] = self._made_template
        return parts["model"] if len(parts) == 1 else sha256_json(parts)

    @cached_property
    def language_model(self) -> LanguageModel:
        """The model, loaded at first use."""
        from assay.engine.language_model import LanguageModel

        loaded = LanguageModel.load(
            self.model, device=self.writing.device, template=self.template, adapter=self.adapter, served=True,
            precision=self.precision,
        )  # fmt: skip
        if self.writing.precision == "auto":
            self.said(f"{self.name}: run in {self.precision}")
        if loaded.prompts_changed:
            self.said(f"{self.name}: its chat template is changed before it is used: {' '.join(loaded.rules.notes)}")
        return loaded

    def made(self, sampling: Sampling) -> Made:
        return Made(
            policy=self.name, fingerprint=self.fingerprint, template=self._made_template, sampling=sampling,
            precision=self.precision,
        )  # fmt: skip

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        """n answers to each prompt. A prompt that cannot be rendered or is too long gets the reason n times."""
        return gathered(self, prompts, n, with_a_seed(sampling))

    def answers(self, asked: Sequence[Asked], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Each answer as soon as it is finished. Raises ModelError where the model cannot be had."""
        if not asked:
            return
        rows: dict[Text, tuple[int, ...] | Unknown] = {}
        for one in asked:
            if one.prompt.text not in rows:
                rows[one.prompt.text] = self._row(one.prompt.text, sampling.max_tokens)
        readable: list[tuple[int, tuple[int, ...], int]] = []
        for place, one in enumerate(asked):
            row = rows[one.prompt.text]
            if isinstance(row, Unknown):
                yield place, Generation(text=row)
            else:
                readable.append((place, row, answer_seed(sampling.seed or 0, one)))
        yield from self._written(readable, sampling)

    def _written(
        self, readable: Sequence[tuple[int, tuple[int, ...], int]], sampling: Sampling
    ) -> Iterator[tuple[int, Generation]]:
        from assay.engine.generate import Room, generate
        from assay.engine.written import Decoding, Wanted

        model = self.language_model
        decoding = Decoding(
            most=sampling.max_tokens, temperature=sampling.temperature, top_p=sampling.top_p, ends=model.ends
        )
        found = generate(
            model.model,
            [Wanted(row=row, seed=seed) for _, row, seed in readable],
            decoding,
            room=Room(at_once=self.writing.at_once, cache_tokens=self.writing.cache_tokens),
            stopped=self._stops(sampling.stop) if sampling.stop else None,
            said=lambda why: self.said(f"{self.name}: answers are written plainly, and slower: {why}."),
        )
        for which, written in found:
            place, _, seed = readable[which]
            text = before(self._text(written.ids), sampling.stop)
            yield place, generated(text, finish=written.finish, tokens=len(written.ids), seed=seed)

    @cached_property
    def _made_template(self) -> str:
        """The hash of the template by which prompts become text, as the model's renderer has it."""
        return "sha256:" + hashlib.sha256(self.language_model.rules.template.encode()).hexdigest()

    def _row(self, prompt: Text, most: int) -> tuple[int, ...] | Unknown:
        """A prompt's tokens up to where its answer begins, or why there are none."""
        model = self.language_model
        try:
            row = model.row(as_messages(prompt, role="user"))
        except TemplateError as error:
            return Unknown(str(error))
        why = model.too_long(row, more=most)
        return row if why is None else Unknown(why)

    def _text(self, ids: Sequence[int]) -> str:
        return self.language_model.tokenizer.decode(list(ids), skip_special_tokens=True)

    def _stops(self, stop: Sequence[str]) -> Callable[[Sequence[int]], bool]:
        # A token is a byte at least, so a stop text that the newest token ended stands in so many last tokens.
        last = max(len(text.encode()) for text in stop) + 4

        def stopped(ids: Sequence[int]) -> bool:
            written = self._text(ids[-last:])
            return any(text in written for text in stop)

        return stopped


def before(text: str, stop: Sequence[str]) -> str:
    """What stands before the first stop text, and all where there is none.

    >>> before("Yes.\\n\\nUser: and now?", ("\\n\\nUser:",))
    'Yes.'
    """
    return text[: min((place for one in stop if (place := text.find(one)) >= 0), default=len(text))]


def adapted(argument: str) -> LocalPolicy:
    """The policy of `FOLDER@BASE`, or of `FOLDER`, which then names its base."""
    adapter, _, base = argument.rpartition("@") if "@" in argument else (argument, "", "")
    return LocalPolicy(base, adapter=adapter) if base else LocalPolicy(argument)


def _base_of(folder: Path) -> str:
    """Raises ModelError for an adapter that names no base."""
    base = object_in(folder / ADAPTER).get("base_model_name_or_path")
    if not isinstance(base, str) or not base.strip():
        raise ModelError(f"{folder}: the adapter does not name its base. Give adapter:{folder}@BASE.")
    return base
