"""Tables that stand beside a reward on fresh pairs: KL over a training's steps, and outside figures by policy version.

Read from a run's metrics.jsonl or from CSV, with the file, line and column of whatever cannot be read.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.artifacts.fresh_body import DriftBody, DriftPoint, KpiBody, KpiFallBody
from assay.audits.fresh.kpi_table import KpiTable, kpi_falls, rank_correlations
from assay.data.sources.json_rows import json_objects
from assay.errors import InputError

METRICS = "metrics.jsonl"
KL = ("held_out_kl", "kl")  # as a DPO run writes it, and plainly
VERSION, REWARD, PREFERENCE = "version", "reward", "human_preference"
EMPTY = ("", "-", "na", "n/a", "null", "none", "nan")  # a version may lack a figure; it is unknown then, and not 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiSource:
    """kpis: version and figures. rewards: a second table that has the reward by version, where the first has none.

    reward: the column of the reward. lower: columns of which less is better.
    """

    kpis: Path
    rewards: Path | None = None
    reward: str = REWARD
    lower: tuple[str, ...] = ()


def read_drift(source: Path) -> DriftBody:
    """KL by step: of every seed of a run, of one metrics.jsonl, or of a CSV `step,kl`. Raises InputError."""
    if source.is_dir():
        files = {path.parent.name: path for path in sorted(source.glob(f"seed-[0-9]*/{METRICS}"))}
        if not files and (source / METRICS).is_file():
            files = {source.name: source / METRICS}
        if not files:
            raise InputError(f"{source}: no seed-N/{METRICS}. Give a run of `assay dpo`, or a CSV with step and kl.")
    elif source.is_file():
        files = {source.stem: source}
    else:
        raise InputError(
            f"{source}: no such file. Give a run of `assay dpo`, its {METRICS}, or a CSV with step and kl."
        )
    lines = {name: _csv_points(path) if path.suffix == ".csv" else _metric_points(path) for name, path in files.items()}
    if not any(lines.values()):
        raise InputError(
            f"{source}: no step has a KL. `assay dpo` measures it while watch.fresh is above 0; the training of "
            "a reward has none."
        )
    return DriftBody(source=str(source), lines={name: points for name, points in lines.items() if points})


def _metric_points(path: Path) -> list[DriftPoint]:
    points = []
    for row, where in json_objects(path, holds="Rows have a step and a KL, as a run of `assay dpo` writes them."):
        value = next((row[name] for name in KL if row.get(name) is not None), None)
        if value is None:
            continue
        points.append(DriftPoint(step=_step(row.get("step"), str(where)), kl=_finite(value, f"{where}: kl")))
    return points


def _csv_points(path: Path) -> list[DriftPoint]:
    header, rows = read_table(path)
    for name in ("step", "kl"):
        if name not in header:
            raise InputError(f"{path}: no column {name!r}. Columns: {', '.join(header)}. Write step,kl.")
    return [
        DriftPoint(step=_step(row["step"], f"{path}:{line}"), kl=_finite(row["kl"], f"{path}:{line}: kl"))
        for line, row in rows
    ]


def _step(value: object, where: str) -> int:
    found = _finite(value, f"{where}: step")
    if found != int(found) or found < 0:
        raise InputError(f"{where}: step is {value!r}; a step is a whole number from 0.")
    return int(found)


def read_kpis(source: KpiSource) -> KpiBody:
    """The table, and what falls in it. Raises InputError where a column or a version is missing, stands twice, or holds
    what is no number."""
    header, rows = read_table(source.kpis)
    versions = versions_of(source.kpis, header, rows)
    beside = {VERSION, source.reward, PREFERENCE}
    names = [name for name in header if name not in beside]
    if not names:
        raise InputError(f"{source.kpis}: no figure beside {', '.join(header)}. Give a column for each KPI.")
    if strange := [name for name in source.lower if name not in names]:
        raise InputError(
            f"{source.kpis}: --lower-is-better {strange[0]!r} is no figure of it. Figures: {', '.join(names)}."
        )
    columns = {name: [number(row[name], source.kpis, line, name) for line, row in rows] for name in header
               if name != VERSION}  # fmt: skip
    reward, preference = columns.get(source.reward), columns.get(PREFERENCE)
    if source.rewards is not None:
        joined = joined_by_version(source.rewards, versions, source.reward)
        reward, preference = joined.get(source.reward, reward), joined.get(PREFERENCE, preference)
    if reward is None:
        raise InputError(
            f"{source.kpis}: no column {source.reward!r}, which the figures are held against. Name it with "
            "--kpi-reward COLUMN, or give --kpi-rewards FILE.csv with version and reward."
        )
    table = KpiTable(
        versions=versions, reward=reward, preference=preference, figures={name: columns[name] for name in names},
        lower=frozenset(source.lower),
    )  # fmt: skip
    return KpiBody(
        source=str(source.kpis),
        versions=list(versions),
        reward=list(reward),
        preference=None if preference is None else list(preference),
        figures={name: list(columns[name]) for name in names},
        lower_is_better=sorted(source.lower),
        falls=[KpiFallBody(**asdict(one)) for one in kpi_falls(table)],
        correlations=rank_correlations(table),
    )


def kpi_table(body: KpiBody) -> KpiTable:
    """The table as it stands in an artifact."""
    return KpiTable(
        versions=body.versions, reward=body.reward, preference=body.preference, figures=body.figures,
        lower=frozenset(body.lower_is_better),
    )  # fmt: skip


def joined_by_version(path: Path, versions: Sequence[str], reward: str) -> dict[str, list[float | None]]:
    """Columns of a second table in the order of the first one's versions; unknown where it lacks one."""
    header, rows = read_table(path)
    known = versions_of(path, header, rows)
    if reward not in header:
        raise InputError(f"{path}: no column {reward!r}. Columns: {', '.join(header)}.")
    if not set(known) & set(versions):
        raise InputError(
            f"{path}: none of its versions ({', '.join(known[:3])}) is one of the KPIs' ({', '.join(versions[:3])})."
        )
    by_version = dict(zip(known, rows, strict=True))
    return {
        name: [
            number(by_version[one][1][name], path, by_version[one][0], name) if one in by_version else None
            for one in versions
        ]
        for name in (reward, PREFERENCE)
        if name in header
    }


