"""Regular expressions of XPath (W3C functions and operators 5.6.1), matched within the budget.

Without back references the work is linear in text times pattern; with them the budget ends it.
Python's own `re` is not used on patterns out of a model: it can run for ever.
"""

from workflows.expressions.regex.matcher import replace, search, split
from workflows.expressions.regex.program import Pattern, compile_pattern

__all__ = ["Pattern", "compile_pattern", "replace", "search", "split"]
