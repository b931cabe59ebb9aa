"""The nearest task that signxml and the xmlsec binding can do: enveloped XML of 10 KB with P-256.

Neither signs an outside binary into ASiC-E, so theirs is the easier task; ours stands beside it.
The figures only inform. Both libraries come with the extra `bench`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import (
    DigestAlgorithm,
    SignatureConfiguration,
    SignatureMethod,
    XMLSigner,
    XMLVerifier,
)

from benchmarks.measure import Measure
from benchmarks.signing import SMALL, Goal, Scene, measured
from signing.enveloped import sign_xml
from signing.purpose import Purpose
from signing.verify import judge_xml
from tests.builders.signing import NOW

_DOCUMENT = b"<r><text>" + b"a" * SMALL + b"</text></r>"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def run(only: str) -> Iterator[Measure]:
    """Yield the figures whose names begin with `only`."""
    scene = Scene()
    pem = scene.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    tasks = {
        "ours": _ours(scene),
        "signxml": _signxml(pem, _certificate(scene)),
        "xmlsec": _xmlsec(pem),
    }
    for name, (sign, verify) in tasks.items():
        for what, call, bare in (
            ("sign", sign, scene.bare_sign),
            ("verify", verify, scene.bare_verify),
        ):
            goal = Goal(
                name=f"signing.enveloped_{what}_{name}",
                call=call,
                baseline=bare,
                against=f"one bare P-256 {what}; enveloped XML of 10 KB by {name}",
                gate=None,
                calls=5,
                rounds=15,
            )
            if goal.name.startswith(only):
                yield measured(goal)


_Pair = tuple[Callable[[], object], Callable[[], object]]


def _ours(scene: Scene) -> _Pair:
    seal = scene.pki.signers[Purpose.SEAL]

    def sign() -> bytes:
        return sign_xml(_DOCUMENT, signer=seal, timestamper=None, at=NOW)

    signed = sign()

    def verify() -> None:
        if not judge_xml(signed, trust=scene.trust, at=NOW).is_passed:
            raise RuntimeError("expected a sound document")

    return sign, verify


def _signxml(pem: bytes, certificate: bytes) -> _Pair:
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.ECDSA_SHA256, digest_algorithm=DigestAlgorithm.SHA256
    )
    expected = SignatureConfiguration()

    def sign() -> bytes:
        root = etree.fromstring(_DOCUMENT, _PARSER)
        return bytes(etree.tostring(signer.sign(root, key=pem, cert=certificate.decode())))

    signed = sign()

    def verify() -> object:
        return XMLVerifier().verify(signed, x509_cert=certificate.decode(), expect_config=expected)

    return sign, verify


def _xmlsec(pem: bytes) -> _Pair:
    key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)

    def sign() -> bytes:
        root = etree.fromstring(_DOCUMENT, _PARSER)
        node = xmlsec.template.create(
            root, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformEcdsaSha256
        )
        root.append(node)
        reference = xmlsec.template.add_reference(node, xmlsec.constants.TransformSha256, uri="")
        xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
        context = xmlsec.SignatureContext()
        context.key = key
        context.sign(node)
        return bytes(etree.tostring(root))

    signed = sign()

    def verify() -> None:
        root = etree.fromstring(signed, _PARSER)
        context = xmlsec.SignatureContext()
        context.key = key
        node = xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature)
        if node is None:
            raise RuntimeError("expected a signature")
        context.verify(node)

    return sign, verify


def _certificate(scene: Scene) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=scene.key.public_key(),
        serial_number=1,
        not_valid_before=NOW,
        not_valid_after=NOW + timedelta(days=36500),
    ).add_extension(usage, critical=True)
    return builder.sign(scene.key, hashes.SHA256()).public_bytes(Encoding.PEM)
