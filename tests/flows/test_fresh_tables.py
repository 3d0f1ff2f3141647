"""KL over training and outside figures from files: read with the place of whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.files import write_jsonl
from assay.errors import InputError
from assay.flows.fresh_tables import KpiSource, read_drift, read_kpis

GOOD = "version,reward,human_preference,csat,refund_rate\nv1,0.2,0.5,4.2,4%\nv2,0.5,0.6,,5%\nv3,0.9,0.6,4.0,5%\n"


def written(folder: Path, text: str, name: str = "kpis.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_with_a_gap_a_share_and_directions(tmp_path: Path) -> None:
    found = read_kpis(KpiSource(kpis=written(tmp_path, GOOD), lower=("refund_rate",)))
    assert found.versions == ["v1", "v2", "v3"]
    assert found.figures == {"csat": [4.2, None, 4.0], "refund_rate": [0.04, 0.05, 0.05]}
    assert found.preference == [0.5, 0.6, 0.6]
    assert [(one.kpi, one.before, one.after) for one in found.falls] == [
        ("csat", "v1", "v3"), ("refund_rate", "v1", "v2"),
    ]  # fmt: skip
    assert found.correlations == {"csat": None, "refund_rate": None}


def test_the_reward_may_stand_elsewhere_and_is_joined_by_version(tmp_path: Path) -> None:
    kpis = written(tmp_path, "version,csat\nv1,4\nv2,3\nv3,2\n")
    rewards = written(tmp_path, "version,reward\nv3,0.9\nv1,0.1\n", "rewards.csv")
    found = read_kpis(KpiSource(kpis=kpis, rewards=rewards))
    assert found.reward == [0.1, None, 0.9]
    with pytest.raises(InputError, match="no column 'reward'"):
        read_kpis(KpiSource(kpis=kpis))
    with pytest.raises(InputError, match="none of its versions"):
        read_kpis(KpiSource(kpis=kpis, rewards=written(tmp_path, "version,reward\nw1,1\n", "other.csv")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no rows"),
        ("version,reward,csat\n", "no rows"),
        ("name,reward,csat\na,1,2\n", "no column 'version'"),
        ("version,reward\nv1,1\n", "no figure beside"),
        ("version,reward,csat\nv1,1,2\nv1,2,3\n", ":3: version 'v1' stands on line 2 too"),
        ("version,reward,csat\n,1,2\n", ":2: no version"),
        ("version,reward,csat\nv1,1\n", ":2: 2 cells under 3 columns"),
        ("version,reward,csat\nv1,1,high\n", ":2: csat is 'high', which is no number"),
        ("version,reward,csat\nv1,inf,1\n", ":2: reward is 'inf', which is not finite"),
        ("version,reward,csat,csat\nv1,1,1,1\n", "'csat' stands twice"),
    ],
)
def test_bad_tables_say_where(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_kpis(KpiSource(kpis=written(tmp_path, text)))


def test_a_direction_of_no_figure_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'refunds' is no figure of it"):
        read_kpis(KpiSource(kpis=written(tmp_path, GOOD), lower=("refunds",)))
    with pytest.raises(InputError, match="cannot be read"):
        read_kpis(KpiSource(kpis=tmp_path / "none.csv"))


def test_drift_of_a_run_of_a_file_and_of_a_table(tmp_path: Path) -> None:
    for seed, kl in ((0, 1.5), (1, 2.5)):
        rows = [{"step": 0, "held_out_kl": 0.0}, {"step": 5, "loss": 0.6}, {"step": 10, "held_out_kl": kl}]
        (tmp_path / f"seed-{seed}").mkdir()
        write_jsonl(tmp_path / f"seed-{seed}" / "metrics.jsonl", rows)
    found = read_drift(tmp_path)
    assert {name: [(one.step, one.kl) for one in points] for name, points in found.lines.items()} == {
        "seed-0": [(0, 0.0), (10, 1.5)], "seed-1": [(0, 0.0), (10, 2.5)],
    }  # fmt: skip
    assert len(read_drift(tmp_path / "seed-0").lines["seed-0"]) == 2
    table = written(tmp_path, "step,kl\n0,0\n100,3.5\n", "kl.csv")
    assert [one.kl for one in read_drift(table).lines["kl"]] == [0.0, 3.5]


def test_drift_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_drift(tmp_path / "none")
    with pytest.raises(InputError, match=r"no seed-N/metrics\.jsonl"):
        read_drift(tmp_path)
    write_jsonl(tmp_path / "metrics.jsonl", [{"step": 0, "loss": 1.0}])
    with pytest.raises(InputError, match="no step has a KL"):
        read_drift(tmp_path)
    with pytest.raises(InputError, match="no column 'kl'"):
        read_drift(written(tmp_path, "step,divergence\n1,2\n", "kl.csv"))
    with pytest.raises(InputError, match="a whole number"):
        read_drift(written(tmp_path, "step,kl\n1.5,2\n", "kl.csv"))
