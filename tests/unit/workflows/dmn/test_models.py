"""Models: versions, graphs, knowledge models, services, boxed expressions, types, imports."""

from __future__ import annotations

import pytest

from dossier.errors import XmlRefused
from tests.builders.dmn import (
    VERSIONS,
    decision,
    definitions,
    input_element,
    knowledge,
    literal,
    table,
    variable,
)
from workflows.dmn import load_model
from workflows.dmn.errors import DecisionCycle, DecisionUnknown, DmnRefused
from workflows.dmn.record import json_text


def _result(content: bytes, name: str = "d", **inputs: object) -> str:
    found = load_model([content]).evaluate(name, inputs)
    assert found.problems == ()
    return json_text(found.value)


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_reads_every_version(version: str) -> None:
    kind = "feel:number" if version == "1.1" else "number"
    content = definitions(
        input_element("x", kind), decision("d", literal("x + 1"), ">x", type_ref=kind),
        version=version,
    )  # fmt: skip
    assert _result(content, x=1) == "2"


def test_types_of_1_1_may_be_elements() -> None:
    item = (
        '<itemDefinition name="tAge"><typeRef>feel:number</typeRef>'
        "<allowedValues><text>[0..150]</text></allowedValues></itemDefinition>"
    )
    content = definitions(
        item, input_element("age", "tAge"), decision("d", literal("age"), ">age"), version="1.1"
    )
    assert _result(content, age=3) == "3"
    assert load_model([content]).evaluate("d", {"age": 200}).problems[0].code == "dmn_type_mismatch"


def test_a_decision_sees_only_what_it_requires() -> None:
    content = definitions(
        input_element("x", "number"),
        decision("Phí cơ bản", literal("x * 2"), ">x"),
        decision("d", literal("Phí cơ bản + 1"), "Phí cơ bản"),
        decision("blind", literal("x"), "Phí cơ bản"),
    )
    assert _result(content, x=5) == "11"
    found = load_model([content]).evaluate("blind", {"x": 5})
    assert (found.value, [hint.code for hint in found.hints]) == (None, ["feel_unknown_name"])


def test_knowledge_models_are_called_by_position_and_by_name() -> None:
    content = definitions(
        knowledge("double", {"n": "number"}, literal("n * 2")),
        knowledge("fee of", {"a b": "number", "c": "number"}, literal("double(a b) + c"),
                  "!double"),
        decision("d", literal("fee of(1, 2) + fee of(c: 10, a b: 20)"), "!fee of"),
    )  # fmt: skip
    assert _result(content) == "54"
    assert _result(content, "fee of", **{"a b": 1, "c": 1}) == "3"


def test_invocations_bind_by_name() -> None:
    body = (
        f"<invocation>{literal('add')}"
        f'<binding><parameter name="b"/>{literal("2")}</binding>'
        f'<binding><parameter name="a"/>{literal("10")}</binding></invocation>'
    )
    content = definitions(
        knowledge("add", {"a": "number", "b": "number"}, literal("a - b")),
        decision("d", body, "!add"),
    )
    assert _result(content) == "8"


def test_a_parameter_without_a_binding_is_null() -> None:
    binding = f"<binding><parameter name='a'/>{literal('1')}</binding>"
    content = definitions(
        knowledge("add", {"a": "number", "b": "number"}, literal("[a, b]")),
        decision("d", f"<invocation>{literal('add')}{binding}</invocation>", "!add"),
    )
    assert _result(content) == "[1, null]"


def test_a_knowledge_model_may_call_itself() -> None:
    content = definitions(
        knowledge("fact", {"n": "number"}, literal("if n <= 1 then 1 else n * fact(n - 1)")),
        decision("d", literal("fact(10)"), "!fact"),
    )
    assert _result(content) == "3628800"


def test_the_type_of_a_functions_entry_may_be_that_of_its_result() -> None:
    function = (
        "<functionDefinition><formalParameter name='n' typeRef='number'/>"
        f"{literal('n * 2')}</functionDefinition>"
    )
    body = (
        f"<context><contextEntry>{variable('f', 'number')}{function}</contextEntry>"
        f"<contextEntry>{literal('f(4)')}</contextEntry></context>"
    )
    assert _result(definitions(decision("d", body))) == "8"


