"""What stands where in the folder of a run that tuned a policy, beyond the files of every run: names only.

Answers of both models to the study's prompts, the study made ready to serve, what its analysis wrote, and the
capability test. All are optional; a page that reads the folder says what is not there.
"""

from __future__ import annotations

ANSWERS_BEFORE = "answers/before.jsonl"  # one answer a prompt, rows as policies.answer_files writes them
ANSWERS_AFTER = "answers/after.jsonl"
STUDY = "study.db"  # ready to serve, or closed
STUDY_RESULT = "study"  # the folder that flows.study.analyse_study writes
CAPABILITY = "capability"  # the folder that flows.capability writes
FOUNDER = "founder.html"
