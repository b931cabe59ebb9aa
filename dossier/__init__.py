"""The domain's words and pure rules: no database, no network, no clock of its own.

Every other package builds on these frozen types; this one imports none of them.

    >>> from dossier.ids import parse_agency_code
    >>> parse_agency_code("000.00.00.H08")
    '000.00.00.H08'
"""
