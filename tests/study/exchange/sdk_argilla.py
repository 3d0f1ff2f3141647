"""Argilla's own SDK at work in a process of its own: reads settings and records, answers them, exports them flat.

`annotate FOLDER OUT`: a folder for `rg.Dataset.from_disk`; each record answered as the words in $CHOICES say, exported
by the SDK flat (OUT/flat.json) and nested (OUT/nested.json). `check FOLDER`: prints the number of responses.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import argilla as rg
from argilla._models import DatasetModel
from argilla.records._io import GenericIO, JsonIO


class Me(BaseHTTPRequestHandler):
    """The SDK asks a server who it is before it makes anything, files included."""

    def do_GET(self) -> None:
        when = "2026-01-01T00:00:00"
        body = json.dumps(
            {"id": str(uuid.uuid4()), "username": "t", "role": "owner", "first_name": "t", "last_name": None,
             "inserted_at": when, "updated_at": when}
        ).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def read(folder: Path) -> tuple[rg.Settings, list[rg.Record]]:
    DatasetModel(**json.loads((folder / ".argilla" / "dataset.json").read_bytes()))
    settings = rg.Settings.from_json(folder / ".argilla" / "settings.json")
    settings.validate()
    records = JsonIO._records_from_json(folder / "records.json")
    fields = {field.name for field in settings.fields}
    questions = {question.name for question in settings.questions}
    metadata = {entry.name for entry in settings.metadata}
    for record in records:
        assert set(record.fields.to_dict()) == fields
        assert set(record.metadata.to_dict()) <= metadata
        assert {response.question_name for response in record.responses} <= questions
    return settings, records


def annotate(folder: Path, out: Path) -> None:
    settings, records = read(folder)
    options = {option["value"] for option in settings.questions["preference"]._model.settings.model_dump()["options"]}
    words = os.environ["CHOICES"].split(",")
    anna, other = uuid.UUID(int=1), uuid.UUID(int=2)
    for number, record in enumerate(records, start=1):
        word = words[number % len(words)]
        if word == "open":
            continue
        status = word if word in ("draft", "discarded") else "submitted"
        value = "left" if status != "submitted" or word == "other" else word
        assert value in options
        who = other if word == "other" else anna
        record.responses.add(rg.Response("preference", value, user_id=who, status=status))
        if word == "right":
            record.responses.add(rg.Response("comment", "ça va", user_id=who, status=status))
    out.mkdir(parents=True)
    (out / "flat.json").write_text(json.dumps(GenericIO.to_list(records, flatten=True)))
    JsonIO.to_json(records, out / "nested.json")


def check(folder: Path) -> None:
    _, records = read(folder)
    print(sum(len(list(record.responses)) for record in records))


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Me)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rg.Argilla(api_url=f"http://127.0.0.1:{server.server_port}", api_key="none", retries=0)
    {"annotate": annotate, "check": check}[sys.argv[1]](*map(Path, sys.argv[2:]))
