"""Every opening of a model's files by transformers: with transformers' own code only, and without a question.

First the folder's JSON files are read for code they would have run, then transformers opens configuration, tokenizer or
weights, told not to trust any. Knows the files of a model folder; knows not what the model is opened for.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assay.errors import AssayError, ForeignCodeError, ModelError, ModelNotFoundError, first_line
from assay.models.folder_faults import object_in, refuse_adapters, refuse_empty, refuse_quantised

if TYPE_CHECKING:
    from assay.models.transformers_types import AutoClass, Config, Tokenizer

OWN_CODE: dict[str, object] = {"trust_remote_code": False}
DATA_ONLY: dict[str, object] = {**OWN_CODE, "weights_only": True}  # of pickled weights, what is not a tensor is refused
_ATTENTION = ("attn_implementation", "_attn_implementation")


def open_config(folder: Path | str, **changes: object) -> Config:
    """The configuration in a model folder, `changes` over it. Raises ForeignCodeError, and what transformers raises."""
    from transformers import AutoConfig

    with own_code(folder):
        return cast("Config", AutoConfig.from_pretrained(folder, **changes, **OWN_CODE))


def open_tokenizer(folder: Path | str, **options: object) -> Tokenizer:
    """The tokenizer in a model folder. Raises ForeignCodeError, and what transformers raises."""
    from transformers import AutoTokenizer

    with own_code(folder):
        return cast("Tokenizer", AutoTokenizer.from_pretrained(folder, **options, **OWN_CODE))


def open_weights(kind: AutoClass, folder: Path | str, **options: object) -> Any:
    """The model in a folder as `kind`, one of transformers' auto classes; with it a report, where `options` ask for
    one.

    Raises ForeignCodeError, ModelError for pickled weights that hold more than tensors, and what transformers raises.
    """
    refuse_empty(folder)
    with own_code(folder):
        try:
            return kind.from_pretrained(folder, **options, **DATA_ONLY)
        except pickle.UnpicklingError:
            raise ModelError(
                f"{folder}: the pickled weights (.bin) are torn or hold more than tensors, which assay never runs. "
                "Take the model's safetensors, or write them with save_pretrained where you trust it."
            ) from None


def without_weights(kind: AutoClass, config: Config) -> Any:
    """The model of a configuration as `kind`, its shapes without memory. Raises what transformers raises."""
    import torch

    with torch.device("meta"):
        return kind.from_config(config, **OWN_CODE)


@contextmanager
def told_as(sentence: Callable[[str], str]) -> Iterator[None]:
    """Whatever a loader raises is a ModelNotFoundError: `sentence` about the first line of what it said.

    Caught as a kind and not one by one: a folder that is not whole makes loaders raise nearly anything, assertions and
    a missing key among it, and none of that is a mistake of assay's own.
    """
    try:
        yield
    except AssayError:
        raise
    except Exception as error:
        raise ModelNotFoundError(sentence(_said(error))) from None


def _said(error: Exception) -> str:
    """What an error says in one line; with the line after it where the first only announces it."""
    said = first_line(error)
    return " ".join(" ".join(str(error).strip().split("\n")[:2]).split()) if said.endswith(":") else said


@contextmanager
def own_code(folder: Path | str) -> Iterator[None]:
    """What needs code of its own is a ForeignCodeError: before transformers opens it, or once transformers says so."""
    refuse_foreign_code(folder)
    refuse_adapters(folder)
    refuse_quantised(folder)
    try:
        yield
    except ValueError as error:
        if "trust_remote_code" in str(error):
            raise foreign(folder, "code of its own", "its files need it") from None
        raise


def refuse_foreign_code(folder: Path | str, *, name: str | None = None) -> None:
    """Raises ForeignCodeError if a model folder names code to run that is not transformers' own.

    name: what the user calls the folder. A map to own code is let pass where transformers knows the kind of model:
    it then takes its own code. A tokenizer's is refused: another tokenizer may cut the same text into other tokens.
    """
    config, tokenizer = (object_in(Path(folder) / file) for file in ("config.json", "tokenizer_config.json"))
    where = folder if name is None else name
    if config.get("auto_map") and not _known(config):
        raise foreign(where, "code of its own", "auto_map in config.json")
    if (own := tokenizer.get("auto_map")) and (not isinstance(own, dict) or own.get("AutoTokenizer")):
        raise foreign(where, "a tokenizer with code of its own", "auto_map in tokenizer_config.json")
    for key, value in _attentions(config):
        if "/" in value:
            raise foreign(where, f"attention code from the hub, {value!r}", f"{key} in config.json")


def foreign(where: Path | str, what: str, found: str) -> ForeignCodeError:
    return ForeignCodeError(
        f"{where}: the model brings {what} ({found}), which assay never runs. Take a model of a kind that transformers "
        "knows by itself, or one that was converted to such a kind."
    )


def _known(config: Mapping[str, object]) -> bool:
    """Whether transformers has own code for all that assay would open of this configuration."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

    kind, own = config.get("model_type"), config["auto_map"]
    if not isinstance(own, dict) or not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        return False
    return "AutoModelForSequenceClassification" not in own or kind in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES


def _attentions(value: object) -> Iterator[tuple[str, str]]:
    """Every attention implementation that a configuration names, at any depth."""
    if isinstance(value, list):
        for one in value:
            yield from _attentions(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in _ATTENTION:
                names = inner.values() if isinstance(inner, dict) else [inner]
                yield from ((key, name) for name in names if isinstance(name, str))
            yield from _attentions(inner)
