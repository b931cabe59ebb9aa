"""The names that a BPMN file may use, and the two smallest steps of reading it."""

from __future__ import annotations

from typing import Final

from lxml import etree

BPMN: Final = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
LT: Final = "{urn:lienthong:bpmn:1}"
DI: Final = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC: Final = "{http://www.omg.org/spec/DD/20100524/DC}"
DD: Final = "{http://www.omg.org/spec/DD/20100524/DI}"
CAMUNDA: Final = "{http://camunda.org/schema/1.0/bpmn}"
ACTIVITI: Final = "{http://activiti.org/bpmn}"
FLOWABLE: Final = "{http://flowable.org/bpmn}"
ZEEBE: Final = "{http://camunda.org/schema/zeebe/1.0}"

PARAMETERS: Final = "param"  # the name below which expressions see the procedure's parameters


def local_name(element: etree._Element) -> str:
    """Return the tag of `element` without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text_of(element: etree._Element) -> str:
    """Return the whole text of `element`, comments left out, white space at the ends removed."""
    return "".join(str(part) for part in element.itertext(etree.Element)).strip()
