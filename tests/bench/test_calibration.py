"""Bands of confidence, and the pictures, which must be valid SVG."""

from xml.etree import ElementTree

from bench import calibration, pictures
from bench.calibration import Band
from bench.measure import Judged
from bench.player import Turn
from bench.questions import Question
from bench.scoring import Verdict

QUESTION = Question(text="?", reply=("thank",))


def judged(kind: str, confidence: float, verdict: Verdict) -> Judged:
    outcome = {"kind": kind, "confidence": confidence, "references": [], "asked": []}
    return Judged(QUESTION, Turn("?", outcome, 0.0), verdict, follows=False)


def test_bands() -> None:
    bands = calibration.bands(
        [
            judged("answer", 0.3, "right"),
            judged("reply", 0.39, "wrong"),
            judged("answer", 0.4, "right"),
            judged("answer", 1.0, "right"),
            judged("did_you_mean", 0.4, "asked"),
        ]
    )
    assert len(bands) == calibration.BANDS
    assert [band for band in bands if band.count] == [
        Band(0.3, 2, 1),
        Band(0.4, 1, 1),
        Band(0.9, 1, 1),
    ]
    assert bands[3].share == 0.5
    assert bands[0].share is None


def test_the_pictures_say_what_they_show() -> None:
    drawn = (
        pictures.calibration(calibration.bands([judged("answer", 0.95, "right")])),
        pictures.learning_curve({"dans le <sujet>": [(0.25, 0.8), (1.0, 0.9)]}),
    )
    for picture in drawn:
        root = ElementTree.fromstring(picture)
        texts = {child.tag.rpartition("}")[2]: child.text for child in root}
        assert texts["title"]
        assert "%" in (texts["desc"] or "")
