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
    )
    assert understood.aspects == {"montant": 0.7, "delai": 0.3}
    assert understood.subjects == {"fonds": 0.6, None: 0.4}


def test_a_pressed_button() -> None:
    entities = [{"entity": "subject", "value": "axe_1"}]
    parse = {"intent": {"name": "montant", "confidence": 1.0}, "entities": entities}
    understood = read(parse)
    assert (understood.aspects, understood.subjects) == ({"montant": 1.0}, {"axe_1": 1.0})


def test_entities_of_another_pipeline_share_alike() -> None:
    values = ["axe_1", "axe_2", "axe_1"]
    entities = [{"entity": "subject", "value": value} for value in values]
    assert read({"entities": entities}).subjects == {"axe_1": 0.5, "axe_2": 0.5}


def test_nothing_understood() -> None:
    understood = read({"intent": {"name": None, "confidence": 0.0}})
    assert (understood.aspects, understood.subjects) == ({}, {None: 1.0})
