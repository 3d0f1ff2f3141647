"""An adversary who reads every byte an editor is sent finds no system, no side, no kind of item and no other editor."""

from __future__ import annotations

import re
import time
from contextlib import closing

from scipy import stats

from assay.study.plan import Created
from assay.study.program_client import JudgeClient
from assay.study.safe_html import safe_html
from assay.study.server.served_study import read_served_study
from assay.study.server.web import HERE
from assay.study.store.database import open_database, tables
from assay.study.study_records import Editor
from tests.study.harness import Browser, in_thread, make_study

RANDOM = re.compile(r"[0-9a-f]{12,64}|[\w-]{43}")  # showings, form tokens, hashes of files; link and session tokens
EDITORS = [Editor(name="anna"), Editor(name="benedikt"), Editor(name="zora-rule", judge="simulated")]
# What only someone who is not blind could know.
SECRETS = (
    "silent", "fox", "loud", "owl", "7b", ".jsonl", "system", "base", "tuned", "repeat", "attention", "item-", "att",
    "known", "good", "bad_", "expected", "left_side", "side_a", "answer_a", "answer_b", "seed", "benedikt", "zora",
    "simulated", "human", "category", "even", "odd",
)  # fmt: skip
# Words of our own pages that hold a secret's letters and tell nothing.
INNOCENT = ("both_bad", "base-uri")


def everything_an_editor_can_get(place: str, made: Created) -> tuple[Browser, list[float], list[str]]:
    """Judge all items, undo some, knock at every door; returns the browser with all it was sent."""
    with in_thread(place) as site:
        other = Browser(site.port)
        other.enter(made.tokens["benedikt"])
        other.vote(other.get("/judge"), "right", comment="benedikt was here")
        anna = Browser(site.port)
        anna.enter(made.tokens["anna"])
        seconds, showings = [], []
        number = 0
        while True:
            start = time.perf_counter()
            page = anna.get("/judge")
            seconds.append(time.perf_counter() - start)
            if not page.field("showing") or "That was the last one" in page.body:
                break
            showings.append(page.field("showing"))
            anna.vote(page, ("left", "right", "tie")[number % 3])
            number += 1
        for path in (
            "/", "/judge?note=kept", "/judge?showing=" + showings[0], "/owner", "/export", "/votes", "/api", "/docs",
            "/openapi.json", "/results", "/static/", "/static/..%2fattention.jsonl", "/robots.txt", "/favicon.ico",
            f"/s/{made.tokens['anna']}", "/s/x", "/enter", "/vote", "/undo", "/%ff", "/judge/../owner",
        ):  # fmt: skip
            anna.get(path)
            anna.send("GET", path, headers={"Accept": "application/json"})
            anna.send("POST", path, {"showing": showings[0], "csrf": "x", "choice": "left", "round": "0"})
            anna.send("OPTIONS", path)
        for name in set(re.findall(r'/static/[^"]+', "".join(answer.body for answer in anna.seen))):
            anna.get(name)
        return anna, seconds[: len(showings)], showings


def test_no_byte_sent_to_an_editor_tells_system_side_kind_or_another_editor(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place, prompts=12, editors=EDITORS, repeats=4, attention=3)
    anna, _, showings = everything_an_editor_can_get(sqlite_place, made)
    assert len(showings) == 12 + 4 + 3
    with closing(open_database(sqlite_place)) as database, database.begin() as connection:
        book = read_served_study(connection)
    shown_texts = {t for i in book.items.values() for t in (i.prompt, i.answer_a, i.answer_b)}
    rendered = sorted({safe_html(str(text)) for text in shown_texts}, key=len, reverse=True)
    files = {path.read_text(encoding="utf-8") for path in (HERE / "static").iterdir()}
    assert files <= {answer.body for answer in anna.seen}  # the same for every study and editor: they tell nothing
    for answer in anna.seen:
        text = "" if answer.body in files else answer.body
        for part in rendered:
            text = text.replace(part, "")
        text = (text + "\n".join(f"{key}: {value}" for key, value in answer.headers)).lower()
        text = RANDOM.sub("", text)
        for word in INNOCENT:
            text = text.replace(word.lower(), "")
        found = [secret for secret in SECRETS if re.search(rf"(?<![a-z0-9]){re.escape(secret)}", text)]
        assert found == [], (found, text[:3000])
    assert "benedikt was here" not in "".join(answer.body for answer in anna.seen)


