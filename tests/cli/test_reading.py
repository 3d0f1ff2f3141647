"""One way to tell a command how to read pairs, and a choice on the command line is the configuration's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from assay.artifacts.files import write_jsonl
from assay.cli import main
from assay.cli.options import Sharing
from assay.cli.reading import UNSET, DataOptions, with_data_options
from assay.config import StageConfig
from assay.data.config import CheckConfig, SplitRunConfig
from assay.data.native_rows import as_native
from assay.errors import ConfigError, InputError
from assay.flows.audit import ScorerAuditConfig
from assay.flows.compare import ScorerCompareConfig
from assay.flows.project_config import ProjectConfig
from assay.flows.score import ScoreConfig
from assay.models.config import ModelConfig
from assay.train.config import TrainConfig
from assay.train.reward_config import RewardConfig
from tests.support import tiny_bases as tiny

READING = ["--layout", "--columns", "--labels", "--objective", "--config", "--set"]


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


def test_on_and_off_are_words_where_an_option_takes_them(tmp_path: Path) -> None:
    """YAML reads both as true and false; elsewhere they stay what they are."""
    file = tmp_path / "options.yaml"
    file.write_text("train: {sharing: off}\n")
    found = DataOptions(config=file, sets=["regularise.odin=on"]).settings(RewardConfig)
    assert (found.train.sharing, found.regularise.odin) == ("off", "on")
    with pytest.raises(ConfigError, match=r"train\.precision"):
        DataOptions(sets=["train.precision=on"]).settings(RewardConfig)


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


WHOLE = """
data: {min_agreement: 0.7}
split: {holdout: 2}
train: {epochs: 2}
audit: {level: 0.9}
probes: {names: none, pairs: 50}
remote: {kind: vllm, url: "http://127.0.0.1:9", concurrency: 4}
compare: {level: 0.9}
criteria: criteria.yaml
"""


@pytest.mark.parametrize(
    "kind", [CheckConfig, SplitRunConfig, ScoreConfig, ScorerAuditConfig, ScorerCompareConfig, RewardConfig]
)
def test_one_file_serves_every_command(kind: type[StageConfig], tmp_path: Path) -> None:
    file = tmp_path / "assay.yaml"
    file.write_text(WHOLE)
    found = DataOptions(config=file).settings(kind, family=ProjectConfig)
    assert found.model_dump()["data"]["min_agreement"] == 0.7
    file.write_text(WHOLE + "reward: {base: minilm}\n")  # no section of any command
    with pytest.raises(ConfigError, match="reward is no option"):
        DataOptions(config=file).settings(kind, family=ProjectConfig)
    file.write_text(WHOLE.replace("concurrency", "concurrent"))  # a section of another command, spelled wrongly
    with pytest.raises(ConfigError, match=r"remote\.concurrent is no option"):
        DataOptions(config=file).settings(kind, family=ProjectConfig)


def test_commands_take_the_file_whose_server_they_do_not_ask(tmp_path: Path) -> None:
    """Options of a server stand idle in the file; one that is set for a scorer without a server is a mistake."""
    file, pairs = tmp_path / "assay.yaml", tmp_path / "pairs.jsonl"
    file.write_text(WHOLE)
    write_jsonl(pairs, [as_native(pair) for pair in tiny.pairs(12)])
    given = [str(pairs), "--config", str(file), "--out"]
    calls = [
        ["check", *given, "checked"],
        ["split", *given, "sides"],
        ["score", "baseline:longest", *given, "scores.jsonl"],
        ["audit", "baseline:longest", *given, "audited"],
        ["compare", "baseline:longest", "baseline:shortest", *given, "compared"],
    ]
    for call in calls:
        done = CliRunner().invoke(main.build(), [*call[:-1], str(tmp_path / call[-1])], catch_exceptions=False)
        assert done.exit_code in (0, 1, 3), (call[0], done.output)
    with pytest.raises(InputError, match=r"asked over no network, so remote\.concurrency"):
        CliRunner().invoke(
            main.build(),
            [*calls[3][:-1], str(tmp_path / "other"), "--set", "remote.concurrency=2"],
            catch_exceptions=False,
        )
