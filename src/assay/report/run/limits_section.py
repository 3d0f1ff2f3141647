"""What a report does not show, in sentences: what no such report can, and what this run lacks. Knows no HTML."""

from __future__ import annotations

from assay.report.run.reported_run import ReportedRun


def limits(evidence: ReportedRun) -> list[str]:
    """What this report does not show."""
    accuracy = evidence.head("accuracy")
    out = [
        "Agreement on held-out pairs from the same source is not agreement on what an optimised policy will write. "
        "Before and during optimisation, score fresh outputs of that policy and have people judge a sample of them.",
        "The labels are taken as the truth. Where annotators share a bias, the model learns it and this report cannot "
        "see it.",
        "“Longest wins” is one shortcut of many. Beating it does not rule out style, format or phrase shortcuts.",
        "Rewards have no natural zero or unit; compare them only between answers to one prompt, from one model.",
    ]
    if evidence.simulated:
        out.insert(0, "The data are simulated. The figures show that the pipeline works, not how people would judge.")
    if len(evidence.seeds) < 2:
        out.append("One seed only: how much of the result is luck of the draw is unknown.")
    if evidence.tables["calibration"] is None:
        out.append("Calibration (whether sigmoid(margin) can be read as a probability) was not drawn in this run.")
    if accuracy.known is None:
        out.append(f"The accuracy itself is unknown: {accuracy.reason}.")
    out += [
        f"{item.artifact} is missing from the run folder, so {item.what} cannot be shown." for item in evidence.missing
    ]
    return out
