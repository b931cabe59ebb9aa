"""Evidence of a dossier: one sealed file that an auditor can judge offline, years later.

bundle = build_bundle(parts, signer=seal, timestamper=stamper, at=now)
given = TrustGiven(anchors=(root,))
judgement = judge_file(bundle, name="dossier.asice", given=given, at=later)
judgement.indication
"""

from signing.evidence.build import (
    BundleDocument,
    BundleEvent,
    BundleMessage,
    BundleParts,
    BundleTrust,
    build_bundle,
)
from signing.evidence.judge import judge_bundle
from signing.evidence.judgement import (
    BundleJudgement,
    MessageVerdict,
    SignatureFinding,
    TrustGiven,
)
from signing.evidence.single import files_wanted, judge_file, subject_of

__all__ = [
    "BundleDocument",
    "BundleEvent",
    "BundleJudgement",
    "BundleMessage",
    "BundleParts",
    "BundleTrust",
    "MessageVerdict",
    "SignatureFinding",
    "TrustGiven",
    "build_bundle",
    "files_wanted",
    "judge_bundle",
    "judge_file",
    "subject_of",
]
