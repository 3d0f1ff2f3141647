"""A folder of PEFT adapters (LoRA) beside the base they were trained on: the whole model they make together.

Which base is read from adapter_config.json, or named after an @ behind the folder. Knows adapter folders; knows not
what the model is for.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import cast

from torch import nn

from assay.errors import ModelError, first_line
from assay.models.folder_faults import ADAPTER, object_in
from assay.models.quiet import quiet

WEIGHTS = "adapter_model.safetensors"


def adapter_and_base(name: str) -> tuple[Path, str] | None:
    """The folder of adapters that `name` is and the base it goes on, or None where it is no such folder.

    name: FOLDER, or FOLDER@BASE where the base lies elsewhere than the folder says. Raises ModelError for adapters
    that name no base, or whose weights are not safetensors.
    """
    folder, base = Path(name).expanduser(), ""
    if not folder.is_dir() and "@" in name:
        place, _, base = name.rpartition("@")
        folder = Path(place).expanduser()
    if not (folder / ADAPTER).is_file():
        return None
    base = base or str(object_in(folder / ADAPTER).get("base_model_name_or_path") or "")
    if not base:
        raise ModelError(f"{folder}: {ADAPTER} names no base. Give it behind the folder: {folder}@BASE.")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(
            f"{folder}: adapters without {WEIGHTS}; pickled ones may hold more than tensors and are not opened. Save "
            "them with save_pretrained."
        )
    return folder, base


def with_adapters(model: nn.Module, folder: Path, *, base: str) -> nn.Module:
    """The base with the adapters of `folder` added into its weights. Raises ModelError where they do not fit it."""
    from peft import PeftModel

    with quiet(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            tuned = PeftModel.from_pretrained(model, str(folder))
        except (ValueError, RuntimeError, KeyError, TypeError) as error:
            raise ModelError(
                f"{folder}: these adapters do not fit {base} ({first_line(error)}). They were trained on another base; "
                f"name that one: {folder}@BASE."
            ) from None
        # PEFT only warns of adapters that it found no place for, and the model would then be the bare base.
        for one in said:
            if "adapter keys" in str(one.message):
                raise ModelError(
                    f"{folder}: some layers of {base} got no weights from these adapters ({one.message}). "
                    f"They were trained on another base; name that one: {folder}@BASE."
                )
        return cast("nn.Module", tuned.merge_and_unload())
