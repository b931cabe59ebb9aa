"""Each rule has a model that breaks it, and its finding names the element; every rule has texts."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import workflows
from dossier.texts import Language, known_codes
from tests.builders.workflows import HEAD, draw, draw_pools
from workflows.definition import deploy
from workflows.findings import Severity

SIMPLE = "start s\nuser a\nend e\ns > a > e\n"

BROKEN = {
    "complex_gateway": ("x", "start s\ncomplex x\nend e\ns > x > e"),
    "ad_hoc": ("x", "start s\nadhoc x {\nuser a\n}\nend e\ns > x > e"),
    "unreachable": ("lost", SIMPLE + "user lost"),
    "called_missing": ("c", "start s\ncall c called=nowhere\nend e\ns > c > e"),
    "call_cycle": ("c", "start s\ncall c called=p\nend e\ns > c > e"),
    "nested_too_deep": ("p", "sub a {\n" * 61 + "user u\n" + "}\n" * 61),
    "handler_start": ("h", SIMPLE + "sub h triggered=true {\nstart hs\nend he\nhs > he\n}"),
    "handler_flow": (
        "h",
        SIMPLE + "sub h triggered=true {\nstart hs message=m\nend he\nhs > he\n}\na > h",
    ),
    "inner_start": ("bs", "start s\nsub b {\nstart bs message=m\nend be\nbs > be\n}\ns > b"),
    "loop_unbounded": ("a", "start s\nuser a parallel=x:1\nend e\ns > a > e"),
    "loop_negative": ("a", "start s\nuser a parallel=n:-1\nend e\ns > a > e"),
    "loop_behavior": (
        "a",
        'start s\n<userTask id="a"><multiInstanceLoopCharacteristics behavior="Complex">'
        '<loopCardinality>2</loopCardinality><complexBehaviorDefinition id="c"><condition id="d">'
        'true</condition><event id="v"><timerEventDefinition id="w"/></event>'
        '</complexBehaviorDefinition></multiInstanceLoopCharacteristics></userTask>\nend e\n'
        's > a > e',
    ),
    "script_missing": ("x", "start s\nscript x\nend e\ns > x > e"),
    "operation_missing": ("x", "start s\nservice x\nend e\ns > x > e"),
    "decision_missing": ("x", "start s\nrule x\nend e\ns > x > e"),
    "plain_task": ("x", "start s\ntask x\nend e\ns > x > e"),
    "compensation_handler": ("b", SIMPLE + "boundary b on=a compensate=-"),
    "compensation_target": ("t", "start s\nthrow t compensate=zz\nend e\ns > t > e"),
    "compensation_flow": ("u", SIMPLE + "user u compensation=true\nend z\nu > z"),
    "no_start_event": ("p", "user a\nend e\na > e"),
    "no_end_event": ("p", "start s\nuser a\ns > a"),
    "several_none_starts": ("s2", SIMPLE + "start s2\ns2 > a"),
    "label_missing": ("a", SIMPLE),
    "implicit_start": ("b", SIMPLE + "user b\nb > e"),
    "implicit_end": ("b", "start s\nuser b\ns > b"),
    "disconnected": ("b", SIMPLE + "user b"),
    "several_inner_starts": ("b2", "start s\nsub x {\nstart b1\nstart b2\nend be\n"
        "b1 > be\nb2 > be\n}\nend e\ns > x > e"),
    "superfluous_termination": ("e", "start s\nend e terminate=-\ns > e"),
    "inclusive_gateway": ("g", "start s\nor g\nend e\ns > g > e"),
    "several_events": ("c", "start s\ncatch c message=m signal=n\nend e\ns > c > e"),
    "every_event": (
        "c", "start s\ncatch c message=m signal=n parallelMultiple=true\nend e\ns > c > e"),
    "always_taken": ("a-z", "start s\nuser a\nend e\nend z\ns > a > z\na > e if x"),
    "caught_twice": ("c", SIMPLE + "boundary b on=a error=x\nboundary c on=a error=x\nc > e"),
    "undone_twice": ("h", "start s\nsub x {\nstart xs\nend xe\nxs > xe\n"
        "sub h triggered=true {\nstart hs compensate=-\n}\n}\nboundary b on=x compensate=-\n"
        "s > x"),
    "definition_unnamed": ("m", '<receiveTask id="r" messageRef="m"/>'),
    "definition_twice": ("m", "receive r message=m\nreceive q message=n"),
    "definition_unused": ("m", SIMPLE),
    "drawing_missing": ("defs", SIMPLE),
    "flow_crosses_scope": ("s-in", "start s\nsub b {\nuser in\n}\ns > in"),
    "start_with_incoming": ("s", "start s\nuser a\ns > a > s"),
    "boundary_with_incoming": ("b", SIMPLE + "boundary b on=a message=m\nb > e\na > b"),
    "end_with_outgoing": ("e", SIMPLE + "user z\ne > z"),
    "condition_not_allowed": ("s-a", "start s\nuser a\nend e\ns > a if true\na > e"),
    "default_not_outgoing": ("g", "start s\nxor g default=s-g\nend e\ns > g > e"),
    "default_with_condition": (
        "g-e",
        "start s\nxor g default=g-e\nend e\nend f\ns > g\ng > e if true\ng > f if true",
    ),
    "flow_without_condition": ("g-f", "start s\nxor g\nend e\nend f\ns > g\ng > e if true\ng > f"),
    "duplicate_flow": ("s-ex", "start s\nend e\ns > e\ns > e"),
    "superfluous_gateway": ("g", "start s\nxor g\nend e\ns > g > e"),
    "gateway_joins_and_forks": (
        "g",
        "start s\nand f\nand g\nend e\ns > f\nf > g\nf > g\ng > e\ng > e",
    ),
    "implicit_split": ("a", SIMPLE + "end z\na > z"),
    "implicit_merge": ("a", "start s\nand f\nuser a\nend e\ns > f\nf > a\nf > a\na > e"),
    "event_not_allowed": ("t", "start s\nthrow t duration=PT1H\nend e\ns > t > e"),
    "boundary_not_attached": ("b", SIMPLE + "boundary b on=nothing message=m\nb > e"),
    "boundary_without_event": ("b", SIMPLE + "boundary b on=a\nb > e"),
    "must_interrupt": (
        "b",
        SIMPLE + "boundary b on=a interrupting=false error=-\nb > e",
    ),
    "boundary_without_flow": ("b", SIMPLE + "boundary b on=a message=m"),
    "cancel_outside_transaction": ("e", "start s\nend e cancel=-\ns > e"),
    "cancel_without_boundary": (
        "te",
        "start s\ntransaction t {\nstart ts\nend te cancel=-\nts > te\n}\nend e\ns > t > e",
    ),
    "link_unmatched": ("t", "start s\nthrow t link=over\ns > t"),
    "event_gateway_single": ("g", "start s\nevent g\ncatch c message=m\nend e\ns > g > c > e"),
    "event_gateway_target": (
        "g",
        "start s\nevent g\ncatch c message=m\nuser a\nend e\ns > g\ng > c > e\ng > a > e",
    ),
    "event_gateway_shared": (
        "g",
        "start s\nand f\nevent g\ncatch c message=m\ncatch d signal=x\nend e\n"
        "s > f\nf > g\nf > c\ng > c > e\ng > d > e",
    ),
    "event_gateway_mixed": (
        "g",
        "start s\nevent g\ncatch c message=m\nreceive r message=n\nend e\n"
        "s > g\ng > c > e\ng > r > e",
    ),
    "start_ambiguous": ("t", "start s message=m\nstart t message=m\nend e\ns > e\nt > e"),
    "token_quantity": ("a", "start s\nuser a startQuantity=2\nend e\ns > a > e"),
    "missing_timer": ("c", "start s\ncatch c duration=\"\"\nend e\ns > c > e"),
    "timer_refused": ("c", "start s\ncatch c duration=-PT1H\nend e\ns > c > e"),
    "missing_condition": ("c", "start s\ncatch c conditional=\"\"\nend e\ns > c > e"),
    "expression_refused": ("a-e", "start s\nuser a\nend e\ns > a\na > e if n >"),
    "script_refused": ("x", "start s\nscript x script=open(1)\nend e\ns > x > e"),
    "expression_translated": ("a-e", "start s\nuser a\nend e\ns > a\na > e if ${n > 5}"),
    "unknown_extension": ("a", "start s\nuser a lt:form.kind=x\nend e\ns > a > e"),
    "extension_incomplete": ("a", "start s\nuser a lt:form.name=\"\"\nend e\ns > a > e"),
    "extension_value": ("a", "start s\nuser a lt:sign=maybe\nend e\ns > a > e"),
    "silence_without_citation": (
        "r",
        "start s\nreceive r message=m lt:silence=consent\nend e\ns > r > e",
    ),
    "silence_without_time": (
        "r",
        "start s\nreceive r message=m lt:silence=escalate\nend e\ns > r > e",
    ),
    "silence_without_result": (
        "r",
        "start s\nreceive r message=m lt:silence=consent\nend e\ns > r > e",
    ),
    "silence_result_reserved": (
        "r",
        '<receiveTask id="r"><extensionElements><lt:silence policy="escalate" after="1wd" '
        'result="param"/></extensionElements></receiveTask>',
    ),
    "silence_misplaced": ("a", "start s\nuser a lt:silence=escalate\nend e\ns > a > e"),
    "vendor_code": ("x", "start s\nservice x camunda:class=a.B\nend e\ns > x > e"),
    "vendor_translated": ("x", "start s\nuser x camunda:assignee=an\nend e\ns > x > e"),
    "dangling_flow": ("a-zz", SIMPLE + "a > zz"),
    "link_joined": ("t", "start s\nthrow t link=x\ncatch c link=x\nend e\ns > t\nc > e"),
    "duplicate_id": ("a", SIMPLE + "<userTask id=\"a\"/>"),
    "missing_reference": ("c", "start s\ncatch c\nend e\ns > c > e"),
    "unnamed_event": ("c", "start s\ncatch c message=-\nend e\ns > c > e"),
    "unknown_element": (None, SIMPLE + "<weird/>"),
    "missing_id": (None, "start s\n<userTask/>\nend e\ns > e"),
}  # fmt: skip


_TOP = {
    "definition_unnamed": '<message id="m"/>',
    "definition_twice": '<message id="m" name="x"/><message id="n" name="x"/>',
    "definition_unused": '<message id="m" name="x"/>',
}


@pytest.mark.parametrize("rule", sorted(set(BROKEN) - {"missing_reference"}))
def test_rule_names_its_element_and_line(rule: str) -> None:
    element, text = BROKEN[rule]
    top = _TOP.get(rule, "")
    found = [f for f in deploy(draw(text, top=top)).findings if f.rule == rule]
    assert found, [f.rule for f in deploy(draw(text, top=top)).findings]
    if element is not None:
        assert element in [finding.element for finding in found]
    assert all(finding.line > 0 for finding in found)


def test_missing_reference_names_the_element() -> None:
    source = draw("start s\ncatch c signal=nothing\nend e\ns > c > e")
    source = re.sub(rb'<signal id="nothing"[^>]*>', b"", source)
    found = [f for f in deploy(source).findings if f.rule == "missing_reference"]
    assert [(f.element, f.severity) for f in found] == [("c", Severity.ASSUME)]


def test_a_timer_has_exactly_one_form() -> None:
    source = draw("start s\ncatch c duration=PT1H\nend e\ns > c > e")
    source = source.replace(b"</timeDuration>", b"</timeDuration><timeCycle>R/PT1H</timeCycle>")
    assert "timer_ambiguous" in [f.rule for f in deploy(source).findings]


@pytest.mark.parametrize(
    ("rule", "wires"),
    [
        ("message_flow_end", "out > nowhere : letter"),
        ("message_flow_inside_pool", "out > a : letter"),
        ("send_without_flow", "pool_one > in : letter"),
        ("several_senders", "out > in : letter\npool_one > in : other"),
    ],
)
def test_message_flow_rules(rule: str, wires: str) -> None:
    source = draw_pools(
        {
            "one": "start s\nuser a\nsend out\nend e\ns > a > out > e",
            "two": "start in message=m\nend e2\nin > e2",
        },
        wires,
    )
    assert rule in [finding.rule for finding in deploy(source).findings]


def test_a_throw_undoes_only_what_is_in_its_scope() -> None:
    source = draw("""
    start s
    sub x {
    start xs
    user a
    xs > a
    }
    throw t compensate=a
    s > x > t
    """)
    found = [f for f in deploy(source).findings if f.rule == "compensation_target"]
    assert [f.element for f in found] == ["t"]


def test_a_drawing_shows_everything_apart_and_in_its_place() -> None:
    source = draw("start s\nuser a\nuser b\nsub x {\nuser y\n}\nboundary t on=a duration=PT1H\n")
    found = [(f.rule, f.element) for f in deploy(_drawn(source)).findings if "shape" in f.rule]
    assert found == [("shape_missing", "s"), ("shapes_overlap", "b"), ("shapes_overlap", "x"),
                     ("shape_outside", "y")]  # fmt: skip


def _drawn(source: bytes) -> bytes:
    boxes = {
        "a": "0 0 10 10",
        "t": "8 8 4 4",
        "b": "20 0 10 10",
        "x": "25 0 50 50",
        "y": "80 0 9 9",
    }
    shapes = []
    for element, text in boxes.items():
        x, y, width, height = text.split()
        shapes.append(
            f'<d:BPMNShape id="{element}_di" bpmnElement="{element}" isExpanded="true">'
            f'<c:Bounds x="{x}" y="{y}" width="{width}" height="{height}"/></d:BPMNShape>'
        )
    drawing = (
        '<d:BPMNDiagram xmlns:d="http://www.omg.org/spec/BPMN/20100524/DI" '
        'xmlns:c="http://www.omg.org/spec/DD/20100524/DC"><d:BPMNPlane bpmnElement="p">'
        f"{''.join(shapes)}</d:BPMNPlane></d:BPMNDiagram></definitions>"
    )
    return source.replace(b"</definitions>", drawing.encode())


def test_flow_into_another_pool_is_refused() -> None:
    source = draw_pools(
        {"one": "start s\nend e\ns > e\ns > b", "two": "start t\nuser b\nend f\nt > b > f"}, ""
    )
    found = [f for f in deploy(source).findings if f.rule == "flow_crosses_pool"]
    assert [(f.element, f.severity) for f in found] == [("s-b", Severity.ERROR)]


def test_the_schema_names_the_line() -> None:
    source = draw("start s\nuser a\nend e\ns > a > e").replace(b"<userTask ", b"<userTask no='x' ")
    (finding,) = [f for f in deploy(source).findings if f.rule == "schema"]
    assert (finding.line > 0, finding.severity) == (True, Severity.ASSUME)
    assert "'no'" in str(finding.parameters["text"])


def test_refuses_a_model_of_absurd_size() -> None:
    nodes = "".join(f"<task id='t{number}'/>" for number in range(5001))
    source = (HEAD + f"<process id='p'>{nodes}</process></definitions>").encode()
    assert [f.rule for f in deploy(source).findings] == ["too_large"]


def _calls(lines: Callable[[int], str]) -> bytes:
    processes = "".join(f"<process id='p{n}'>{lines(n)}</process>" for n in range(300))
    return (HEAD + processes + "</definitions>").encode()


def test_calls_without_measure_are_refused_in_bounded_time() -> None:
    circle = _calls(lambda n: f"<callActivity id='c{n}' calledElement='p{(n + 1) % 300}'/>")
    assert "call_cycle" in {f.rule for f in deploy(circle).findings}
    doubling = _calls(
        lambda n: (
            "".join(f"<callActivity id='{side}{n}' calledElement='p{n - 1}'/>" for side in "ab")
            if n
            else "<userTask id='u'/>"
        )
    )
    assert "nested_too_deep" in {f.rule for f in deploy(doubling).findings}


def test_absurdly_many_inclusive_joins_are_refused() -> None:
    size = 800
    gateways = "".join(f"<inclusiveGateway id='g{n}'/>" for n in range(size))
    flows = "".join(
        f"<sequenceFlow id='f{n}{step}' sourceRef='g{n}' targetRef='g{(n + step) % size}'/>"
        for n in range(size)
        for step in (1, 2)
    )
    source = (HEAD + f"<process id='p'>{gateways}{flows}</process></definitions>").encode()
    assert "joins_too_many" in [f.rule for f in deploy(source).findings]


def test_choreographies_are_refused_by_name() -> None:
    source = (HEAD + '<choreography id="ch"/></definitions>').encode()
    rules = [(f.rule, f.element) for f in deploy(source).findings]
    assert ("unsupported_element", "ch") in rules
    assert ("nothing_to_run", None) in rules


@pytest.mark.parametrize("source", [b"", b"<a/>", b"<!DOCTYPE a><a/>", b"\xff\x00", b"<a"])
def test_any_bytes_give_a_finding_and_no_exception(source: bytes) -> None:
    assert not deploy(source).is_runnable


def test_every_rule_has_a_sentence_in_both_languages() -> None:
    folder = Path(workflows.__file__).parent
    pattern = re.compile(r'(?:found|report|_finding)\(\s*"([a-z_]+)"|rule ?= ?"([a-z_]+)"')
    rules = set()
    modules = "reader traits extension dialects compiling normalise definition declared depiction"
    paths = [folder / f"{name}.py" for name in modules.split()]
    for path in (*paths, *(folder / "lint").glob("*.py")):
        for match in pattern.finditer(path.read_text()):
            rules.add(match[1] or match[2])
    rules -= {"python"}
    for language in Language:
        assert rules <= known_codes("finding", language)
