"""Write XML that already is its own exclusive canonical form: no white space, one namespace.

The formats of the project (envelope, receipt, directory) are written here and read back by
their own modules, which compare the two byte for byte: a format has one spelling only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from lxml import etree

from dossier.errors import LienThongError

# With special characters, which most values have none of; looking is faster than translating.
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_TEXT: Final = re.compile("[&<>\r]")
_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)
_IN_ATTRIBUTE: Final = re.compile('[&<"\t\n\r]')
_WITHOUT_OFFSET: Final = -len("+00:00")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,6}Z")


def element(name: str, /, *content: str, **attributes: str) -> str:
    """Return one element; `content` is markup already, attribute names use `_` for `-`."""
    if not attributes:
        return f"<{name}>{''.join(content)}</{name}>"
    written = "".join(
        [f' {spelled}="{_attribute(attributes[key])}"' for spelled, key in _order(*attributes)]
    )
    return f"<{name}{written}>{''.join(content)}</{name}>"


@lru_cache(maxsize=256)
def _order(*names: str) -> list[tuple[str, str]]:
    """Return the attributes' names as they are written, in their order, beside ours."""
    return sorted((name.replace("_", "-"), name) for name in names)


def _attribute(value: str) -> str:
    return value.translate(_ATTRIBUTE) if _IN_ATTRIBUTE.search(value) else value


def text(name: str, value: str) -> str:
    """Return one element that holds text alone."""
    if _IN_TEXT.search(value):
        value = value.translate(_TEXT)
    return f"<{name}>{value}</{name}>"


def root(name: str, namespace: str, content: Iterable[str]) -> bytes:
    """Return a whole document in UTF-8, its namespace as the default one."""
    return f'<{name} xmlns="{namespace}">{"".join(content)}</{name}>'.encode()


def instant(value: datetime) -> str:
    """Return an aware instant as UTC text to the millisecond, e.g. `2026-03-02T02:00:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds")[:_WITHOUT_OFFSET] + "Z"


def truncated(value: datetime) -> datetime:
    """Return the instant that `instant` can write: milliseconds, UTC."""
    moment = value.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def parse_instant(value: str) -> datetime:
    """Return the aware instant of text as `instant` writes it; raise `ValueError` otherwise."""
    if not _INSTANT.fullmatch(value):
        raise ValueError(f"expected an instant in UTC, got {value[:40]!r}")
    return datetime.fromisoformat(value)


class Reader:
    """Walk the children of one element in their fixed order, refusing anything unexpected."""

    def __init__(
        self, node: etree._Element, *, namespace: str, refused: type[LienThongError]
    ) -> None:
        self._node = node
        self._children = list(node)
        self._at = 0
        self._prefix = f"{{{namespace}}}"
        self._namespace = namespace
        self._refused = refused

    @property
    def attributes(self) -> Mapping[str, str]:
        """The attributes of the element itself."""
        return {str(key): str(value) for key, value in self._node.attrib.items()}

    def attribute(self, name: str) -> str:
        """Return one attribute, refusing the element without it."""
        value = self._node.get(name)
        if value is None:
            raise self.refuse(f"expected attribute {name}")
        return value

    def refuse(self, message: str) -> LienThongError:
        """Return the format's own error, naming the element."""
        name = etree.QName(self._node).localname
        return self._refused(f"{message} in {name}", element=name)

    def has(self, name: str) -> bool:
        """Tell whether the next child is `name`."""
        return (
            self._at < len(self._children) and self._children[self._at].tag == self._prefix + name
        )

    def child(self, name: str) -> Reader:
        """Return a reader of the next child, which must be `name`."""
        return self._of(self._next(name))

    def children(self, name: str) -> list[Reader]:
        """Return readers of all next children that are `name`."""
        found = []
        while self.has(name):
            found.append(self.child(name))
        return found

    def text(self, name: str) -> str:
        """Return the text of the next child, which must be `name` and hold nothing else."""
        found = self._next(name)
        if len(found):
            raise self._of(found).refuse("expected text alone")
        return found.text or ""

    def optional_text(self, name: str) -> str | None:
        """Return the text of the next child if it is `name`."""
        return self.text(name) if self.has(name) else None

    def own_text(self) -> str:
        """Return the text of this element, which must hold nothing else."""
        if self._children:
            raise self.refuse("expected text alone")
        return self._node.text or ""

    def end(self) -> None:
        """Refuse children that nobody asked for."""
        if self._at != len(self._children):
            raise self.refuse("expected no further child")

    def _next(self, name: str) -> etree._Element:
        if self._at < len(self._children):
            found = self._children[self._at]
            if found.tag == self._prefix + name:
                self._at += 1
                return found
        raise self.refuse(f"expected {name}")

    def _of(self, node: etree._Element) -> Reader:
        return Reader(node, namespace=self._namespace, refused=self._refused)
