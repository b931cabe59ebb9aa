"""Write `docs/reference/rest.md` from the OpenAPI document of the REST interface."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

INTRODUCTION: Final = """# The REST interface

Generated from the OpenAPI document by `make docs`; do not edit. The document itself (3.1) is at
`/api/v1/openapi.json`.

Programs send `Authorization: Bearer <token>` ([commands](cli.md): `lienthong token`). A token
belongs to one agency, names its operations and ends. It is kept as SHA-256 only and shown once.

| operation of a token | opens |
|---|---|
| `jobs:<operation>` | the jobs of service tasks with that `lt:service operation` |
| `dossiers:start:<procedure>` | opening dossiers of that procedure for the agency |
| `dossiers:read` | where dossiers of the agency stand |

A body is JSON of at most 1 MiB; a field that is not listed is refused; numbers with fractions
travel as text. A client may send 1,200 requests a minute.

## Errors

Errors are `application/problem+json` (RFC 9457), their words in the language of
`Accept-Language` (`vi` or `en`): `type`, `title`, `status`, `code` ([errors](errors.md)), sometimes
`detail` and `faults` (`field`, `fault`).

| status | means |
|---|---|
| 400, 422 | the request is not sound |
| 401 | no token, or none in force |
| 403 | the token does not cover the operation |
| 404 | nothing of that name for this agency |
| 409 | another worker holds the job, or it has another answer |
| 410 | the process does not want the answer any more |
| 413 | the body is too large |
| 429, 503 | later, after `Retry-After` seconds |
"""


def render() -> str:
    """Return the page."""
    importlib.import_module("exchange.boot").boot()
    document = importlib.import_module("portal.api").api.get_openapi_schema(path_prefix="/api/v1/")
    shapes: Mapping[str, Any] = document["components"]["schemas"]
    lines = [INTRODUCTION, "## Operations", ""]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines += _operation(f"{method.upper()} {path}", operation)
    lines += ["## Shapes", ""]
    for name, shape in sorted(shapes.items()):
        lines += _shape(name, shape)
    return "\n".join(lines).rstrip() + "\n"


def _operation(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield str(operation.get("description", ""))
    yield ""
    given = [one for one in operation.get("parameters", []) if one["in"] != "path"]
    if given:
        yield "| parameter | in | type |"
        yield "|---|---|---|"
        yield from (f"| `{one['name']}` | {one['in']} | {_type(one['schema'])} |" for one in given)
        yield ""
    body = operation.get("requestBody")
    if body:
        yield f"Request: {_content(body)}"
        yield ""
    answers = [
        f"{status} {_content(answer)}"
        for status, answer in operation["responses"].items()
        if int(status) < 300
    ]
    yield f"Answer: {', '.join(answers)}"
    yield ""


def _shape(name: str, shape: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield str(shape.get("description", ""))
    yield ""
    yield "| field | type | |"
    yield "|---|---|---|"
    needed = shape.get("required", [])
    for field, schema in shape.get("properties", {}).items():
        mark = " *" if field in needed else ""
        yield f"| `{field}`{mark} | {_type(schema)} | {schema.get('description', '')} |"
    yield ""


def _content(part: Mapping[str, Any]) -> str:
    schema = part.get("content", {}).get("application/json", {}).get("schema", {})
    return _type(schema)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    form = schema.get("format")
    limits = [
        f"{word} {schema[key]}"
        for key, word in _LIMITS.items()
        if key in schema and schema[key] not in ("", None)
    ]
    return ", ".join([f"{kind} ({form})" if form else kind, *limits])


_LIMITS: Final = {
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
    "default": "default",
}
