"""`assay check` and `assay split`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from assay.artifacts.files import read_json
from assay.cli.data import register
from assay.data import read_pairs
from assay.errors import AssayError, ConfigError, InputError, SplitError

ROWS = [
    {"prompt": f"Q{n // 2}", "chosen": f"good {n}", "rejected": f"bad {n}", "category": "ab"[n % 3 == 0]}
    for n in range(60)
]


def run(*args: str) -> str:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, args)
    if isinstance(result.exception, AssayError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, [*ROWS, {"prompt": "Q"}])))
    return path


def test_check_writes_its_artifacts_and_a_summary(data: Path, tmp_path: Path) -> None:
    text = run("check", str(data), "--out", str(tmp_path / "out"))
    assert "61 rows" in text
    assert "60 pairs kept, 1 rejected" in text
    assert "missing_field" in text
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"contract.json", "rejects.jsonl", "review.jsonl"}


def test_json_output_is_the_contract(data: Path, tmp_path: Path) -> None:
    body = json.loads(run("check", str(data), "--out", str(tmp_path / "out"), "--json"))
    stored = read_json(tmp_path / "out" / "contract.json", "contract/1")
    assert body["rejects"] == stored["rejects"]


def test_split_writes_both_sides_in_the_native_layout(data: Path, tmp_path: Path) -> None:
    text = run("split", str(data), "--out", str(tmp_path / "out"), "--holdout", "10")
    assert "50 training and 10 held-out pairs" in text
    train, held_out = (read_pairs(tmp_path / "out" / f"{side}.jsonl").pairs for side in ("train", "held_out"))
    assert (len(train), len(held_out)) == (50, 10)
    proof = read_json(tmp_path / "out" / "split.json", "split/1")
    assert (proof["shared_groups"], proof["shared_prompts"]) == (0, 0)
    assert not {p.prompt for p in train} & {p.prompt for p in held_out}
    assert all(pair.group for pair in train + held_out)


def test_flags_reach_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("ask,one,two,who\nQ,x,y,1\nR,x,y,-1\nS,x,y,0\n")
    flags = ["--columns", "prompt=ask,left=one,right=two,label=who", "--labels", "1=left,-1=right,0=tie"]
    body = json.loads(run("check", str(path), "--out", str(tmp_path / "out"), "--json", *flags))
    assert (body["kept"], body["rejects"]["tie"]) == (2, 1)
    more = ["--set", "data.ties=keep", "--layout", "comparison"]
    body = json.loads(run("check", str(path), "--out", str(tmp_path / "out"), "--json", *flags, *more))
    assert (body["kept"], body["ties_kept"]) == (3, 1)


def test_an_impossible_size_names_the_possible(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="Nearest possible: 10 and 12"):
        run("split", str(data), "--out", str(tmp_path / "out"), "--holdout", "11")
    assert not (tmp_path / "out").exists()
    text = run("split", str(data), "--out", str(tmp_path / "out"), "--holdout", "11", "--set", "split.rounding=nearest")
    assert "11 were asked for" in text


def test_a_malformed_flag_is_a_usage_error(data: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["check", str(data), "--out", str(tmp_path), "--columns", "prompt"])
    assert result.exit_code == 2


WHOLE = """
data: {min_agreement: 0.7}
split: {holdout: 10}
train: {epochs: 2}
audit: {level: 0.9}
"""


def test_one_file_serves_all_commands(data: Path, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(WHOLE)
    config = ["--config", str(tmp_path / "all.yaml")]
    body = json.loads(run("check", str(data), "--out", str(tmp_path / "c"), "--json", *config))
    assert body["config"]["min_agreement"] == 0.7
    assert json.loads(run("split", str(data), "--out", str(tmp_path / "s"), "--json", *config))["pairs_held_out"] == 10


@pytest.mark.parametrize(
    ("command", "setting", "message"),
    [
        ("check", "train.epochs=3", "train is not an option of this command, which reads data"),
        ("check", "split.holdout=5", "split is not an option of this command, which reads data"),
        ("check", "criteria=x.yaml", "criteria is not an option of this command"),
        ("split", "model.base=minilm", "model is not an option of this command, which reads data and split"),
        ("split", "split.holdut=5", "did you mean holdout"),
        ("split", "tain.epochs=5", "tain is no option"),
    ],
)
def test_a_setting_that_the_command_does_not_read_is_an_error(
    data: Path, tmp_path: Path, command: str, setting: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(command, str(data), "--out", str(tmp_path / "out"), "--set", setting)


def test_a_mistake_in_another_commands_section_is_an_error_too(data: Path, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("train: {epoch: 3}\n")
    with pytest.raises(ConfigError, match=r"train\.epoch is no option.*did you mean epochs"):
        run("check", str(data), "--out", str(tmp_path / "out"), "--config", str(tmp_path / "all.yaml"))


def test_rows_of_candidates_are_counted_as_their_comparisons(tmp_path: Path) -> None:
    path = tmp_path / "ranked.jsonl"
    rows = [{"prompt": f"Q{n}", "answers": [f"{n}a", f"{n}b", f"{n}c"], "ranks": [1, 2, 3]} for n in range(20)]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    text = run("check", str(path), "--out", str(tmp_path / "out"))
    assert "60 rows: 60 pairs kept, 0 rejected" in text
    assert "60 answers to 20 prompts; each of the 60 comparisons between them counts as a row" in text
    best = json.loads(run("check", str(path), "--out", str(tmp_path / "b"), "--json", "--set", "data.derive=best"))
    assert (best["rows"], best["candidates"]) == (40, {"rows": 20, "answers": 60, "comparisons": 40})
    run("split", str(path), "--holdout", "12", "--out", str(tmp_path / "s"))
    assert {pair.weight for pair in read_pairs(tmp_path / "s" / "train.jsonl").pairs} == {1 / 3}


def test_every_column_is_on_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps({**row, "model": "m", "empty": None}) for row in ROWS))
    text = run("check", str(path), "--out", str(tmp_path / "out"))
    assert "columns    category, chosen, prompt, rejected\nunused     model\n" in text


def test_a_file_without_a_pair_is_an_error_that_says_what_it_looks_like(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(orjson.dumps({"rows": ROWS}, option=orjson.OPT_INDENT_2))
    with pytest.raises(InputError, match=r"no usable pair .* bad_json.* several lines.*jq -c '\.rows\[\]'"):
        run("check", str(path), "--out", str(tmp_path / "out"))
    assert (tmp_path / "out" / "rejects.jsonl").exists()


def test_a_column_that_would_be_lost_is_an_error_until_it_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps({**row, "tools": ["t"]}) for row in ROWS))
    with pytest.raises(InputError, match="'tools'"):
        run("check", str(path), "--out", str(tmp_path / "out"))
    assert "ignored    tools" in run("check", str(path), "--out", str(tmp_path / "out"), "--set", "data.ignore=[tools]")
