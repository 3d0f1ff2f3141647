"""A reward model: a transformers sequence-classification model with one output, and the renderer it was trained with.

Knows rows of tokens and rewards; knows no pair, no loss and no optimiser. Letters: N rows.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from assay.artifacts.files import read_json, write_json
from assay.engine.forward import hidden_at, refusal
from assay.engine.headers import Header, packs_with_headers
from assay.engine.micro_batches import micro_batches, pass_tokens
from assay.errors import ArtifactError, EmptyBatchError, ModelError, ModelNotFoundError, first_line
from assay.models import fourbit
from assay.models.config import ModelConfig
from assay.models.head import float32_linear, head_layers
from assay.models.limits import most_tokens
from assay.models.modes import device_of
from assay.models.opening import open_config, open_weights
from assay.models.quiet import quiet
from assay.models.resolve import kind_of, locate
from assay.models.wrappers import unwrap
from assay.records import Text
from assay.render.encoder import Encoded, Renderer
from assay.rewards.new_model import new_model
from assay.rewards.padded_forward import check_positions, pooled_places, rewards_padded
from assay.version import versions

SCHEMA = "model/1"
Sharing = Literal["on", "off"]
_PACKAGES = ("assay", "torch", "transformers", "peft", "tokenizers")
_PROBE = ((3, 1, 4, 1, 5), (3, 1, 4, 2, 2, 6, 5))


class RewardModel:
    """`model` (transformers, with PEFT around it while adapters are trained) and its `renderer`.

    about: what assay.json says of a saved model; empty for one that is new or that others published.
    """

    def __init__(self, model: nn.Module, renderer: Renderer, *, about: Mapping[str, Any] | None = None) -> None:
        self.model, self.renderer = model, renderer
        self.about: dict[str, Any] = dict(about or {})
        self._reads_last: bool | None = None

    @classmethod
    def from_base(cls, config: ModelConfig, *, seed: int | None = None) -> RewardModel:
        """A reward model that is yet to be trained: the base's trunk, a new small head, adapters if asked for.

        seed: of all new weights; None takes torch's current seed. Raises ModelError and its kinds, ConfigError.
        """
        model, renderer, about = new_model(config, seed=torch.initial_seed() if seed is None else seed)
        return cls(model, renderer, about=about)

    @classmethod
    def load(cls, folder: Path | str, *, revision: str | None = None, device: str = "cpu") -> RewardModel:
        """A reward model from a folder assay wrote, or any sequence-classification model with one output, hub ids too.

        Raises ModelNotFoundError, ModelError for weights that are missing (they would be random), and ArtifactError if
        the tokenizer or template found there is not the one it was trained with.
        """
        path = Path(locate(str(folder), revision).folder)
        ours = (path / "assay.json").is_file()
        about = read_json(path / "assay.json", SCHEMA) if ours else {}
        model = open_model(path)
        renderer = Renderer.from_pretrained(path, adapt="published")
        if ours:
            _check_rendering(path, about["render"], renderer)
        return cls(model.to(device).eval(), renderer, about=about)

    @property
    def most_tokens(self) -> int | None:
        """The longest row the model has positions for, or None if it states no limit."""
        return most_tokens(self.model)

    @property
    def device(self) -> torch.device:
        return device_of(self.model)

    def encode(self, prompt: Text, answer: Text) -> Encoded:
        """One rendered row; see Renderer.encode."""
        return self.renderer.encode(prompt, answer)

    def rewards(self, encoded: Sequence[Encoded], *, sharing: Sharing = "on") -> Tensor:
        """Rewards of rows, float32, shape (N,), in the order given, differentiable; one forward pass.

        sharing "on": tokens of shared prompts run once where the model allows it; the rewards are the same.
        """
        if sharing == "off" or not self.shares(encoded):
            return rewards_padded(self.model, encoded)
        check_positions(self.model, encoded)
        return self._shared_rewards(encoded)

    @torch.no_grad()
    def score(
        self, encoded: Sequence[Encoded], *, micro_tokens: int | None = None, sharing: Sharing = "on"
    ) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Rewards of rows without gradient, float32, shape (N,), in the order given; equal rows are run once.

        micro_tokens: tokens in one forward pass, padding included (with sharing: distinct tokens); None: what suits the
        device. Runs in evaluation mode and leaves the model's mode as it was.
        """
        distinct = {row: place for place, row in enumerate(dict.fromkeys(encoded))}
        rows = list(distinct)
        if not rows:
            return np.zeros(0, dtype=np.float32)
        check_positions(self.model, rows)
        shared = sharing == "on" and self.shares(rows)
        budget = pass_tokens(micro_tokens, next(self.model.parameters()).device.type)
        found = np.zeros(len(rows), dtype=np.float32)
        training = self.model.training
        self.model.eval()
        try:
            if shared:
                groups = [[row.ids] for row in rows]
                for batch, header in packs_with_headers(self.model, groups, token_budget=budget):
                    found[batch] = self._shared_rewards([rows[i] for i in batch], header).cpu().numpy()
            else:
                for batch in micro_batches([len(row.ids) for row in rows], budget):
                    found[batch] = self.rewards([rows[i] for i in batch], sharing="off").cpu().numpy()
        finally:
            self.model.train(training)
        return found[[distinct[row] for row in encoded]]

    def save(self, folder: Path | str, provenance: Mapping[str, Any] | None = None) -> None:
        """A folder that plain transformers opens, with tokenizer, chat template and assay.json (written last).

        Adapters are merged into the weights and also stand in adapter/. provenance: what the model was trained on.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        with quiet():
            whole(self.model).save_pretrained(path)
            if hasattr(self.model, "peft_config"):
                # Resized embeddings hold a padding token no row contains; asking about them would ask the hub.
                self.model.save_pretrained(path / "adapter", save_embedding_layers=False)  # type: ignore[operator]
            self.renderer.save(path)
        kept = Renderer.from_pretrained(path, adapt="published")
        if kept.hash != self.renderer.hash:
            differ = [name for name, digest in kept.parts.items() if self.renderer.parts[name] != digest]
            raise ModelError(
                f"{path}: the {' and the '.join(differ)} does not come back from disk as it was saved, so the model "
                "would be served other rows than it was trained on. Take another base, or report this with its name."
            )
        body = {
            "kind": self.renderer.kind,
            **self.about,
            "render": {"hash": self.renderer.hash, "parts": self.renderer.parts, "notes": list(self.renderer.notes)},
            "trained_on": dict(provenance or {}),
            "versions": versions(_PACKAGES),
        }
        body.pop("schema", None)
        write_json(path / "assay.json", SCHEMA, body)

    def shares(self, rows: Sequence[Encoded]) -> bool:
        """Whether the tokens these rows share are run once; no for encoders and other models that cannot."""
        if not rows:
            raise EmptyBatchError("There are no rows to score. Give at least one rendered row.")
        if self.renderer.kind == "encoder" or refusal(self.model, [row.ids for row in rows]) is not None:
            return False
        if self._reads_last is None:
            self._reads_last = self._probe()
        return self._reads_last

    def _shared_rewards(self, encoded: Sequence[Encoded], header: Header | None = None) -> Tensor:
        places_N = pooled_places(self.model, encoded)
        ids = [row.ids for row in encoded]
        hidden_NH = hidden_at(self.model, ids, row_P=np.arange(len(ids)), place_P=places_N, header=header)
        return float32_linear(self._head(), hidden_NH)[:, 0]

    def _head(self) -> nn.Linear:
        layers = head_layers(self.model)
        trained = [layer for name, layer in layers.items() if ".modules_to_save." in name]
        return trained[0] if trained else next(iter(layers.values()))

    @torch.no_grad()
    def _probe(self) -> bool:
        """Whether the reward is one linear layer on the last token's hidden state, as it is for most decoders."""
        if not head_layers(self.model):
            return False
        pad = unwrap(self.model).config.get_text_config().pad_token_id  # type: ignore[union-attr, operator]
        rows = [Encoded(ids=tuple(i + (i == pad) for i in ids), prompt_tokens=1) for ids in _PROBE]
        training = self.model.training
        self.model.eval()
        try:
            with torch.autocast(device_of(self.model).type, enabled=False):
                plain_N = rewards_padded(self.model, rows)
                self._reads_last = True
                ours_N = self.rewards(rows)
        finally:
            self._reads_last = None
            self.model.train(training)
        return torch.allclose(plain_N, ours_N, rtol=1e-3, atol=1e-4)


