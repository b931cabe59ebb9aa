"""DMN 1.1 to 1.5, levels 2 and 3: reading, evaluating, explaining, linting and showing decisions.

>>> from workflows.dmn import load_model
>>> load_model([b""])
Traceback (most recent call last):
dossier.errors.XmlRefused: expected well-formed XML, got a syntax error in line 1
"""

from workflows.dmn.evaluate import Model, Outcome, load_model
from workflows.dmn.journal import Problem, TableTrace
from workflows.dmn.reader import read_definitions

__all__ = ["Model", "Outcome", "Problem", "TableTrace", "load_model", "read_definitions"]
