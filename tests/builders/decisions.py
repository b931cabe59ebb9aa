"""A procedure whose script is a decision: the household business with a fee table."""

from __future__ import annotations

from datetime import timedelta

from exchange.publish import publish
from tests.builders.exchange import OneNode
from tests.builders.procedures import folder

FEE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d"
    namespace="urn:test">
  <inputData id="i" name="business_lines"><variable name="business_lines"/></inputData>
  <decision id="fee" name="fee"><variable name="fee"/>
    <informationRequirement><requiredInput href="#i"/></informationRequirement>
    <decisionTable hitPolicy="FIRST">
      <input label="Ngành nghề">
        <inputExpression><text>business_lines</text></inputExpression>
      </input>
      <output name="fee"/>
      <rule>
        <inputEntry><text>"Bán lẻ"</text></inputEntry>
        <outputEntry><text>{first}</text></outputEntry>
      </rule>
      <rule>
        <inputEntry><text>-</text></inputEntry>
        <outputEntry><text>200000</text></outputEntry>
      </rule>
    </decisionTable>
  </decision>
</definitions>
"""


def publish_with_decision(one: OneNode, *, first: str) -> None:
    """Publish a second version of the household business whose script is a decision."""
    files = folder("p6_household_business")
    model = files["process.bpmn"].decode()
    begin = model.index('<bpmn:scriptTask id="write_certificate"')
    end = model.index("</bpmn:scriptTask>", begin)
    task = (
        '<bpmn:businessRuleTask id="write_certificate" name="Tính lệ phí">'
        '<bpmn:extensionElements><lt:decision name="fee" result="fee_vnd" />'
        "</bpmn:extensionElements>"
        "<bpmn:incoming>flow_tax_code_known_write_certificate</bpmn:incoming>"
        "<bpmn:outgoing>flow_write_certificate_check_certificate</bpmn:outgoing>"
        "</bpmn:businessRuleTask>"
    )
    files["process.bpmn"] = (
        model[:begin] + task + model[end + len("</bpmn:scriptTask>") :]
    ).encode()
    manifest = files["procedure.toml"].decode()
    files["procedure.toml"] = manifest.replace('version = "1"', 'version = "2"', 1).encode()
    files["decisions/fee.dmn"] = FEE.format(first=first).encode()
    kept = {path: content for path, content in files.items() if "scenarios/" not in path}
    publish(
        kept,
        at=one.node.now() + timedelta(seconds=1),
        proposed_by="test.one",
        confirmed_by="test.two",
    )
