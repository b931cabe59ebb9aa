"""Letters: the layout of Decree 30/2020, archival PDF, inert text, the same bytes every time."""

from __future__ import annotations

import subprocess
import unicodedata
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from printing.errors import LetterRefused
from printing.letter import letter_pdf
from tests.builders.letters import STUDY_VISIT


def _pages(pdf: bytes) -> list[str]:
    """Return the text of each page as poppler reads it, white space folded."""
    done = subprocess.run(
        ["pdftotext", "-layout", "-enc", "UTF-8", "-", "-"],
        input=pdf,
        capture_output=True,
        check=True,
    )
    pages = unicodedata.normalize("NFC", done.stdout.decode()).split("\f")
    return [" ".join(page.split()) for page in pages]


def _text(pdf: bytes) -> str:
    return " ".join(_pages(pdf))


def test_the_parts_of_a_letter_stand_on_the_page() -> None:
    text = _text(letter_pdf(STUDY_VISIT))
    for part in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Hòa Bình, ngày 05 tháng 4 năm 2022",
        "/UBND-NC",
        "Kính gửi: Ủy ban nhân dân tỉnh Bình Định.",
        "Trung tâm Phục vụ hành chính công",
        "Nơi nhận:",
        "PHÓ CHỦ TỊCH",
        "Nguyễn Văn Thành",
    ):
        assert part in text, part


def test_days_below_ten_and_the_first_two_months_carry_a_zero() -> None:
    text = _text(letter_pdf(replace(STUDY_VISIT, issued=date(2022, 2, 28))))
    assert "ngày 28 tháng 02 năm 2022" in text


def test_a_number_given_before_signing_is_printed() -> None:
    assert "Số: 45/UBND-NC" in _text(letter_pdf(replace(STUDY_VISIT, number="45/UBND-NC")))


def test_a_named_document_has_its_title_and_no_addressee() -> None:
    certificate = replace(STUDY_VISIT, title="Giấy chứng nhận đăng ký hộ kinh doanh", addressees=())
    text = _text(letter_pdf(certificate))
    assert "GIẤY CHỨNG NHẬN ĐĂNG KÝ HỘ KINH DOANH" in text
    assert "Kính gửi" not in text


def test_several_addressees_are_listed() -> None:
    text = _text(letter_pdf(replace(STUDY_VISIT, addressees=("Sở Nội vụ", "Sở Tài chính"))))
    assert "Sở Nội vụ;" in text and "Sở Tài chính;" in text


def test_the_same_letter_is_the_same_bytes() -> None:
    assert letter_pdf(STUDY_VISIT) == letter_pdf(STUDY_VISIT)


def test_the_pdf_is_tagged_and_archival() -> None:
    pdf = letter_pdf(STUDY_VISIT)
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert b"/MarkInfo" in pdf and b"/Lang" in pdf


@pytest.mark.parametrize(
    "text",
    [
        '#panic("x")',
        '#read("/etc/passwd")',
        "*đậm* _nghiêng_ $x^2$ `mã`",
        "= Tiêu đề",
        "\\ #{1+1} @nguồn <nhãn> // chú thích",
        '"\\u{41}" #sys.inputs',
    ],
)
def test_texts_are_never_markup(text: str) -> None:
    letter = replace(STUDY_VISIT, paragraphs=(text,), signer_name=text[:60])
    shown = _text(letter_pdf(letter)).replace(" ", "")
    assert text.replace(" ", "") in shown


def test_every_vietnamese_letter_has_a_face() -> None:
    marks = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
    vowels = [v + m for v in "aăâeêioôơuưy" for m in marks] + ["d", "đ"]
    letters = "".join(unicodedata.normalize("NFC", vowel) for vowel in vowels)
    everything = letters + letters.upper()
    for bold_line in (everything[:74], everything[74:]):
        letter = replace(STUDY_VISIT, paragraphs=(everything,), signer_name=bold_line)
        assert bold_line[:20] in _text(letter_pdf(letter))


def test_long_letters_number_their_pages() -> None:
    pages = _pages(letter_pdf(replace(STUDY_VISIT, paragraphs=STUDY_VISIT.paragraphs * 20)))
    assert pages[1].startswith("2 ") and pages[2].startswith("3 ")
    assert not pages[0].startswith("1 ")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": "x" * 401}, "subject"),
        ({"agency": " "}, "agency"),
        ({"signer_name": ""}, "signer_name"),
        ({"paragraphs": ()}, "body"),
        ({"paragraphs": (" ", "")}, "body"),
        ({"paragraphs": ("x" * 40_001,)}, "body"),
        ({"recipients": ("x",) * 61}, "recipients"),
        ({"subject": "a\x07b"}, "text"),
        ({"subject": "a\u202eb"}, "text"),
        ({"subject": "xin chào 😀"}, "characters"),
        ({"paragraphs": ("汉字",)}, "characters"),
    ],
)
def test_refuses_what_cannot_be_shown_whole(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(LetterRefused) as caught:
        letter_pdf(replace(STUDY_VISIT, **change))
    assert caught.value.parameters["reason"] == reason
