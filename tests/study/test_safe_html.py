"""Answers are hostile input: nothing they hold runs, loads, links, hides or breaks out."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.study.safe_html import LONGEST_MARKDOWN, TAGS, page_text, safe_html

TAG = re.compile(r"<(/?)([a-zA-Z0-9]+)([^>]*)>")


def assert_tame(html: str) -> None:
    for closing, name, rest in TAG.findall(html):
        assert name in TAGS, name
        if rest.strip() and not closing:
            assert re.fullmatch(r' class="(link|url)"| tabindex="0"|\s+start="\d+"|\s*/?', rest), rest


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](https://evil.example 'x\" onmouseover=\"alert(1)')",
        "![pixel](https://evil.example/who.png)",
        "<https://evil.example>",
        "```html\n<iframe src=//evil.example>\n```",
        "<form action=/owner/close method=post><button>x",
        "</div></section><form action=//evil.example>",
        "<style>body{display:none}</style>",
        "<svg/onload=alert(1)>",
        "<base href=//evil.example>",
        "a\n<!-- \n--><script>1</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        '<span class="choice left" id="ballot">x</span>',
    ],
)
def test_markup_in_answers_is_shown_and_never_obeyed(text: str) -> None:
    html = safe_html(text)
    assert_tame(html)
    assert "href" not in re.sub(
        r"&[a-z]+;", "", "".join(TAG.findall(html)[n][2] for n in range(len(TAG.findall(html))))
    )
    assert "<script" not in html
    assert "<img" not in html


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("<>&\"'[](){}!*_`#-|~\\/=: \n\tabscript javx1.")), max_size=120))
def test_no_text_whatever_makes_another_tag(text: str) -> None:
    assert_tame(safe_html(text))


def test_links_and_images_stay_readable_as_words() -> None:
    html = safe_html("See [the guide](https://a.example/x?y=1&z=2) and ![a chart](c.png).")
    assert '<span class="link">the guide</span> <span class="url">(https://a.example/x?y=1&amp;z=2)</span>' in html
    assert "[image: a chart (c.png)]" in html


def test_headings_stay_below_the_page_and_markdown_is_rendered() -> None:
    assert safe_html("# One\n\n###### Six") == "<h3>One</h3>\n<h6>Six</h6>\n"
    assert "<td>1</td>" in safe_html("|a|b|\n|-|-|\n|1|2|")
    assert '<ol start="3">' in safe_html("3. c\n4. d")


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b", "\U000e0041", "\u2028"])
def test_what_the_eye_cannot_see_is_made_visible(character: str) -> None:
    assert page_text(f"a{character}b") == "a\ufffdb"


@pytest.mark.parametrize("reference", ["&#x202e;", "&#8238;", "&ZeroWidthSpace;", "&shy;", "&#xE0041;", "&NoBreak;"])
def test_nor_does_a_character_reference_hide_anything(reference: str) -> None:
    for text in (
        f"a{reference}b",
        f"| a |\n|---|\n| a{reference}b |",
        f"[a](http://x '{reference}')",
        f"# a{reference}b",
    ):
        assert page_text(safe_html(text)) == safe_html(text)
    assert "a\ufffdb" in safe_html(f"a{reference}b")


def test_piled_up_marks_by_reference_are_cut_as_well() -> None:
    assert "\u0300" * 4 not in safe_html("a" + "&#x300;" * 50)


def test_honest_scripts_are_left_alone() -> None:
    for text in ("سلام، دنیا\u200cها", "שלום\u200f (עולם)", "👩‍👩‍👧", "é e\u0301 ñ", "日本語", "हिन्दी"):
        assert page_text(text) == text


def test_piled_up_marks_are_cut_to_three() -> None:
    assert page_text("a" + "\u0300" * 500 + "b") == "a\u0300\u0300\u0300b"


@pytest.mark.parametrize("unit", ["[", "![", "*a ", "_*", ">", "- ", "<", "&", "[](x", "~~a", "`", "a**b", "|a"])
def test_hostile_repetition_takes_no_time_and_huge_text_is_shown_plain(unit: str) -> None:
    start = time.perf_counter()
    assert_tame(safe_html((unit * LONGEST_MARKDOWN)[:LONGEST_MARKDOWN]))
    assert time.perf_counter() - start < 3
    assert safe_html((unit * 70_000)[:70_000]).startswith("<pre>")
