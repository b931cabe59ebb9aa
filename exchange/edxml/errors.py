"""What can be wrong with letters and with what is said of document services."""

from __future__ import annotations

from dossier.errors import Denied, Misconfigured, Rejected


class EdxmlConfigurationRefused(Misconfigured):
    """The file about document services says something that cannot be."""

    code = "edxml_configuration_refused"


class SenderUnknown(Denied):
    """A letter names a sender that the directory does not know, or another than its channel."""

    code = "sender_unknown"


class LetterUnreadable(Rejected):
    """An attachment of a letter cannot be decoded."""

    code = "letter_unreadable"


class LetterUnplaced(Rejected):
    """Nothing says which procedure a letter belongs to, or no letter of ours is meant."""

    code = "letter_unplaced"
