"""What can go wrong with a log, a checkpoint or a proof."""

from __future__ import annotations

from dossier.errors import Misconfigured, Rejected


class LogIndexRefused(Rejected):
    """The index or size lies outside the tree it is asked of."""

    code = "log_index_refused"


class LogProofRefused(Rejected):
    """An inclusion or consistency proof does not lead to the root it must lead to."""

    code = "log_proof_refused"


class LogProofMalformed(Rejected):
    """The bytes are not exactly a `c2sp.org/tlog-proof@v1` file."""

    code = "log_proof_malformed"


class LogTileMalformed(Rejected):
    """A tile, its address or an entry bundle does not have the shape of C2SP tlog-tiles."""

    code = "log_tile_malformed"


class LogTileMissing(Misconfigured):
    """The store lacks hashes that a log of its recorded size must have: it is damaged."""

    code = "log_tile_missing"


class LogLeafRefused(Rejected):
    """A leaf or its opening is not what `docs/formats/log.md` describes."""

    code = "log_leaf_refused"


class NoteMalformed(Rejected):
    """The bytes are not exactly a C2SP signed note or checkpoint."""

    code = "note_malformed"


class NoteSignatureRefused(Rejected):
    """No signature of the expected key on the note is good."""

    code = "note_signature_refused"


class NoteKeyRefused(Rejected):
    """The text is not a verifier key `name+id+base64` of a known signature type."""

    code = "note_key_refused"
