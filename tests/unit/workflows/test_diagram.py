"""The SVG is safe to inline, carries ids and states, and the outline follows the flow."""

from tests.builders.workflows import definition_of, draw
from workflows.diagram import draw_svg, outline, states_of
from workflows.symbols import wrap

DI = """<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
 xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
 xmlns:di="http://www.omg.org/spec/DD/20100524/DI"><bpmndi:BPMNPlane bpmnElement="p">
<bpmndi:BPMNShape bpmnElement="s"><dc:Bounds x="10" y="10" width="36" height="36"/>
</bpmndi:BPMNShape>
<bpmndi:BPMNShape bpmnElement="a"><dc:Bounds x="100" y="0" width="120" height="80"/>
</bpmndi:BPMNShape>
<bpmndi:BPMNEdge bpmnElement="s-a"><di:waypoint x="46" y="28"/><di:waypoint x="100" y="28"/>
</bpmndi:BPMNEdge></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"""
HOSTILE = "&lt;script>alert(1)&lt;/script>"


def with_diagram(name: str) -> bytes:
    source = draw(f'start s\nuser a name="{name}"\nend e\ns > a > e')
    return source.replace(b"</definitions>", DI.encode() + b"</definitions>")


def test_marks_elements_states_and_description() -> None:
    svg = draw_svg(
        with_diagram("Ký duyệt"), title="P8", description="Two pools", states={"a": "active"}
    )
    assert '<g class="userTask active" data-element="a">' in svg
    assert "Ký duyệt" in svg
    assert '<title id="diagram-title">P8</title>' in svg


def test_escapes_labels_and_carries_no_script_or_style() -> None:
    svg = draw_svg(with_diagram(HOSTILE), title="<b>", description="x\x00y")
    assert "<script" not in svg
    assert "style=" not in svg
    assert "<b>" not in svg


def test_labels_can_be_replaced_for_another_language() -> None:
    svg = draw_svg(with_diagram("Ký"), title="", description="", labels={"a": "Sign"})
    assert ">Sign<" in svg
    assert "Ký" not in svg


def test_a_model_without_diagram_has_no_svg() -> None:
    assert draw_svg(draw("start s\nend e\ns > e"), title="", description="") == ""


def test_outline_puts_a_join_after_its_branches() -> None:
    definition = definition_of(
        draw("""
        start s name=Begin
        and f
        user a name=A
        user b name=B
        sub c name=C {
        start cs
        user inner name=Inner
        end ce
        cs > inner > ce
        }
        and j
        user d name=D
        end e name=End
        s > f
        f > a > j
        f > b > j
        f > c > j
        j > d > e
        """)
    )
    states = states_of({"s": "left", "a": "left", "b": "entered"}, ("b", "inner"), ())
    steps = outline(definition, states=states, name=lambda key: {"vi": key, "en": key})
    assert [(step.element_id, step.level, step.state) for step in steps] == [
        ("s", 0, "done"),
        ("a", 0, "done"),
        ("b", 0, "active"),
        ("c", 0, "open"),
        ("inner", 1, "active"),
        ("d", 0, "open"),
        ("e", 0, "open"),
    ]


def test_wraps_long_words() -> None:
    assert wrap("a bb ccccccccc", 5) == ["a bb", "cccc-", "ccccc"]
