"""Label Studio's own SDK at work in a process of its own: checks tasks, annotates them, converts exports.

`annotate TASKS.json labeling.xml OUT`: each task judged as the words in $CHOICES say, by the SDK's own control tags;
writes OUT/full.json and what the SDK's converter makes of it, OUT/JSON/result.json and OUT/JSON_MIN/result.json.
`check ANNOTATED.json labeling.xml`: prints how many regions the SDK's interface knows.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from label_studio_sdk.converter.converter import Converter
from label_studio_sdk.label_interface import LabelInterface


def regions(interface: LabelInterface, word: str) -> list[dict[str, object]]:
    if word in ("left", "right"):
        return [interface.get_control("comparison").label(word)._dict()]
    if word == "none":
        return []
    if word == "two":
        return [*regions(interface, "left"), *regions(interface, "tie")]
    return [interface.get_control("otherwise").label([word])._dict()]


def annotate(tasks: Path, config: Path, out: Path) -> None:
    interface = LabelInterface(config.read_text(encoding="utf-8"))
    interface.validate()
    words = os.environ["CHOICES"].split(",")
    rows = []
    for number, task in enumerate(json.loads(tasks.read_bytes()), start=1):
        assert interface.validate_task(task), task
        word = words[number % len(words)]
        result = [] if word in ("cancel", "open") else regions(interface, word)
        if word not in ("left", "right", "two", "none", "cancel"):
            assert interface.validate_annotation({"result": result}), result
        if "aspect_1" in {control.name for control in interface.controls} and word == "left":
            result.append(interface.get_control("aspect_1").label(["right"])._dict())
            result.append(interface.get_control("comment").label(["ça va"])._dict())
        annotation = {
            "id": 1000 + number, "completed_by": 7, "created_at": f"2026-01-01T00:00:{number:02}Z", "lead_time": 2.5,
            "was_cancelled": word == "cancel", "result": result,
        }  # fmt: skip
        rows.append({"id": number, **task, "annotations": [] if word == "open" else [annotation]})
    out.mkdir(parents=True)
    (out / "full.json").write_text(json.dumps(rows))
    converter = Converter(config.read_text(encoding="utf-8"), project_dir=None)
    for kind in ("JSON", "JSON_MIN"):
        (out / kind).mkdir()
        converter.convert(str(out / "full.json"), str(out / kind), kind, is_dir=False)


def check(annotated: Path, config: Path) -> None:
    interface = LabelInterface(config.read_text(encoding="utf-8"))
    interface.validate()
    known = 0
    for task in json.loads(annotated.read_bytes()):
        assert interface.validate_task({"data": task["data"]})
        for annotation in task["annotations"]:
            for region in annotation["result"]:
                if region["type"] == "pairwise":  # the SDK's validator knows no Pairwise; its tag says what is right
                    own = interface.get_control("comparison").label(region["value"]["selected"])._dict()
                    assert {key: own[key] for key in region} == region, (own, region)
                else:
                    assert interface.validate_region(region), region
                known += 1
    print(known)


if __name__ == "__main__":
    {"annotate": annotate, "check": check}[sys.argv[1]](*map(Path, sys.argv[2:]))
