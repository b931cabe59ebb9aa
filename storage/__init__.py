"""Tables, blobs and the spool; functions take and return `dossier` types, never a model.

from storage import dossiers
from storage.transactions import transaction

with transaction():
    dossiers.add(dossier, log_salt=salt)
dossiers.get(dossier.id)
"""