def test_other_expression_languages_are_problems() -> None:
    body = literal("x").replace(">", ' expressionLanguage="juel">', 1)
    found = load_model([definitions(decision("d", body))]).evaluate("d", {})
    assert [p.code for p in found.problems] == ["dmn_language_unknown"]


def test_number_types_of_other_modellers_are_numbers() -> None:
    content = definitions(
        input_element("x", "integer"), decision("d", literal("x"), ">x", type_ref="double")
    )
    assert _result(content, x=1) == "1"


def test_names_may_hold_any_symbol() -> None:
    name = "Applicant's age (years) – tính"
    content = definitions(
        input_element(name, "number"), decision("d", literal(f"{name} + 1"), f">{name}")
    )
    assert _result(content, "d", **{name: 3}) == "4"


def test_results_are_converted_to_the_decisions_type() -> None:
    assert _result(definitions(decision("d", literal("5"), type_ref="list<number>"))) == "[5]"
    assert _result(definitions(decision("d", literal("[5]"), type_ref="number"))) == "5"
    midnight = _result(
        definitions(decision("d", literal('@"2026-11-23"'), type_ref="date and time"))
    )
    assert midnight == '"2026-11-23T00:00:00Z"'


def test_a_wrong_invocation_is_a_problem() -> None:
    binding = f"<binding><parameter name='z'/>{literal('1')}</binding>"
    body = f"<invocation>{literal('add')}{binding}</invocation>"
    content = definitions(
        knowledge("add", {"a": "number"}, literal("a")), decision("d", body, "!add")
    )
    found = load_model([content]).evaluate("d", {})
    assert (found.value, [p.code for p in found.problems]) == (None, ["dmn_invocation"])


def test_boxed_contexts_see_earlier_entries_and_may_have_a_result() -> None:
    def entry(name: str, text: str) -> str:
        head = variable(name, "number") if name else ""
        return f"<contextEntry>{head}{literal(text)}</contextEntry>"

    body = f"<context>{entry('a b', '2')}{entry('c', 'a b * 3')}</context>"
    assert _result(definitions(decision("d", body))) == '{"a b": 2, "c": 6}'
    body = f"<context>{entry('a b', '2')}{entry('', 'a b + 1')}</context>"
    assert _result(definitions(decision("d", body))) == "3"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"<list>{literal('1')}{literal('2 + 1')}</list>", "[1, 3]"),
        (
            '<relation><column name="a"/><column name="b c"/>'
            f"<row>{literal('1')}{literal('2')}</row><row>{literal('3')}{literal('4')}</row>"
            "</relation>",
            '[{"a": 1, "b c": 2}, {"a": 3, "b c": 4}]',
        ),
        (
            f"<conditional><if>{literal('1 > 2')}</if><then>{literal('1')}</then>"
            f"<else>{literal('2')}</else></conditional>",
            "2",
        ),
        (
            f"<conditional><if>{literal('1')}</if><then>{literal('1')}</then>"
            f"<else>{literal('2')}</else></conditional>",
            "null",
        ),
        (
            f"<filter><in>{literal('[1, 5]')}</in><match>{literal('item')}</match></filter>",
            "null",
        ),
        (
            f'<some iteratorVariable="i"><in>{literal("[1, 2]")}</in>'
            f"<satisfies>{literal('if i = 1 then true else 0')}</satisfies></some>",
            "null",
        ),
        (
            f"<filter><in>{literal('[{a: 1}, {a: 5}]')}</in><match>{literal('a > 2')}</match>"
            "</filter>",
            '[{"a": 5}]',
        ),
        (
            f"<filter><in>{literal('[1, 5]')}</in><match>{literal('item > 2')}</match></filter>",
            "[5]",
        ),
        (
            f'<for iteratorVariable="i"><in>{literal("1..3")}</in>'
            f"<return>{literal('i * i')}</return></for>".replace("1..3", "[1..3]"),
            "[1, 4, 9]",
        ),
        (
            f'<every iteratorVariable="i"><in>{literal("[1, 2]")}</in>'
            f"<satisfies>{literal('i > 1')}</satisfies></every>",
            "false",
        ),
        (
            f'<some iteratorVariable="i"><in>{literal("[1, 2]")}</in>'
            f"<satisfies>{literal('i > 1')}</satisfies></some>",
            "true",
        ),
        (
            f'<functionDefinition><formalParameter name="n"/>{literal("n + 1")}'
            "</functionDefinition>",
            '"function function"',
        ),
    ],
)
def test_boxed_expressions(body: str, expected: str) -> None:
    assert _result(definitions(decision("d", body))) == expected


