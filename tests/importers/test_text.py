from __future__ import annotations

import pytest

from importers.base import Refused
from importers.text import read_text
from importers.workbook import open_workbook


def rows(content: bytes | str, **choices: str) -> list[list[str]]:
    return read_text(content if isinstance(content, bytes) else content.encode(), choices).rows


def question(content: bytes | str, key: str, **choices: str):
    table = read_text(content if isinstance(content, bytes) else content.encode(), choices)
    return next((question for question in table.questions if question.key == key), None)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "ascii"])
def test_unicode_is_told_by_its_bytes_without_a_question(codec):
    text = "Mouse,Volume (mm3)\r\nM1,12.5\r\n" if codec == "ascii" else "Mouse,Volume (mm³)\r\nM1,12.5\r\n"
    table = read_text(text.encode(codec), {})
    assert table.rows == [text.splitlines()[0].split(","), ["M1", "12.5"]]
    assert table.questions == ()


def test_a_superscript_two_of_windows_is_evidence_for_cp1252():
    asked = question(b"ROI,Avg Radiance [p/s/cm\xb2/sr]\nROI 1,1.2E+5\nROI 2,3E4\n", "encoding")
    assert asked.proposed == asked.answer == "cp1252"
    assert "0xB2" in asked.evidence
    assert asked.samples == ("Avg Radiance [p/s/cm²/sr]",)


def test_an_answer_about_the_encoding_is_followed():
    content = "Genotype,n\nš1,2\nš2,2\n".encode("cp1250")
    assert rows(content)[1][0] == "š1"
    assert rows("Größe,n\nž,2\n".encode("mac-roman", "ignore"), encoding="mac-roman")[0][0] == "Größe"


def test_an_encoding_the_bytes_contradict_is_refused():
    with pytest.raises(Refused, match=r"byte 2 \(0xB2\) cannot be read"):
        rows(b"m\xb2,n\n1,2\n", encoding="utf-8")


def test_an_unknown_answer_is_refused_with_the_options():
    with pytest.raises(Refused, match="`pipe`") as caught:
        rows("a,b\n1,2\n", delimiter="pipe")
    assert caught.value.finding.expected == "tab, semicolon, comma"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_is_one(end):
    assert rows(end.join(["Mouse\tDay", "", "M1\t3", "M2\t5", ""])) == [["Mouse", "Day"], [], ["M1", "3"], ["M2", "5"]]


def test_quoted_cells_keep_delimiters_quotes_and_line_breaks():
    assert rows('Mouse,Remark\nM1,"limp, ""left""\nhind"\nM2,ok\n') == [
        ["Mouse", "Remark"],
        ["M1", 'limp, "left"\nhind'],
        ["M2", "ok"],
    ]


def test_a_quotation_mark_never_closed_is_refused_with_its_row():
    with pytest.raises(Refused, match="opened in row 3 is never closed"):
        rows('Mouse,Remark\nM1,ok\nM2,"limp\nM3,ok\nM4,ok\n')


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("Mouse;Volume;Weight\nM1;1,5;20,1\nM2;2,5;21,3\n", 3),
        ("Last, First\tVolume\nDoe, J\t12\n", 2),
        ("Exported 5/1/2024, by hand\n\nMouse\tVolume\tDay\nM1\t1\t2\nM2\t1\t2\n", 3),
        ("Mouse,Remark\nM1,a;b\nM2,c;d\n", 2),
        ("Image;A1;\nLive;2.45E6;\n", 3),
    ],
)
def test_the_delimiter_is_the_one_that_makes_a_table_from_its_header_on(text, width):
    assert len(rows(text)[-1]) == width


def test_lines_without_a_delimiter_stay_whole():
    assert rows("##TITLE=Parameter List\n##$SUBJECT_id=( 60 )\n<M07>\n") == [
        ["##TITLE=Parameter List"],
        ["##$SUBJECT_id=( 60 )"],
        ["<M07>"],
    ]


def test_two_possible_delimiters_are_a_question_and_the_answer_counts():
    text = "a,b;c\n1,2;3\n4,5;6\n"
    asked = question(text, "delimiter")
    assert asked.proposed == "semicolon"
    assert {option.value for option in asked.options} == {"semicolon", "comma"}
    assert rows(text, delimiter="comma")[0] == ["a", "b;c"]
    assert question("a;b\n1;2\n", "delimiter") is None


@pytest.mark.parametrize(
    ("numbers", "mark", "proposed"),
    [
        (["1.5", "2.25", "1.234"], ".", "no question"),
        (["1", "2", "x"], ".", "no question"),
        (["12,5", "1,234"], ",", "comma"),
        (["0,056", "9,754"], ",", "comma"),
        (["1234,567"], ",", "comma"),
        (["1,26E+06"], ",", "comma"),
        (["1.234,5"], ",", "comma"),
        (["1,234.5", "1,234"], ".", "point"),
        (["1,234.5", "2,500.0"], ".", "no question"),
        (["1,234", "5,678"], "?", None),
        (["12,5", "3.5"], "?", None),
        (["1,234", "3.5"], "?", None),
        (["−12,5"], ",", "comma"),
    ],
)
def test_the_decimal_mark_is_only_taken_where_the_numbers_leave_one_reading(numbers, mark, proposed):
    content = "Mouse\tVolume\n" + "".join(f"M{n}\t{number}\n" for n, number in enumerate(numbers))
    table = read_text(content.encode(), {})
    asked = next((question for question in table.questions if question.key == "decimal"), None)
    assert table.decimal == mark
    assert (asked.proposed if asked else "no question") == proposed
    if asked:
        assert asked.samples
        assert set(asked.samples) <= set(numbers)


@pytest.mark.parametrize(("answer", "mark"), [("comma", ","), ("point", ".")])
def test_the_answer_about_the_decimal_mark_counts(answer, mark):
    book = open_workbook(b"Mouse\tVolume\nM1\t1,234\n", "a.txt", {"decimal": answer})
    assert book.decimal == mark
    assert book.questions[0].answer == answer
    assert book.questions[0].proposed is None
