"""Compensation: throw, end, by activity, nested, by event sub-process, by a transaction."""

from tests.builders.workflows import play

PAIR = """
<association id="a-{n}" associationDirection="One" sourceRef="c-{n}" targetRef="undo-{n}"/>
boundary c-{n} on={n} compensate=-
user undo-{n} compensation=true
"""


def pair(name: str) -> str:
    return PAIR.replace("{n}", name)


BOOK = f"""
start s
user flight
{pair("flight")}
user hotel
{pair("hotel")}
user pay
throw back compensate=%s
user after
end e
s > flight > hotel > pay > back > after > e
"""


def test_undoes_in_reverse_order_one_by_one() -> None:
    p = play(BOOK % "-").done("flight").done("hotel").done("pay")
    assert p.open == ["undo-hotel"]
    assert p.done("undo-hotel").open == ["undo-flight"]
    assert p.done("undo-flight").open == ["after"]
    assert p.done("after").finished


def test_undoes_only_the_named_activity() -> None:
    p = play(BOOK % "flight").done("flight").done("hotel").done("pay")
    assert p.open == ["undo-flight"]
    assert p.done("undo-flight").open == ["after"]


def test_undoes_nothing_that_did_not_complete() -> None:
    p = play(f"""
    start s
    and f
    user flight
    {pair("flight")}
    user pay
    end back compensate=-
    end e
    s > f
    f > flight > e
    f > pay > back
    """)
    assert p.done("pay").open == ["flight"]


def test_undoes_what_a_completed_subprocess_did() -> None:
    p = play(f"""
    start s
    sub box {{
    start bs
    user flight
    {pair("flight")}
    user hotel
    {pair("hotel")}
    end be
    bs > flight > hotel > be
    }}
    user pay
    throw back compensate=-
    end e
    s > box > pay > back > e
    """)
    p.done("flight").done("hotel").done("pay")
    assert p.open == ["undo-hotel"]
    assert p.done("undo-hotel").open == ["undo-flight"]
    assert p.done("undo-flight").finished


def test_a_compensation_event_subprocess_takes_the_place_of_the_default() -> None:
    p = play(f"""
    start s
    sub box {{
    start bs
    user flight
    {pair("flight")}
    end be
    sub h triggered=true {{
    start hs compensate=-
    user first
    throw inner compensate=-
    user last
    end he
    hs > first > inner > last > he
    }}
    bs > flight > be
    }}
    user pay
    throw back compensate=-
    end e
    s > box > pay > back > e
    """)
    p.done("flight").done("pay")
    assert p.open == ["first"]
    assert p.done("first").open == ["undo-flight"]
    assert p.done("undo-flight").open == ["last"]
    assert p.done("last").finished


def test_an_error_handler_undoes_the_scope_it_stands_in() -> None:
    p = play(f"""
    start s
    user flight
    {pair("flight")}
    user pay
    end bad error=oops
    sub h triggered=true {{
    start hs error=oops
    throw back compensate=-
    end he
    hs > back > he
    }}
    s > flight > pay > bad
    """)
    p.done("flight").done("pay")
    assert p.open == ["undo-flight"]
    assert p.done("undo-flight").finished


def test_cancelled_transaction_undoes_and_leaves_by_its_boundary() -> None:
    p = play(f"""
    start s
    transaction deal {{
    start ts
    and f
    user flight
    {pair("flight")}
    user other
    user decide
    end te
    end no cancel=-
    ts > flight > f
    f > decide > no
    f > other > te
    }}
    boundary c on=deal cancel=-
    user good
    user caught
    end e
    s > deal > good > e
    c > caught > e
    """)
    p.done("flight").done("decide")
    assert p.open == ["undo-flight"]
    assert p.done("undo-flight").open == ["caught"]
    assert p.done("caught").finished


def test_loop_instances_are_undone_one_by_one() -> None:
    p = play(f"""
    start s
    user flight parallel=n:2
    {pair("flight")}
    throw back compensate=-
    end e
    s > flight > back > e
    """)
    p.done("flight").done("flight")
    assert p.open == ["undo-flight"]
    assert p.done("undo-flight").open == ["undo-flight"]
    assert p.done("undo-flight").finished


def test_a_throw_in_a_handler_undoes_the_handler_first_then_its_scope() -> None:
    text = f"""
    start s
    user hotel
    {pair("hotel")}
    end bad error=oops
    sub h triggered=true {{
    start hs error=oops
    user second
    {pair("second")}
    throw back compensate=%s
    user after
    end he
    hs > second > back > after > he
    }}
    s > hotel > bad
    """
    p = play(text % "-").done("hotel").done("second")
    assert p.open == ["undo-second"]
    assert p.done("undo-second").open == ["undo-hotel"]
    assert p.done("undo-hotel").open == ["after"]
    p = play(text % "second").done("hotel").done("second")
    assert p.done("undo-second").open == ["after"]


def test_a_handler_sees_what_its_activity_had_for_itself() -> None:
    p = play(
        f"""
        start s
        sub trip sequential=of:cities;item:city lt:in.guest=owner {{
        <dataObject id="d" name="room"/>
        start ts
        user book parallel=n:1
        {pair("book")}
        end te
        ts > book > te
        }}
        throw back compensate=-
        end e
        s > trip > back > e
        """,
        cities=["hue", "vinh"],
        owner="an",
    )
    p.done("book", room="1").done("book", room="2")
    seen = []
    while not p.finished:
        own = next(iter(p.tasks.values())).locals
        seen.append((own["city"], own["room"], own["guest"]))
        p.done("undo-book")
    assert seen == [("vinh", "2", "an"), ("hue", "1", "an")]
    assert "room" not in p.values
