"""Tests of text that is too long to hold: its rows pass by, whatever its encoding, and memory stays bounded."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from importers import streams
from importers.base import Refused
from importers.streams import open_long_text

HEAD = "Image,Area µm²,Value\n"


@pytest.fixture(autouse=True)
def _long_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LONG_BYTES", 100)
    monkeypatch.setattr(streams, "_HEAD_BYTES", 4_000)


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "objects.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_rows_pass_by_in_order_though_only_the_first_are_held(tmp_path: Path, encoding: str, end: str) -> None:
    text = HEAD + "".join(f'"a, µ.svs",{number},1.5\n' for number in range(2_000))
    book = open_long_text(written(tmp_path, text.replace("\n", end), encoding), "objects.csv")

    assert book is not None
    (sheet,) = book.sheets
    rows = list(sheet.every_row())
    assert not book.whole
    assert 10 < len(sheet.rows) < 400
    assert rows[0] == ["Image", "Area µm²", "Value"]
    assert rows[: len(sheet.rows)] == list(sheet.rows)
    assert (len(rows), rows[-1]) == (2_001, ["a, µ.svs", "1999", "1.5"])


def test_a_character_far_down_decides_the_encoding(tmp_path: Path) -> None:
    text = "Image,Value\n" + "a.svs,1\n" * 2_000 + "Hälfte.svs,1\n"
    book = open_long_text(written(tmp_path, text, "cp1252"), "objects.csv")

    assert book is not None
    assert [(one.key, one.answer) for one in book.questions] == [("encoding", "cp1252")]
    assert "lfte.svs" in " ".join(book.questions[0].samples)
    assert list(book.sheets[0].every_row())[-1] == ["Hälfte.svs", "1"]


def test_a_wrong_answer_about_the_encoding_is_refused_where_it_fails(tmp_path: Path) -> None:
    text = "Image,Value\n" + "a.svs,1\n" * 2_000 + "Hälfte.svs,1\n"
    book = open_long_text(written(tmp_path, text, "cp1252"), "objects.csv", {"encoding": "utf-8"})

    assert book is not None
    with pytest.raises(Refused, match="is not utf-8 text"):
        list(book.sheets[0].every_row())


def test_a_quotation_mark_that_never_closes_is_refused(tmp_path: Path) -> None:
    book = open_long_text(written(tmp_path, HEAD + "a.svs,1,1\n" * 900 + '"a.svs,1,1\n' * 9), "objects.csv")

    assert book is not None
    with pytest.raises(Refused, match="never closed"):
        list(book.sheets[0].every_row())


def test_short_text_and_workbooks_are_held_whole(tmp_path: Path) -> None:
    assert open_long_text(written(tmp_path, HEAD), "objects.csv") is None
    workbook = tmp_path / "book.xlsx"
    workbook.write_bytes(b"PK\x03\x04" + b"\n" * 500)
    assert open_long_text(workbook, "book.xlsx") is None


def test_text_above_the_limit_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_STREAMED_BYTES", 500)
    with pytest.raises(Refused) as refused:
        open_long_text(written(tmp_path, HEAD * 30), "objects.csv")
    assert refused.value.finding.code == "too-large"
    assert "split the file" in (refused.value.finding.remedy or "")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "objects.csv"
    path.write_text("Image,Value\n" + ("a.svs," + "1" * 93 + "\n") * 100_000)
    tracemalloc.start()
    book = open_long_text(path, "objects.csv")
    assert book is not None
    count = sum(1 for _ in book.sheets[0].every_row())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_001
    assert path.stat().st_size > 10_000_000
    assert peak < 5_000_000
