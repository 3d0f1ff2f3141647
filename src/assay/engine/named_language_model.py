"""A language model by any name people have for one: a folder, a catalogue name, a hub id, or adapters on a base.

Knows names and fingerprints; knows not what the model is asked.
"""

from __future__ import annotations

from assay.artifacts.files import sha256_json
from assay.engine.language_model import LanguageModel
from assay.models.adapter_folder import adapter_and_base
from assay.models.adapters import with_adapter
from assay.models.resolve import folder_fingerprint, resolve


def named_language_model(name: str, *, device: str = "auto") -> LanguageModel:
    """The model called `name`, adapters added into their base. Raises ModelError and its kinds, as the loaders do."""
    adapted = adapter_and_base(name)
    if adapted is None:
        return LanguageModel.load(name, device=device)
    folder, base = adapted
    found = LanguageModel.load(base, device=device)
    model = with_adapter(found.model, folder, base=base).eval()
    return LanguageModel(model, found.tokenizer, name=name)


def language_model_fingerprint(name: str) -> str:
    """`sha256:...` or `hub:...` of the model's bytes, base and adapters alike. Opens no weights."""
    adapted = adapter_and_base(name)
    if adapted is None:
        return resolve(name).fingerprint
    folder, base = adapted
    return sha256_json({"adapters": folder_fingerprint(folder), "base": resolve(base).fingerprint})
