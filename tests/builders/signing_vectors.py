"""Write tests/vectors/signing: one file per attack, `python -m tests.builders.signing_vectors`.

Each attack starts from a sound container or document of a throw-away PKI and changes one thing.
Where the attacker could hold a valid key, the changed part is signed again, so that nothing but
the attacked rule can refuse it.
"""

from __future__ import annotations

import base64
import re
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from signing import zipfile
from signing.algorithms import SignatureAlgorithm, sign
from signing.asic import DataFile, manifest_xml, seal_container, sign_files
from signing.enveloped import sign_xml
from signing.keys import Signer
from signing.pki import Revocation, Validity
from signing.purpose import Purpose
from signing.xades import SignatureRole
from tests.builders import signing_vectors_more as more
from tests.builders.signing import NOW, SHORT, letter, pki
from tests.builders.vector_file import CRYPTO, FORMAT, HASH, Vector, header, table

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "signing"
LETTER = DataFile(name="Công văn.pdf", media_type="application/pdf", content=b"%PDF-1.7 letter")
ENVELOPE = DataFile(name="envelope.xml", media_type="application/xml", content=b"<e></e>")
RECEIPT = b'<r xmlns="urn:t"><from>H28</from><to>H08</to></r>'
SEAL = "META-INF/signatures001.xml"

TABLE_MARK = "\n## Which vector shows which row\n\n"

Entries = list[tuple[str, bytes]]


def sound_entries() -> Entries:
    """Return the entries of a sound container at level B-T with one seal."""
    content = seal_container(
        [ENVELOPE, LETTER],
        signer=pki().signers[Purpose.SEAL],
        timestamper=pki().timestamper(),
        at=NOW,
    )
    return [(one.name, bytes(one.content)) for one in zipfile.read(content).entries]


def sound_xml() -> bytes:
    """Return a sound enveloped document at level B-T."""
    return sign_xml(
        RECEIPT, signer=pki().signers[Purpose.SEAL], timestamper=pki().timestamper(), at=NOW
    )


def with_document(edit: Callable[[bytes], bytes]) -> bytes:
    """Return the sound container with an edited seal document."""
    changed = [
        (name, edit(content) if name == SEAL else content) for name, content in sound_entries()
    ]
    return zipfile.write(changed)


def replaced(old: str, new: str, count: int = 1) -> Callable[[bytes], bytes]:
    """Return an edit that must find `old`."""

    def edit(document: bytes) -> bytes:
        assert old.encode() in document, old
        return document.replace(old.encode(), new.encode(), count)

    return edit


def resigned(
    edit: Callable[[bytes], bytes], *, algorithm: SignatureAlgorithm | None = None
) -> Callable[[bytes], bytes]:
    """Return an edit of the document after which SignedInfo is signed again by the seal key."""

    def whole(document: bytes) -> bytes:
        changed = edit(document)
        info = re.search(rb"<ds:SignedInfo .*</ds:SignedInfo>", changed)
        assert info is not None
        seal = pki().signers[Purpose.SEAL]
        value = base64.b64encode(sign(seal._key, algorithm or seal.algorithm, info.group()))
        unstamped = re.sub(
            rb"<xades:UnsignedProperties>.*</xades:UnsignedProperties>", b"", changed
        )
        return re.sub(rb'(-value">)[^<]*', rb"\g<1>" + value, unstamped)

    return whole


