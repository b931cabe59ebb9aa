"""Call activities that lead to other files: bound at deployment, with names of their own."""

from decimal import Decimal

import pytest

from tests.builders.workflows import HEAD, Play, draw, draw_pools
from workflows import state
from workflows.commands import SendMessage
from workflows.definition import Definition, deploy, deploy_or_refuse
from workflows.errors import DefinitionRefused
from workflows.expressions import Value
from workflows.facts import TimerFired
from workflows.graph import Kind
from workflows.linking import Part

CALLER = """
start s
call c called=consult
user after
end e
s > c > after > e
"""
CONSULT = """
start s
user ask lt:form=opinion
end e
s > ask > e
"""


def part(text: str = CONSULT, *, process: str = "consult", version: str = "1") -> Part:
    return Part(
        path=f"parts/{process}/process.bpmn",
        source=draw(text, process=process),
        version=version,
        forms=frozenset({"opinion"}),
    )


def defined(text: str, *parts: Part, role: str = "p") -> Definition:
    return deploy_or_refuse(draw(text), parts).definition(role)


def rules(source: bytes, *parts: Part) -> list[tuple[str, str, str | None]]:
    found = deploy(source, parts).findings
    return [(one.rule, one.file, one.element) for one in found if one.severity.value == "error"]


def test_a_part_runs_with_its_process_before_its_ids() -> None:
    p = Play(defined(CALLER, part())).start()
    (task,) = p.tasks.values()
    assert (task.element_id, task.form) == ("consult.ask", "consult.opinion")
    p.done("consult.ask", opinion="agreed")
    assert (p.open, p.values["opinion"]) == (["after"], "agreed")
    assert p.entered == ["s", "c", "consult.s", "consult.ask", "consult.e", "after"]


def test_the_binding_is_reported_with_the_file() -> None:
    bound = [one for one in deploy(draw(CALLER), [part()]).findings if one.rule == "called_bound"]
    assert [(one.element, one.parameters["file"]) for one in bound] == [
        ("c", "parts/consult/process.bpmn")
    ]


def test_a_part_that_nobody_calls_is_not_bound() -> None:
    deployment = deploy(draw("start s\nend e\ns > e"), [part()])
    assert (dict(deployment.bound), deployment.roles) == ({}, ("p",))


def test_parts_call_parts() -> None:
    outer = part("start s\ncall c called=inner\nend e\ns > c > e")
    p = Play(defined(CALLER, outer, part(CONSULT, process="inner"))).start()
    assert p.open == ["inner.ask"]
    assert p.done("inner.ask").open == ["after"]


def test_a_called_process_that_no_file_has_is_refused() -> None:
    assert rules(draw(CALLER)) == [("called_missing", "", "c")]


def test_calls_in_a_circle_are_refused_with_file_element_and_line() -> None:
    first = part("start s\ncall back called=other\nend e\ns > back > e")
    second = part("start s\ncall again called=consult\nend e\ns > again > e", process="other")
    found = [one for one in deploy(draw(CALLER), [first, second]).findings]
    circle = [one for one in found if one.rule == "call_cycle"]
    assert [(one.file, one.element) for one in circle] == [
        ("parts/consult/process.bpmn", "consult.back"),
        ("parts/other/process.bpmn", "other.again"),
    ]
    lines = first.source.decode().splitlines()
    assert 'id="back"' in lines[circle[0].line - 1]


def test_a_part_that_calls_its_caller_is_a_circle() -> None:
    back = part("start s\ncall back called=p\nend e\ns > back > e")
    assert ("call_cycle", "", "c") in rules(draw(CALLER), back)


def test_a_circle_around_a_rule_of_silence_is_refused_too() -> None:
    back = part("start s\nreceive r message=m\ncall back called=p\nend e\ns > r > back > e")
    text = CALLER + "boundary b on=c duration=PT1H lt:silence=escalate\nend late\nb > late"
    assert ("call_cycle", "", "c") in rules(draw(text), back)


