"""What can go wrong with editions of the directory and with the keys they bind."""

from __future__ import annotations

from dossier.errors import Rejected


class DirectoryNotYetValid(Rejected):
    """The edition is of the future."""

    code = "directory_not_yet_valid"


class SealNotInDirectory(Rejected):
    """The directory in force does not bind the new certificate to the agency yet."""

    code = "seal_not_in_directory"


class RotationUnknown(Rejected):
    """No key was made for the agency's next seal."""

    code = "rotation_unknown"
