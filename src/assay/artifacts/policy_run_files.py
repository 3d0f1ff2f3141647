"""What stands where in the folder of a run that tuned a policy, beyond the files of every run: names only.

All are optional; who reads the folder says what is not there.
"""

from __future__ import annotations

from assay.artifacts.capability_body import CAPABILITY

STUDY = "study/study.db"  # ready to serve, open, or closed
CONCLUSION = "conclusion"  # the folder of the closed study's analysis, the capability test, and the verdict on all
STUDY_RESULT = f"{CONCLUSION}/study"
CAPABILITY_RESULT = f"{CONCLUSION}/{CAPABILITY}"
FOUNDER = "founder.html"
