"""More vectors: algorithms, OCSP, trust lists, tokens, archives, foreign wrapping, the log."""

from __future__ import annotations

import hashlib
import re
import struct
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from signing import zipfile
from signing.algorithms import PrivateKey, SignatureAlgorithm, sign
from signing.asic import DOCUMENT_CLOSE, DOCUMENT_OPEN, MIME_TYPE, manifest_xml
from signing.augment import augment_container
from signing.certificate import parse_certificate
from signing.judgement import Level
from signing.keys import FileSigner, load_private_key
from signing.ocsp import OcspResponder, Standing
from signing.pki import Subject, issue_leaf, new_key, public_key_of
from signing.policy import Service, ServiceKind
from signing.purpose import Purpose
from signing.trustlist import TrustList, write_trust_list
from signing.tsa import TimestampAuthority, Timestamper, _Template
from signing.xades import Reference, SignatureRole, finish_signature, prepare_signature
from tests.builders import evidence
from tests.builders.foreign import EXCLUSIVE, reference, signed, template
from tests.builders.signing import NOW, SHORT, pki, sealed
from tests.builders.vector_file import CRYPTO, FORMAT, HASH, Vector

DAY = timedelta(days=1)
PASSED = "TOTAL-PASSED"
PENDING = "INDETERMINATE TRY_LATER"
NO_CHAIN = "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND"
WEAK = "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
DATA = b"%PDF-1.7 letter"
SIGNATURE = "META-INF/signatures001.xml"
_ATTRIBUTE = re.compile(rb"<xadesv141:ArchiveTimeStamp.*?</xadesv141:ArchiveTimeStamp>")


def vectors() -> Iterator[Vector]:
    """Yield every vector of this module."""
    yield from algorithm_attacks()
    yield from status_attacks()
    yield from list_attacks()
    yield from token_attacks()
    yield from archive_attacks()
    yield from xml_attacks()
    yield from wrapping_attacks()
    yield from zip_attacks()
    yield from log_attacks()


def container(
    key: PrivateKey,
    certificate: bytes,
    algorithm: SignatureAlgorithm,
    *,
    timestamper: Timestamper | None,
) -> bytes:
    """Return a container signed in a way that our own signers never would."""
    prepared = prepare_signature(
        [
            Reference(
                uri="a.pdf", media_type="application/pdf", sha256=hashlib.sha256(DATA).digest()
            )
        ],
        certificate=certificate,
        algorithm=algorithm,
        at=NOW,
        role=SignatureRole.SEALED,
    )
    value = sign(key, algorithm, prepared.signed_info)
    signature = finish_signature(prepared, value, timestamper=timestamper)
    return zipfile.write(
        [
            ("mimetype", MIME_TYPE.encode()),
            ("a.pdf", DATA),
            ("META-INF/manifest.xml", manifest_xml([("a.pdf", "application/pdf")])),
            (SIGNATURE, DOCUMENT_OPEN + signature + DOCUMENT_CLOSE),
        ]
    )


def leaf_for(key: PrivateKey, *, serial: int) -> bytes:
    """Return a seal's certificate for any key."""
    model = x509.load_der_x509_certificate(
        issue_leaf(
            pki().issuing,
            public_key=public_key_of(new_key()),
            purpose=Purpose.SEAL,
            subject=Subject(common_name="Khóa cũ"),
            validity=SHORT,
            serial=serial,
        )
    )
    builder = x509.CertificateBuilder(
        issuer_name=model.issuer,
        subject_name=model.subject,
        public_key=key.public_key(),
        serial_number=serial,
        not_valid_before=model.not_valid_before_utc,
        not_valid_after=model.not_valid_after_utc,
        extensions=list(model.extensions),
    )
    issuer = load_private_key(pki().issuing.key)
    return builder.sign(issuer, hashes.SHA256()).public_bytes(Encoding.DER)


def algorithm_attacks() -> Iterator[Vector]:
    """Yield row 13: keys and methods that no longer count, or never did."""
    weak: tuple[tuple[str, PrivateKey, SignatureAlgorithm], ...] = (
        (
            "rsa-1024",
            rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505  # weak on purpose
            SignatureAlgorithm.RSA_PSS_SHA256,
        ),
        ("ec-192", ec.generate_private_key(ec.SECP192R1()), SignatureAlgorithm.ECDSA_SHA256),
    )
    for serial, (name, key, algorithm) in enumerate(weak, start=930):
        yield Vector(
            name=name, row=13, rule="judged at the proved time, which is after its end",
            expect=WEAK,
            content=container(
                key, leaf_for(key, serial=serial), algorithm, timestamper=pki().timestamper()
            ),
        )  # fmt: skip
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    sound = container(
        key, leaf_for(key, serial=935), SignatureAlgorithm.RSA_PSS_SHA256, timestamper=None
    )
    yield Vector(
        name="rsa-pss", row=13, rule="RSASSA-PSS with 2048 bits counts", expect=PASSED,
        content=sound,
    )  # fmt: skip
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(sound).entries]
    odd = [(name, one.replace(b"sha256-rsa-MGF1", b"sha512-rsa-MGF1")) for name, one in entries]
    yield Vector(
        name="pss-other-hash", row=13, rule="the hash of the method is that of the value",
        expect=CRYPTO, content=zipfile.write(odd),
    )  # fmt: skip


