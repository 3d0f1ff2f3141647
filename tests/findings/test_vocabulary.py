"""One row a figure: names are distinct, units known, places filled, and nobody writes slices by hand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import assay
from assay.audits.audit_figures import AUDIT_FIGURES as PAIRS
from assay.audits.fit.fit_meanings import MEANINGS as FIT
from assay.audits.fresh.fresh_meanings import MEANINGS as FRESH
from assay.audits.pressure.pressure_meanings import MEANINGS as PRESSURE
from assay.capability.capability_meanings import MEANINGS as CAPABILITY
from assay.findings.vocabulary import UNITS, Meaning, Vocabulary
from assay.gate.every_figure import EVERY_FIGURE
from assay.study.analysis.vote_meanings import MEANINGS as VOTES


def test_rooms_share_no_name_and_every_unit_is_known() -> None:
    rooms = (PAIRS, VOTES, CAPABILITY, PRESSURE, FRESH, FIT)
    assert len(EVERY_FIGURE) == sum(len(room) for room in rooms)
    assert {row.unit for row in EVERY_FIGURE.values()} <= set(UNITS)
    assert all(40 < len(row.why) < 320 or row.describes or row.name in VOTES for row in EVERY_FIGURE.values())
    with pytest.raises(ValueError, match="two figures are called accuracy"):
        Vocabulary((PAIRS["accuracy"],), (PAIRS["accuracy"],))


def test_a_row_says_where_it_is_shown_and_with_which_words() -> None:
    rows = (
        Meaning(name="a_b", unit="share", why="", shown={"terminal": "", "card": "On the card"}),
        Meaning(name="c", unit="share", why="", title="See", shown={"terminal": ""}),
    )
    assert Vocabulary(rows).shown_in("terminal") == {"a_b": "A b", "c": "See"}
    assert Vocabulary(rows).shown_in("card") == {"a_b": "On the card"}
    assert Vocabulary(rows).shown_in("length section") == {}


def test_a_new_row_is_shown_without_another_edit(capsys: pytest.CaptureFixture[str]) -> None:
    """The places read the vocabulary: what the terminal prints of an audit is what the rows say."""
    from assay.artifacts.rests_on_body import RestsOn
    from assay.cli.audit import summary
    from assay.flows.audit import ScorerAudit
    from tests.audits.planted import audited, healthy, make_pairs

    pairs = make_pairs(60)
    data = RestsOn(rows=60, pairs=60, lost={}, categories=(), token_limit=None)
    found = ScorerAudit(audit=audited(healthy(pairs), pairs), rows=60, rejects=0, left_out={}, rests_on=data)
    lines = summary(found, Path("out")).splitlines()
    shown = [line for line in lines if re.match(r"  \[\w+\]", line)]
    assert len(shown) == len([name for name in PAIRS.shown_in("terminal") if not PAIRS[name].where_given])


CUTS = ("startswith", "partition", "removeprefix", "replace", "split")


def by_hand(tree: ast.AST) -> Iterator[int]:
    """Lines that put a slice's text together or take it apart; docstrings may show one."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    text = re.compile(r"^(category|editors?|aspect|judges?|against)=")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            if text.match(node.value):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in CUTS and getattr(node.value, "attr", "") == "slice":
            yield node.lineno


def test_nobody_else_puts_slices_together_or_takes_them_apart() -> None:
    assert list(by_hand(ast.parse("a = f'category={name}'\nb = f.slice.partition('=')"))) == [1, 2]
    source = Path(assay.__file__).parent
    found = [
        f"{path.relative_to(source)}:{line}"
        for path in source.rglob("*.py")
        for line in by_hand(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []
