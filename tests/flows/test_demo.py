"""The demo says how long it will take before it begins, and not again where it only goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.flows import demo


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.0, "10 s"), (44.0, "40 s"), (100.0, "2 min"), (290.0, "5 min"), (7800.0, "2 h 10 min")]
)
def test_time_as_one_says_it(seconds: float, words: str) -> None:
    assert demo.spoken(seconds) == words


def test_a_new_run_is_told_its_time_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    monkeypatch.setattr(demo, "seconds_in_all", lambda *_: 240.0)
    monkeypatch.setattr(demo, "run_reward", lambda *_, **__: happened.append("run"))
    out = tmp_path / "demo"
    demo.run_demo(out, pairs=60, seed=0, command="", notify=happened.append)
    assert happened[0].startswith("simulated  60 labelled pairs")
    assert happened[1].startswith("time       about 4 min")
    assert happened[2:] == ["run"]
    out.mkdir()
    happened.clear()
    demo.run_demo(out, pairs=60, seed=0, command="", notify=happened.append)
    assert len(happened) == 2
    assert not any("about" in line for line in happened)
