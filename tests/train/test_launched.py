"""What a launcher asks for is had, or refused in words that name the way out; ready-made configurations are had."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from assay.errors import ConfigError
from assay.models.config import ModelConfig
from assay.train.compile_choice import CompileChoice, refuse_in_parts
from assay.train.config import RegulariseConfig
from assay.train.launched import Held, asked
from assay.train.regularise_checks import check_regularise

TWO = {"WORLD_SIZE": "2"}
FSDP2 = {**TWO, "ACCELERATE_USE_FSDP": "true", "FSDP_VERSION": "2"}


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        pytest.param({}, Held(), id="one process"),
        pytest.param(TWO, Held(), id="DDP"),
        pytest.param(FSDP2, Held(in_parts=True), id="FSDP2"),
        pytest.param(
            {**FSDP2, "FSDP_RESHARD_AFTER_FORWARD": "False"}, Held(in_parts=True, parts_between=False), id="as ZeRO-2"
        ),
        pytest.param({**FSDP2, "WORLD_SIZE": "1"}, Held(), id="one process has nobody to hold the rest"),
    ],
)
def test_how_weights_are_held(environment: dict[str, str], found: Held) -> None:
    assert asked(environment) == found


@pytest.mark.parametrize(
    ("environment", "way_out"),
    [
        ({**TWO, "ACCELERATE_USE_DEEPSPEED": "true"}, "fsdp2_zero2.yaml"),
        ({**TWO, "ACCELERATE_USE_MEGATRON_LM": "true"}, "ddp.yaml"),
        ({**TWO, "ACCELERATE_USE_PARALLELISM_CONFIG": "true"}, "ddp.yaml"),
        ({**TWO, "ACCELERATE_USE_FSDP": "true"}, "fsdp_version: 2"),
        ({**FSDP2, "FSDP_OFFLOAD_PARAMS": "true"}, "Take more devices"),
        ({**FSDP2, "FSDP_ACTIVATION_CHECKPOINTING": "true"}, "train.gradient_checkpointing=on"),
    ],
)
def test_what_cannot_be_had_is_refused(environment: dict[str, str], way_out: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(way_out)):
        asked(environment)


def test_every_ready_made_configuration_is_one_that_is_had() -> None:
    """The names that accelerate gives a file's entries (accelerate/utils/launch.py); launching them is a slow test."""
    found = {}
    for path in (Path(__file__).parents[2] / "examples" / "accelerate").glob("*.yaml"):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        entries = told.get("fsdp_config", {})
        environment = {**TWO, **{name.upper(): str(value).lower() for name, value in entries.items()}}
        found[path.name] = asked({**environment, "ACCELERATE_USE_FSDP": str(told["distributed_type"] == "FSDP")})
        assert told["mixed_precision"] == "no"
    assert found == {
        "ddp.yaml": Held(),
        "fsdp2.yaml": Held(in_parts=True),
        "fsdp2_zero2.yaml": Held(in_parts=True, parts_between=False),
    }


@pytest.mark.parametrize("asked_for", [{"odin": "on"}, {"text": 0.1}])
def test_what_needs_whole_weights_is_refused_in_parts(asked_for: dict[str, object]) -> None:
    config, model = RegulariseConfig.build(asked_for), ModelConfig(dropout=0.0)
    check_regularise(config, model, kind="decoder")
    with pytest.raises(ConfigError, match=re.escape("ddp.yaml")):
        check_regularise(config, model, kind="decoder", in_parts=True)


@pytest.mark.parametrize(("kept", "who"), [(False, "train.compile=on"), (True, "this run began")])
def test_compiled_layers_are_refused_in_parts(kept: bool, who: str) -> None:
    for plain in (None, CompileChoice(asked="auto", used="off", reason="short")):
        refuse_in_parts(plain)
    with pytest.raises(ConfigError, match=who):
        refuse_in_parts(CompileChoice(asked="on", used="on", reason="asked", kept=kept))
