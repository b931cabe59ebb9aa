"""The smallest models: sequence, choice, and a join in its second round (W1)."""

from tests.builders.workflows import play


def test_runs_two_tasks_in_sequence() -> None:
    p = play("""
    start s
    user a
    user b
    end e
    s > a > b > e
    """)
    assert p.open == ["a"]
    p.done("a", amount=5)
    assert (p.open, p.values) == (["b"], {"amount": 5})
    p.done("b")
    assert p.finished
    assert p.entered == ["s", "a", "b", "e"]


def test_exclusive_gateway_takes_the_first_true_flow() -> None:
    p = play(
        """
    start s
    xor g default=g-c
    user b
    user c
    end e
    s > g
    g > b if amount > 5
    g > c
    b > e
    c > e
    """,
        amount=7,
    )
    assert p.open == ["b"]


def test_join_second_round() -> None:
    for first in ("ab", "ba"):
        for second in ("ab", "ba"):
            p = play("""
            start s
            xor m
            and f
            user a
            user b
            and j
            user review
            xor g default=g-e
            end e
            s > m > f
            f > a > j
            f > b > j
            j > review > g
            g > m if again
            g > e
            """)
            for task in first:
                assert p.open != ["review"]
                p.done(task)
            assert p.open == ["review"]
            p.done("review", again=True)
            assert p.open == ["a", "b"]
            p.done(second[0])
            assert p.open == [second[1]]
            p.done(second[1])
            assert p.open == ["review"]
            p.done("review", again=False)
            assert p.finished
