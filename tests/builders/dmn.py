"""Builds DMN files: elements as text, wrapped in definitions of any version."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

VERSIONS = {
    "1.1": "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "1.2": "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "1.3": "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "1.4": "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "1.5": "https://www.omg.org/spec/DMN/20230324/MODEL/",
}


def definitions(*elements: str, version: str = "1.5", namespace: str = "urn:test") -> bytes:
    """Return a DMN file."""
    body = "\n".join(elements)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions xmlns="{VERSIONS[version]}" '
        f'xmlns:feel="http://www.omg.org/spec/FEEL/20140401" id="d" name="d" '
        f'namespace="{namespace}">\n{body}\n</definitions>\n'
    ).encode()


def variable(name: str, type_ref: str = "") -> str:
    """Return a variable element."""
    return f"<variable name={quoteattr(name)}{_typed(type_ref)}/>"


def input_element(name: str, type_ref: str = "", *, identifier: str = "") -> str:
    """Return an input."""
    found = identifier or _id(name)
    return f'<inputData id="{found}" name={quoteattr(name)}>{variable(name, type_ref)}</inputData>'


def decision(name: str, body: str, *requires: str, type_ref: str = "") -> str:
    """Return a decision; `requires` are names, with a sign before: `!` knowledge, `>` input."""
    return (
        f'<decision id="{_id(name)}" name={quoteattr(name)}>{variable(name, type_ref)}'
        f"{''.join(_requirement(name) for name in requires)}{body}</decision>"
    )


def knowledge(name: str, parameters: dict[str, str], body: str, *requires: str) -> str:
    """Return a business knowledge model."""
    formal = "".join(
        f"<formalParameter name={quoteattr(p)}{_typed(kind)}/>" for p, kind in parameters.items()
    )
    return (
        f'<businessKnowledgeModel id="{_id(name)}" name={quoteattr(name)}>{variable(name)}'
        f"<encapsulatedLogic>{formal}{body}</encapsulatedLogic>"
        f"{''.join(_requirement(found) for found in requires)}</businessKnowledgeModel>"
    )


def literal(text: str, type_ref: str = "") -> str:
    """Return a literal expression."""
    return f"<literalExpression{_typed(type_ref)}><text>{escape(text)}</text></literalExpression>"


def table(
    inputs: dict[str, str],
    outputs: dict[str, str],
    *rules: tuple[str, ...],
    policy: str = "UNIQUE",
    aggregation: str = "",
    values: str = "",
    default: str = "",
    annotations: bool = False,
) -> str:
    """Return a table; a rule lists its tests, then its outputs, then an annotation if there are."""
    clauses = "".join(
        f"<input><inputExpression{_typed(kind)}><text>{escape(name)}</text></inputExpression>"
        "</input>"
        for name, kind in inputs.items()
    )
    listed = f"<outputValues><text>{escape(values)}</text></outputValues>" if values else ""
    fallback = (
        f"<defaultOutputEntry><text>{escape(default)}</text></defaultOutputEntry>"
        if default
        else ""
    )
    clauses += "".join(
        f"<output name={quoteattr(name)}{_typed(kind)}>{listed}{fallback}</output>"
        for name, kind in outputs.items()
    )
    clauses += '<annotation name="note"/>' if annotations else ""
    rows = "".join(_rule(i, rule, len(inputs), len(outputs)) for i, rule in enumerate(rules, 1))
    aggregated = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable id="t" hitPolicy="{policy}"{aggregated}>{clauses}{rows}</decisionTable>'


def _rule(number: int, cells: tuple[str, ...], inputs: int, outputs: int) -> str:
    tags = ["inputEntry"] * inputs + ["outputEntry"] * outputs + ["annotationEntry"]
    entries = "".join(
        f"<{tag}><text>{escape(cell)}</text></{tag}>"
        for tag, cell in zip(tags, cells, strict=False)
    )
    return f'<rule id="r{number}">{entries}</rule>'


def _requirement(required: str) -> str:
    sign, name = (required[0], required[1:]) if required[0] in "!>" else ("", required)
    if sign == "!":
        return (
            f'<knowledgeRequirement><requiredKnowledge href="#{_id(name)}"/></knowledgeRequirement>'
        )
    tag = "requiredInput" if sign == ">" else "requiredDecision"
    href = name if "#" in name else f"#{_id(name)}"
    return f'<informationRequirement><{tag} href="{href}"/></informationRequirement>'


def _typed(type_ref: str) -> str:
    return f" typeRef={quoteattr(type_ref)}" if type_ref else ""


def _id(name: str) -> str:
    return "i_" + "".join(c if c.isalnum() else "_" for c in name)