def versions_of(path: Path, header: Sequence[str], rows: Sequence[tuple[int, Mapping[str, str]]]) -> list[str]:
    if VERSION not in header:
        raise InputError(f"{path}: no column {VERSION!r}. Columns: {', '.join(header)}. One row a policy version.")
    seen: dict[str, int] = {}
    for line, row in rows:
        name = row[VERSION].strip()
        if not name:
            raise InputError(f"{path}:{line}: no version.")
        if name in seen:
            raise InputError(f"{path}:{line}: version {name!r} stands on line {seen[name]} too. One row a version.")
        seen[name] = line
    return list(seen)


def read_table(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Columns and rows of a CSV, each row with its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            header = [name.strip() for name in next(reader, [])]
            rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error}).") from None
    if not any(header) or not rows:
        raise InputError(f"{path}: no rows. Expected a header and a row a version or step.")
    if twice := [name for name in header if header.count(name) > 1]:
        raise InputError(f"{path}: column {twice[0]!r} stands twice.")
    for line, cells in rows:
        if len(cells) != len(header):
            raise InputError(f"{path}:{line}: {len(cells)} cells under {len(header)} columns.")
    return header, [(line, dict(zip(header, cells, strict=True))) for line, cells in rows]


def number(text: str, path: Path, line: int, column: str) -> float | None:
    """A cell; None where it is empty or says that there is no figure."""
    return None if text.strip().lower() in EMPTY else _finite(text, f"{path}:{line}: {column}")


def _finite(value: object, where: str) -> float:
    try:
        text = str(value).strip()
        found = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise InputError(f"{where} is {value!r}, which is no number.") from None
    if not math.isfinite(found):
        raise InputError(f"{where} is {value!r}, which is not finite.")
    return found


def table_hashes(source: KpiSource | None, drift: Path | None) -> dict[str, str]:
    """Hashes of the files read, by what they are; a run's folder is named by its own files."""
    files = {} if source is None else {"kpis": source.kpis, "kpi rewards": source.rewards}
    return {name: sha256_file(path) for name, path in {**files, "drift": drift}.items() if path and path.is_file()}
