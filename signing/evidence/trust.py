"""Read a bundle's own trust data: paths and CRLs that prove themselves, the signed directory.

An anchor is trusted because the auditor named it. That a certificate stands in the bundle helps
to find it by its fingerprint and means nothing else (protocol §11).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from dossier.directory import Directory, parse_directory
from dossier.errors import DirectoryRefused, XmlRefused
from signing.enveloped import read_xml
from signing.errors import DocumentNotCanonical, SignatureMalformed
from signing.evidence.judgement import TrustGiven, enveloped, verdict_of
from signing.evidence.layout import DIRECTORY, LOG_KEY, TRUST
from signing.indication import SubIndication
from signing.judgement import PASSED, SignatureVerdict, Verdict, failed, gravest, indeterminate
from signing.log import VerifierKey, parse_verifier_key
from signing.log.errors import NoteKeyRefused
from signing.policy import Trust, fingerprint
from signing.purpose import Purpose
from signing.verify import judge_xml

_DIRECTORY_KEYS: Final = frozenset({Purpose.DIRECTORY})


def trust_of(given: TrustGiven, files: Mapping[str, bytes]) -> Trust:
    """Return what the auditor gave, completed by what stands under trust/ in `files`.

    Without files the same object comes each time, with what it remembers.
    """
    if not files:
        return given.remembered.get(None) or given.remembered.put(None, _trust(given, files))
    return _trust(given, files)


def _trust(given: TrustGiven, files: Mapping[str, bytes]) -> Trust:
    certificates = (*given.certificates, *_under_trust(files, ".cer"))
    named = [one for one in certificates if fingerprint(one) in given.fingerprints]
    return Trust(
        anchors=tuple(dict.fromkeys((*given.anchors, *named))),
        certificates=certificates,
        crls=(*given.crls, *_under_trust(files, ".crl")),
        ocsps=(*given.ocsps, *_under_trust(files, ".ocsp")),
        services=tuple(given.services),
        fingerprints=given.fingerprints,
        rules=given.rules,
    )


def judge_anchors(given: TrustGiven, trust: Trust) -> Verdict:
    """Return whether there is anybody to trust: the first thing to say when there is not."""
    if trust.anchors or trust.services:
        return PASSED
    code = "anchor_not_found" if given.fingerprints else "no_anchor"
    return indeterminate(SubIndication.NO_CERTIFICATE_CHAIN_FOUND, code)


def judge_directory(
    content: bytes | None, *, name: str = DIRECTORY, trust: Trust, at: datetime
) -> tuple[Verdict, Directory | None, tuple[SignatureVerdict, ...]]:
    """Return the verdict on the directory snapshot, and the directory when it passed."""
    if content is None:
        missing = indeterminate(
            SubIndication.NO_CERTIFICATE_CHAIN_FOUND, "directory_missing", name=name
        )
        return missing, None, ()
    judgement = judge_xml(content, trust=trust, at=at, purposes=_DIRECTORY_KEYS)
    verdict = verdict_of(judgement)
    signatures = enveloped(judgement, name)
    try:
        directory = parse_directory(read_xml(content).content)
    except (DirectoryRefused, XmlRefused, SignatureMalformed, DocumentNotCanonical) as exc:
        malformed = failed(
            SubIndication.FORMAT_FAILURE, "directory_malformed", name=name, detail=exc.code
        )
        return gravest(verdict, malformed), None, signatures
    return verdict, directory if verdict.is_passed else None, signatures


def log_keys_of(
    given: TrustGiven, files: Mapping[str, bytes]
) -> tuple[Verdict | None, tuple[VerifierKey, ...]]:
    """Return the log keys to judge proofs by, with a verdict when the bundle's are malformed.

    Keys the auditor brought along replace those that the exporting agency vouches for.
    """
    content = files.get(LOG_KEY, b"")
    try:
        lines = content.decode().splitlines()
        keys = tuple(parse_verifier_key(line) for line in lines)
    except (UnicodeDecodeError, NoteKeyRefused):
        malformed = failed(SubIndication.FORMAT_FAILURE, "log_key_malformed", name=LOG_KEY)
        return malformed, tuple(given.log_keys)
    return None, tuple(given.log_keys) or keys


def _under_trust(files: Mapping[str, bytes], suffix: str) -> tuple[bytes, ...]:
    names = sorted(name for name in files if name.startswith(TRUST) and name.endswith(suffix))
    return tuple(files[name] for name in names)
