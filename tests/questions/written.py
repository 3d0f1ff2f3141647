"""Small files of multiple-choice questions, in the layouts that are read."""

from __future__ import annotations

from pathlib import Path

HEADED = "question,choice0,choice1,choice2,choice3,answer\n"


def examples(folder: Path) -> tuple[Path, Path]:
    """Two subjects, with a header line and without, and two solved examples of each."""
    questions, shots = folder / "test", folder / "dev"
    for place in (questions, shots):
        place.mkdir()
    (questions / "high_school_biology_test.csv").write_text(
        HEADED + '"Which, of these, flies?",Stone,Bird,Table,Tree,1\n" Which swims? ",Fish,Stone, Table ,Tree,0\n'
    )
    (questions / "anatomy_test.csv").write_text("Where is the heart?,Head,Hand,Chest,Foot,C\nHow many?,1,2,3,4,B\n")
    (shots / "high_school_biology_dev.csv").write_text(HEADED + "Which barks?,Cat,Dog,Cow,Ant,1\nWhich is?,a,b,c,d,3\n")
    (shots / "anatomy_dev.csv").write_text("Which hand?,Left,Right,Both,None,A\nWhich foot?,Left,Right,Both,None,D\n")
    return questions, shots
