"""What can go wrong when a bundle is made; judging one never raises for what it holds."""

from __future__ import annotations

from dossier.errors import Rejected


class BundleRefused(Rejected):
    """The parts given cannot make an evidence bundle; parameter `part` names the one."""

    code = "bundle_refused"


class BundleIndexRefused(Rejected):
    """`history/index.json` is not what `docs/formats/evidence-bundle.md` describes."""

    code = "bundle_index_malformed"