def ocsp_sets() -> dict[str, tuple[bytes, ...]]:
    """Return the OCSP responses that vectors name, DER."""
    purposes = (Purpose.SEAL, Purpose.PERSON, Purpose.TSA)
    held = {one: pki().signers[one].certificate for one in purposes}
    own = OcspResponder(pki().signers[Purpose.OCSP], issuer=pki().issuing.certificate)
    stranger = pki.__wrapped__()
    other = OcspResponder(stranger.signers[Purpose.OCSP], issuer=stranger.issuing.certificate)
    # A stranger who calls himself the CA: the certIDs are those of the real one.
    other._issuer = parse_certificate(pki().issuing.certificate)

    def answers(responder: OcspResponder, *certificates: bytes) -> tuple[bytes, ...]:
        return tuple(responder.state(one, at=NOW, standing=Standing.GOOD) for one in certificates)

    return {
        "good": answers(own, *held.values()),
        "unauthorised": answers(other, *held.values()),
        "another": answers(own, pki().signers[Purpose.DIRECTORY].certificate),
    }


def status_attacks() -> Iterator[Vector]:
    """Yield row 18 for OCSP: who may answer, and for whom."""
    for name, expect in (("good", PASSED), ("unauthorised", PENDING), ("another", PENDING)):
        yield Vector(
            name=f"ocsp-{name}", row=18, rule="answered by the CA's responder",
            expect=expect, content=sealed(), crls="root", ocsps=name,
        )  # fmt: skip


def list_sets() -> dict[str, bytes]:
    """Return the trust lists that vectors name."""
    histories = {
        "granted": (ServiceKind.AUTHORITY, ((NOW - 30 * DAY, True),)),
        "withdrawn": (
            ServiceKind.AUTHORITY,
            ((NOW - 30 * DAY, True), (NOW - DAY, False)),
        ),
        "withdrawn-later": (
            ServiceKind.AUTHORITY,
            ((NOW - 30 * DAY, True), (NOW + DAY, False)),
        ),
        "other-type": (ServiceKind.TIMESTAMPING, ((NOW - 30 * DAY, True),)),
    }
    found: dict[str, bytes] = {}
    for name, (kind, history) in histories.items():
        service = Service(kind=kind, certificate=pki().root.certificate, history=history)
        listed = TrustList(
            number=1, territory="VN", operator="Cơ quan lập danh sách", street="1", locality="HN",
            information_uri="https://example.vn/", issued=NOW, next_update=NOW + 90 * DAY,
            services=(service,),
        )  # fmt: skip
        found[name] = write_trust_list(
            listed,
            signer=pki().signers[Purpose.TRUST_LIST],
            timestamper=pki().timestamper(),
            at=NOW,
        )
    return found


def list_attacks() -> Iterator[Vector]:
    """Yield row 19 for trust lists: type of service, and status at the time of signing."""
    for name, expect in (
        ("granted", PASSED),
        ("withdrawn", NO_CHAIN),
        ("withdrawn-later", PASSED),
        ("other-type", NO_CHAIN),
    ):
        yield Vector(
            name=f"list-{name}", row=19, rule="the service was granted at the proved time",
            expect=expect, content=sealed(), trust_list=name,
        )  # fmt: skip


def forger(signer: FileSigner) -> TimestampAuthority:
    """Return an authority that stamps with any key."""
    authority = TimestampAuthority(pki().signers[Purpose.TSA])
    certificate = parse_certificate(signer.certificate)
    authority._template = _Template(
        signer, issuer=certificate.issuer_der, serial=certificate.serial
    )
    authority._signer = signer
    return authority


