"""Put a PEFT adapter on its base and merge it; refuses an adapter that was made for another model.

PEFT leaves out weights of an adapter that find no place and says so in a warning at most, so what was put on is held
against what stands in the file. Knows PEFT's folders; knows not what the model is for.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from torch import nn

from assay.errors import ModelError, ModelNotFoundError, first_line
from assay.models.folder_faults import ADAPTER, shapes_in
from assay.models.quiet import quiet


def with_adapter(model: nn.Module, folder: Path | str, *, base: str) -> nn.Module:
    """The model with the adapter in `folder` merged into its weights, which it changes.

    Raises ModelNotFoundError for a folder without one, ModelError for an adapter of another base or another kind.
    """
    from peft import PeftModel
    from peft.utils import get_peft_model_state_dict

    path = Path(folder).expanduser()
    if not (path / ADAPTER).is_file():
        raise ModelNotFoundError(f"{folder}: no adapter there ({ADAPTER} is missing). Give a folder that PEFT wrote.")
    try:
        with quiet():
            adapted = PeftModel.from_pretrained(model, str(path))
            there = {name: tuple(part.shape) for name, part in get_peft_model_state_dict(adapted).items()}
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"{folder}: the adapter does not fit {base} ({first_line(error)}). Give the base it was trained on, which "
            f"stands in its {ADAPTER}."
        ) from None
    if getattr(adapted.active_peft_config, "is_prompt_learning", False):
        raise ModelError(
            f"{folder}: prompt and prefix tuning have no weights that could be merged. Give a LoRA adapter."
        )
    stored = shapes_in(path)
    amiss = sorted(name for name in {*stored, *there} if stored and stored.get(name) != there.get(name))
    if amiss:
        raise ModelError(
            f"{folder}: the adapter does not fit {base}: {len(amiss)} of its weights have no place there or another "
            f"shape ({', '.join(amiss[:2])}). Give the base it was trained on, which stands in its {ADAPTER}."
        )
    return cast("nn.Module", adapted.merge_and_unload())
