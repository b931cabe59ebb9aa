"""Models of Camunda 7, Camunda 8 and others: what has a counterpart is translated and reported."""

from datetime import date

from dossier.form import FieldKind, parse_form
from tests.builders.workflows import Play, definition_of, draw, plain
from workflows.adopt import adopt
from workflows.commands import CallDecision, CallService
from workflows.definition import deploy
from workflows.encoding import as_utf8
from workflows.findings import Severity
from workflows.graph import Assign

CAMUNDA_7 = """
start s
user a camunda:assignee=an camunda:candidateGroups=clerks camunda:formKey=embedded:letter
service b camunda:topic=tax-code camunda:type=external
rule c camunda:decisionRef=fee camunda:resultVariable=amount
xor g default=g-e
user d parallel=x:1
end e
s > a > b > c > g
g > d if ${approved && amount >= 5}
g > e
d > e
"""


def test_translates_camunda_7() -> None:
    source = draw(CAMUNDA_7).replace(
        b"<multiInstanceLoopCharacteristics",
        b'<multiInstanceLoopCharacteristics camunda:collection="${units}" '
        b'camunda:elementVariable="unit"',
    )
    p = Play(definition_of(source)).start()
    (task,) = p.tasks.values()
    assert task.assign == Assign(role="clerks", users=("an",))
    assert task.form == "letter"
    p.done("a", approved=True, units=["x", "y"])
    assert [call.operation for call in p.sent(CallService)] == ["tax-code"]
    p.answer("b")
    (decision,) = p.sent(CallDecision)
    assert (decision.decision, decision.result) == ("fee", "amount")
    p.calls[decision.call_id] = decision
    p.answer("c", amount=7)
    assert [task.locals["unit"] for task in p.tasks.values()] == ["x", "y"]


def test_translates_camunda_8() -> None:
    source = draw("""
    start s
    service b
    user a
    end e
    s > b > a > e
    """)
    source = source.replace(
        b'<serviceTask id="b">',
        b'<serviceTask id="b"><extensionElements><zeebe:taskDefinition type="tax-code"/>'
        b'<zeebe:ioMapping><zeebe:input source="=owner.name" target="name"/>'
        b'<zeebe:input source="fixed" target="kind"/>'
        b'<zeebe:output source="=code" target="tax_code"/></zeebe:ioMapping></extensionElements>',
    ).replace(
        b'<userTask id="a">',
        b'<userTask id="a"><extensionElements><zeebe:assignmentDefinition '
        b'candidateGroups="clerks"/><zeebe:formDefinition formId="check"/></extensionElements>',
    )
    p = Play(definition_of(source), {"owner": {"name": "An"}}).start()
    (call,) = p.sent(CallService)
    assert (call.operation, call.inputs) == ("tax-code", {"name": "An", "kind": "fixed"})
    p.answer("b", code="8000", noise=1)
    assert (p.values["tax_code"], "noise" in p.values) == ("8000", False)
    (task,) = p.tasks.values()
    assert (task.assign, task.form) == (Assign(role="clerks"), "check")


def test_reports_translations_and_refuses_program_code() -> None:
    found = {f.rule: f.severity for f in deploy(draw(CAMUNDA_7)).findings}
    assert found["vendor_translated"] is Severity.EXACT
    assert found["expression_translated"] is Severity.EXACT
    code = draw("start s\nservice x camunda:delegateExpression=${bean}\nend e\ns > x > e")
    assert ("vendor_code", "x") in [(f.rule, f.element) for f in deploy(code).findings]
    beans = draw("start s\nxor g\nend e\ns > g\ng > e if ${bean.ask(1)}")
    assert not deploy(beans).is_runnable


def test_translates_xpath_of_data_objects() -> None:
    p = Play(
        definition_of(
            draw("""
    start s
    xor g default=g-e
    user a
    end e
    s > g
    g > a if bpmn:getDataObject('clarified') = 'yes'
    g > e
    a > e
    """)
        ),
        {"clarified": "yes"},
    ).start()
    assert p.open == ["a"]


def test_names_vendor_attributes_without_a_counterpart() -> None:
    found = deploy(draw("start s\nuser a camunda:priority=5\nend e\ns > a > e")).findings
    ignored = [f.parameters["vendor"] for f in found if f.rule == "vendor_ignored"]
    assert ignored == ["priority"]


def test_follows_the_standards_data_references_of_a_loop() -> None:
    source = draw("""
    <dataObject id="do1" name="units"/>
    <dataObjectReference id="dor1" dataObjectRef="do1"/>
    start s
    user a parallel=of:di1;item:unit
    end e
    s > a > e
    """).replace(
        b'<userTask id="a">',
        b'<userTask id="a"><ioSpecification><dataInput id="di1"/></ioSpecification>'
        b"<dataInputAssociation><sourceRef>dor1</sourceRef><targetRef>di1</targetRef>"
        b"</dataInputAssociation>",
    )
    p = Play(definition_of(source), {"units": ["x", "y"]}).start()
    assert [task.locals["unit"] for task in p.tasks.values()] == ["x", "y"]


def test_reads_the_encodings_of_old_modellers() -> None:
    text = draw('start s\nuser a name="Müller"\nend e\ns > a > e').decode()
    latin = text.replace("UTF-8", "ISO-8859-1").encode("iso-8859-1")
    wide = text.replace("UTF-8", "UTF-16").encode("utf-16")
    for source in (latin, wide):
        assert definition_of(source).elements["a"].name == "Müller"
    assert as_utf8(b"<a/>") == b"<a/>"


