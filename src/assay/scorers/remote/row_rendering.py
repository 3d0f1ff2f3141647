"""A prompt and an answer -> what a server is sent of them: token ids, a text, messages or a pair of texts.

With a tokenizer's folder rows are rendered here, by the encoder that trains and scores elsewhere, and token ids are
sent wherever the server takes them: nothing is left to its own tokenizer, no second BOS is put before the first.
Without one the server renders messages itself (vLLM) or makes its own pairs (TEI); where neither can be, it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from assay.errors import ConfigError, TemplateError
from assay.records import Text, as_messages, plain_text
from assay.scorers.protocol import Unscored
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.remote.formats import Format, Sent

if TYPE_CHECKING:
    from assay.render.encoder import Encoded, Renderer

PLAIN = "plain"
Rows = Sequence[tuple[Text, Text]]


class RowRendering:
    """How rows are sent to one endpoint. Raises ConfigError where nothing says which text the model should see."""

    def __init__(self, config: RemoteConfig, form: Format) -> None:
        self.config, self.form = config, form
        if config.tokenizer is None and config.template not in (None, PLAIN):
            raise ConfigError(
                f"remote.template: {config.template} needs the tokenizer it is for: name that as remote.tokenizer."
            )
        if config.tokenizer is None and config.row_tokens is not None:
            raise ConfigError("remote.row_tokens: tokens are counted by the model's tokenizer: name remote.tokenizer.")
        if config.tokenizer is None and config.template is None and not {"messages", "pair"} & set(form.takes):
            raise ConfigError(
                f"{form.path} takes finished text, so the chat template has to be applied here. Name the folder of the "
                "model's tokenizer: --set remote.tokenizer=FOLDER; or --template plain for 'User: ...', 'Assistant: "
                "...' lines."
            )
        if config.batch > 1 and self.renders == "messages":
            raise ConfigError(
                "remote.batch: messages go one conversation a request; name remote.tokenizer, or batch 1."
            )

    @property
    def renders(self) -> str:
        """Who makes text of a row: tokenizer, plain, messages or pair."""
        if self.config.tokenizer is not None:
            return "tokenizer"
        if self.config.template is not None:
            return PLAIN
        return "messages" if "messages" in self.form.takes else "pair"

    @cached_property
    def renderer(self) -> Renderer:
        """The tokenizer's, opened at first use."""
        from assay.render.encoder import Renderer

        assert self.config.tokenizer is not None
        found = Renderer.from_pretrained(self.config.tokenizer, adapt="published", template=self.config.template)
        if found.kind == "encoder" and "pair" not in self.form.takes:
            raise ConfigError(
                f"{self.config.tokenizer} is an encoder, whose rows are pairs with segments; {self.form.path} takes no "
                "pairs. Serve it by TEI."
            )
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the same row may be sent otherwise."""
        return self.renderer.hash if self.renders == "tokenizer" else self.renders

    @property
    def words(self) -> str:
        """With what prompts and answers become text, for the record."""
        if self.renders == "tokenizer":
            folder, parts = self.config.tokenizer, self.renderer.parts
            return " ".join([f"the template of {folder} ({parts['template']}).", *self.renderer.notes])
        return {
            PLAIN: "'User: ...', 'Assistant: ...' lines, a blank line apart, as asked for.",
            "messages": "messages, which the server renders with its model's chat template.",
            "pair": "prompt and answer as the two texts of a pair, joined by the server's tokenizer.",
        }[self.renders]

    def sent(self, rows: Rows) -> Iterator[Sent | Unscored]:
        """Each row as it goes to the server, or why it cannot."""
        if self.renders == "tokenizer":
            yield from self._rendered(rows)
            return
        for prompt, answer in rows:
            turns = [*as_messages(prompt, role="user"), *as_messages(answer, role="assistant")]
            if self.renders == "messages":
                yield Sent(how="messages", value=[{"role": t.role, "content": t.content} for t in turns])
            elif self.renders == "pair":
                yield Sent(how="pair", value=_pair(prompt, answer))
            else:
                text = "\n\n".join(f"{turn.role.capitalize()}: {turn.content}" for turn in turns)
                yield Sent(how="text", value=text, prompt=plain_text(prompt))

    def _rendered(self, rows: Rows) -> Iterator[Sent | Unscored]:
        most, renderer = self.config.row_tokens, self.renderer
        texts: Iterator[str | TemplateError | None]
        texts = renderer.render_rows(rows) if self._sends_text else iter([None] * len(rows))
        for (prompt, answer), row, text in zip(rows, renderer.encode_rows(rows), texts, strict=True):
            if isinstance(row, TemplateError):
                yield Unscored(str(row))
            elif most is not None and len(row.ids) > most:
                yield Unscored(f"{len(row.ids)} tokens with its prompt; remote.row_tokens is {most}", too_long=True)
            elif isinstance(text, str):
                value, said = self._without_bos(text), plain_text(prompt)
                yield Sent(how="text", value=value, prompt=said, tokens=len(row.ids))
            else:
                yield self._ids_or_pair(prompt, answer, row)

    @property
    def _sends_text(self) -> bool:
        return self.renderer.kind == "decoder" and "ids" not in self.form.takes

    def _ids_or_pair(self, prompt: Text, answer: Text, row: Encoded) -> Sent:
        if self.renderer.kind == "encoder":
            return Sent(how="pair", value=_pair(prompt, answer), tokens=len(row.ids))
        return Sent(how="ids", value=row.ids, tokens=len(row.ids))

    def _without_bos(self, text: str) -> str:
        bos = self.renderer.tokenizer.bos_token
        return text.removeprefix(str(bos)) if self.form.adds_bos and bos is not None else text


def _pair(prompt: Text, answer: Text) -> list[str]:
    from assay.render.encoder import flat  # not above: it is the one word this file needs of that room

    return [flat(prompt), flat(answer)]
