"""FEEL, complete and safe: one closed language for conditions, mappings, scripts and decisions.

>>> from decimal import Decimal
>>> from workflows.expressions import compile_expression
>>> overdue = compile_expression("amount > 5 and not(paid)")
>>> sorted(overdue.names)
['amount', 'paid']
>>> overdue.evaluate({"amount": Decimal(7), "paid": False})
True
"""

from workflows.expressions.expression import Expression, compile_expression
from workflows.expressions.profile import DMN, MODEL, Profile
from workflows.expressions.script import Script, compile_script
from workflows.expressions.temporal import YearsMonths
from workflows.expressions.translate import translate
from workflows.expressions.values import Value, decode_value, encode_value

__all__ = [
    "DMN",
    "MODEL",
    "Expression",
    "Profile",
    "Script",
    "Value",
    "YearsMonths",
    "compile_expression",
    "compile_script",
    "decode_value",
    "encode_value",
    "translate",
]
