"""Tables of the node itself: hosted agencies, directory editions, registers, definitions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from storage.models.columns import digest, fixed, instant, integer, json, octets, words


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
    """A published version of a procedure."""

    sha256 = fixed(64, key=True)
    package_sha256 = digest()
    procedure = words()
    version = words()
    effective_from = fixed(10)
    published = instant()
    published_by = words()

    class Meta:
        db_table = "definition"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["procedure", "version"], name="definition_version")
        ]


class DefinitionFileRow(models.Model):
    """One file of a published procedure folder."""

    sha256 = digest()
    path = words()
    content = octets()

    class Meta:
        db_table = "definition_file"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sha256", "path"], name="definition_file_path")
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
