"""Write tests/vectors/signing/formats: CMS, ASiC of other tools and PDF, `python -m` this module.

As in `signing_vectors`: each attack starts from a sound file of a throw-away PKI and changes one
thing. These have trust of their own, so that either set can be made anew without the other.
"""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from asn1crypto import cms as asn1_cms

from signing.cms import parse_cms
from tests.builders.cms import (
    AT_COUNTER_SIGNATURE,
    CONTENT,
    archived,
    attribute,
    holder,
    long_term,
    openssl_cms,
    rebuilt,
    signer_info,
    stamped,
)
from tests.builders.manifest import ASIC_E, ASIC_S, manifest
from tests.builders.pdf import blank, encrypted, filled, overlaid, signed
from tests.builders.signing import NOW, pki
from tests.builders.vector_file import FORMAT, HASH, Vector, header

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "signing" / "formats"
PASSED = "TOTAL-PASSED"
CONSTRAINTS = "INDETERMINATE SIG_CONSTRAINTS_FAILURE"
CRYPTO = "TOTAL-FAILED SIG_CRYPTO_FAILURE"
WEAK = "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
SIGNATURE = "META-INF/signature001.p7s"
MANIFEST = "META-INF/ASiCManifest001.xml"


def cms_vectors(folder: Path) -> Iterator[Vector]:
    """Yield CMS files over `tests.builders.cms.CONTENT`."""

    def vector(name: str, row: int, rule: str, expect: str, content: bytes) -> Vector:
        return Vector(
            name=f"cms-{name}", row=row, rule=rule, expect=expect, content=content, kind="cms"
        )

    sound = openssl_cms(folder, "-cades")
    data = parse_cms(sound)
    first = data.signers[0]
    yield vector("sound", 15, "a sound signature passes", PASSED, sound)
    high = archived(long_term(stamped(sound)))
    yield vector("lta-sound", 15, "archive time-stamps v3 are taken", PASSED, high)
    ber = openssl_cms(folder, "-cades", "-nodetach", "-stream")
    yield vector("attached-ber", 15, "BER and attached content are taken", PASSED, ber)
    other = openssl_cms(folder, "-cades", content=b"other")
    yield vector("content-changed", 4, "the message digest is that of the content", HASH, other)
    inside = ber.replace(CONTENT, CONTENT[:-1] + b"2")
    yield vector("attached-changed", 4, "the content inside is what is signed", HASH, inside)
    yield vector(
        "value-changed", 9, "the value fits the attributes", CRYPTO,
        sound.replace(first.signature[-4:], bytes(4)),
    )  # fmt: skip
    plain = openssl_cms(folder, "-noattr")
    yield vector("no-attributes", 3, "attributes are signed", CONSTRAINTS, plain)
    yield vector(
        "certificate-of-another", 6, "the signed attribute binds the certificate",
        "INDETERMINATE NO_SIGNING_CERTIFICATE_FOUND",
        rebuilt(data, certificates=[holder("rsa").certificate]),
    )  # fmt: skip
    yield vector(
        "sha1", 13, "SHA-1 is too weak", WEAK, openssl_cms(folder, "-cades", "-md", "sha1")
    )
    salted = openssl_cms(
        folder, "-cades", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:8",
        kinds=("rsa",),
    )  # fmt: skip
    yield vector("pss-salt", 13, "a salt is as long as the digest", WEAK, salted)
    yield vector("trailing", 12, "nothing follows the signature", FORMAT, sound + b"\0")
    twice = asn1_cms.ContentInfo.load(sound)
    attributes = twice["content"]["signer_infos"][0]["signed_attrs"]
    attributes.append(attributes[0].copy())
    yield vector("attribute-twice", 2, "an attribute comes once", FORMAT, twice.dump(force=True))
    counter = signer_info(first.signature, content_type=None)
    yield vector(
        "counter-sound", 15, "counter signatures are judged", PASSED,
        rebuilt(data, unsigned=[attribute(AT_COUNTER_SIGNATURE, counter)]),
    )  # fmt: skip
    elsewhere = signer_info(b"other", content_type=None)
    yield vector(
        "counter-elsewhere", 5, "a counter signature is over the value it stands with", HASH,
        rebuilt(data, unsigned=[attribute(AT_COUNTER_SIGNATURE, elsewhere)]),
    )  # fmt: skip
    yield vector("no-signer", 3, "a signature is there", FORMAT, _without_signers(sound))


def _without_signers(content: bytes) -> bytes:
    empty = asn1_cms.ContentInfo.load(content)
    empty["content"]["signer_infos"] = asn1_cms.SignerInfos([])
    return bytes(empty.dump(force=True))


