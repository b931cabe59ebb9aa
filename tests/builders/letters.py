"""The letter of the demonstration, for the tests of printing."""

from __future__ import annotations

from datetime import date

from printing.letter import Letter

STUDY_VISIT = Letter(
    parent_agency="",
    agency="Ủy ban nhân dân tỉnh Hòa Bình",
    place="Hòa Bình",
    issued=date(2022, 4, 5),
    symbol="UBND-NC",
    subject="V/v nghiên cứu, học tập kinh nghiệm tại tỉnh Bình Định",
    addressees=("Ủy ban nhân dân tỉnh Bình Định",),
    paragraphs=(
        "Ủy ban nhân dân tỉnh Hòa Bình trân trọng đề nghị được nghiên cứu, học tập:",
        "1. Mô hình Trung tâm Phục vụ hành chính công tỉnh;",
        "2. Dịch vụ công trực tuyến mức độ 3, mức độ 4;",
        "3. Trung tâm Giám sát, điều hành đô thị thông minh (IOC).",
    ),
    recipients=("Như trên;", "Lưu: VT, NC."),
    signer_title="KT. Chủ tịch – Phó Chủ tịch",
    signer_name="Nguyễn Văn Thành",
)
