"""Judging a CMS file that stands alone (.p7s, .p7m): its content inside, or the file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from signing.cades import Signed, judge_cms, unsupported
from signing.cms import is_cms, parse_cms
from signing.errors import SignatureMalformed
from signing.foreignfile import file_verdicts
from signing.judge import Circumstances, unreadable
from signing.judgement import PASSED, Judgement, whole
from signing.policy import Trust
from signing.proofs import digester
from signing.purpose import DOCUMENT_PURPOSES

_SUFFIXES: Final = frozenset({"p7s", "p7m", "p7", "sig", "cms", "pem"})


def judge_cms_file(
    content: bytes,
    *,
    name: str,
    files: Mapping[str, bytes],
    trust: Trust,
    at: datetime,
) -> Judgement:
    """Judge a CMS signature over its own content, else over the one file of `files`.

    Any bytes get a judgement. The content inside is called `name` without its last suffix.
    """
    circumstances = Circumstances(
        trust=trust, at=at, purposes=DOCUMENT_PURPOSES, foreign_allowed=True
    )
    try:
        data = parse_cms(content)
    except SignatureMalformed as exc:
        return whole(PASSED, (unreadable(name, unsupported(exc)),), ())
    target = content_name(name)
    # Attached content is what is signed; a file of that name beside it is another one.
    known = dict(files) if data.content is None else {target: data.content}
    signed = Signed(covers=(), imprint=None, name=target)
    for found, octets in known.items():
        signed = Signed(covers=(found,), imprint=digester(octets), name=found)
    verdicts = judge_cms(name, data, signed=signed, circumstances=circumstances)
    return whole(PASSED, verdicts, file_verdicts(known, verdicts))


def content_name(name: str) -> str:
    """Return the name of the file that a CMS file called `name` is over."""
    stem, _, suffix = name.rpartition(".")
    return stem if stem and suffix.lower() in _SUFFIXES else f"{name}#content"


def detached_target(content: bytes, *, name: str) -> tuple[str, ...]:
    """Return the name of the file beside a detached CMS file; none for content inside."""
    stem, _, suffix = name.rpartition(".")
    if not stem or suffix.lower() not in _SUFFIXES or not is_cms(content):
        return ()
    try:
        return (stem,) if parse_cms(content).content is None else ()
    except SignatureMalformed:
        return ()
