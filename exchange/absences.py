"""An absence as the command and the pages name it."""

from storage.people import Absence

__all__ = ["Absence"]
