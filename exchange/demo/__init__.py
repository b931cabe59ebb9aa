"""The demo: two nodes as they stood in April 2022, with their own keys, people and directory.

Nothing here is used in production; there, keys, certificates, CRLs and the directory are files
that the operator provides (docs/howto/run-in-production.md).
"""
