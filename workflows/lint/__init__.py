"""The rules that a model must keep, one function per rule, all listed in `lint.table`.

>>> from workflows.definition import deploy
>>> [finding.rule for finding in deploy(b"<a/>").findings]
['not_bpmn']
"""

from workflows.lint.table import lint_model

__all__ = ["lint_model"]
