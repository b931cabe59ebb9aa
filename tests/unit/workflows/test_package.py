"""A procedure folder is accepted whole or refused with the path of what is wrong."""

from decimal import Decimal

import pytest

from dossier.texts import Language, known_codes
from tests.builders.workflows import draw_pools
from workflows.errors import DefinitionRefused, ProcedureRefused
from workflows.package import load_procedure

MODEL = draw_pools(
    {
        "commune": """
        start s
        user check name=Check lt:form=check lt:assign.role=clerk lt:register=outgoing lt:due=2wd
        send ask
        receive answer message=code-message
        boundary late on=answer interrupting=false duration=param.patience
        end reminded
        end e
        s > check > ask > answer > e
        late > reminded
        """,
        "tax": "start in message=ask-message\nsend reply\nend sent\nin > reply > sent",
    },
    "ask > in : tax-registration\nreply > answer : tax-code",
)
TOML = """
[procedure]
code = "household"
version = "1"
name = { vi = "Hộ kinh doanh", en = "Household business" }
effective = 2022-01-01
citation = "NĐ 01/2021"
[roles.commune]
name = { vi = "Xã", en = "Commune" }
bind = "initiator"
[roles.tax]
name = { vi = "Thuế", en = "Tax" }
bind = "directory:tax"
[messages.tax-registration]
name = { vi = "Đăng ký", en = "Registration" }
from = "commune"
to = "tax"
documents = ["application"]
[messages.tax-code]
name = { vi = "Mã số", en = "Code" }
from = "tax"
to = "commune"
values = ["code"]
[documents.application]
name = { vi = "Đơn", en = "Application" }
[parameters.patience]
value = "PT20S"
type = "duration"
[parameters.fee]
value = 100000
type = "integer"
[deadline]
total = "3wd"
mode = "day"
cutoff = "15:00"
citation = "Điều 87"
[registers.outgoing]
pattern = "{number}/GCN"
[elements]
check = "Check"
"""
FORM = """{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
"x-label": {"vi": "Kiểm tra", "en": "Check"}, "properties": {"note": {"type": "string",
"x-label": {"vi": "Ghi chú", "en": "Note"}, "maxLength": 100}}}"""


def folder(toml: str = TOML, **extra: bytes) -> dict[str, bytes]:
    files = {
        "procedure.toml": toml.encode(),
        "process.bpmn": MODEL,
        "forms/check.json": FORM.encode(),
    }
    return files | {name.replace("__", "/"): content for name, content in extra.items()}


def test_loads_a_procedure_as_a_whole() -> None:
    procedure = load_procedure(folder())
    assert (procedure.code, procedure.version) == ("household", "1")
    assert procedure.parameter_values == {"patience": "PT20S", "fee": Decimal(100000)}
    assert procedure.messages["tax-registration"].expires == "P3D"
    assert procedure.element_name("check") == {"vi": "Check", "en": "Check"}
    assert procedure.message_starts("tax") == (("tax-registration", "commune", "in"),)
    assert procedure.definition("commune").digest == procedure.digest


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        ('code = "household"', "", "procedure.code", "missing"),
        ('code = "household"', 'code = "Household"', "procedure.code", "not_allowed"),
        ('citation = "NĐ 01/2021"', "citation = 3", "procedure.citation", "wrong_type"),
        ('version = "1"', 'version = "1"\ntypo = 1', "procedure.typo", "unknown_key"),
        ('"Thuế", en = "Tax"', '"Thuế"', "roles.tax.name.en", "missing"),
        ('bind = "directory:tax"', 'bind = "anyone"', "roles.tax.bind", "not_allowed"),
        ("[roles.tax]", "[roles.police]", "roles.police", "no_such_pool"),
        ('to = "tax"', 'to = "commune"', "messages.tax-registration", "other_ends"),
        ("[messages.tax-code]", "[messages.code]", "messages.code", "no_such_flow"),
        ("[documents.application]", "[documents.form]", "messages.tax-registration.documents",
         "no_such_document"),
        ("[parameters.patience]", "[parameters.other]", "parameters.patience", "missing"),
        ('"PT20S"', '"soon"', "parameters.patience.value", "not_a_duration"),
        ("value = 100000", 'value = "x"', "parameters.fee.value", "wrong_type"),
        ('total = "3wd"', 'total = "3 days"', "deadline.total", "not_a_duration"),
        ('cutoff = "15:00"', 'cutoff = "late"', "deadline.cutoff", "wrong_type"),
        ("[registers.outgoing]", "[registers.incoming]", "process.bpmn#check",
         "no_such_register"),
        ("{number}/GCN", "GCN", "registers.outgoing.pattern", "not_allowed"),
        ("check = ", "nothing = ", "elements.nothing", "no_such_element"),
        ("[procedure]", "[procedure", "procedure.toml", "not_toml"),
        ("effective = 2022-01-01", "effective = 2022-01-01T00:00:00", "procedure.effective",
         "wrong_type"),
    ],
)  # fmt: skip
def test_names_the_path_of_a_contradiction(old: str, new: str, where: str, reason: str) -> None:
    assert old in TOML
    with pytest.raises(ProcedureRefused) as caught:
        load_procedure(folder(TOML.replace(old, new)))
    assert caught.value.parameters["where"] == where
    assert caught.value.parameters["reason"] == reason
    for language in Language:
        assert reason in known_codes("folder", language)


def test_refuses_missing_unknown_and_broken_files() -> None:
    without = folder()
    del without["forms/check.json"]
    cases = [
        (without, "no_such_form"),
        (folder(notes__x=b""), "unknown_file"),
        ({**folder(), "forms/check.json": b"{"}, "form_malformed"),
        ({"procedure.toml": TOML.encode()}, "missing"),
        ({"process.bpmn": MODEL}, "missing"),
    ]
    for files, reason in cases:
        with pytest.raises(ProcedureRefused) as caught:
            load_procedure(files)
        assert caught.value.parameters["reason"] == reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'<lt:assign role="clerk"/>', b"", "nobody_assigned"),
        (b'role="clerk"', b'role="wizard"', "no_such_role"),
        (b'book="outgoing"', b'book="incoming"', "no_such_register"),
        (b'after="2wd"', b'after="P2D"', "not_a_duration"),
        (b'<lt:form name="check"/>', b'<lt:form name="other"/>', "no_such_form"),
    ],
)
def test_names_the_element_that_the_declaration_does_not_carry(
    old: bytes, new: bytes, reason: str
) -> None:
    assert old in MODEL
    with pytest.raises(ProcedureRefused) as caught:
        load_procedure({**folder(), "process.bpmn": MODEL.replace(old, new)})
    assert caught.value.parameters["where"] == "process.bpmn#check"
    assert caught.value.parameters["reason"] == reason


def test_refuses_a_model_that_cannot_run() -> None:
    with pytest.raises(DefinitionRefused):
        load_procedure({**folder(), "process.bpmn": b"<a/>"})
