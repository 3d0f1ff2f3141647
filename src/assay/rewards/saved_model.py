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
from assay.errors import ArtifactError, ModelError, ModelNotFoundError, first_line
from assay.models import fourbit
from assay.models.local_model import kind_of
from assay.models.opening import open_config, open_weights
from assay.models.quiet import quiet
from assay.models.wrappers import unwrap
from assay.render.encoder import Renderer
from assay.version import versions

ABOUT = "assay.json"
_PACKAGES = ("assay", "torch", "transformers", "peft", "tokenizers")


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
    outputs = getattr(config, "num_labels", None)
    if outputs != 1:
        raise ModelError(f"{folder}: the model has {outputs} outputs; a reward model has one. Take another model.")
    found: nn.Module = model
    return found


def open_with_renderer(folder: Path) -> tuple[nn.Module, Renderer, Origin | None]:
    """The model, the renderer of its folder, and what it was made from where assay made it.

    Raises as `open_model`, and ArtifactError if the tokenizer or template found is not the one it was trained with.
    """
    body = ModelBody.read(folder / ABOUT) if (folder / ABOUT).is_file() else None
    model = open_model(folder)
    renderer = Renderer.from_pretrained(folder, adapt="published")
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


def save(
    model: nn.Module, renderer: Renderer, folder: Path, *, origin: Origin | None, trained_on: Mapping[str, JsonValue]
) -> None:
    """Write the folder. Raises ModelError if the tokenizer does not come back from disk as it was saved."""
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        whole(model).save_pretrained(folder)  # type: ignore[operator]
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
