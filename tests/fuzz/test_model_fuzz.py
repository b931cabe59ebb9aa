"""Any bytes give findings; any runnable model, however mangled, gives transitions or our errors."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dossier.errors import LienThongError
from tests.builders.workflows import Play, draw
from workflows.definition import deploy
from workflows.diagram import draw_svg
from workflows.state import parse

SEED = draw("""
start s
xor m
and f
user a parallel=n:2 lt:form=x
sub box {
start bs
receive r message=m
end bad error=oops
bs > r > bad
}
boundary b on=box error=oops
boundary t on=box interrupting=false cycle=R3/PT1H
sub h triggered=true {
start hs interrupting=false signal=go
script x script=n=1
end he
hs > x > he
}
and j
or o default=o-e
end e
s > m > f
f > a > j
f > box > j
b > j
t > a
j > o
o > m if again
o > e
""")
IDS = sorted(set(re.findall(rb'id="([^"]+)"', SEED)))


@st.composite
def mangled(draw_value: st.DrawFn) -> bytes:
    """Return the seed with references swapped, elements dropped and bytes changed."""
    source = SEED
    for _ in range(draw_value(st.integers(1, 4))):
        how = draw_value(st.sampled_from(("swap", "drop", "rename", "byte")))
        if how == "swap":
            old, new = (draw_value(st.sampled_from(IDS)) for _ in range(2))
            source = source.replace(b'Ref="' + old + b'"', b'Ref="' + new + b'"')
        elif how == "drop":
            lines = source.split(b"\n")
            del lines[draw_value(st.integers(0, len(lines) - 1))]
            source = b"\n".join(lines)
        elif how == "rename":
            tags = sorted(set(re.findall(rb"<(\w+)", source)))
            old, new = (draw_value(st.sampled_from(tags)) for _ in range(2))
            source = re.sub(rb"(</?)" + old + rb"\b", rb"\1" + new, source)
        else:
            at = draw_value(st.integers(0, len(source) - 1))
            source = source[:at] + bytes([draw_value(st.integers(32, 126))]) + source[at + 1 :]
    return source


@given(st.binary(max_size=200))
def test_any_bytes_give_findings(content: bytes) -> None:
    assert not deploy(content).is_runnable


@given(mangled(), st.lists(st.integers(0, 9), max_size=12))
def test_mangled_models_are_judged_and_run_without_a_traceback(
    source: bytes, choices: list[int]
) -> None:
    deployment = deploy(source)
    try:
        draw_svg(source, title="", description="")
    except LienThongError:
        assert not deployment.is_runnable
    if not deployment.is_runnable:
        assert any(finding.rule for finding in deployment.findings)
        return
    for role in deployment.roles:
        play = Play(deployment.definition(role), {"again": False})
        try:
            play.start()
        except LienThongError:
            continue
        for choice in choices:
            waiting = [*play.open, *play.waiting]
            if not waiting or play.halted:
                break
            _act(play, waiting[choice % len(waiting)])


def _act(play: Play, element: str) -> None:
    if element in play.open:
        play.done(element)
        return
    kinds = {sub.element_id: sub for sub in play.subscriptions.values()}
    chosen = kinds[element]
    if chosen.kind.value == "message":
        play.message(element)
    elif chosen.kind.value == "timer":
        play.timer(element)
    elif chosen.kind.value == "signal":
        play.signal(chosen.message_type or "")


@given(st.binary(max_size=120))
def test_any_snapshot_bytes_are_read_or_refused(content: bytes) -> None:
    for snapshot in (content, b"LTI\x01" + content):
        try:
            parse(snapshot)
        except LienThongError as error:
            assert error.code == "snapshot_refused"
