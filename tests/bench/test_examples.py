"""Parts and folds of the examples: every block keeps its share, and nothing is lost."""

from bench import examples

BLOCKS: list[examples.Block] = [
    {"synonym": "fonds", "examples": "- le fonds\n- ce fonds\n"},
    {
        "intent": "montant",
        "metadata": {"subject": "fonds"},
        "examples": "".join(f"- combien {number} ?\n" for number in range(10)),
    },
    {"intent": "greet", "examples": "- salut\n"},
]


def test_a_share_of_each_block() -> None:
    small, large = examples.share(BLOCKS, 0.3), examples.share(BLOCKS, 0.5)
    assert [len(examples.lines(block)) for block in small] == [2, 3, 1]
    assert set(examples.lines(small[1])) < set(examples.lines(large[1]))
    assert small == examples.share(BLOCKS, 0.3)


def test_each_example_is_held_out_once() -> None:
    held_out = []
    for index in range(5):
        learnt, held = examples.fold(BLOCKS, index, 5)
        texts = {line for block in learnt if "intent" in block for line in examples.lines(block)}
        assert not texts & {example.text for example in held}
        held_out += held
    assert sorted(held_out, key=str) == sorted(
        [
            *(examples.Example(f"combien {number} ?", "montant", "fonds") for number in range(10)),
            examples.Example("salut", "greet", None),
        ],
        key=str,
    )
