"""Editors in a real Chromium: keyboard alone, phone, interruption, undo, no script, screen-reader rules (axe)."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.study import read_votes
from assay.study.store.closing import close_study
from assay.study.store.open_study import read_progress
from assay.study.store.verification import verify
from tests.study.harness import CHROMIUM, Served, free_port, in_thread, make_study

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install '.[browser]')")
if not Path(CHROMIUM).exists():
    pytest.skip("Debian's chromium is not installed (apt-get install chromium)", allow_module_level=True)

AXE_CACHE = Path(tempfile.gettempdir()) / "assay-axe-core"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
READY = "#main:focus"  # the page's script has run


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core from the npm registry, fetched once into a temporary folder; never part of this repository."""
    script = AXE_CACHE / "package" / "axe.min.js"
    if not script.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed, so axe-core cannot be fetched: accessibility rules were not checked")
        AXE_CACHE.mkdir(exist_ok=True)
        done = subprocess.run(
            ["npm", "pack", "axe-core@4", "--silent", "--pack-destination", str(AXE_CACHE)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip("the npm registry is out of reach, so axe-core cannot be fetched: rules were not checked")
        with tarfile.open(next(AXE_CACHE.glob("*.tgz"))) as archive:
            archive.extract("package/axe.min.js", AXE_CACHE, filter="data")
    return script.read_text(encoding="utf-8")


def enter(context, site: Served, token: str):  # type: ignore[no-untyped-def]
    """Open the link and press the button, by keyboard."""
    page = context.new_page()
    page.goto(f"{site.base}/s/{token}")
    page.locator("button.main").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/judge")
    return page


def press(page, key: str) -> None:  # type: ignore[no-untyped-def]
    """One key, and the next page."""
    before = page.locator("h1").inner_text(), page.url, page.locator("input[name=round]").last.get_attribute("value")
    page.keyboard.press(key)
    page.wait_for_function(
        """([head, url, round]) => {
            const now = document.querySelector('h1'), at = [...document.querySelectorAll('input[name=round]')].at(-1);
            return document.readyState === 'complete' && now && (now.innerText !== head || location.href !== url
                || (at && at.value !== round));
        }""",
        arg=list(before),
    )


def test_keys_vote_comment_undo_and_switch_off(tmp_path, sqlite_place, chromium) -> None:
    made = make_study(tmp_path, sqlite_place, prompts=6, aspects=("helpful",), repeats=1)
    with in_thread(sqlite_place) as site:
        context = chromium.new_context()
        page = enter(context, site, made.tokens["editor-1"])
        page.locator(READY).wait_for()
        for key in "12":
            press(page, key)
        page.keyboard.press("c")
        assert page.evaluate("document.activeElement.id") == "comment"
        page.keyboard.type("1 and 2 are typed, not votes")
        page.keyboard.press("Escape")
        page.locator("input[name=aspect-0][value=right]").check()
        press(page, "0")
        assert "Item 4 of 8" in page.locator("h1").inner_text()
        press(page, "u")
        assert "Item 3 of 8" in page.locator("h1").inner_text()
        assert page.locator("#comment").input_value() == "1 and 2 are typed, not votes"
        assert page.locator("input[name=aspect-0][value=right]").is_checked()
        press(page, "9")
        page.locator("#keys").uncheck()
        page.keyboard.press("1")
        page.wait_for_timeout(200)
        assert "Item 4 of 8" in page.locator("h1").inner_text()
        page.reload()
        assert not page.locator("#keys").is_checked()  # remembered
        page.locator("#keys").check()
        press(page, "8")
        context.close()
    close_study(sqlite_place)
    votes = read_votes(sqlite_place)
    assert [vote.choice for vote in votes] == ["left", "right", "both_bad", "abstain"]
    assert votes[2].comment == "1 and 2 are typed, not votes"
    assert dict(votes[2].ratings) == {"helpful": "right"}
    assert {vote.ms_source for vote in votes} == {"page"}


def test_tab_and_enter_alone_are_enough_without_any_script(tmp_path, sqlite_place, chromium) -> None:
    made = make_study(tmp_path, sqlite_place, prompts=3, repeats=0, attention=0)
    with in_thread(sqlite_place) as site:
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{site.base}/s/{made.tokens['editor-1']}")
        page.locator("button.main").press("Enter")
        page.wait_for_url("**/judge")
        for value in ("right", "tie"):
            page.locator("body").press("Tab")
            for _ in range(20):
                if page.locator(f"button[value={value}]:focus").count():
                    break
                page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_load_state()
        page.locator("#undo button").press("Enter")
        page.wait_for_url("**/judge?note=undone")
        assert "taken back" in page.inner_text("[role=status].note")
        context.close()
    close_study(sqlite_place)
    assert [vote.choice for vote in read_votes(sqlite_place)] == ["right"]


def test_a_server_that_goes_away_loses_no_press(tmp_path, sqlite_place, chromium) -> None:
    made = make_study(tmp_path, sqlite_place, prompts=3, repeats=0, attention=0)
    site = Served(sqlite_place, free_port())
    site.start()
    context = chromium.new_context()
    page = enter(context, site, made.tokens["editor-1"])
    page.locator(READY).wait_for()
    site.kill(signal.SIGKILL)
    page.keyboard.press("2")
    page.locator("#saving", has_text="Not saved yet").wait_for()
    site.start()
    page.locator("h1", has_text="Item 2 of 3").wait_for(state="attached")
    context.close()
    site.kill(signal.SIGTERM)
    close_study(sqlite_place)
    assert [vote.choice for vote in read_votes(sqlite_place)] == ["right"]


def test_hostile_answers_run_nothing_and_reach_no_network(tmp_path, sqlite_place, chromium) -> None:
    from assay.study import create_study
    from assay.study.config import StudyConfig
    from assay.study.plan import Sources
    from assay.study.study_records import Editor

    hostile = (
        "<script>window.owned = 1</script><img src='http://127.0.0.1:9/p.png' onerror='window.owned = 2'>\n\n"
        "[click](javascript:window.owned=3) ![x](http://127.0.0.1:9/q.png)\n\n"
        "<form action='/undo'><button>x</button>\n\n"
        "\u202egnirts desrever\u202c " + "W" * 3000 + "\n\n" + "a\u0300\u0301\u0302\u0303\u0304" * 40 + "\n\n"
        "<style>*{display:none}</style></main></body><div style='position:fixed;inset:0'>"
    )
    rows = [{"prompt": hostile, "answer_a": hostile, "answer_b": "fine"}]
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = StudyConfig(repeats=0, attention=0)
    made = create_study(sqlite_place, Sources(pairs=pairs), [Editor(name="anna")], config=config)
    with in_thread(sqlite_place) as site:
        context = chromium.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{site.base}/s/{made.tokens['anna']}")
        page.click("button.main")
        page.locator(READY).wait_for()
        assert page.evaluate("window.owned") is None
        assert all(url.startswith(site.base) for url in asked), asked
        assert complaints == []  # not even the policy had anything to stop
        assert page.locator(".text a, .text img, .text form, .text button, .text style, .text script").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # nothing pushes the page aside
        assert page.locator(".choice.left").is_visible()
        press(page, "1")
        context.close()


def test_tables_keep_their_words_whole_and_scroll_by_themselves(tmp_path, sqlite_place, chromium, axe) -> None:
    from assay.study import create_study
    from assay.study.config import StudyConfig
    from assay.study.plan import Sources
    from assay.study.study_records import Editor

    long = "A way of paying that takes many words to describe"
    table = (
        f"| Case | Days | Who |\n|---|---|---|\n| {long} | 3-5 | correspondents |\n\n| a |\n|---|\n| {'W' * 900} |\n"
    )
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"prompt": "Which?", "answer_a": table, "answer_b": "fine"}), encoding="utf-8")
    config = StudyConfig(repeats=0, attention=0)
    made = create_study(sqlite_place, Sources(pairs=pairs), [Editor(name="anna")], config=config)
    with in_thread(sqlite_place) as site:
        context = chromium.new_context(viewport={"width": 375, "height": 740})
        page = context.new_page()
        page.goto(f"{site.base}/s/{made.tokens['anna']}")
        page.click("button.main")
        page.locator(READY).wait_for()
        lines = (
            "cell => { const range = document.createRange(); range.selectNodeContents(cell); "
            "return new Set([...range.getClientRects()].map(box => box.top)).size }"
        )
        for word in ("Days", "Who", "correspondents"):
            assert page.locator(".text th, .text td").filter(has_text=word).evaluate(lines) == 1, word
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("table").last.evaluate("one => one.scrollWidth > one.clientWidth")
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        context.close()


