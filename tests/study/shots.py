"""Screenshots of the study's pages for the docs: `python tests/study/shots.py OUT [DRAFTS]`. Not a test.

Needs Debian's chromium and playwright. DRAFTS, if given, gets phone and dark views as well. The result page is that of
a study whose votes a program gave through the real server, and its title says so.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
import assay.study
from assay.flows.study import read_and_analyse
from assay.study import create_study
from assay.study.config import StudyConfig
from assay.study.plan import Sources
from assay.study.program_client import JudgeClient
from assay.study.store.closing import close_study
from assay.study.study_records import Editor
from tests.study.harness import CHROMIUM, Served, served
from tests.study.harness import Browser as Form

PROMPT = (
    "Our bakery wants to tell regulars that we close for two weeks in August. Please write a short notice for the door."
)
LEFT = """We are taking a summer break.

**The bakery is closed from Monday 4 to Sunday 17 August.** We bake again from Monday 18 August, at six in the morning \
as always.

If you would like bread to freeze before then, order by Thursday 31 July and we will set it aside for you:

- Country loaf, sliced or whole
- Rye with caraway
- Dinner rolls by the dozen

Thank you for your patience, and have a good summer."""
RIGHT = """NOTICE: Please be informed that our establishment will be closed for a period of two (2) weeks in the month \
of August. We apologise for any inconvenience this may cause to our valued customers.

During this period no goods will be available for purchase. Normal operation will resume after the aforementioned \
period has ended. Should you have any questions, do not hesitate to contact us.

The Management"""


def demo(folder: Path) -> tuple[str, dict[str, str]]:
    rows = [(PROMPT, LEFT, RIGHT)] + [
        (
            f"Question {n}: how do I freeze bread?",
            f"Slice it, wrap it, freeze it. Day {n}.",
            f"In a bag, for {n} weeks.",
        )
        for n in range(2, 51)
    ]
    for name, column in (("base", 1), ("tuned", 2)):
        lines = [json.dumps({"id": f"p{n}", "prompt": row[0], "answer": row[column]}) for n, row in enumerate(rows)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    place = str(folder / "study.db")
    config = StudyConfig(
        title="Letters and notices, round 2",
        seed=11,
        question="Which answer would you rather put your name to?",
        aspects=("helpful", "honest", "tone"),
        instructions="Read both to the end. Length is neither good nor bad in itself.",
    )
    made = create_study(
        place,
        Sources(generations=(folder / "base.jsonl", folder / "tuned.jsonl")),
        [Editor(name="Anna"), Editor(name="Bilal"), Editor(name="Carmen"), Editor(name="rule-7", judge="simulated")],
        config=config,
    )
    return place, made.tokens


def shoot(browser: Browser, site: Served, tokens: dict[str, str], out: Path, drafts: Path | None) -> None:
    views = [("desktop", 1280, 860, "light", out)]
    if drafts is not None:
        drafts.mkdir(parents=True, exist_ok=True)
        views += [("desktop-dark", 1280, 860, "dark", drafts)]
    views += [("phone", 390, 844, "light", out)]
    if drafts is not None:
        views += [("phone-dark", 390, 844, "dark", drafts)]
    for name, width, height, scheme, folder in views:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1
        )
        page = context.new_page()
        page.goto(f"{site.base}/s/{tokens['Anna']}")
        if drafts is not None:
            page.screenshot(path=drafts / f"study-welcome-{name}.png", full_page=True)
        page.click("button.main")
        while "August" not in page.inner_text(".prompt"):
            page.keyboard.press("1")
            page.wait_for_load_state("load")
            page.locator("#main:focus").wait_for()
        page.screenshot(path=folder / f"study-judge-{name}.png")
        if drafts is not None:
            page.screenshot(path=drafts / f"study-judge-{name}-full.png", full_page=True)
        page.goto(f"{site.base}/s/{tokens['']}")
        page.click("button.main")
        page.screenshot(path=folder / f"study-owner-{name}.png", full_page=True)
        context.close()


def simulated(folder: Path) -> Path:
    """The result page of 50 prompts that three links and one judge voted on, all of them a program."""
    chance = random.Random(1)
    topics = ("refund", "delivery", "invoice", "opening hours", "allergens")
    systems = {
        "base": "Dear customer, about your {}: {} days.",
        "tuned": "About the {}: it takes {} days. Best wishes.",
    }
    for name, answer in systems.items():
        rows = [
            {
                "id": f"p{n}",
                "prompt": f"Case {n}: a customer asks about the {topics[n % 5]}.",
                "answer": answer.format(topics[n % 5], n + 1) + chance.randrange(4) * " We will write again.",
                "category": topics[n % 5],
            }
            for n in range(50)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    place = str(folder / "simulated.db")
    editors = [Editor(name=f"Simulated {n}") for n in (1, 2, 3)] + [Editor(name="rule-7", judge="simulated")]
    config = StudyConfig(
        title="Simulated votes: shop letters", seed=5, aspects=("helpful", "honest"), giveaways="accept"
    )
    sources = Sources(generations=(folder / "base.jsonl", folder / "tuned.jsonl"))
    made = create_study(place, sources, editors, config=config)
    with served(place) as site:
        for number, editor in enumerate(editors[:3]):
            judge_by_chance(Form(site.port), made.tokens[editor.name], random.Random(number))
        judge = JudgeClient(f"{site.base}/s/{made.tokens['rule-7']}")
        for question in judge:
            judge.vote(question, "left" if len(question.left) > len(question.right) else "right")
        judge.close()
    close_study(place)
    command = "assay study analyse study.db --out result"
    return read_and_analyse(place, folder / "result", command=command).page


def judge_by_chance(form: Form, token: str, chance: random.Random) -> None:
    """Judge every item through the pages a browser gets: the known answer of attention items, a biased coin else."""
    known = (Path(assay.study.__file__).parent / "plan" / "attention.jsonl").read_text(encoding="utf-8").splitlines()
    form.enter(token)
    while 'action="/vote"' in (page := form.get("/judge")).body:
        case = re.search(r"Case (\d+)", page.body)
        if case is None:
            item = next(row for row in map(json.loads, known) if row["prompt"][:25] in page.body)
            choice = "left" if page.body.find(item["good"][:25]) < page.body.find(item["bad"][:25]) else "right"
        else:
            left = page.body.find("Best wishes.") < page.body.find("Dear customer")
            liking = random.Random(f"case {case[1]}").betavariate(2.2, 1.3)
            choice = "tie" if chance.random() < 0.15 else ("left" if (chance.random() < liking) == left else "right")
        while form.vote(page, choice, **{"aspect-0": choice}).status == 429:
            time.sleep(0.5)


def shoot_result(browser: Browser, page_path: Path, out: Path, drafts: Path | None) -> None:
    views = [("study-result", 1280, 1190, "light", False, out)]
    if drafts is not None:
        drafts.mkdir(parents=True, exist_ok=True)
        views += [
            (f"study-result-{name}", width, 900, scheme, True, drafts)
            for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("phone", 390, "light"))
        ]
    for name, width, height, scheme, whole, folder in views:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        page = context.new_page()
        page.goto(page_path.as_uri())
        page.screenshot(path=folder / f"{name}.png", full_page=whole)
        context.close()


def main() -> None:
    out, drafts = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place, tokens = demo(Path(name))
        with served(place) as site, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            shoot(browser, site, tokens, out, drafts)
            shoot_result(browser, simulated(Path(name)), out, drafts)
            browser.close()


if __name__ == "__main__":
    main()
