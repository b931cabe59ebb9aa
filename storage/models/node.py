"""Tables of the node itself: hosted agencies, directory editions, registers, published rules."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from storage.models.columns import (
    digest,
    fixed,
    instant,
    integer,
    json,
    maybe_instant,
    octets,
    owner,
    uuid_key,
    words,
)


class NodeValueRow(models.Model):
    """A fact about this node, such as its epoch, that is neither a setting nor a secret."""

    name = fixed(64, key=True)
    content = words()

    class Meta:
        db_table = "node_value"


class HostedAgencyRow(models.Model):
    """An agency whose pools run on this node."""

    code_key = fixed(35, key=True)  # lower case, for comparing
    code = words()
    name_vi = words()
    name_en = words()
    units = json()

    class Meta:
        db_table = "hosted_agency"


class DirectoryEditionRow(models.Model):
    """One sealed edition of the directory, as imported."""

    number = integer(key=True)
    sha256 = digest()
    previous_sha256 = digest()
    content = octets()
    unsigned = octets()
    imported = instant()
    imported_by = words()

    class Meta:
        db_table = "directory_edition"


class RegisterRow(models.Model):
    """The last number taken from one book of one agency in one year."""

    agency = words()
    book = words()
    year = integer()
    last_number = integer()

    class Meta:
        db_table = "register"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agency", "book", "year"], name="register_book")
        ]


class DossierCounterRow(models.Model):
    """The last dossier number of one unit on one day."""

    unit = words()
    day = fixed(10)
    last_number = integer()

    class Meta:
        db_table = "dossier_counter"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "day"], name="dossier_counter_day")
        ]


class DefinitionRow(models.Model):
    """A published version of a procedure; two versions may share one contract."""

    package_sha256 = fixed(64, key=True)
    sha256 = digest()  # of `process.bpmn`
    procedure = words()
    version = words()
    effective_from = fixed(10)
    published = instant()
    published_by = words()
    confirmed_by = words()

    class Meta:
        db_table = "procedure_version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["procedure", "version"], name="procedure_version_once")
        ]


class DefinitionFileRow(models.Model):
    """One file of a published procedure folder."""

    package_sha256 = digest()
    path = words()
    content = octets()

    class Meta:
        db_table = "procedure_file"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["package_sha256", "path"], name="procedure_file_path")
        ]


class RulePackRow(models.Model):
    """A published rule pack; it never changes."""

    version = fixed(63, key=True)
    package_sha256 = digest()
    effective_from = fixed(10)
    published = instant()
    published_by = words()
    confirmed_by = words()

    class Meta:
        db_table = "rule_pack"


class RulePackFileRow(models.Model):
    """One file of a published rule pack."""

    version = fixed(63)
    path = words()
    content = octets()

    class Meta:
        db_table = "rule_pack_file"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "path"], name="rule_pack_file_path")
        ]


class ProposalRow(models.Model):
    """A version that one person wants published and another one confirms or refuses."""

    id = uuid_key()
    kind = fixed(16)  # procedure | rule_pack
    name = words()
    version = words()
    package_sha256 = digest()
    effective_from = fixed(10)
    proposed = instant()
    proposed_by = words()
    state = fixed(16)
    decided = maybe_instant()
    decided_by = words()
    reason = words()

    class Meta:
        db_table = "proposal"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "name", "version"],
                name="proposal_open_once",
                condition=Q(state="open"),
            )
        ]


class ProposalFileRow(models.Model):
    """One file of a proposal."""

    proposal = owner("storage.ProposalRow", column="proposal")
    path = words()
    content = octets()

    class Meta:
        db_table = "proposal_file"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "path"], name="proposal_file_path")
        ]


class RequestNonceRow(models.Model):
    """A nonce of a sealed request, kept until the request could no longer count."""

    agency = words()  # lower case
    nonce = words()
    until = instant()

    class Meta:
        db_table = "request_nonce"
        indexes: ClassVar = [models.Index(fields=["until"], name="request_nonce_until")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agency", "nonce"], name="request_nonce_once")
        ]
