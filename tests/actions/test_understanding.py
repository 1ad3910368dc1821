"""What is read of Rasa's parse, whichever pipeline made it."""

from actions.understanding import read


def test_our_rankings() -> None:
    understood = read(
        {
            "intent": {"name": "montant", "confidence": 0.7},
            "intent_ranking": [
                {"name": "montant", "confidence": 0.7},
                {"name": "delai", "confidence": 0.3},
            ],
            "subject_ranking": [
                {"name": "fonds", "confidence": 0.6},
                {"name": None, "confidence": 0.4},
            ],
            "entities": [{"entity": "subject", "value": "axe_1"}],
        }
    ).whole
    assert understood.aspects == {"montant": 0.7, "delai": 0.3}
    assert understood.subjects == {"fonds": 0.6, None: 0.4}
    assert understood.named == {"axe_1"}


def test_parts_that_ask_nothing_are_left_out() -> None:
    part = {"intent_ranking": [{"name": "delai", "confidence": 1.0}], "subject_ranking": []}
    heard = read({"parts": [{**part, "asks": False}, {**part, "asks": True}]})
    assert [one.aspects for one in heard.parts] == [{"delai": 1.0}]


def test_a_pressed_button() -> None:
    entities = [{"entity": "subject", "value": "axe_1"}]
    parse = {"intent": {"name": "montant", "confidence": 1.0}, "entities": entities}
    understood = read(parse).whole
    assert (understood.aspects, understood.subjects) == ({"montant": 1.0}, {"axe_1": 1.0})


def test_entities_of_another_pipeline_share_alike() -> None:
    values = ["axe_1", "axe_2", "axe_1"]
    entities = [{"entity": "subject", "value": value} for value in values]
    assert read({"entities": entities}).whole.subjects == {"axe_1": 0.5, "axe_2": 0.5}


def test_nothing_understood() -> None:
    understood = read({"intent": {"name": None, "confidence": 0.0}}).whole
    assert (understood.aspects, understood.subjects) == ({}, {None: 1.0})