@pytest.mark.parametrize(
    ("size", "scheme"),
    [
        ("desktop", "light"),
        pytest.param("phone", "dark", marks=pytest.mark.slow),
        pytest.param("desktop", "dark", marks=pytest.mark.slow),
        pytest.param("phone", "light", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_serious_on_any_page(tmp_path, sqlite_place, chromium, axe, scheme, size) -> None:
    made = make_study(tmp_path, sqlite_place, prompts=3, repeats=0, attention=0, aspects=("helpful", "honest"))
    shape = PHONE if size == "phone" else {"viewport": {"width": 1280, "height": 800}}
    with in_thread(sqlite_place) as site:
        context = chromium.new_context(color_scheme=scheme, bypass_csp=True, **shape)  # to let axe in, not the page
        page = context.new_page()

        def check(name: str) -> None:
            page.add_script_tag(content=axe)
            result = page.evaluate("axe.run({resultTypes: ['violations']})")
            found = [(v["id"], v["impact"], [node["html"][:120] for node in v["nodes"]]) for v in result["violations"]]
            assert found == [], (name, found)

        page.goto(f"{site.base}/s/{made.tokens['editor-1']}")
        check("welcome")
        page.click("button.main")
        page.locator(READY).wait_for()
        check("judge")
        press(page, "1")
        page.locator(READY).wait_for()
        if size == "desktop":
            page.keyboard.press("c")
        check("judge with undo and comment")
        page.goto(f"{site.base}/judge?note=kept")
        check("judge with a note")
        for key in "12":
            press(page, key)
        check("done")
        page.goto(f"{site.base}/s/unknown")
        check("problem")
        page.goto(f"{site.base}/s/{made.tokens['']}")
        page.click("button.main")
        page.wait_for_url("**/owner")
        check("owner")
        context.close()


@pytest.mark.slow
def test_three_editors_judge_fifty_prompts_by_keyboard(tmp_path, sqlite_place, chromium) -> None:
    """One plain, one on a phone-sized page who is interrupted by a kill of browser and server, one who undoes."""
    made = make_study(tmp_path, sqlite_place, prompts=50, editors=3, repeats=5, attention=3)
    total = 58
    site = Served(sqlite_place, free_port())
    site.start()

    plain = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = enter(plain, site, made.tokens["editor-1"])
    keys = ("1", "2", "0", "9", "8")
    choices = {"1": "left", "2": "right", "0": "tie", "9": "both_bad", "8": "abstain"}
    for number in range(total):
        page.locator(READY).wait_for()
        press(page, keys[number % 5])
    assert "Thank you, editor-1" in page.locator("h1").inner_text()
    plain.close()

    phone = chromium.new_context(**PHONE)
    page = enter(phone, site, made.tokens["editor-2"])
    for _ in range(20):
        page.locator(READY).wait_for()
        press(page, "1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.close()  # the browser is gone, and so is the server
    site.kill(signal.SIGKILL)
    site.start()
    phone = chromium.new_context(**PHONE)
    page = enter(phone, site, made.tokens["editor-2"])
    assert f"Item 21 of {total}" in page.locator("h1").inner_text()
    for _ in range(total - 20):
        page.locator(READY).wait_for()
        press(page, "2")
    phone.close()

    undoing = chromium.new_context(viewport={"width": 1024, "height": 700})
    page = enter(undoing, site, made.tokens["editor-3"])
    presses = 0
    while "Thank you" not in page.locator("h1").inner_text():
        page.locator(READY).wait_for()
        press(page, "1")
        presses += 1
        if presses % 10 == 0 and presses < total:
            page.locator(READY).wait_for()
            press(page, "u")
            page.locator(READY).wait_for()
            press(page, "0")
    undoing.close()
    site.kill(signal.SIGTERM)

    assert [p.done for p in read_progress(sqlite_place)] == [total] * 3
    assert verify(sqlite_place) == []
    close_study(sqlite_place)
    votes = read_votes(sqlite_place)
    own = {name: [vote for vote in votes if vote.editor == name] for name in ("editor-1", "editor-2", "editor-3")}
    assert [vote.choice for vote in own["editor-1"]] == [choices[keys[n % 5]] for n in range(total)]
    assert [vote.choice for vote in own["editor-2"]] == ["left"] * 20 + ["right"] * (total - 20)
    ties = {9, 19, 29, 39, 49}
    assert [vote.choice for vote in own["editor-3"]] == ["tie" if n in ties else "left" for n in range(total)]
    assert sum(vote.undone for vote in own["editor-3"]) == 5
    assert all(vote.ms is not None and vote.ms_source == "page" for vote in votes)
