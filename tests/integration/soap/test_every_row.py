"""The security list, row by row: where each is tested, and that the test is there.

The rows are those of `docs/explanation/hostile-input.md`. All but row 12 (a check at the start of
the program) talk HTTP to a running endpoint; what stands behind it, such as the reader of edXML,
has tests of its own besides.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[3]
_XML: Final = "tests/integration/soap/test_hostile_xml.py"
_HTTP: Final = "tests/integration/soap/test_hostile_http.py"
_WSS: Final = "tests/unit/connectors/test_wssecurity.py"
_NODE: Final = "tests/integration/exchange/test_hostile_containers.py"
_EDXML: Final = "tests/unit/connectors/test_edxml.py"
_DOCTYPES: Final = ((_XML, "test_doctype_and_entities_are_refused"),)
_C14N: Final = ((_XML, "test_rows_13_to_15_inclusive_canonicalisation_is_never_reached"),)
_ENCODINGS: Final = (_XML, "test_rows_17_to_19_other_encodings_are_refused")
_EDITS: Final = ((_WSS, "test_rows_27_to_33"),)
_CONTAINERS: Final = (_NODE, "test_rows_36_43_and_44_containers_that_are_none")
_REPLAYS: Final = (
    (_HTTP, "test_rows_34_and_35_duplicates"),
    (_NODE, "test_rows_34_and_35_replays_get_the_stored_receipt_and_other_bytes_a_refusal"),
)
_INCLUDES: Final = (_HTTP, "test_rows_40_and_41_includes_that_are_misplaced")

ROWS: Final = {
    1: _DOCTYPES,
    2: _DOCTYPES,
    3: _DOCTYPES,
    4: (*_DOCTYPES, (_XML, "test_row_4_entities_in_attributes_are_refused")),
    5: ((_XML, "test_row_5_xinclude_is_an_unknown_element"),),
    6: ((_XML, "test_row_6_schema_locations_are_not_fetched"),),
    7: ((_XML, "test_row_7_depth_is_capped"),),
    8: ((_XML, "test_row_8_breadth_is_capped"),),
    9: ((_XML, "test_row_9_content_too_large_for_text_names_mtom"),),
    10: ((_XML, "test_row_10_attribute_and_name_floods_are_refused"),),
    11: (
        (_XML, "test_row_11_gzip_bytes_are_not_expanded"),
        (_XML, "test_the_package_never_reads_a_path_given_by_a_caller"),
    ),
    12: (("tests/unit/dossier/test_safexml.py", "test_old_library_is_refused_and_ours_is_not"),),
    13: _C14N,
    14: _C14N,
    15: (*_C14N, *_EDITS),
    16: ((_XML, "test_row_16_namespace_declarations_are_capped"),),
    17: (_ENCODINGS, (_XML, "test_row_17_utf_16_with_its_mark_is_accepted")),
    18: (
        _ENCODINGS,
        (_XML, "test_row_18_charset_mark_and_declaration_agree"),
        (_XML, "test_row_18_a_foreign_charset_in_http_is_refused"),
    ),
    19: (_ENCODINGS,),
    20: ((_XML, "test_row_20_a_byte_order_mark_is_accepted"),),
    21: ((_XML, "test_row_21_comments_and_instructions_are_refused"),),
    22: ((_XML, "test_row_22_envelopes_of_another_shape_are_refused"),),
    23: (
        (_XML, "test_row_23_the_version_must_fit_the_content_type"),
        (_XML, "test_row_23_other_types_are_refused"),
    ),
    24: ((_XML, "test_row_24_a_contradicting_soap_action_is_a_fault"),),
    25: (
        (_XML, "test_row_25_headers_that_must_be_understood_are_refused"),
        (_XML, "test_row_25_other_headers_are_ignored"),
    ),
    26: ((_XML, "test_row_26_unknown_operations_are_refused"),),
    27: _EDITS,
    28: _EDITS,
    29: (*_EDITS, (_WSS, "test_row_29_the_algorithm_must_fit_the_key")),
    30: _EDITS,
    31: (
        (_WSS, "test_row_31_a_certificate_must_be_bound_to_the_sender"),
        (_NODE, "test_row_31_a_seal_of_another_agency_is_refused"),
    ),
    32: _EDITS,
    33: (*_EDITS, (_WSS, "test_row_33_the_timestamp_is_of_now")),
    34: _REPLAYS,
    35: _REPLAYS,
    36: (_CONTAINERS,),
    37: (
        (_HTTP, "test_row_37_boundaries_that_are_none"),
        (_HTTP, "test_row_37_truncated_bodies"),
        (_HTTP, "test_row_37_a_boundary_that_never_occurs"),
    ),
    38: (
        (_HTTP, "test_row_38_a_start_part_that_is_missing"),
        (_HTTP, "test_row_38_preamble_epilogue_and_every_form_of_start"),
    ),
    39: ((_HTTP, "test_row_39_parts_that_are_not_expected"),),
    40: (_INCLUDES, (_HTTP, "test_row_40_an_include_in_an_element_that_is_not_binary")),
    41: (_INCLUDES, (_HTTP, "test_row_41_an_include_outside_mtom")),
    42: ((_WSS, "test_row_42_signed_messages_have_no_parts"),),
    43: (_CONTAINERS, (_EDXML, "test_bombs_and_false_sizes_stay_packed")),
    44: (_CONTAINERS, (_EDXML, "test_names_are_never_paths")),
    45: (
        (_XML, "test_base64_is_decoded_strictly_within_its_bounds"),
        (_EDXML, "test_unreadable_content_is_kept_as_it_stood"),
    ),
    46: ((_HTTP, "test_row_46_compressed_bodies_are_refused"),),
    47: (
        (_HTTP, "test_row_47_a_slow_body_meets_its_deadline"),
        (_HTTP, "test_row_47_slow_headers_are_cut_off"),
        (_HTTP, "test_row_47_expect_continue_is_answered"),
        (_HTTP, "test_row_47_header_floods_are_refused"),
        (_HTTP, "test_row_47_false_content_lengths_are_refused"),
    ),
    48: (
        (_HTTP, "test_row_48_nothing_of_the_request_reaches_the_headers"),
        (_HTTP, "test_row_48_line_ends_in_headers_of_ours_become_spaces"),
    ),
    49: ((_HTTP, "test_row_49_faults_leak_nothing"),),
}


def _documented() -> list[int]:
    page = (_ROOT / "docs/explanation/hostile-input.md").read_text("utf-8")
    return [int(number) for number in re.findall(r"(?m)^\| (\d+) \|", page)]


@pytest.mark.parametrize("row", range(1, 50))
def test_row_has_tests(row: int) -> None:
    for path, name in ROWS[row]:
        tree = ast.parse((_ROOT / path).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_of_the_page_is_in_the_table() -> None:
    assert _documented() == sorted(ROWS) == list(range(1, 50))


def test_rows_with_kinds_of_attack_have_a_case_for_each() -> None:
    content = "".join((_ROOT / path).read_text("utf-8") for path in (_XML, _WSS, _NODE, _HTTP))
    cases = set(re.findall(r'id="(\d+)-', content))
    assert {"1", "2", "3", "4", "27", "28", "29", "30", "32", "33", "36", "40", "41", "43"} <= cases