def value_replaced(make: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Return an edit of the raw signature value."""

    def edit(document: bytes) -> bytes:
        found = re.search(rb'-value">([^<]*)', document)
        assert found is not None
        value = base64.b64encode(make(base64.b64decode(found.group(1))))
        return document.replace(found.group(1), value)

    return edit


def structure_attacks() -> Iterator[tuple[str, int, str, str, Callable[[bytes], bytes]]]:
    """Yield attacks on the seal document: name, row, rule, expectation, edit."""
    reference = '<ds:Reference Id="r0" URI="envelope.xml">'
    close = "</ds:SignatureMethod>"
    key = "<ds:X509Data>"
    other = base64.b64encode(pki().signers[Purpose.PERSON].certificate).decode()
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    yield (
        "wrapped-in-object", 1, "a forged signature hides the sound one in an Object", FORMAT,
        lambda d: d.replace(b"</ds:Object>", b"</ds:Object><ds:Object>%b</ds:Object>" % d[60:], 1),
    )  # fmt: skip
    yield (
        "duplicate-id", 2, "Ids are unique", FORMAT,
        replaced("<ds:X509Data>", '<ds:X509Data Id="lienthong-1">'),
    )  # fmt: skip
    yield (
        "no-data-reference", 3, "at least one reference to data", FORMAT,
        resigned(lambda d: re.sub(rb'<ds:Reference Id="r.*?</ds:Reference>', b"", d)),
    )  # fmt: skip
    yield (
        "empty-digest", 3, "digests have their length", FORMAT,
        resigned(lambda d: re.sub(rb"<ds:DigestValue>[^<]*", b"<ds:DigestValue>", d, count=1)),
    )  # fmt: skip
    yield (
        "properties-of-another", 5, "SignedProperties belong to their signature", HASH,
        replaced("2022-04-12T02:30:00Z", "2022-04-12T02:29:00Z"),
    )  # fmt: skip
    yield (
        "key-value", 6, "the key comes from the bound certificate only", FORMAT,
        replaced(key, "<ds:KeyValue></ds:KeyValue><ds:X509Data>"),
    )  # fmt: skip
    yield (
        "two-certificates", 6, "KeyInfo holds one certificate", FORMAT,
        replaced(
            "</ds:X509Data>", f"<ds:X509Certificate>{other}</ds:X509Certificate></ds:X509Data>"
        ),
    )  # fmt: skip
    yield (
        "other-certificate", 6, "the certificate is the one SigningCertificateV2 binds",
        "INDETERMINATE NO_SIGNING_CERTIFICATE_FOUND",
        lambda d: re.sub(rb"(<ds:X509Certificate>)[^<]*", rb"\g<1>" + other.encode(), d),
    )  # fmt: skip
    yield (
        "retrieval-method", 7, "nothing is fetched", FORMAT,
        replaced(key, '<ds:RetrievalMethod URI="http://127.0.0.1/"/><ds:X509Data>'),
    )  # fmt: skip
    for name, uri in (("remote", "http://127.0.0.1/x"), ("file", "file:///etc/passwd")):
        yield (
            f"reference-{name}", 7, "references name files of the container", FORMAT,
            resigned(replaced(reference, f'<ds:Reference Id="r0" URI="{uri}">')),
        )  # fmt: skip
    yield (
        "hmac", 8, "HMAC is not in the table", CRYPTO,
        resigned(replaced("xmldsig-more#ecdsa-sha256", "xmldsig-more#hmac-sha256")),
    )  # fmt: skip
    yield (
        "hmac-length", 8, "no HMACOutputLength", FORMAT,
        resigned(replaced(close, f"<ds:HMACOutputLength>0</ds:HMACOutputLength>{close}")),
    )  # fmt: skip
    yield (
        "rsa-method-with-ec-key", 9, "the method fits the key", CRYPTO,
        resigned(replaced("xmldsig-more#ecdsa-sha256", "xmldsig-more#rsa-sha256")),
    )  # fmt: skip
    for name, make in (
        ("short", lambda v: v[:-1]),
        ("long", lambda v: v + b"\x00"),
        ("r-zero", lambda v: bytes(32) + v[32:]),
        ("s-zero", lambda v: v[:32] + bytes(32)),
        ("der", lambda v: b"\x30\x44\x02\x20" + v[:32] + b"\x02\x20" + v[32:]),
    ):
        yield f"value-{name}", 9, "r and s have exactly 32 bytes", CRYPTO, value_replaced(make)
    for name, uri in (
        ("xpath", "http://www.w3.org/TR/1999/REC-xpath-19991116"),
        ("xpath-filter", "http://www.w3.org/2002/06/xmldsig-filter2"),
        ("xslt", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
        ("base64", "http://www.w3.org/2000/09/xmldsig#base64"),
    ):
        transforms = (
            f'<ds:Transforms><ds:Transform Algorithm="{uri}"></ds:Transform></ds:Transforms>'
        )
        yield (
            f"transform-{name}", 10, "no transform on a file", FORMAT,
            resigned(replaced(reference, reference + transforms)),
        )  # fmt: skip
    yield (
        "c14n-with-comments", 11, "exclusive canonicalisation only", FORMAT,
        resigned(replaced(exclusive, exclusive + "WithComments")),
    )  # fmt: skip
    yield (
        "c14n-prefix-list", 11, "CanonicalizationMethod has no children", FORMAT,
        resigned(
            replaced(
                "</ds:CanonicalizationMethod>",
                f'<ec:InclusiveNamespaces xmlns:ec="{exclusive}" PrefixList="ds">'
                "</ec:InclusiveNamespaces></ds:CanonicalizationMethod>",
            )
        ),
    )  # fmt: skip
    yield "cdata", 11, "one spelling", FORMAT, replaced("sealed", "<![CDATA[sealed]]>")
    yield (
        "carriage-return",
        11,
        "one spelling",
        FORMAT,
        replaced("</ds:KeyInfo>", "\r</ds:KeyInfo>"),
    )
    yield (
        "comment", 11, "no comments", FORMAT, replaced("sealed", "sea<!-- x -->led"),
    )  # fmt: skip
    yield (
        "doctype", 12, "no DOCTYPE", FORMAT,
        lambda d: b"<!DOCTYPE a [<!ENTITY x 'y'>]>" + d,
    )  # fmt: skip
    yield (
        "processing-instruction", 12, "no processing instruction", FORMAT,
        replaced("</ds:KeyInfo>", "<?x y?></ds:KeyInfo>"),
    )  # fmt: skip
    yield (
        "sha1-signature", 13, "SHA-1 is weak",
        "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
        resigned(
            replaced("xmldsig-more#ecdsa-sha256", "xmldsig-more#ecdsa-sha1"),
            algorithm=SignatureAlgorithm.ECDSA_SHA1,
        ),
    )  # fmt: skip
    yield (
        "sha1-digest", 13, "our profile digests with SHA-256", FORMAT,
        resigned(replaced("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1")),
    )  # fmt: skip
    yield (
        "base64-junk", 22, "canonical base64", FORMAT, replaced('-value">', '-value">!!!!'),
    )  # fmt: skip
    yield (
        "base64-space", 22, "canonical base64", FORMAT, replaced('-value">', '-value"> '),
    )  # fmt: skip
    yield (
        "base64-newline", 22, "canonical base64", FORMAT, replaced('-value">', '-value">\n'),
    )  # fmt: skip
    yield (
        "base64-spare-bits", 22, "canonical base64", FORMAT,
        lambda d: re.sub(rb"([A-Za-z0-9+/])(==</ds:SignatureValue>)", _spare_bits, d),
    )  # fmt: skip
    for name, uri in (
        ("lower-case", "C%c3%b4ng%20v%c4%83n.pdf"),
        ("plus", "C%C3%B4ng+v%C4%83n.pdf"),
        ("double", "C%25C3%25B4ng%2520v%25C4%2583n.pdf"),
        ("slash", "C%C3%B4ng%2Fv%C4%83n.pdf"),
        ("latin-1", "C%F4ng%20v%E3n.pdf"),
    ):
        yield (
            f"uri-{name}", 30, "a name has one percent-encoding", FORMAT,
            resigned(replaced("C%C3%B4ng%20v%C4%83n.pdf", uri)),
        )  # fmt: skip


def _spare_bits(match: re.Match[bytes]) -> bytes:
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    position = alphabet.index(match.group(1))
    return alphabet[position ^ 1 : (position ^ 1) + 1] + match.group(2)


def content_attacks() -> Iterator[Vector]:
    """Yield attacks on what the container holds."""
    entries = sound_entries()
    signer, stamper = pki().signers[Purpose.SEAL], pki().timestamper()

    def swapped(name: str, content: bytes) -> bytes:
        return zipfile.write([(n, content if n == name else c) for n, c in entries])

    def vector(name: str, row: int, rule: str, expect: str, content: bytes) -> Vector:
        return Vector(name=name, row=row, rule=rule, expect=expect, content=content)

    yield vector(
        "file-missing", 4, "a signed file is there", FORMAT,
        zipfile.write([one for one in entries if one[0] != ENVELOPE.name]),
    )  # fmt: skip
    yield vector(
        "file-not-covered", 4, "every file is covered", FORMAT,
        zipfile.write([*entries[:1], ("extra.txt", b"x"), *entries[1:]]),
    )  # fmt: skip
    yield vector("file-changed", 4, "digests hold", HASH, swapped(ENVELOPE.name, b"<f></f>"))
    copy = dict(entries)[SEAL]
    garbage = copy.replace(b'-value">', b'-value">AAAA', 1)
    yield vector(
        "garbage-second-signature", 5, "every signature is judged", CRYPTO,
        zipfile.write([*entries, ("META-INF/signatures002.xml", garbage)]),
    )  # fmt: skip
    yield vector(
        "media-type-lie", 31, "the manifest repeats the signed media types", FORMAT,
        swapped(
            "META-INF/manifest.xml",
            manifest_xml([(ENVELOPE.name, "text/html"), (LETTER.name, LETTER.media_type)]),
        ),
    )  # fmt: skip
    yield vector(
        "manifest-silent", 31, "the manifest lists every file", FORMAT,
        swapped("META-INF/manifest.xml", manifest_xml([(LETTER.name, LETTER.media_type)])),
    )  # fmt: skip
    other = sign_files(
        [ENVELOPE], signer=signer, timestamper=stamper, at=NOW, role=SignatureRole.SEALED
    )
    token = re.search(rb"<xades:UnsignedProperties>.*</xades:UnsignedProperties>", other)
    assert token is not None
    yield vector(
        "timestamp-of-another", 20, "a time-stamp belongs to its signature value", HASH,
        with_document(
            lambda d: re.sub(
                rb"<xades:UnsignedProperties>.*</xades:UnsignedProperties>",
                token.group().replace(b"\\", b"\\\\"),
                d,
            )
        ),
    )  # fmt: skip


def xml_attacks() -> Iterator[Vector]:
    """Yield signature wrapping and its kin on an enveloped document."""
    sound = sound_xml()
    start = sound.index(b"<ds:Signature ")
    signature = sound[start : sound.index(b"</ds:Signature>") + len(b"</ds:Signature>")]
    head, tail = sound[:start], b"</r>"
    body = head.removeprefix(b'<r xmlns="urn:t">')
    opening = b'<r xmlns="urn:t">'
    inner = b"</ds:Object><ds:Object>" + RECEIPT + b"</ds:Object>"
    forged = b"<from>H28</from><to>H99</to>"
    cases: list[tuple[str, int, str, bytes]] = [
        ("xsw1", 1, FORMAT, opening + forged + sound + b"</r>"),
        ("xsw2", 1, HASH, opening + forged + b"<r>" + body + b"</r>" + signature + tail),
        ("xsw3", 1, FORMAT, head + signature + b"<to>H99</to>" + tail),
        ("xsw4", 1, FORMAT, opening + signature + body + tail),
        ("xsw5", 1, FORMAT, head + b"<x>" + signature + b"</x>" + tail),
        (
            "xsw6", 1, FORMAT,
            head + signature.replace(b"</ds:Object>", inner) + tail,
        ),
        ("xsw7", 1, HASH, opening + forged + signature + tail),
        ("xsw8", 1, FORMAT, b"<o>" + sound + b"</o>"),
        ("two-signatures", 5, FORMAT, head + signature + signature + tail),
        ("id-in-content", 2, FORMAT, sound.replace(b"<from>", b'<from Id="lienthong-1">')),
        ("xml-id-in-content", 2, FORMAT, sound.replace(b"<from>", b'<from xml:id="lienthong-1">')),
        ("comment-in-content", 11, FORMAT, sound.replace(b"H28", b"H2<!-- -->8")),
        ("space-in-tag", 11, FORMAT, sound.replace(b"<from>", b"<from >")),
        ("doctype-in-content", 12, FORMAT, b"<!DOCTYPE r>" + sound),
        (
            "entities", 12, FORMAT,
            b'<!DOCTYPE r [<!ENTITY a "&#38;b;"><!ENTITY b "x">]>' + sound.replace(b"H28", b"&a;"),
        ),
        ("reference-elsewhere", 7, FORMAT, sound.replace(b'Id="r0" URI=""', b'Id="r0" URI="x"')),
        ("text-changed", 4, HASH, sound.replace(b"H08", b"H99")),
    ]  # fmt: skip
    for name, row, expect, content in cases:
        yield Vector(
            name=f"xml-{name}", row=row, rule="enveloped signature", expect=expect,
            content=content, kind="xml",
        )  # fmt: skip


def raw_zip(entries: Sequence[tuple[bytes, bytes]], **fields: int) -> bytes:
    """Return an archive with chosen header fields (local_… or central_…), names as bytes."""
    body, directory, count = b"", b"", 0
    for name, content in entries:
        stored = zipfile.Stored(name="x", size=len(content), crc32=_crc(content))
        flags = 0 if name.isascii() else 0x0800
        head = struct.pack(
            "<4sHHHHHIIIHH", b"PK\x03\x04", 20, flags | fields.get("local_flags", 0),
            fields.get("local_method", 0), 0, 0x21, stored.crc32,
            stored.size + fields.get("local_size", 0), stored.size, len(name), 0,
        )  # fmt: skip
        directory += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20 | fields.get("system", 0) << 8, 20,
            flags | fields.get("central_flags", 0), fields.get("central_method", 0), 0, 0x21,
            stored.crc32, stored.size, stored.size + fields.get("central_size", 0), len(name), 0,
            0, 0, 0, fields.get("attributes", 0) << 16, len(body),
        )  # fmt: skip
        directory += name
        body += head + name + content
        count += 1
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def _crc(content: bytes) -> int:
    return zlib.crc32(content)


def zip_attacks() -> Iterator[Vector]:
    """Yield rows 23-29 on byte level."""
    sound = zipfile.write(sound_entries())
    raw = [(name.encode(), content) for name, content in sound_entries()]

    def vector(name: str, row: int, rule: str, content: bytes) -> Vector:
        return Vector(name=f"zip-{name}", row=row, rule=rule, expect=FORMAT, content=content)

    yield vector("duplicate-name", 23, "names are unique", raw_zip([*raw, raw[1]]))
    yield vector("prefix", 24, "nothing before the first entry", b"MZ" + sound)
    yield vector("trailing", 24, "nothing after the end record", sound + b"\x00")
    yield vector("two-ends", 24, "one end record", sound + sound[-22:])
    yield vector("comment", 24, "no archive comment", sound[:-2] + b"\x01\x00x")
    yield vector("mimetype-second", 24, "mimetype comes first", raw_zip([raw[1], raw[0], *raw[2:]]))
    directory = struct.unpack_from("<I", sound, len(sound) - 6)[0]
    second = sound.index(b"PK\x01\x02", directory + 4)
    yield vector(
        "overlap", 25, "entries do not overlap",
        sound[: second + 42] + struct.pack("<I", 0) + sound[second + 46 :],
    )  # fmt: skip
    for name, attack in (
        ("parent", b"../x"), ("absolute", b"/x"), ("backslash", b"a\\b"), ("drive", b"C:x"),
        ("nul", b"a\x00b"), ("control", b"a\x1fb"), ("trailing-dot", b"x."),
        ("empty-part", b"a//b"),
        ("case-twin", b"ENVELOPE.xml"),
        ("nfd-twin", unicodedata.normalize("NFD", LETTER.name).encode()),
        ("bidi", "a\u202eb".encode()),
    ):  # fmt: skip
        yield vector(
            f"name-{name}", 27, "names are safe", raw_zip([*raw[:3], (attack, b""), *raw[3:]])
        )
    yield vector("symlink", 27, "no symbolic links", raw_zip(raw, system=3, attributes=0o120777))
    yield vector("encrypted", 28, "no encryption", raw_zip(raw, local_flags=1, central_flags=1))
    yield vector(
        "method", 28, "stored or deflated", raw_zip(raw, local_method=12, central_method=12)
    )
    yield vector("size-lie", 28, "sizes hold", raw_zip(raw, central_size=1))
    yield vector("local-size", 29, "headers agree", raw_zip(raw, local_size=1))
    yield vector("local-flags", 29, "headers agree", raw_zip(raw, local_flags=2))
    yield vector("local-method", 29, "headers agree", raw_zip(raw, local_method=8))
    extra = struct.pack("<HH", 0x7075, 6) + bytes(6)
    first = directory + 46 + len(b"mimetype")
    patched = (
        sound[: directory + 30] + struct.pack("<H", len(extra)) + sound[directory + 32 : first]
    )
    yield vector(
        "unicode-path", 26, "no second name",
        patched + extra + sound[first:-10]
        + struct.pack("<I", struct.unpack_from("<I", sound, len(sound) - 10)[0] + len(extra))
        + sound[-6:],
    )  # fmt: skip


DAY = timedelta(days=1)
LATER = NOW + 3 * DAY
REVOKED_SERIAL = 910


def crl_sets() -> dict[str, tuple[bytes, ...]]:
    """Return the revocation lists that vectors name."""

    def revoked(moment: datetime) -> tuple[bytes, ...]:
        lines = (Revocation(serial=REVOKED_SERIAL, at=moment),)
        return pki().crls(at=NOW + 2 * DAY, revoked=lines)

    return {
        "current": pki().crls(),
        "none": (),
        "root": pki().crls()[:1],
        "stale": pki().crls(at=NOW - 3 * DAY, next_update=NOW - DAY),
        "after": pki().crls(at=NOW + DAY, next_update=NOW + 2 * DAY),
        "foreign": pki.__wrapped__().crls(),
        "revoked-before": revoked(NOW - DAY),
        "revoked-after": revoked(NOW + DAY),
    }


def time_attacks() -> Iterator[Vector]:
    """Yield rows 14-20: what time and revocation data decide."""
    brief = Validity(start=SHORT.start, end=NOW + 2 * DAY)
    late = Validity(start=NOW + DAY, end=SHORT.end)

    def sealed_by(signer: Signer, *, stamped: bool = True, stamp_at: datetime = NOW) -> bytes:
        timestamper = pki().timestamper(stamp_at) if stamped else None
        return seal_container(letter(), signer=signer, timestamper=timestamper, at=NOW)

    def vector(name: str, row: int, expect: str, content: bytes, at: datetime, crls: str) -> Vector:
        return Vector(
            name=name, row=row, rule="judged at the proved time", expect=expect,
            content=content, at=at, crls=crls,
        )  # fmt: skip

    seal = pki().signers[Purpose.SEAL]
    expiring = pki().leaf(Purpose.SEAL, validity=brief, serial=911)
    revoked = pki().leaf(Purpose.SEAL, serial=REVOKED_SERIAL)
    future = pki().leaf(Purpose.SEAL, validity=late, serial=912)
    passed, pending = "TOTAL-PASSED", "INDETERMINATE TRY_LATER"
    bounds = "INDETERMINATE OUT_OF_BOUNDS_NO_POE"
    no_poe = "INDETERMINATE REVOKED_NO_POE"
    yield vector(
        "not-yet-valid", 14, "TOTAL-FAILED NOT_YET_VALID", sealed_by(future), LATER, "current"
    )
    yield vector("expired-stamped", 15, passed, sealed_by(expiring), LATER, "current")
    yield vector("expired-bare", 16, bounds, sealed_by(expiring, stamped=False), LATER, "current")
    yield vector("revoked-before", 17, no_poe, sealed_by(revoked), LATER, "revoked-before")
    yield vector("revoked-after", 17, passed, sealed_by(revoked), LATER, "revoked-after")
    bare = sealed_by(revoked, stamped=False)
    yield vector("revoked-after-bare", 17, no_poe, bare, LATER, "revoked-after")
    for crls in ("none", "stale", "foreign"):
        yield vector(f"crl-{crls}", 18, pending, sealed_by(seal), NOW, crls)
    yield vector("crl-issued-after", 18, passed, sealed_by(seal), LATER, "after")
    yield vector(
        "timestamp-in-future", 20, "INDETERMINATE NO_POE", sealed_by(seal, stamp_at=LATER), NOW,
        "current",
    )  # fmt: skip
    stranger = pki.__wrapped__().signers[Purpose.SEAL]
    yield vector(
        "unknown-authority", 19, "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND",
        sealed_by(stranger, stamped=False), NOW, "current",
    )  # fmt: skip
    yield vector(
        "purpose-of-another", 6, "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE",
        sealed_by(pki().signers[Purpose.DIRECTORY]), NOW, "current",
    )  # fmt: skip


def vectors() -> Iterator[Vector]:
    """Yield every vector."""
    yield Vector(
        name="sound", row=15, rule="a sound container passes", expect="TOTAL-PASSED",
        content=zipfile.write(sound_entries()),
    )  # fmt: skip
    yield Vector(
        name="xml-sound", row=15, rule="a sound document passes", expect="TOTAL-PASSED",
        content=sound_xml(), kind="xml",
    )  # fmt: skip
    for name, row, rule, expect, edit in structure_attacks():
        yield Vector(name=name, row=row, rule=rule, expect=expect, content=with_document(edit))
    yield from content_attacks()
    yield from xml_attacks()
    yield from zip_attacks()
    yield from time_attacks()
    yield from more.vectors()


def main() -> None:
    """Write all vectors and the trust they are judged by."""
    trust = FOLDER / "trust"
    trust.mkdir(parents=True, exist_ok=True)
    for old in (*FOLDER.glob("*.vec"), *trust.iterdir()):
        old.unlink()
    (trust / "anchor.der").write_bytes(pki().root.certificate)
    (trust / "issuing.der").write_bytes(pki().issuing.certificate)
    for name, crls in crl_sets().items():
        for number, crl in enumerate(crls):
            (trust / f"{name}.{number}.crl").write_bytes(crl)
    for name, answers in more.ocsp_sets().items():
        for number, answer in enumerate(answers):
            (trust / f"{name}.{number}.ocsp").write_bytes(answer)
    for name, listed in more.list_sets().items():
        (trust / f"{name}.xml").write_bytes(listed)
    made = list(vectors())
    for vector in made:
        (FOLDER / f"{vector.name}.vec").write_bytes(header(vector) + vector.content)
    shown = table((one.row, one.name, one.expect) for one in made)
    readme = FOLDER / "README.md"
    text = readme.read_text(encoding="utf-8").partition(TABLE_MARK)[0]
    readme.write_text(text + TABLE_MARK + shown, encoding="utf-8")


if __name__ == "__main__":
    main()
