"""The pair contract: a row becomes pairs, or rejects with one of the reasons of records.py; never nothing.

1. The layout reads the row: two answers and what was said of them, or candidates with what is known of them.
2. Candidates become one comparison for every two answers that something is known of (derived_drafts.py).
3. Each comparison is judged by the same rules: its texts (text_rules.py), then its label and votes (vote_counts.py).
4. The pairs of one row of candidates share one weight, so that a prompt with many answers does not outweigh others.
Knows nothing of other rows: that is groups/overlap.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assay.artifacts.contract_body import CandidateCounts
from assay.data.config import DataConfig
from assay.data.derived_drafts import drafts
from assay.data.groups.overlap import OBJECTIVE
from assay.data.layouts.draft import Draft
from assay.data.layouts.known import Plan
from assay.data.layouts.labels import Outcome, UnknownLabelError
from assay.data.layouts.stated_fields import margin, name, printable, source, weight
from assay.data.layouts.texts import LostReasoningError, UnfitError
from assay.data.sources.row import Row
from assay.data.text_ids import encoded, pair_id
from assay.data.text_rules import alike, check_texts
from assay.data.vote_counts import Agreement, as_vote, outcome_counts, winner
from assay.data.whole_groups import of_right_and_wrong
from assay.records import Candidates, Label, Pair, Part, Reject, RejectReason, Where, to_json

# What an outcome is called in a row of the native layout; "chosen" goes without saying.
LABELS: Mapping[Outcome, str | None] = {"left": None, "right": None, "tie": "tie", "abstain": "abstain"}
SHAPE_ERRORS = (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
MOST_LABELS = 1000  # unknown labels counted by name


@dataclass(slots=True)
class PairContract:
    """Applies one configuration, and the plan of one source, to rows; keeps count of the votes and candidates it saw.

    plan: None for candidates that are in memory already. several: whether a row had more than one outcome.
    groups: gets the rows of many answers as whole groups, where somebody wants them.
    """

    plan: Plan | None
    config: DataConfig
    agreement: Agreement = field(default_factory=Agreement)
    rows: int = 0
    answers: int = 0
    comparisons: int = 0
    several: bool = False
    unknown_labels: Counter[str] = field(default_factory=Counter)
    groups: list[Candidates] | None = None

    def outcomes(self, row: Row) -> list[Pair | Reject]:
        """The pairs a row holds, or why it holds none; at least one outcome. Rows of pairs have exactly one."""
        assert self.plan is not None
        try:
            found = self.plan.build(row)
        except LostReasoningError:
            raise  # a whole source's affair, not a row's
        except (UnfitError, *SHAPE_ERRORS) as error:
            return [self.refused(error, row.where, self.plan.columns.pick(row.data, "category"), row.data)]
        if isinstance(found, Draft):
            return [self.outcome(found, row.where)]
        self.several = True
        if isinstance(found, Candidates):
            return self.derived(found)
        if found.answers is None:
            return [self.outcome(draft, row.where) for draft in found.drafts]
        judged = self.of_candidates(found.drafts, found.answers, row.where)
        if self.groups is not None and (whole := of_right_and_wrong(judged)) is not None:
            self.groups.append(whole)
        return judged

    def derived(self, group: Candidates) -> list[Pair | Reject]:
        """The pairs that follow from what is known of candidates, and why others do not."""
        if self.groups is not None:
            self.groups.append(group)
        least = self.plan.least_difference if self.plan else 0.0
        found = drafts(group, self.config.derive, least_difference=least)
        return self.of_candidates(found, len(group.answers), group.where)

    def of_candidates(self, read: Sequence[Draft], answers: int, where: Where) -> list[Pair | Reject]:
        """The comparisons of one row of candidates, counted; the pairs among them share one weight."""
        found = [self.outcome(draft, where) for draft in read]
        self.rows += 1
        self.answers += answers
        self.comparisons += len(found)
        kept = sum(isinstance(one, Pair) for one in found)
        share = 1 / kept if kept and self.config.weight == "group" else 1.0
        return [replace(one, weight=share) if isinstance(one, Pair) else one for one in found]

    def outcome(self, draft: Draft, where: Where) -> Pair | Reject:
        """The pair of one comparison, or the first reason against it."""
        try:
            return self.accepted(draft, where)
        except (UnfitError, *SHAPE_ERRORS) as error:
            return self.refused(error, where, draft.category or draft.objective, as_read(draft))

    def accepted(self, draft: Draft, where: Where) -> Pair:
        """Raises UnfitError with the first reason that applies."""
        counts = outcome_counts(draft.votes)
        if draft.votes:
            self.agreement.count(draft.votes, counts)
        # Votes were counted first: what people said of a row is true of them, whatever becomes of the row.
        check_texts(draft)
        if draft.unfit is not None:
            raise draft.unfit
        outcome = winner(draft, counts, self.config)
        turned = outcome == "right"
        chosen, rejected = (draft.right, draft.left) if turned else (draft.left, draft.right)
        prompt, chosen, rejected = alike(draft.prompt, chosen, rejected)
        for text in (prompt, chosen, rejected):
            if type(text) is not str or not text.isascii():
                encoded(text)  # raises UnicodeEncodeError
        for vote in draft.votes:
            if (who := vote.annotator) is not None and not who.isascii():
                who.encode()  # raises UnicodeEncodeError
        label: Label = "tie" if outcome == "tie" else "chosen"
        named = name(draft.id, "id") or pair_id(prompt, chosen, rejected)
        objective = name(draft.objective, "objective")
        if draft.several:
            named = f"{named}/{objective}"
        return Pair(
            id=named,
            prompt=prompt,
            chosen=chosen,
            rejected=rejected,
            label=label,
            category=name(draft.category, "category") or objective,
            group=name(draft.group, "group"),
            votes=tuple([as_vote(vote, turned=turned) for vote in draft.votes]),
            margin=margin(draft.margin),
            weight=weight(draft.weight),
            source=source(draft.source) if objective is None else {**source(draft.source), OBJECTIVE: objective},
            where=where,
        )

    def refused(self, error: Exception, where: Where, category: object, row: Mapping[str, object]) -> Reject:
        """Why a row or comparison is no pair, in the words of the contract."""
        reason: RejectReason
        side: Part | None = None
        if isinstance(error, UnknownLabelError) and (
            len(self.unknown_labels) < MOST_LABELS or error.label in self.unknown_labels
        ):
            self.unknown_labels[error.label] += 1
        if isinstance(error, UnfitError):
            reason, detail, side = error.reason, error.detail, error.side
        elif isinstance(error, UnicodeEncodeError):
            reason, detail = "bad_encoding", f"half of a surrogate pair at character {error.start + 1}"
        else:
            layout = self.plan.name if self.plan else "candidates"
            reason = "not_text"
            detail = f"the values do not have the shape of layout {layout} ({type(error).__name__}: {error})"
        return Reject(where=where, reason=reason, detail=detail, side=side, category=printable(category), row=row)

    def candidate_counts(self) -> CandidateCounts | None:
        """What was derived; None where no row held candidates."""
        if not self.rows:
            return None
        return CandidateCounts(rows=self.rows, answers=self.answers, comparisons=self.comparisons)


def derive_pairs(
    candidates: Iterable[Candidates], *, config: DataConfig | None = None
) -> tuple[list[Pair], list[Reject]]:
    """The pairs that follow from what is known of candidates in memory, by the rules for every row; and the rest.

    config: `derive`, `weight`, `ties` and `min_agreement` are read. Repeats among the candidates are not looked for:
    assay.data.read_pairs takes candidates as well, and does.
    """
    contract = PairContract(plan=None, config=config or DataConfig())
    found = [outcome for group in candidates for outcome in contract.derived(group)]
    return [one for one in found if isinstance(one, Pair)], [one for one in found if isinstance(one, Reject)]


def as_read(draft: Draft) -> Mapping[str, object]:
    """A draft in the native layout, for a person to adjudicate; read again it gives what it gave.

    Answers stand in the order read, unless the right one is stated to have won. Where votes decide, label says so.
    """
    turned = draft.label == "right"
    left, right = to_json(draft.left), to_json(draft.right)
    votes = [
        {"choice": vote.choice, "annotator": vote.annotator, "shown_left": vote.shown_left}
        for vote in (as_vote(ballot, turned=turned) for ballot in draft.votes)
    ]
    label = ("votes" if draft.votes else None) if draft.label is None else LABELS[draft.label]
    fields: dict[str, object] = {
        "id": draft.id,
        "prompt": to_json(draft.prompt),
        "chosen": right if turned else left,
        "rejected": left if turned else right,
        "label": label,
        "category": draft.category,
        "objective": draft.objective,
        "group": draft.group,
        "votes": votes or None,
        "margin": draft.margin,
        "weight": draft.weight,
        "source": draft.source,
    }
    return {key: value for key, value in fields.items() if value is not None}