def test_keeps_the_authors_bytes_apart_from_the_translation() -> None:
    source = draw(CAMUNDA_7)
    before = bytes(source)
    deploy(source)
    assert source == before


def _rules(source: bytes) -> list[tuple[str, str | None]]:
    return [(f.rule, f.element) for f in deploy(source).findings if f.severity is Severity.ERROR]


def test_flowable_and_activiti_are_read_as_their_relative() -> None:
    for namespace in (b"http://flowable.org/bpmn", b"http://activiti.org/bpmn"):
        source = draw("start s\nuser a camunda:assignee=an\nend e\ns > a > e").replace(
            b"http://camunda.org/schema/1.0/bpmn", namespace
        )
        (task,) = Play(definition_of(source)).start().tasks.values()
        assert task.assign == Assign(users=("an",))
        code = draw("start s\nservice a camunda:class=x.Y\nend e\ns > a > e")
        code = code.replace(b"http://camunda.org/schema/1.0/bpmn", namespace)
        assert _rules(code) == [("vendor_code", "a")]


def test_code_is_refused_wherever_it_hangs() -> None:
    base = draw("start s\nservice a camunda:type=mail\nthrow t message=m\nend e\ns > a > t > e")
    source = base.replace(b'messageRef="m"', b'messageRef="m" camunda:expression="${x}"').replace(
        b"</sequenceFlow>",
        b"<extensionElements><camunda:executionListener/></extensionElements></sequenceFlow>",
        1,
    )
    assert _rules(source) == [
        ("vendor_code", "a"), ("vendor_code", "t"), ("vendor_code", "s-a"),
    ]  # fmt: skip


def test_what_has_no_counterpart_is_reported_wherever_it_hangs() -> None:
    source = draw("start s\nend e\ns > e").replace(
        b'isExecutable="true">',
        b'isExecutable="true" camunda:versionTag="1"><extensionElements><camunda:properties/>'
        b"</extensionElements><correlationSubscription id='c' correlationKeyRef='k'/>",
    )
    found = [(f.rule, f.element, f.parameters.get("vendor")) for f in deploy(source).findings]
    assert ("vendor_ignored", "p", "versionTag") in found
    assert ("vendor_ignored", "p", "properties") in found
    assert ("correlation_by_case", "c", None) in found


def test_lists_maps_and_texts_with_places_are_mapped() -> None:
    source = draw("start s\nservice a camunda:topic=t\nend e\ns > a > e").replace(
        b'camunda:topic="t">',
        b'camunda:topic="t"><extensionElements><camunda:inputOutput>'
        b'<camunda:inputParameter name="all"><camunda:list><camunda:value>x</camunda:value>'
        b"<camunda:value>${orders['first'].id}</camunda:value></camunda:list></camunda:inputParameter>"
        b'<camunda:inputParameter name="one"><camunda:map><camunda:entry key="k">v</camunda:entry>'
        b"</camunda:map></camunda:inputParameter>"
        b'<camunda:inputParameter name="text">No. ${number}!</camunda:inputParameter>'
        b"</camunda:inputOutput></extensionElements>",
    )
    p = Play(definition_of(source), plain({"number": 7, "orders": {"first": {"id": "o1"}}})).start()
    (call,) = p.calls.values()
    assert call.inputs == {"all": ["x", "o1"], "one": {"k": "v"}, "text": "No. 7!"}


def test_a_script_of_one_expression_sets_its_result() -> None:
    source = draw("start s\nscript a\nscript b camunda:resultVariable=n script=${n+1}\ns > a > b")
    source = source.replace(
        b'<scriptTask id="a">',
        b'<scriptTask id="a"><extensionElements><zeebe:script expression="=1 + 1" '
        b'resultVariable="n"/></extensionElements>',
    )
    assert Play(definition_of(source)).start().values == plain({"n": 3})


FORM_JS = (
    b'{"id": "Letter_1", "components": [{"type": "text", "text": "hello"}, {"type": "group",'
    b'"components": [{"key": "approvedBy", "type": "textfield", "label": "By",'
    b'"validate": {"required": true}}]}, {"key": "kind", "type": "radio",'
    b'"values": [{"label": "One", "value": "one"}]}]}'
)


def test_forms_of_other_products_are_taken_over() -> None:
    source = draw("start s\nuser a camunda:formRef=Letter_1\nuser b\nuser c\ns > a > b > c")
    source = source.replace(
        b'<userTask id="b">',
        b'<userTask id="b"><extensionElements><camunda:formData><camunda:formField id="due"'
        b' label="Due" type="date"/></camunda:formData></extensionElements>',
    ).replace(
        b'<userTask id="c">',
        b'<userTask id="c"><extensionElements><zeebe:formDefinition formKey='
        b'"camunda-forms:bpmn:ownForm_1"/></extensionElements>',
    )
    held = b'<zeebe:userTaskForm id="ownForm_1">' + FORM_JS + b"</zeebe:userTaskForm>"
    source = source.replace(
        b'isExecutable="true">',
        b'isExecutable="true"><extensionElements>' + held + b"</extensionElements>",
    )
    files = adopt(source, code="x", effective=date(2026, 1, 1), beside={"l.form": FORM_JS}).files
    letter = parse_form(files["forms/letter-1.json"])
    assert [(f.name, f.kind, f.is_required) for f in letter.fields] == [
        ("approved_by", FieldKind.TEXT, True), ("kind", FieldKind.CHOICE, False),
    ]  # fmt: skip
    assert parse_form(files["forms/ownform-1.json"]).fields == letter.fields
    (due,) = parse_form(files["forms/b.json"]).fields
    assert (due.name, due.kind, due.label.en) == ("due", FieldKind.DATE, "Due")