def best_device() -> str:
    """Where to run on this machine: a GPU where torch sees one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def open_model(folder: Path | str) -> nn.Module:
    """A finished sequence-classification model in float32. Raises ModelNotFoundError, or ModelError if it is none."""
    from transformers import AutoModelForSequenceClassification

    with quiet():
        try:
            config = open_config(folder)
            kind_of(config)
            model, info = open_weights(
                AutoModelForSequenceClassification,
                folder,
                config=config,
                dtype=torch.float32,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ModelNotFoundError(
                f"{folder}: no reward model that transformers can open ({first_line(error)}). Give a folder that "
                "`assay reward` wrote, or a sequence-classification model by folder or Hugging Face id."
            ) from None
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelError(
            f"{folder}: {len(missing)} weights are not in the file ({', '.join(missing[:3])}), so its rewards would be "
            "random. It is a base model, or its head was not saved; give a trained reward model."
        )
    if config.num_labels != 1:
        raise ModelError(
            f"{folder}: the model has {config.num_labels} outputs; a reward model has one. Take another model."
        )
    found: nn.Module = model
    return found


def whole(model: nn.Module) -> Any:
    """The model as plain transformers has it: adapters merged into a copy, the model itself untouched."""
    if not hasattr(model, "peft_config"):
        return model
    merged = copy.deepcopy(model)
    if getattr(unwrap(merged), "is_loaded_in_4bit", False):
        fourbit.to_float(merged, unwrap(merged))
    return merged.merge_and_unload()  # type: ignore[operator]


def _check_rendering(folder: Path, saved: Mapping[str, Any], found: Renderer) -> None:
    if saved["hash"] == found.hash:
        return
    differ = [name for name, digest in found.parts.items() if saved["parts"].get(name) != digest]
    raise ArtifactError(
        f"{folder}: the {' and the '.join(differ)} found there would not give the token rows this model was trained on "
        "(assay.json holds their hashes). Restore the tokenizer files that were saved with the model; if none was "
        "changed, the installed tokenizers or transformers differs from the versions in assay.json."
    )
