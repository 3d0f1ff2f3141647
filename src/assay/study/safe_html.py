"""Untrusted text becomes safe HTML, or plain text without tricks. Knows markdown and Unicode; knows nothing of studies.

Answers are hostile input: raw HTML is shown as text, links and images become words, direction overrides and other
invisible controls become U+FFFD, piles of combining marks are cut, and what the renderer lets through goes through an
allowlist a second time.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from assay.records import Text

REPLACED = "\N{REPLACEMENT CHARACTER}"
LONGEST_MARKDOWN = 20_000  # characters; beyond, text is shown as it is: some markdown takes quadratic time
TAGS = {
    "p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "span",
    "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"ol": {"start"}, "span": {"class"}, "table": {"tabindex"}}
# Embeddings, overrides and isolates; tags; separators and controls other than tab and newline; byte order mark.
# Direction marks (U+200E, U+200F, U+061C) and joiners stay: honest Arabic, Hebrew, Persian and emoji need them.
HIDDEN = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufeff\u2028\u2029\u00ad\u180e\u200b\u2060-\u2064\ufff9-\ufffb"
    "\U000e0000-\U000e007f\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
)
MARKS = re.compile(r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
                   r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip


class _Renderer(RendererHTML):
    """markdown-it's renderer with links and images as words and headings below the page's own."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # Kept until the link's end, whose token has no address of its own.
        env.setdefault("links", []).append(str(tokens[idx].attrGet("href") or ""))
        return '<span class="link">'

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        url = html.escape(env["links"].pop())
        return f'</span> <span class="url">({url})</span>'

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        return (
            f'<span class="url">[image: {html.escape(token.content)} ({html.escape(str(token.attrGet("src")))})]</span>'
        )

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<table tabindex="0">\n'  # a wide one scrolls, by keyboard too

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"<{_lower(tokens[idx].tag)}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return f"</{_lower(tokens[idx].tag)}>\n"


def _lower(tag: str) -> str:
    return f"h{min(int(tag[1]) + 2, 6)}"


_MARKDOWN = MarkdownIt(
    "commonmark", {"html": False, "breaks": True, "linkify": False, "typographer": False}, renderer_cls=_Renderer
).enable(["table", "strikethrough"])


def visible_text(text: str) -> str:
    """The text with what the eye cannot see made visible as U+FFFD and piled-up marks cut to three."""
    return MARKS.sub(r"\1", HIDDEN.sub(REPLACED, text))


def page_text(text: str) -> str:
    """The visible text with line breaks as pages have them."""
    return visible_text(text.replace("\r\n", "\n").replace("\r", "\n"))


@lru_cache(maxsize=4096)
def safe_html(text: str) -> str:
    """Markdown as HTML that holds no script, no link, no image, no style and no form."""
    shown = page_text(text)
    if len(shown) > LONGEST_MARKDOWN:
        return f"<pre>{html.escape(shown)}</pre>"
    # Once more, for what stood in the text as a character reference (&#x202e;) and is a character now.
    return page_text(nh3.clean(_MARKDOWN.render(shown), tags=TAGS, attributes=ATTRIBUTES, link_rel=None))


def safe_turns(prompt: Text) -> list[tuple[str, str]]:
    """A prompt as (role, HTML) turns; role is empty for plain text."""
    if isinstance(prompt, str):
        return [("", safe_html(prompt))]
    return [(page_text(message.role), safe_html(message.content)) for message in prompt]
