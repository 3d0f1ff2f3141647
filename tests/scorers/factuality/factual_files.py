"""Files of factual scorers whose judge is a server of a test."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.scorers.judge import judges


def judges_file(place: Path, address: str, **options: object) -> Path:
    """factual.yaml beside the judge's own file, whose replies are kept there too. options: over the factual ones."""
    judge = judges.written(place, endpoint=address)
    path = place / "factual.yaml"
    path.write_text(yaml.safe_dump({"check": "judge", "judge": judge.name, **options}))
    return path
