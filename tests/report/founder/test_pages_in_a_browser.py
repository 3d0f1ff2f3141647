"""The founder's page and the capability page in a real Chromium: screen-reader rules, light and dark, phone width."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.artifacts.capability_body import CapabilityBody
from assay.artifacts.policy_run_files import CAPABILITY_RESULT
from assay.artifacts.run_folder import RunFolder
from assay.report.capability.capability_page import render_capability
from assay.report.founder import founder_page
from tests.report.founder.made_policy_run import as_policy_run, decided_on, with_capability, with_study, with_votes
from tests.study.server.test_browser import axe, chromium  # noqa: F401  (fixtures)
from tests.support.made_run import make_run

SEEN = [
    ("light", 1280), ("dark", 390),
    *(pytest.param(*one, marks=pytest.mark.slow) for one in (("dark", 1280), ("light", 390))),
]  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of a run whose study lies ready, and of the same run concluded, with its test of ability."""
    run = as_policy_run(make_run(tmp_path_factory.mktemp("runs") / "grants"))
    before = founder_page(with_study(run)).rename(run.path("before.html"))
    decided_on(with_capability(with_votes(run, 0.7)))
    body = CapabilityBody.read(run.path(CAPABILITY_RESULT))
    return [before, founder_page(RunFolder(run.root)), render_capability(body, run.path("capability.html"))]


@pytest.mark.parametrize(("scheme", "width"), SEEN)
def test_pages_in_a_browser(pages, chromium, axe, scheme, width) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    for path in pages:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path.as_uri())
        assert asked == [path.as_uri()]
        assert page.evaluate("document.scripts.length") == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.add_script_tag(content=axe)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        told = [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found]
        assert told == [], path
        context.close()
