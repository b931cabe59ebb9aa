"""The door for XML: caps, no DOCTYPE, no comments, one encoding, a library that can be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from dossier import safexml
from dossier.errors import LibraryTooOld, XmlRefused
from dossier.safexml import Caps


def refused(content: bytes, caps: Caps = safexml.DEFAULT_CAPS) -> str:
    with pytest.raises(XmlRefused) as caught:
        safexml.parse(content, caps=caps)
    return str(caught.value.parameters["reason"])


def test_returns_the_root_of_sound_xml() -> None:
    assert safexml.parse(b'\xef\xbb\xbf<a xmlns="u"><b/></a>').tag == "{u}a"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<a", "syntax"),
        (b"", "syntax"),
        (b"<!DOCTYPE a><a/>", "doctype"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "doctype"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "doctype"),
        (b"<a><!-- --></a>", "comment"),
        (b"<a/><!-- -->", "comment"),
        (b"<?pi x?><a/>", "comment"),
        (b"<a>admin<?x?>.evil</a>", "comment"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "encoding"),
        ("<a/>".encode("utf-16"), "encoding"),
    ],
)
def test_refuses_what_readers_could_see_differently(content: bytes, reason: str) -> None:
    assert refused(content) == reason


def test_size_is_capped_before_parsing() -> None:
    assert refused(b"<a" + b" " * 100, Caps(size_bytes=50)) == "size"


def test_depth_is_capped() -> None:
    deep = b"<a>" * 70 + b"</a>" * 70
    assert refused(deep) == "depth"


def test_elements_are_capped() -> None:
    assert refused(b"<a>" + b"<b/>" * 20 + b"</a>", Caps(elements=10)) == "elements"


def test_namespaces_are_capped_before_anything_is_canonicalised() -> None:
    many = b"".join(b' xmlns:n%d="u%d"' % (n, n) for n in range(40))
    assert refused(b"<a" + many + b"/>") == "namespaces"


def test_attributes_are_capped() -> None:
    many = b"".join(b' a%d="1"' % n for n in range(300))
    assert refused(b"<a" + many + b"/>") == "attributes"


def test_comments_stay_where_they_are_wanted() -> None:
    root = safexml.parse(b"<a><!-- note --></a>", keep_comments=True)
    assert len(root) == 1


def test_old_library_is_refused_and_ours_is_not() -> None:
    safexml.demand_library()
    with pytest.raises(LibraryTooOld):
        safexml.demand_library((2, 9, 14))


def test_no_file_is_opened_for_a_doctype_that_the_prolog_check_did_not_see(
    tmp_path: Path,
) -> None:
    subset = tmp_path / "subset.dtd"
    subset.write_text("not a DTD: reading it is a syntax error")
    hidden = f'<!-- <a --><!DOCTYPE a SYSTEM "{subset.as_uri()}"><a/>'.encode()
    assert refused(hidden) in ("doctype", "comment")
    internal = f'<!-- <a --><!DOCTYPE a [<!ENTITY % x SYSTEM "{subset.as_uri()}">%x;]><a/>'
    assert refused(internal.encode()) in ("doctype", "comment", "syntax")


TREES = st.recursive(
    st.sampled_from(["", "<!-- -->", "<?x?>", "x=y", "<![CDATA[<]]>", "&lt;"]),
    lambda inner: st.builds(
        "<{0}{1}>{2}</{0}>".format,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["", ' c="1"', ' c="=" d="2"', ' xmlns="u"', ' xmlns:n="u" xmlns:m="v"']),
        st.lists(inner, max_size=3).map("".join),
    ),
    max_leaves=12,
)


@given(TREES.map("<r>{}</r>".format), st.integers(1, 6), st.integers(1, 12), st.integers(0, 4))
def test_what_is_settled_by_counting_is_what_a_walk_says(
    text: str, depth: int, elements: int, few: int
) -> None:
    caps = Caps(
        depth=depth,
        elements=elements,
        namespaces_per_element=few,
        namespaces_per_document=few,
        attributes_per_element=few,
    )
    root = etree.fromstring(text)
    try:
        safexml._walk(root, caps, keep_comments=False)
    except XmlRefused as walked:
        assert refused(text.encode(), caps) == walked.parameters["reason"]
    else:
        assert safexml.parse(text.encode(), caps=caps).tag == "r"
