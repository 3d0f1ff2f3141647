"""A trunk with a scalar head that scores rendered rows. Knows transformers' classes; knows no loss and no label.

It is AutoModelForSequenceClassification with one label throughout, so that what is saved opens everywhere.
Letters: N rows, H hidden size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from assay.artifacts import read_json, write_json
from assay.config import ModelConfig
from assay.engine.adapters import merged, with_adapters
from assay.engine.batching import plans
from assay.engine.forward import last_hidden, plain_last_hidden, refusal
from assay.engine.models import BaseModel, resolve
from assay.engine.render import Encoded, Renderer
from assay.errors import ArtifactError, EmptyBatchError, ModelError

SCHEMA = "model/1"
ABOUT = "assay.json"
Sharing = Literal["on", "off"]


class RewardModel:
    """`.model`: the transformers model or its PEFT wrapper; `.renderer`: its one encoder; `.base`: where it came from."""

    def __init__(self, model: Any, renderer: Renderer, *, base: Mapping[str, Any]) -> None:
        self.model = model
        self.renderer = renderer
        self.base = dict(base)

    @classmethod
    def from_base(cls, config: ModelConfig) -> RewardModel:
        """A base with a new scalar head (drawn from torch's generator), full or with adapters.

        Raises ModelError if the base cannot be used, TemplateError for its template.
        """
        base = resolve(config.base, config.revision)
        renderer = Renderer.from_pretrained(base.path)
        model = open_trunk(base, config)
        set_padding(model, renderer)
        reset_head(model)
        if config.tuning != "full":
            model = with_adapters(model, config)
        origin = {
            "name": base.name,
            "fingerprint": base.fingerprint,
            "revision": base.revision,
            "tuning": config.tuning,
        }
        return cls(model, renderer, base=origin)

    @classmethod
    def load(cls, folder: Path | str, *, revision: str | None = None) -> RewardModel:
        """A saved reward model, ours or any sequence-classification model with one label.

        Raises ArtifactError if the tokenizer beside our model renders other than the one it was trained with.
        """
        where = str(folder)
        base = resolve(where, revision)
        renderer = Renderer.from_pretrained(base.path)
        about: dict[str, Any] = {}
        if Path(base.path, ABOUT).exists():
            about = read_json(Path(base.path, ABOUT), SCHEMA)
            if about["render_hash"] != renderer.hash:
                raise ArtifactError(
                    f"{where}: tokenizer or chat template is not the one this model was trained with "
                    f"({renderer.hash[:19]} instead of {about['render_hash'][:19]}): its rewards would mean something "
                    "else. Restore the files saved with the model."
                )
        with quiet():
            model, found = AutoModelForSequenceClassification.from_pretrained(
                base.path, dtype=torch.float32, output_loading_info=True
            )
        refuse_new_weights(where, found, model)
        set_padding(model, renderer)
        model.eval()
        return cls(model, renderer, base=about.get("base", {"name": base.name, "fingerprint": base.fingerprint}))

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def encode(self, prompt: Any, answer: Any) -> Encoded:
        return self.renderer.encode(prompt, answer)

    def refusal(self, rows: Sequence[Encoded]) -> str | None:
        """One sentence why these rows' shared prompts cannot run once on this model, or None if they can."""
        if self.renderer.kind == "encoder":
            return "An encoder reads the prompt together with the answer, so its hidden states cannot be shared."
        return refusal(self.model, [row.ids for row in rows])

    def rewards(self, rows: Sequence[Encoded], *, sharing: Sharing = "on") -> Tensor:
        """Rewards of rows in one forward pass, shape (N,), float32, in the order given; differentiable.

        sharing "on" runs each token of a shared prefix once where the trunk allows it; "off" pads every row.
        Raises EmptyBatchError without rows.
        """
        if not rows:
            raise EmptyBatchError("There are no rows to score.")
        if self.renderer.kind == "encoder":
            return self._encoder_rewards(rows)
        ids = [row.ids for row in rows]
        hidden_NH = last_hidden(self.model, ids) if sharing == "on" else plain_last_hidden(self.model, ids)
        head = score_head(self.model)
        weight = next(iter(head.parameters()))
        with torch.autocast(hidden_NH.device.type, enabled=False):
            rewards_N1: Tensor = head(hidden_NH.to(weight.dtype))
            return rewards_N1[:, 0].float()

    def _encoder_rewards(self, rows: Sequence[Encoded]) -> Tensor:
        """The whole model on one right-padded batch, shape (N,)."""
        longest = max(len(row.ids) for row in rows)
        ids_NT = torch.full((len(rows), longest), self.renderer.tokenizer.pad_token_id or 0, dtype=torch.long)
        types_NT, mask_NT = torch.zeros_like(ids_NT), torch.zeros_like(ids_NT)
        for i, row in enumerate(rows):
            ids_NT[i, : len(row.ids)] = torch.tensor(row.ids)
            types_NT[i, : len(row.ids)] = torch.tensor(row.type_ids or (0,) * len(row.ids))
            mask_NT[i, : len(row.ids)] = 1
        inputs = {"input_ids": ids_NT, "attention_mask": mask_NT}
        if "token_type_ids" in self.renderer.tokenizer.model_input_names:
            inputs["token_type_ids"] = types_NT
        logits_N1: Tensor = self.model(**{name: value.to(self.device) for name, value in inputs.items()}).logits
        return logits_N1[:, 0].float()

    def score(
        self, rows: Sequence[Encoded], *, micro_tokens: int = 8192, sharing: Sharing = "on"
    ) -> NDArray[np.float32]:
        """Rewards without gradient, shape (N,), float32: equal rows once, in token-budget micro-batches."""
        distinct = list(dict.fromkeys(rows))
        shares = sharing == "on" and bool(distinct) and self.refusal(distinct) is None
        out = np.zeros(len(distinct), dtype=np.float32)
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode():
                for batch in plans(distinct, micro_tokens=micro_tokens, shared=shares):
                    found = self.rewards([distinct[i] for i in batch], sharing="on" if shares else "off")
                    out[batch] = found.cpu().numpy()
        finally:
            self.model.train(was_training)
        place = {row: i for i, row in enumerate(distinct)}
        return out[[place[row] for row in rows]] if rows else out

    def save(self, folder: Path | str, *, provenance: Mapping[str, Any]) -> None:
        """Write a folder that opens with AutoModelForSequenceClassification; adapters are merged, and kept beside.

        provenance: what it was trained on, stored in assay.json with the render hash and the base.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if hasattr(self.model, "peft_config"):
            self.model.save_pretrained(folder / "adapter")
        merged(self.model).save_pretrained(folder)
        self.renderer.tokenizer.save_pretrained(folder)
        kept = Renderer.from_pretrained(folder)
        if kept.hash != self.renderer.hash:
            raise ModelError(f"{folder}: the tokenizer does not come back as it was saved; the model was not finished.")
        body = {"base": self.base, "kind": self.renderer.kind, "render_hash": self.renderer.hash, **provenance}
        write_json(folder / ABOUT, SCHEMA, json.loads(json.dumps(body, default=str)))


def open_trunk(base: BaseModel, config: ModelConfig) -> nn.Module:
    """The base as a sequence-classification model with one label, in float32 (4 bit under QLoRA, head excepted)."""
    more: dict[str, Any] = {"num_labels": 1, "dtype": torch.float32}
    if config.tuning == "qlora":
        from assay.engine.adapters import four_bit

        more |= four_bit()
    if config.dropout is not None:
        more |= dropout_of(base, config.dropout)
    try:
        with quiet():
            model: nn.Module = AutoModelForSequenceClassification.from_pretrained(base.path, **more)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"{base.name}: cannot be loaded with a reward head: {error}") from None
    return model


def dropout_of(base: BaseModel, share: float) -> dict[str, float]:
    """The base's own names of its dropouts, all set to `share`."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base.path)
    names = "hidden_dropout_prob attention_probs_dropout_prob hidden_dropout attention_dropout resid_pdrop embd_pdrop"
    names += " attn_pdrop classifier_dropout"
    return {name: share for name in names.split() if hasattr(config, name)}


def set_padding(model: Any, renderer: Renderer) -> None:
    """Give the configuration a padding id that no row ends with, so that any server pools the last real token."""
    tokenizer = renderer.tokenizer
    if tokenizer.pad_token_id is None or (
        renderer.kind == "decoder" and tokenizer.pad_token_id == tokenizer.eos_token_id
    ):
        tokenizer.pad_token = free_token(tokenizer)
    model.config.pad_token_id = tokenizer.pad_token_id


def free_token(tokenizer: Any) -> str:
    """A token that never ends a row: the unknown token or another special one; else the first of the vocabulary."""
    taken = {tokenizer.eos_token, tokenizer.bos_token, None}
    extra = [token for token in tokenizer.all_special_tokens if token not in taken]
    named = [tokenizer.unk_token] if tokenizer.unk_token not in taken else extra
    return str(named[0] if named else tokenizer.convert_ids_to_tokens(0))


def score_head(model: Any) -> nn.Module:
    """The scalar head on the last token of a decoder. Raises ModelError if there is none."""
    for name, module in model.named_modules():
        if name.rsplit(".", 1)[-1] in ("score", "classifier") and hasattr(module, "forward"):
            return cast(nn.Module, module)
    raise ModelError(f"{type(model).__name__} has no scalar head named score or classifier.")


def reset_head(model: nn.Module) -> None:
    """A small new head: zero bias, weights of standard deviation 1/(hidden + 1), so that rewards start near 0."""
    head = score_head(model)
    for layer in head.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=1.0 / (layer.in_features + 1))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def refuse_new_weights(where: str, found: Mapping[str, Any], model: Any) -> None:
    """A loaded reward model whose head had to be made up would give random rewards."""
    missing = sorted(found.get("missing_keys", ()))
    if missing:
        raise ModelError(f"{where} is not a trained reward model: {', '.join(missing[:4])} are not in its files.")
    if getattr(model.config, "num_labels", 1) != 1:
        raise ModelError(f"{where} gives {model.config.num_labels} labels; a reward model gives one.")


@contextmanager
def quiet() -> Iterator[None]:
    """Loading without the report of newly drawn heads and without a bar: the head is new on purpose."""
    level = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()