def container_vectors(folder: Path) -> Iterator[Vector]:
    """Yield ASiC containers with CAdES and time-stamps."""

    def vector(
        name: str, row: int, rule: str, expect: str, entries: Mapping[str, bytes],
        kind: bytes = ASIC_E,
    ) -> Vector:  # fmt: skip
        content = _zipped(entries, kind)
        return Vector(name=f"asic-{name}", row=row, rule=rule, expect=expect, content=content)

    files = {"a.txt": CONTENT, "b.bin": b"\0\1"}
    listed = manifest(SIGNATURE, files)
    signature = openssl_cms(folder, "-cades", content=listed)
    sound = {**files, MANIFEST: listed, SIGNATURE: signature}
    yield vector("sound", 15, "CAdES over a manifest passes", PASSED, sound)
    yield vector("file-changed", 4, "digests of the manifest hold", HASH, {**sound, "a.txt": b"x"})
    yield vector("file-more", 4, "every file is covered", FORMAT, {**sound, "c.txt": b""})
    changed = {**sound, MANIFEST: manifest(SIGNATURE, {"a.txt": CONTENT}), "b.bin": b"\0"}
    yield vector("manifest-changed", 31, "the manifest is what is signed", FORMAT, changed)
    second = {**sound, "META-INF/ASiCManifest002.xml": listed}
    yield vector("manifest-twice", 5, "a signature has one manifest", FORMAT, second)
    token = pki().timestamper().stamp
    simple = {"a.txt": CONTENT, "META-INF/timestamp.tst": token(hashlib.sha256(CONTENT).digest())}
    yield vector("token-sound", 15, "a time-stamp alone passes", PASSED, simple, ASIC_S)
    other = {"a.txt": b"x", "META-INF/timestamp.tst": simple["META-INF/timestamp.tst"]}
    yield vector("token-other", 20, "a time-stamp is over the file", HASH, other, ASIC_S)
    many = {
        **files,
        "META-INF/signature.p7s": openssl_cms(folder, "-cades"),
    }
    yield vector("simple-many", 4, "ASiC-S holds one file", FORMAT, many, ASIC_S)


def _zipped(entries: Mapping[str, bytes], kind: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def pdf_vectors() -> Iterator[Vector]:
    """Yield signed PDF documents."""

    def vector(name: str, row: int, rule: str, expect: str, content: bytes) -> Vector:
        return Vector(
            name=f"pdf-{name}", row=row, rule=rule, expect=expect, content=content, kind="pdf"
        )

    sound = signed(blank())
    end = int(re.findall(rb"/ByteRange \[0 \d+ (\d+) ", sound)[0])
    evil = b"> 9 0 obj << /Evil true >> endobj"
    yield vector("sound", 15, "a sound signature passes", PASSED, sound)
    yield vector("adobe-sound", 15, "plain CMS passes", PASSED, signed(blank(), pades=False))
    high = signed(blank(), at=NOW, long_term=True, archive=True)
    yield vector("lta-sound", 15, "DSS and document time-stamps are taken", PASSED, high)
    yield vector("incremental", 1, "content stays as signed", FORMAT, overlaid(sound))
    shadow = signed(overlaid(sound), field="Sig2")
    yield vector("shadow", 1, "a later signature heals nothing", FORMAT, shadow)
    yield vector("trailing", 24, "nothing follows the last revision", FORMAT, sound + b"evil")
    wrapped = sound[: end - len(evil) - 1] + evil + sound[end - 1 :]
    yield vector("gap", 1, "the gap holds the signature alone", FORMAT, wrapped)
    padded = sound[: end - 3] + b"1" + sound[end - 2 :]
    yield vector("padding", 1, "zeros follow the signature", FORMAT, padded)
    shifted = sound.replace(b"/ByteRange [0 ", b"/ByteRange [1 ")
    yield vector("byte-range", 1, "byte ranges begin at 0", FORMAT, shifted)
    yield vector("filled", 1, "what is not allowed is not passed", CONSTRAINTS, filled(sound))
    certified = signed(blank(), allow=1)
    yield vector("filled-forbidden", 1, "DocMDP is kept", FORMAT, filled(certified))
    allowed = filled(signed(blank(), allow=2))
    yield vector("filled-allowed", 15, "what DocMDP allows passes", PASSED, allowed)
    old = sound.replace(b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1 ")
    yield vector("rsa-sha1", 13, "old kinds are refused by name", CONSTRAINTS, old)
    yield vector("encrypted", 28, "encryption is refused by name", CONSTRAINTS, encrypted())
    yield vector("unsigned", 3, "a signature is there", FORMAT, blank())


def main() -> None:
    """Write all vectors and the trust they are judged by."""
    trust = FOLDER / "trust"
    trust.mkdir(parents=True, exist_ok=True)
    for old in (*FOLDER.glob("*.vec"), *trust.iterdir()):
        old.unlink()
    (trust / "anchor.der").write_bytes(pki().root.certificate)
    (trust / "issuing.der").write_bytes(pki().issuing.certificate)
    for number, crl in enumerate(pki().crls()):
        (trust / f"current.{number}.crl").write_bytes(crl)
    (FOLDER / "content").write_bytes(CONTENT)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for vector in (*cms_vectors(folder), *container_vectors(folder), *pdf_vectors()):
            (FOLDER / f"{vector.name}.vec").write_bytes(header(vector) + vector.content)


if __name__ == "__main__":
    main()
