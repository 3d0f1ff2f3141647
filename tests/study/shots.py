"""Screenshots of the study's pages for the docs: `python tests/study/shots.py OUT [DRAFTS]`. Not a test.

Needs Debian's chromium and playwright. DRAFTS, if given, gets phone and dark views as well.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
from assay.study import Editor, Sources, create_study
from assay.study.settings import StudyConfig
from tests.study.harness import CHROMIUM, Served, served

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


def main() -> None:
    out, drafts = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place, tokens = demo(Path(name))
        with served(place) as site, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            shoot(browser, site, tokens, out, drafts)
            browser.close()


if __name__ == "__main__":
    main()
