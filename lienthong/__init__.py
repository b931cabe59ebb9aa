"""The command `lienthong`: one file per noun; no rules, only arguments, progress and exit codes.

$ lienthong verify dossier.asice --anchor anchor.pem
"""
