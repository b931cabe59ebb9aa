"""Join the list of files with the files: by Content-ID, else by name, else by place."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from lxml import etree

from connectors.edxml import structures, tolerant
from connectors.edxml.model import Repair
from connectors.errors import EdxmlRefused

_FILES: Final = 200

Content = TypeVar("Content")


@dataclass(frozen=True, kw_only=True, slots=True)
class Carried(Generic[Content]):
    """A file that travelled, and what it is called where it stands."""

    content_id: str
    name: str
    content: Content


def pair(
    references: Sequence[etree._Element],
    carried: Sequence[Carried[Content]],
    repairs: list[Repair],
) -> Iterator[tuple[etree._Element | None, Content | None]]:
    """Yield each entry of the list with its file, then the files that nobody lists.

    Two files of one Content-ID both come out. Raises `EdxmlRefused` for too many.
    """
    if max(len(references), len(carried)) > _FILES:
        raise EdxmlRefused(f"expected at most {_FILES} attachments", reason="count")
    ids = [one.content_id for one in carried if one.content_id]
    if len(set(ids)) < len(ids):
        repairs.append(Repair.CONTENT_ID_REPEATED)
    left = list(carried)
    # 1. By Content-ID; 2. by name, where the ids do not meet; 3. by place.
    matched = _matched(references, left, {}, content_id_of, "content_id")
    found = len(matched)
    matched = _matched(references, left, matched, _name_of, "name")
    matched = _placed(references, left, matched)
    if len(matched) > found and ids:
        repairs.append(Repair.CONTENT_MATCHED)
    for number, reference in enumerate(references):
        one = matched.get(number)
        yield reference, one.content if one is not None else None
    yield from ((None, one.content) for one in left)


def content_id_of(node: etree._Element) -> str:
    """Return the Content-ID that a node says, in the form in which two of them are compared."""
    href = node.get(f"{{{tolerant.XLINK}}}href", "")
    return bare_id(structures.text_of(structures.child(node, "ContentId")) or href)


def bare_id(text: str) -> str:
    """Return a Content-ID without `cid:`, angle brackets, escapes and case."""
    said = urllib.parse.unquote(text.strip()).casefold()
    return said.removeprefix("cid:").strip().strip("<>").strip()


def _matched(
    references: Sequence[etree._Element],
    left: list[Carried[Content]],
    matched: Mapping[int, Carried[Content]],
    said: Callable[[etree._Element], str],
    by: str,
) -> dict[int, Carried[Content]]:
    """Match what is left by one of its fields, the first of several; take it off `left`."""
    found = dict(matched)
    for number, reference in enumerate(references):
        wanted = said(reference) if number not in found else ""
        one = next((each for each in left if wanted and getattr(each, by) == wanted), None)
        if one is not None:
            left.remove(one)
            found[number] = one
    return found


def _placed(
    references: Sequence[etree._Element],
    left: list[Carried[Content]],
    matched: Mapping[int, Carried[Content]],
) -> dict[int, Carried[Content]]:
    """Match in order where as many are left on both sides and one side bears no names."""
    open_numbers = [number for number in range(len(references)) if number not in matched]
    listed = any(_name_of(references[number]) for number in open_numbers)
    if len(open_numbers) != len(left) or (listed and any(one.name for one in left)):
        return dict(matched)
    found = {**matched, **dict(zip(open_numbers, left, strict=True))}
    left.clear()
    return found


def _name_of(reference: etree._Element) -> str:
    return structures.text_of(structures.child(reference, "AttachmentName"))