def test_the_wanted_version_is_bound() -> None:
    text = CALLER.replace("called=consult", "called=consult lt:call.version=2")
    newer = part("start s\nuser newer\nend e\ns > newer > e", version="2")
    p = Play(defined(text, part(), newer)).start()
    assert p.open == ["consult.newer"]


def test_another_version_than_the_wanted_one_is_refused() -> None:
    text = CALLER.replace("called=consult", "called=consult lt:call.version=2")
    found = deploy(draw(text), [part()]).findings
    (version,) = [one for one in found if one.rule == "called_version"]
    assert (version.element, version.parameters["version"], version.parameters["found"]) == (
        "c",
        "2",
        "1",
    )


def test_one_name_in_two_files_is_refused() -> None:
    assert ("called_ambiguous", "", "c") in rules(draw(CALLER), part(), part(version="2"))


def test_a_part_that_is_no_model_is_named() -> None:
    broken = Part(path="parts/x/process.bpmn", source=b"<a/>")
    assert ("not_bpmn", "parts/x/process.bpmn", None) in rules(draw(CALLER), broken)


def test_a_fault_inside_a_part_names_its_file() -> None:
    faulty = part("start s\nuser ask\nscript x script=open(1)\nend e\ns > ask > x > e")
    assert ("script_refused", "parts/consult/process.bpmn", "consult.x") in rules(
        draw(CALLER), faulty
    )


def test_a_runnable_model_needs_its_parts_at_hand() -> None:
    with pytest.raises(DefinitionRefused):
        deploy_or_refuse(draw(CALLER))


# --- names of a call ----------------------------------------------------------------------------

LOOP = "parallel=of:agencies;item:agency;into:opinions;result:opinion"
MANY = f"""
start s
call c called=consult {LOOP} lt:in.topic=subject
end e
s > c > e
"""
LOCAL = """
<dataObject id="opinion"/>
start s
user ask
script note script="seen = topic"
end e
s > ask > note > e
"""  # fmt: skip


def test_parallel_calls_of_a_part_do_not_overwrite_each_other() -> None:
    many: dict[str, Value] = {"agencies": ["tax", "police", "land"], "subject": "road"}
    p = Play(defined(MANY, part(LOCAL)), many).start()
    assert [(task.locals["agency"], task.locals["topic"]) for task in p.tasks.values()] == [
        ("tax", "road"),
        ("police", "road"),
        ("land", "road"),
    ]
    for opinion in ("yes", "no", "later"):
        p.done("consult.ask", opinion=opinion)
    assert p.finished
    assert p.values["opinions"] == ["yes", "no", "later"]
    assert "opinion" not in p.values  # drawn as data object in the part: one copy per call
    assert p.values["seen"] == "road"  # any other name goes to the dossier


def test_what_a_call_has_for_itself_is_gone_when_it_ends() -> None:
    text = CALLER.replace("called=consult", "called=consult lt:in.topic=subject")
    p = Play(defined(text, part(LOCAL)), {"subject": "road"}).start()
    p.done("consult.ask", opinion="yes")
    assert p.open == ["after"]
    assert {"topic", "opinion"}.isdisjoint(p.values)
    _header, scopes = state.parse(p.snapshot)
    assert len(scopes) == 1


def test_outputs_read_the_names_of_the_call() -> None:
    mapped = 'called=consult lt:in.topic=subject lt:out.answer="opinion + topic"'
    text = CALLER.replace("called=consult", mapped)
    p = Play(defined(text, part(LOCAL)), {"subject": "road"}).start()
    p.done("consult.ask", opinion="yes ")
    assert p.values["answer"] == "yes road"