def test_functions_in_other_languages_are_never_run() -> None:
    external = (
        '<functionDefinition kind="Java"><formalParameter name="n"/>'
        "<context><contextEntry><variable name='class'/>" + literal('"java.lang.Runtime"') +
        "</contextEntry></context></functionDefinition>"
    )  # fmt: skip
    context = (
        f"<context><contextEntry>{variable('f')}{external}</contextEntry>"
        f"<contextEntry>{literal('f(1)')}</contextEntry></context>"
    )
    found = load_model([definitions(decision("d", context))]).evaluate("d", {})
    assert (found.value, [hint.code for hint in found.hints]) == (None, ["feel_external_function"])


def test_a_decision_service_is_called_and_evaluated() -> None:
    service = (
        '<decisionService id="s" name="svc"><outputDecision href="#i_out"/>'
        '<encapsulatedDecision href="#i_inner"/><inputDecision href="#i_given"/>'
        '<inputData href="#i_x"/></decisionService>'
    )
    content = definitions(
        input_element("x", "number"),
        decision("given", literal("100"), type_ref="number"),
        decision("inner", literal("x + given"), ">x", "given"),
        decision("out", literal("inner * 2"), "inner"),
        service,
        decision("d", literal("svc(1, 2) + svc(given: 3, x: 4)")).replace(
            "</decision>",
            '<knowledgeRequirement><requiredKnowledge href="#s"/></knowledgeRequirement>'
            "</decision>",
        ),
    )
    assert _result(content) == "20"
    assert _result(content, "svc", x=1, given=1) == "4"
    assert _result(content, "out", x=1) == "202"


def test_item_definitions_are_collections_structures_and_constraints() -> None:
    items = (
        '<itemDefinition name="tPerson"><itemComponent name="full name"><typeRef>string</typeRef>'
        '</itemComponent><itemComponent name="born"><typeRef>date</typeRef></itemComponent>'
        '</itemDefinition><itemDefinition name="tPeople" isCollection="true">'
        "<typeRef>tPerson</typeRef><typeConstraint><text>count(?) &lt; 3</text></typeConstraint>"
        "</itemDefinition>"
    )
    content = definitions(
        items,
        input_element("people", "tPeople"),
        decision("d", literal("people[born.year > 2000].full name"), ">people",
                 type_ref="list<string>"),
    )  # fmt: skip
    child = {"full name": "An", "born": "2010-05-01"}
    adult = {"full name": "Bình", "born": "1980-05-01"}
    assert _result(content, people=[child, adult]) == '["An"]'
    assert _result(content, people=child) == '["An"]'
    model = load_model([content])
    for wrong in ([child] * 3, [{"full name": "An"}], [{"full name": "An", "born": "x"}]):
        found = model.evaluate("d", {"people": wrong})
        assert found.problems[0].code == "dmn_type_mismatch"


def test_imports_are_seen_under_their_name() -> None:
    shared = definitions(
        '<itemDefinition name="tFee"><typeRef>number</typeRef><allowedValues><text>&lt; 100</text>'
        "</allowedValues></itemDefinition>",
        input_element("x", "number"),
        decision("base fee", literal("x * 2"), ">x", type_ref="tFee"),
        knowledge("twice", {"n": "number"}, literal("n * 2")),
        namespace="urn:shared",
    )
    own = definitions(
        '<import name="lib" namespace="urn:shared" importType="dmn"/>',
        decision("d", literal("lib.twice(lib.base fee)"), "urn:shared#i_base_fee",
                 type_ref="lib.tFee").replace(
            "</decision>",
            '<knowledgeRequirement><requiredKnowledge href="urn:shared#i_twice"/>'
            "</knowledgeRequirement></decision>",
        ),
    )  # fmt: skip
    model = load_model([own, shared])
    assert json_text(model.evaluate("d", {"lib": {"x": 3}}).value) == "12"
    assert json_text(model.evaluate("d", {"x": 3}).value) == "12"
    assert model.evaluate("d", {"x": 30}).problems[0].code == "dmn_type_mismatch"