def token_attacks() -> Iterator[Vector]:
    """Yield row 20: tokens that a trusted CA's key could make, but no authority would."""
    seal = pki().signers[Purpose.SEAL]
    unbound = TimestampAuthority(pki().signers[Purpose.TSA])
    unbound._template._ess = b""
    for name, rule, expect, authority in (
        (
            "timestamp-purpose", "one critical timeStamping key usage",
            "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE", forger(seal),
        ),
        (
            "timestamp-unbound", "the signed attribute names the certificate",
            "INDETERMINATE NO_SIGNING_CERTIFICATE_FOUND", unbound,
        ),
    ):  # fmt: skip
        content = container(
            seal._key, seal.certificate, seal.algorithm,
            timestamper=authority.timestamper(lambda: NOW),
        )  # fmt: skip
        yield Vector(name=name, row=20, rule=rule, expect=expect, content=content)


def archive_attacks() -> Iterator[Vector]:
    """Yield row 21: archive time-stamps that are gone, swapped, or over less."""
    content = sealed()
    for at in (NOW + DAY, NOW + 2 * DAY):
        crls = pki().crls(at=at, next_update=at + 7 * DAY)
        content = augment_container(
            content, to=Level.B_LTA, trust=pki().trust(crls=crls),
            timestamper=pki().timestamper(at), at=at,
        )  # fmt: skip
    entries = [(one.name, bytes(one.content)) for one in zipfile.read(content).entries]
    later = NOW + 3 * DAY

    def edited(first: bytes, second: bytes) -> bytes:
        def edit(document: bytes) -> bytes:
            stamps: list[bytes] = _ATTRIBUTE.findall(document)
            if len(stamps) != 2:
                return document
            head, _, rest = document.partition(stamps[0])
            between, _, tail = rest.partition(stamps[1])
            chosen: dict[bytes, bytes] = {b"1": stamps[0], b"2": stamps[1], b"": b""}
            return head + chosen[first] + between + chosen[second] + tail

        return zipfile.write([(name, edit(one)) for name, one in entries])

    for name, first, second, expect, level in (
        ("sound", b"1", b"2", PASSED, "B-LTA"),
        ("swapped", b"2", b"1", HASH, ""),
        ("first-removed", b"", b"2", FORMAT, ""),
        ("twice", b"1", b"1", HASH, ""),
    ):
        yield Vector(
            name=f"archive-{name}", row=21, rule="each archive time-stamp covers all before it",
            expect=expect, content=edited(first, second), at=later, level=level,
        )  # fmt: skip
    only_lt = [(name, re.sub(rb"<xadesv141:.*</xadesv141:[A-Za-z]+>", b"", one))
               for name, one in entries]  # fmt: skip
    yield Vector(
        name="archive-removed", row=21, rule="the level is the one that is left",
        expect=PASSED, content=zipfile.write(only_lt), at=later, level="B-LT",
    )  # fmt: skip


def xml_attacks() -> Iterator[Vector]:
    """Yield rows 11 and 12 for documents of other tools."""
    ds = "http://www.w3.org/2000/09/xmldsig#"
    method = f'<ds:DigestMethod Algorithm="{ds}sha1"/><ds:DigestValue>AAAA</ds:DigestValue>'
    one = (
        f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{EXCLUSIVE}"/>'
        f"</ds:Transforms>{method}</ds:Reference>"
    )

    def document(payload: str, *, references: int = 1, spaces: str = "") -> bytes:
        return (
            f'<r{spaces}>{payload}<ds:Signature xmlns:ds="{ds}"><ds:SignedInfo>'
            f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/><ds:SignatureMethod '
            f'Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>{one * references}'
            "</ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature></r>"
        ).encode()

    many = "".join(f' xmlns:p{number}="urn:{number}"' for number in range(200))
    for name, row, rule, content in (
        ("work", 11, "canonicalising is bounded before it begins",
         document("x" * 130_000, references=400)),
        ("namespaces", 11, "namespaces are bounded", document("", spaces=many)),
        ("deep", 12, "depth is bounded", document("<a>" * 200 + "</a>" * 200)),
    ):  # fmt: skip
        yield Vector(
            name=f"foreign-{name}", row=row, rule=rule, expect=FORMAT, content=content, kind="xml"
        )