def test_an_output_that_fails_stops_the_call_and_can_be_retried() -> None:
    many = "some i in 1..size satisfies i < 0"
    text = CALLER.replace(
        "called=consult", f'called=consult lt:out.answer="opinion" lt:out.many="{many}"'
    )
    p = Play(defined(text, part(LOCAL)), {"size": Decimal(10**6)}).start()
    p.done("consult.ask", opinion="yes")
    assert [one.element_id for one in p.incidents.values()] == ["c"]
    assert "opinion" not in p.values
    p.values["size"] = Decimal(3)
    assert p.retry("c").open == ["after"]
    assert (p.values["answer"], p.values["many"]) == ("yes", False)


def test_an_input_cannot_take_the_name_of_the_parameters() -> None:
    p = Play(defined(CALLER.replace("called=consult", "called=consult lt:in.param=1"), part()))
    p.start()
    assert [one.code for one in p.incidents.values()] == ["name_reserved"]


def test_a_snapshot_without_names_of_calls_still_loads() -> None:
    p = Play(defined(CALLER, part())).start()
    p.snapshot = p.snapshot[:3] + b"\x01" + p.snapshot[4:]
    assert p.done("consult.ask").open == ["after"]


# --- messages -----------------------------------------------------------------------------------

ASKING = """
start s
send ask lt:message=request
receive answer lt:message=opinion
end e
s > ask > answer > e
"""
WIRES = """
call1 > tax_in : request
tax_out > call1 : opinion
call1 > police_in : request
police_out > call1 : opinion
"""
PARTNER = "start {0}_in message=request\nsend {0}_out\nend {0}_e\n{0}_in > {0}_out > {0}_e"


def pools(extra: str = "", wires: str = WIRES) -> bytes:
    text = f"start s\ncall call1 called=consult {extra}\nend e\ns > call1 > e"
    partners = {role: PARTNER.format(role) for role in ("tax", "police")}
    return draw_pools({"commune": text, **partners}, wires)


def test_messages_of_a_part_take_the_flows_of_its_call() -> None:
    wires = "\n".join(WIRES.strip().splitlines()[:2])
    partners = {"tax": PARTNER.format("tax")}
    text = "start s\ncall call1 called=consult\nend e\ns > call1 > e"
    source = draw_pools({"commune": text, **partners}, wires)
    p = Play(deploy_or_refuse(source, [part(ASKING)]).definition("commune")).start()
    (sent,) = p.sent(SendMessage)
    assert (sent.element_id, sent.message_type, sent.to_role) == ("consult.ask", "request", "tax")
    (wait,) = p.subscriptions.values()
    assert (wait.message_type, wait.from_role) == ("opinion", "tax")
    assert p.message("consult.answer").finished


def test_the_only_flow_of_a_call_needs_no_type_of_the_same_name() -> None:
    text = "start s\ncall call1 called=consult\nend e\ns > call1 > e"
    wires = "call1 > tax_in : tax-request\ntax_out > call1 : tax-opinion"
    source = draw_pools({"commune": text, "tax": PARTNER.format("tax")}, wires)
    p = Play(deploy_or_refuse(source, [part(ASKING)]).definition("commune")).start()
    assert [one.message_type for one in p.sent(SendMessage)] == ["tax-request"]
    assert [one.message_type for one in p.subscriptions.values()] == ["tax-opinion"]


def test_an_expression_chooses_the_partner_of_each_call() -> None:
    chosen = part(ASKING).source
    for kind in (b"request", b"opinion"):
        chosen = chosen.replace(b'type="%b"/>' % kind, b'type="%b" with="agency"/>' % kind)
    source = pools("parallel=of:agencies;item:agency")
    bound = Part(path="parts/consult/process.bpmn", source=chosen)
    values: dict[str, Value] = {"agencies": ["police", "tax"]}
    p = Play(deploy_or_refuse(source, [bound]).definition("commune"), values).start()
    assert [one.to_role for one in p.sent(SendMessage)] == ["police", "tax"]
    assert [one.from_role for one in p.subscriptions.values()] == ["police", "tax"]