def test_pages_of_all_items_are_the_same_but_for_texts_counts_and_random_names(tmp_path, sqlite_place) -> None:
    # Whatever could tell real from repeat from attention, or a-left from b-left, would make two pages differ.
    made = make_study(tmp_path, sqlite_place, prompts=12, editors=EDITORS, repeats=4, attention=3)
    anna, _, _ = everything_an_editor_can_get(sqlite_place, made)
    pages = [answer for answer in anna.seen if 'id="ballot"' in answer.body and 'role="status">T' not in answer.body]
    bare, heads = set(), set()
    for answer in pages:
        text = re.sub(r'(?s)<div class="text".*?</div>', "", answer.body)
        text = re.sub(r'(name="showing" value=")[^"]*', r"\1", text)
        text = re.sub(r"\d+", "#", text)
        text = re.sub(r'(?s)<form method="post" action="/undo".*?</form>', "", text)  # absent on the first page
        bare.add(re.sub(r"\s+", " ", text))
        heads.add(tuple(key for key, _ in answer.headers))
    assert len(pages) >= 19
    assert len(bare) == 1
    assert len(heads) == 1


def test_json_for_programs_is_as_blind_as_the_page(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place, prompts=12, editors=EDITORS, repeats=4, attention=3)
    with in_thread(sqlite_place) as site:
        client = JudgeClient(f"{site.base}/s/{made.tokens['zora-rule']}")
        keys = set()
        while True:
            status, headers, body = client.request("GET", "/judge")
            assert status == 200
            import orjson

            told = orjson.loads(body)
            if told["finished"]:
                break
            keys.add(tuple(sorted(told)))
            rest = {key: value for key, value in told.items() if key not in ("prompt", "left", "right")}
            text = RANDOM.sub("", (orjson.dumps(rest).decode() + str(dict(headers))).lower()).replace("base-uri", "")
            assert [s for s in SECRETS if re.search(rf"(?<![a-z0-9]){re.escape(s)}", text)] == [], text
            question = client.question()
            assert question is not None
            client.vote(question, "left")
        client.close()
    assert len(keys) == 1


def test_the_time_an_answer_takes_does_not_tell_the_side_or_the_kind(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place, prompts=40, editors=EDITORS, repeats=10, attention=8)
    _, seconds, showings = everything_an_editor_can_get(sqlite_place, made)
    with closing(open_database(sqlite_place)) as database, database.begin() as connection:
        slots = {slot.showing: slot for own in read_served_study(connection).slots.values() for slot in own}
    left = {"a": [], "b": []}
    for showing, taken in list(zip(showings, seconds, strict=True))[5:]:
        left[slots[showing].left].append(taken)
    # By ranks, so that a busy machine does not matter; one honest run in ten thousand fails.
    assert stats.mannwhitneyu(left["a"], left["b"]).pvalue > 1e-4


def test_tables_hold_no_token_in_the_clear(tmp_path, sqlite_place) -> None:
    made = make_study(tmp_path, sqlite_place, editors=EDITORS)
    with in_thread(sqlite_place) as site:
        anna = Browser(site.port)
        anna.enter(made.tokens["anna"])
    from pathlib import Path

    stored = b"".join(path.read_bytes() for path in Path(sqlite_place).parent.glob("study.db*"))
    for secret in (*made.tokens.values(), *anna.cookies.values()):
        assert secret.encode() not in stored
    assert tables.SCHEMA.encode() in stored