def wrapping_attacks() -> Iterator[Vector]:
    """Yield row 1 for a document of another tool whose signature covers a part by its Id."""
    part = '<data Id="data"><to>H08</to></data>'
    with tempfile.TemporaryDirectory() as folder:
        made = signed(
            f"<r>{part}{template(reference('#data', EXCLUSIVE), form=EXCLUSIVE)}</r>", Path(folder)
        ).decode()
    made = made.partition("?>")[2].strip() if made.startswith("<?xml") else made
    start, end = (
        made.index("<ds:Signature "),
        made.index("</ds:Signature>") + len("</ds:Signature>"),
    )
    signature = made[start:end]
    evil = '<data Id="{}"><to>H99</to></data>'
    other = evil.format("other")
    same = evil.format("data")
    bare = "<data><to>H99</to></data>"

    def hidden(node: str, inside: str) -> str:
        return inside.replace("</ds:Signature>", f"<ds:Object>{node}</ds:Object></ds:Signature>")

    cases = {
        # XSW1, 2: the whole original document moves into or beside a forged one.
        "1": f"<r>{other}{signature}{part}</r>",
        "2": f"<r>{other}<old>{part}</old>{signature}</r>",
        # XSW3, 4: the forged element before the signed one, or around it.
        "3": f"<r>{same}{part}{signature}</r>",
        "4": f'<r><data Id="other"><to>H99</to>{part}</data>{signature}</r>',
        # XSW5, 6: the signed element goes to the end, or into the signature.
        "5": f"<r>{other}{signature}<x>{part}</x></r>",
        "6": f"<r>{other}{hidden(part, signature)}</r>",
        # XSW7, 8: it hides in an extension, the forged one stands in its place.
        "7": f"<r><Extensions>{part}</Extensions>{bare}{signature}</r>",
        "8": f"<r>{bare}{hidden(part, signature)}</r>",
    }
    for number, document in cases.items():
        yield Vector(
            name=f"foreign-xsw{number}", row=1, rule="nothing uncovered passes along",
            # An Id twice is a fault of the document; else a part is not covered.
            expect=FORMAT if number == "3" else "INDETERMINATE SIG_CONSTRAINTS_FAILURE",
            content=document.encode(), kind="xml",
        )  # fmt: skip


def zip_attacks() -> Iterator[Vector]:
    """Yield row 28: sizes that would only be seen after inflating, and zip64."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(bytes(4_000_000)) + packed.flush()

    def archive(size: int, *, packed_size: int | None = None, extra: bytes = b"") -> bytes:
        name = b"bomb.bin"
        count = len(body) if packed_size is None else packed_size
        crc = zlib.crc32(bytes(4_000_000))
        head = struct.pack(
            "<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0x21, crc, count, size, len(name),
            len(extra),
        )  # fmt: skip
        line = struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x21, crc, count, size,
            len(name), 0, 0, 0, 0, 0, 0,
        )  # fmt: skip
        offset = len(head) + len(name) + len(extra) + len(body)
        end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(line) + len(name), offset, 0)
        return head + name + extra + body + line + name + end

    for name, rule, content in (
        ("bomb", "limits hold before reading", archive(1_000_000_000)),
        ("bomb-lie", "more comes out than was stated", archive(1000)),
        ("zip64", "no size of more than 32 bits", archive(0xFFFF_FFFF)),
        (
            "zip64-lie",
            "the room for 64 bits says the same",
            archive(4_000_000, extra=struct.pack("<HHQQ", 1, 16, 9, len(body))),
        ),
        (
            "packed-lie",
            "entries end before the directory",
            archive(4_000_000, packed_size=99_999),
        ),
    ):
        yield Vector(name=f"zip-{name}", row=28, rule=rule, expect=FORMAT, content=content)


def log_attacks() -> Iterator[Vector]:
    """Yield rows 32 and 33: bundles whose exporter sealed a false history, and backdating."""
    made = evidence.parts()
    history = made.events
    cut = replace(made, events=(*history[:1], *history[2:]))
    none = replace(made, events=(replace(history[0], proof=b"nothing"), *history[1:]))
    swapped = replace(
        made,
        events=(
            replace(history[0], proof=history[1].proof),
            replace(history[1], proof=history[0].proof),
            *history[2:],
        ),
    )
    for name, rule, changed, expect in (
        ("sound", "a sound bundle passes", made, PASSED),
        ("entry-removed", "no gap in the history", cut, FORMAT),
        ("proof-none", "each entry is proved", none, FORMAT),
        ("proof-of-another", "a proof is about its entry", swapped, HASH),
    ):
        yield Vector(
            name=f"log-{name}", row=32, rule=rule, expect=expect,
            content=evidence.bundle(changed), kind="bundle", at=NOW + DAY, crls="none",
        )  # fmt: skip
    revoked = pki().leaf(Purpose.SEAL, serial=910)  # the serial number of the lists
    yield Vector(
        name="backdated-revoked", row=33, rule="what the signer says of the time proves nothing",
        expect="INDETERMINATE REVOKED_NO_POE",
        content=container(
            revoked._key, revoked.certificate, revoked.algorithm, timestamper=None
        ),
        at=NOW + 3 * DAY, crls="revoked-after",
    )  # fmt: skip