def test_silence_in_one_of_several_calls_stays_in_that_call() -> None:
    rule = b'<lt:silence policy="consent" citation="x" after="3wd" result="said"/>'
    chosen = part(f'<dataObject id="said"/>{ASKING}').source
    for kind in (b"request", b"opinion"):
        chosen = chosen.replace(b'type="%b"/>' % kind, b'type="%b" with="agency"/>' % kind)
    chosen = chosen.replace(
        b'type="opinion" with="agency"/>', b'type="opinion" with="agency"/>' + rule
    )
    source = pools("parallel=of:agencies;item:agency;into:opinions;result:said")
    bound = Part(path="parts/consult/process.bpmn", source=chosen)
    values: dict[str, Value] = {"agencies": ["police", "tax"]}
    p = Play(deploy_or_refuse(source, [bound]).definition("commune"), values).start()
    first, second = p.subscriptions
    p.take(TimerFired(subscription_id=first, values={"said": "deemed_consent"}))
    assert list(p.subscriptions) == [second]
    p.take(TimerFired(subscription_id=second, values={"said": "deemed_refusal"}))
    assert p.values["opinions"] == ["deemed_consent", "deemed_refusal"]
    assert "said" not in p.values


def test_a_partner_without_a_flow_is_an_incident() -> None:
    chosen = part(ASKING).source.replace(
        b'<lt:message type="request"/>', b'<lt:message type="request" with="agency"/>'
    )
    bound = Part(path="parts/consult/process.bpmn", source=chosen)
    definition = deploy_or_refuse(pools(), [bound]).definition("commune")
    p = Play(definition, {"agency": "army"}).start()
    assert [(one.code, one.element_id) for one in p.incidents.values()] == [
        ("no_such_way", "consult.ask")
    ]


def test_a_part_that_sends_needs_a_flow_at_every_call_of_it() -> None:
    source = pools(wires="tax_out > police_in : request\npolice_out > tax_in : opinion")
    found = rules(source, part(ASKING))
    assert ("send_without_flow", "parts/consult/process.bpmn", "consult.ask") in found


def test_every_kind_of_reference_inside_a_part_is_renamed() -> None:
    text = """
    start s
    user ask
    boundary late on=ask interrupting=false duration=PT1H
    boundary undo on=ask compensate=-
    user undone compensation=true
    <association id="a1" sourceRef="undo" targetRef="undone"/>
    xor choose default=choose-e
    throw back compensate=ask
    end e
    end later
    s > ask > choose
    choose > e
    choose > back if redo
    back > e
    late > later
    """
    definition = defined(CALLER, part(text))
    nodes = definition.elements
    assert nodes["consult.late"].attached_to == "consult.ask"
    assert nodes["consult.undo"].handler == "consult.undone"
    assert nodes["consult.choose"].default == "consult.choose-e"
    assert nodes["consult.back"].events[0].activity == "consult.ask"
    assert nodes["c"].kind is Kind.CALL_ACTIVITY
    p = Play(definition, {"redo": True}).start()
    assert p.done("consult.ask").open == ["consult.undone"]
    assert p.done("consult.undone").open == ["after"]


def test_camunda_calls_bring_their_version_and_mappings() -> None:
    text = (
        HEAD
        + '<process id="p" isExecutable="true"><startEvent id="s"/>'
        + '<callActivity id="c" calledElement="consult" camunda:calledElementVersion="1">'
        + '<extensionElements><camunda:in source="subject" target="topic"/>'
        + '<camunda:out sourceExpression="${opinion}" target="answer"/></extensionElements>'
        + '</callActivity><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="c"/>'
        + '<sequenceFlow id="g" sourceRef="c" targetRef="e"/></process></definitions>'
    ).encode()
    definition = deploy_or_refuse(text, [part(LOCAL)]).definition("p")
    assert definition.elements["c"].extension.version == "1"
    p = Play(definition, {"subject": "road"}).start()
    p.done("consult.ask", opinion="yes")
    assert p.values["answer"] == "yes"
