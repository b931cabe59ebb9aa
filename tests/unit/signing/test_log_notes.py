"""Notes, checkpoints and proof files: one spelling each, and nothing holds without a signature."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from dossier.errors import LienThongError
from signing.log import (
    Checkpoint,
    Frontier,
    LogProof,
    append,
    consistency_proof,
    inclusion_proof,
    parse_checkpoint,
    parse_proof,
    parse_verifier_key,
    sign_checkpoint,
    verifier_key,
    verify_checkpoint,
    verify_proof,
)
from signing.log.errors import (
    LogProofMalformed,
    LogProofRefused,
    NoteKeyRefused,
    NoteMalformed,
    NoteSignatureRefused,
)
from signing.log.note import VerifierKey, parse_note, sign_note, verify_note
from tests.builders.log import log_of, numbered
from tests.independent import tlog_reader

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "h28.example/log/1a2b3c4d"
PUBLIC = verifier_key(ORIGIN, key=KEY)
READER = Path(tlog_reader.__file__)
ROOT = Path(__file__).parents[3]


def head(size: int) -> bytes:
    root = append(Frontier(), numbered(size)).root
    return sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=root), key=KEY)


def proof_of(index: int, size: int) -> LogProof:
    tiles, _ = log_of(numbered(size))
    path = inclusion_proof(tiles, index=index, size=size)
    return LogProof(index=index, path=path, checkpoint=head(size))


# Two notes printed in the C2SP texts (signed-note, tlog-checkpoint).
NOTE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n"
    "ed è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5dd"
    "nGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()
CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
).encode()


def test_examples_of_the_format_texts_print_back() -> None:
    assert parse_note(NOTE).dump() == NOTE
    checkpoint, note = parse_checkpoint(CHECKPOINT)
    assert note.dump() == CHECKPOINT
    assert checkpoint.size == 20_852_163


def test_a_signed_checkpoint_is_believed() -> None:
    assert verify_checkpoint(head(5), key=PUBLIC).size == 5


def test_other_signatures_are_ignored_but_kept() -> None:
    cosigned = head(5) + "— witness.example AAAAAAAA\n".encode()
    assert verify_checkpoint(cosigned, key=PUBLIC).size == 5
    assert len(parse_checkpoint(cosigned)[1].signatures) == 2


def test_a_checkpoint_of_another_key_is_refused() -> None:
    other = verifier_key(ORIGIN, key=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(NoteSignatureRefused):
        verify_checkpoint(head(5), key=other)


def test_a_forged_line_of_the_right_key_is_refused_even_beside_a_good_one() -> None:
    note = parse_note(head(5))
    forged = note.signatures[0].key_id + bytes(64)
    line = f"— {ORIGIN} {base64.b64encode(forged).decode()}\n"
    with pytest.raises(NoteSignatureRefused):
        verify_checkpoint(head(5) + line.encode(), key=PUBLIC)


def test_a_checkpoint_of_another_log_signed_by_this_key_is_refused() -> None:
    text = Checkpoint(origin="other.example", size=0, root=bytes(32)).text
    note = sign_note(text, name=ORIGIN, key=KEY)
    with pytest.raises(NoteMalformed):
        verify_checkpoint(note.dump(), key=PUBLIC)


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "tab\t", "thin\u2009space"])
def test_a_name_that_no_line_can_carry_is_refused(name: str) -> None:
    with pytest.raises(NoteKeyRefused):
        verifier_key(name, key=KEY)


def test_verifier_keys_print_back() -> None:
    assert parse_verifier_key(str(PUBLIC)) == PUBLIC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h28",
        str(PUBLIC).replace("h28", "h29"),
        str(PUBLIC)[:-1] + "B",
        str(VerifierKey(name="x", public_key=bytes(32))).replace("+AQ", "+BA"),
        str(PUBLIC) + "\n",
    ],
)
def test_other_verifier_keys_are_refused(text: str) -> None:
    with pytest.raises(NoteKeyRefused):
        parse_verifier_key(text)


@given(st.binary(max_size=200) | st.text(alphabet="— a+\n=A0", max_size=60).map(str.encode))
def test_any_bytes_are_a_note_or_refused(content: bytes) -> None:
    try:
        note = parse_note(content)
    except NoteMalformed:
        return
    assert note.dump() == content


def test_a_changed_character_of_a_checkpoint_is_refused() -> None:
    content = head(300)
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with pytest.raises((NoteMalformed, NoteSignatureRefused)):
            verify_checkpoint(changed, key=PUBLIC)


def test_notes_over_the_limits_are_refused() -> None:
    with pytest.raises(NoteMalformed):
        parse_note(head(1) + "— w AAAAAAAA\n".encode() * 64)
    with pytest.raises(NoteMalformed):
        parse_note(bytes(600_000))
    with pytest.raises(NoteMalformed):
        verify_note(sign_note("no newline", name="x", key=KEY), key=PUBLIC)


def test_a_proof_leads_to_its_checkpoint() -> None:
    proof = proof_of(70, 300)
    assert parse_proof(proof.dump()) == proof
    assert verify_proof(proof, entry=b"70", key=PUBLIC).size == 300
    with pytest.raises(LogProofRefused):
        verify_proof(proof, entry=b"71", key=PUBLIC)


def test_a_changed_byte_of_a_proof_is_refused() -> None:
    content = proof_of(2, 5).dump()
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with pytest.raises(LienThongError):
            verify_proof(parse_proof(changed), entry=b"2", key=PUBLIC)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_proof_or_refused(content: bytes) -> None:
    for prefix in (b"", b"c2sp.org/tlog-proof@v1\nindex "):
        try:
            proof = parse_proof(prefix + content)
        except LogProofMalformed:
            continue
        assert proof.dump() == prefix + content


def test_the_independent_reader_agrees_with_every_proof_of_a_small_log() -> None:
    tiles, _ = log_of(numbered(70))
    for size in (1, 2, 3, 33, 64, 70):
        for index in range(size):
            path = inclusion_proof(tiles, index=index, size=size)
            proof = LogProof(index=index, path=path, checkpoint=head(size)).dump()
            leaf = str(index).encode()
            assert tlog_reader.check_proof(proof, leaf, str(PUBLIC)) == (index, size)
        for old in range(1, size + 1):
            hashes = list(consistency_proof(tiles, old_size=old, size=size))
            tlog_reader.check_growth(head(old), head(size), hashes, str(PUBLIC))


def test_the_independent_reader_runs_alone(tmp_path: Path) -> None:
    tiles, _ = log_of(numbered(9))
    growth = consistency_proof(tiles, old_size=5, size=9)
    (tmp_path / "proof").write_bytes(proof_of(3, 9).dump())
    (tmp_path / "leaf").write_bytes(b"3")
    (tmp_path / "old").write_bytes(head(5))
    encoded = [base64.b64encode(one).decode() for one in growth]
    command = [sys.executable, "-I", str(READER), str(PUBLIC), "proof", "leaf", "old", *encoded]
    good = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (good.returncode, good.stdout) == (0, b"entry 3 of 9: proved\n")
    (tmp_path / "leaf").write_bytes(b"4")
    bad = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert (bad.returncode, bad.stderr) == (1, b"not proved: inclusion\n")


def test_the_independent_reader_is_small_and_stands_alone() -> None:
    text = READER.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert "signing" not in text
    assert "dossier" not in text


VECTORS = sorted((ROOT / "tests/vectors/log").glob("*.vec"))


@pytest.mark.parametrize("file", VECTORS, ids=lambda file: file.stem)
def test_vector(file: Path) -> None:
    header, _, content = file.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in header.decode().splitlines())
    key = parse_verifier_key(fields["key"])
    expected = fields["expect"]
    got = "ok"
    try:
        if fields["kind"] == "proof":
            verify_proof(parse_proof(content), entry=fields["entry"].encode(), key=key)
        else:
            verify_checkpoint(content, key=key)
    except LienThongError as exc:
        got = exc.code
    assert got == expected, fields["rule"]


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 20
