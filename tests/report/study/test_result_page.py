"""The result page in a real Chromium: screen-reader rules, light and dark, phone width, no request, no script."""

from __future__ import annotations

import pytest

from assay.flows.study import analyse_study
from tests.study.server.test_browser import axe, chromium  # noqa: F401  (fixtures)
from tests.study.simulated import PEOPLE, Truth, closed_study, machine

SEEN = [
    ("light", 1280), ("dark", 390),
    *(pytest.param(*one, marks=pytest.mark.slow) for one in (("dark", 1280), ("light", 390))),
]  # fmt: skip


@pytest.mark.parametrize(("scheme", "width"), SEEN)
def test_result_page_in_a_browser(tmp_path, chromium, axe, scheme, width) -> None:  # noqa: F811
    long = "an editor whose name is " + "very " * 12 + "long"
    closed = closed_study(
        Truth(careless=("Carmen",), left=0.3), editors=(*PEOPLE, machine("gpt"), machine(long, "simulated"))
    )
    result = analyse_study(closed, tmp_path).page
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )  # to let axe in, not the page
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(result.as_uri())
    assert asked == [result.as_uri()]
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelector('details.full').open = true")
    page.add_script_tag(content=axe)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found] == []
    context.close()