def test_a_missing_import_is_a_problem_of_the_elements_that_need_it() -> None:
    content = definitions(
        decision("fine", literal("1")), decision("d", literal("1"), "urn:none#i_x")
    )
    assert _result(content, "fine") == "1"
    model = load_model([content])
    assert [p.code for p in model.problems(model.graph.named("d"))] == ["dmn_reference_unknown"]


def test_circles_are_refused() -> None:
    content = definitions(
        decision("a", literal("b"), "b"), decision("b", literal("a"), "a"),
        decision("fine", literal("1")),
    )  # fmt: skip
    with pytest.raises(DecisionCycle):
        load_model([content]).evaluate("a", {})
    assert _result(content, "fine") == "1"


def test_all_decisions_are_evaluated_once_and_each_bears_its_own_problems() -> None:
    chain = [decision("d0", literal("1"))] + [
        decision(f"d{n}", literal(f"d{n - 1} + 1"), f"d{n - 1}") for n in range(1, 1500)
    ]
    content = definitions(
        input_element("unused", "number"),
        *chain,
        decision("a", literal("b"), "b"),
        decision("b", literal("a"), "a"),
        decision("slow", literal("some x in 1..9999, y in 1..9999 satisfies x < 0")),
        decision("after", literal("slow"), "slow"),
    )
    found = {one.name: one for one in load_model([content]).evaluate_all({"unused": "text"})}
    assert json_text(found["d1499"].value) == "1500"
    assert found["d1499"].problems == ()
    codes = {name: [p.code for p in found[name].problems] for name in ("a", "b", "slow", "after")}
    assert codes["slow"] == codes["after"] == ["expression_step_limit"]
    assert set(codes["a"]) == set(codes["b"]) == {"dmn_cycle"}


def test_importing_in_a_circle_is_refused() -> None:
    def file(own: str, other: str) -> bytes:
        return definitions(f'<import name="o" namespace="{other}"/>', namespace=own)

    with pytest.raises(DecisionCycle):
        load_model([file("urn:a", "urn:b"), file("urn:b", "urn:a")])


def test_a_long_chain_of_decisions_needs_no_stack() -> None:
    chain = [decision("d0", literal("1"))] + [
        decision(f"d{n}", literal(f"d{n - 1} + 1"), f"d{n - 1}") for n in range(1, 3000)
    ]
    assert _result(definitions(*chain), "d2999") == "3000"


def test_errors_of_one_decision_leave_the_others_alone() -> None:
    content = definitions(
        decision("broken", literal("1 +\n 2 +")), decision("fine", literal("2")),
        decision("d", literal("if broken = null then 1 else 2"), "broken"),
    )  # fmt: skip
    assert _result(content, "fine") == "2"
    found = load_model([content]).evaluate("d", {})
    problem = found.problems[0]
    assert (problem.code, problem.element, problem.line, problem.column) == (
        "expression_syntax", "broken", 4, 5,
    )  # fmt: skip


def test_no_logic_is_null() -> None:
    assert _result(definitions(decision("d", ""))) == "null"


def test_unknown_names_and_inputs_are_no_decisions() -> None:
    model = load_model([definitions(input_element("x"))])
    for name in ("nothing", "x"):
        with pytest.raises(DecisionUnknown):
            model.evaluate(name, {})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", XmlRefused),
        (b"<a/>", DmnRefused),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', XmlRefused),
        (b'<definitions xmlns="urn:other"/>', DmnRefused),
        (definitions("<decision id='a' name='a'/><decision id='a' name='b'/>"), DmnRefused),
        (definitions(decision("d", table({"x": ""}, {}, ("-",)))), DmnRefused),
        (definitions(decision("d", table({"x": ""}, {"y": ""}, ("-",)))), DmnRefused),
        (definitions(decision("d", table({}, {"y": ""}, policy="LAST"))), DmnRefused),
        (definitions(decision("d", "<conditional/>")), DmnRefused),
        (definitions(decision("d", "<invocation/>")), DmnRefused),
        (definitions(decision("d", literal("1"), "x").replace("#i_x", "")), DmnRefused),
    ],
)
def test_refuses_files_of_another_structure(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        load_model([content])


def test_foreign_elements_and_comments_are_passed_over() -> None:
    content = definitions(
        "<!-- note --><x:y xmlns:x='urn:x'/>",
        decision("d", literal("1 + <!-- two --> 1").replace("&lt;", "<").replace("&gt;", ">")),
    )
    assert _result(content) == "2"
