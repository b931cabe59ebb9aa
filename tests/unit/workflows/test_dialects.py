"""Models of Camunda 7, Camunda 8 and others: what has a counterpart is translated and reported."""

from tests.builders.workflows import Play, definition_of, draw
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
