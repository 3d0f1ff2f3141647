"""A reward model on disk: opened as plain transformers opens it, written so that plain transformers can.

Beside the weights stand the tokenizer with its template, and assay.json, written last, which says what the model was
made from and trained on. Adapters are merged into the weights and also stand in adapter/. Knows folders; runs no row.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import JsonValue
from torch import nn

from assay.artifacts.model_body import ModelBody, Origin, Rendering
from assay.errors import ArtifactError, ConfigError, ModelError
from assay.models import fourbit
from assay.models.limits import vocabulary
from assay.models.local_model import Kind, kind_of
from assay.models.opening import open_config, open_weights, told_as
from assay.models.quiet import quiet
from assay.models.transformers_types import config_of
from assay.models.wrappers import unwrap
from assay.render.encoder import Renderer
from assay.rewards.leftovers import check_shapes, check_whole
from assay.rewards.padded_forward import pad_id
from assay.version import versions

ABOUT = "assay.json"
_PACKAGES = ("assay", "torch", "transformers", "peft", "tokenizers")


def open_model(folder: Path | str) -> nn.Module:
    """A finished sequence-classification model in float32. Raises ModelNotFoundError, or ModelError if it is none."""
    from transformers import AutoModelForSequenceClassification

    with quiet(), told_as(lambda why: _not_openable(folder, why)):
        config = open_config(folder)
        kind = kind_of(config)
        model, info = open_weights(
            AutoModelForSequenceClassification,
            folder,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, by name
        )
    check_shapes(folder, info["mismatched_keys"])
    check_whole(Path(folder), missing=set(info["missing_keys"]), unused=set(info["unexpected_keys"]))
    outputs = getattr(config, "num_labels", None)
    if outputs != max(1, len(_heads(Path(folder)))):
        raise ModelError(f"{folder}: the model has {outputs} outputs; a reward model has one. Take another model.")
    found: nn.Module = model
    _check_padding(found, folder, kind)
    return found


def _heads(folder: Path) -> tuple[str, ...]:
    """The objectives assay trained a head for, by assay.json; none of any other model."""
    about = folder / ABOUT
    heads = (ModelBody.read(about).config or {}).get("heads") if about.is_file() else None
    return tuple(map(str, heads)) if isinstance(heads, list) else ()


def _not_openable(folder: Path | str, why: str) -> str:
    return (
        f"{folder}: no reward model that transformers can open ({why}). Give a folder that `assay reward` wrote, or a "
        "sequence-classification model by folder or Hugging Face id."
    )


def _check_padding(model: nn.Module, folder: Path | str, kind: Kind) -> None:
    """transformers finds the end of a decoder's row by its padding token, which therefore must be one."""
    pad, table = pad_id(model), vocabulary(model)
    if (pad is None and kind == "decoder") or (pad is not None and not 0 <= pad < table):
        raise ModelError(
            f"{folder}: pad_token_id in config.json is {'null' if pad is None else pad}, and the model's tokens are 0 "
            f"to {table - 1}, so the end of a row cannot be found. Set it to the padding token it was trained with."
        )


def open_with_renderer(folder: Path, *, template: str | None = None) -> tuple[nn.Module, Renderer, Origin | None]:
    """The model, the renderer of its folder, and what it was made from where assay made it.

    template: for a model that others published, as Renderer.from_pretrained takes it. Raises as `open_model` and
    Renderer.from_pretrained, and ArtifactError if the tokenizer or template found is not the one it was trained with.
    """
    body = ModelBody.read(folder / ABOUT) if (folder / ABOUT).is_file() else None
    if body is not None and template is not None:
        raise ConfigError(f"{folder}: the template it was trained with is saved with it. Leave the template out.")
    model = open_model(folder)
    renderer = Renderer.from_pretrained(folder, adapt="published", template=template)
    _check_tokens(model, renderer, folder)
    if body is None:
        return model, renderer, None
    if body.render.hash != renderer.hash:
        differ = [name for name, digest in renderer.parts.items() if body.render.parts.get(name) != digest]
        raise ArtifactError(
            f"{folder}: the {' and the '.join(differ)} found there would not give the token rows this model was "
            "trained on (assay.json holds their hashes). Restore the tokenizer files that were saved with the model; "
            "if none was changed, the installed tokenizers or transformers differs from the versions in assay.json."
        )
    return model, renderer, body.origin


def _check_tokens(model: nn.Module, renderer: Renderer, folder: Path) -> None:
    """A tokenizer may have tokens that the model has not; its rows must do without them, else none can be scored."""
    table = vocabulary(model)
    if len(renderer.tokenizer) > table and max(renderer.encode("a", "b").ids) >= table:
        raise ModelError(
            f"{folder}: the tokenizer has {len(renderer.tokenizer)} tokens, the model {table}, and every row would "
            "have one that the model has not. The tokenizer is another model's, or the table was not resized."
        )


def save(
    model: nn.Module, renderer: Renderer, folder: Path, *, origin: Origin | None, trained_on: Mapping[str, JsonValue]
) -> None:
    """Write the folder of a reward model. Raises as `write`."""
    with quiet():
        saved = whole(model)
    config_of(saved).problem_type = "regression"  # by which servers return the reward and not its sigmoid
    write(saved, model, renderer, folder, origin=origin, trained_on=trained_on)


def write(
    saved: nn.Module,
    model: nn.Module,
    renderer: Renderer,
    folder: Path,
    *,
    origin: Origin | None,
    trained_on: Mapping[str, JsonValue],
) -> None:
    """Write any model's folder: `saved`, which is `whole(model)`, the adapters of `model` beside it, and assay.json.

    Raises ModelError if the tokenizer does not come back from disk as it was saved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        saved.save_pretrained(folder)  # type: ignore[operator]
        if hasattr(model, "peft_config"):
            # Resized embeddings hold a padding token no row contains; asking about them would ask the hub.
            model.save_pretrained(folder / "adapter", save_embedding_layers=False)  # type: ignore[operator]
        renderer.save(folder)
    # Read back at once: a tokenizer that changes on its way through the disk would be found out only in serving.
    kept = Renderer.from_pretrained(folder, adapt="published")
    if kept.hash != renderer.hash:
        differ = [name for name, digest in kept.parts.items() if renderer.parts[name] != digest]
        raise ModelError(
            f"{folder}: the {' and the '.join(differ)} does not come back from disk as it was saved, so the model "
            "would be served other rows than it was trained on. Take another base, or report this with its name."
        )
    about = {} if origin is None else {"base": origin.base, "config": origin.config, "new_weights": origin.new_weights}
    ModelBody(
        kind=renderer.kind,
        **about,
        render=Rendering(hash=renderer.hash, parts=renderer.parts, notes=renderer.notes),
        trained_on=dict(trained_on),
        versions=versions(_PACKAGES),
    ).write(folder / ABOUT)


def whole(model: nn.Module) -> nn.Module:
    """The model as plain transformers has it: adapters merged into a copy, the model itself untouched."""
    if not hasattr(model, "peft_config"):
        return model
    # Merging takes the adapters apart, and the model in memory still has to be checked against what was saved.
    merged = copy.deepcopy(model)
    if getattr(unwrap(merged), "is_loaded_in_4bit", False):
        fourbit.to_float(merged, unwrap(merged))
    found: nn.Module = merged.merge_and_unload()  # type: ignore[operator]
    return found
