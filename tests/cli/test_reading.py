"""One way to tell a command how to read pairs, and a choice on the command line is the configuration's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from assay.cli import main
from assay.cli.options import Sharing
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.config import StageConfig
from assay.errors import ConfigError
from assay.models.config import ModelConfig
from assay.train.config import TrainConfig
from assay.train.reward_config import RewardConfig

READING = ["--layout", "--columns", "--labels", "--config", "--set"]


def command(name: str) -> Any:
    group: Any = typer.main.get_command(main.build())
    return group.commands[name]


@pytest.mark.parametrize("name", ["check", "split", "reward", "score", "audit"])
def test_the_options_of_reading_are_the_same_everywhere(name: str) -> None:
    flags = [option for parameter in command(name).params for option in parameter.opts]
    place = flags.index("--layout")
    assert flags[place : place + len(READING)] == READING


@pytest.mark.parametrize(
    ("flag", "config", "field"),
    [
        ("--tuning", ModelConfig, "tuning"),
        ("--precision", TrainConfig, "precision"),
        ("--compile", TrainConfig, "compile"),
        ("--sharing", TrainConfig, "sharing"),
    ],
)
def test_a_choice_on_the_command_line_is_the_configuration_s(flag: str, config: type[StageConfig], field: str) -> None:
    refused = CliRunner(env={"COLUMNS": "200"}).invoke(main.build(), ["reward", "x", "--out", "y", flag, "other"])
    choices = ", ".join(map(repr, get_args(config.model_fields[field].annotation)))
    assert (refused.exit_code, f"'other' is not one of {choices}." in refused.output) == (2, True)


def test_flags_stand_over_the_file_and_settings_over_both(tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text("data: {layout: hh, min_agreement: 0.7, seed: 3}\ntrain: {epochs: 4}\n")
    options = DataOptions(layout="chatbot", columns=["prompt=question"], config=file, sets=["data.seed=5"])
    found = options.settings(RewardConfig, {"train.epochs": 1.5, "model.base": None})
    assert (found.data.layout, found.data.min_agreement, found.data.seed) == ("chatbot", 0.7, 5)
    assert found.data.columns == {"prompt": "question"}
    assert (found.train.epochs, found.model.base) == (1.5, RewardConfig().model.base)
    with pytest.raises(ConfigError, match=r"data\.nothing"):
        DataOptions(sets=["data.nothing=1"]).settings(RewardConfig)
    with pytest.raises(typer.BadParameter, match="name=name"):
        DataOptions(labels=["1"]).settings(RewardConfig)


def test_a_command_is_called_with_what_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    @with_data_options
    def look(
        data: Annotated[str, typer.Argument()], sharing: Sharing = None, options: DataOptions = UNSET, last: int = 1
    ) -> None:
        print(data, sharing, options == DataOptions(layout="hh", sets=["a=1", "b=2"]), last)

    app = typer.Typer()
    app.command()(look)
    with pytest.raises(SystemExit):
        app(["rows", "--layout", "hh", "--set", "a=1", "--set", "b=2", "--sharing", "off", "--last", "4"])
    assert capsys.readouterr().out == "rows off True 4\n"


@pytest.mark.parametrize("option", ["--columns", "--labels"])
def test_a_name_given_twice_is_an_error(option: str, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        main.build(), ["check", "x.jsonl", "--out", str(tmp_path), option, "a=left,b=right,a=tie"]
    )
    assert told.exit_code == 2
    assert "a is given twice: left and tie" in told.output.replace("\n", " ").replace("│", "").replace("  ", " ")
