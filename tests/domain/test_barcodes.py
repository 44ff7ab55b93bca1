"""Code 128: known barcodes, and that what is drawn can be read again."""

from __future__ import annotations

import pytest

from lims.domain.barcodes import QUIET, code128, width_of


def modules(text: str) -> str:
    """Write a barcode as black and white modules."""
    bars = code128(text)
    assert bars is not None
    black = {place + step for place, width in bars for step in range(width)}
    return "".join("1" if place in black else "0" for place in range(bars[-1][0] + bars[-1][1]))


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        (
            "CAGE-07b",
            "110100100001000100011010100011000110100010001000110100010011011100100111011001110110111010010000110100111101001100011101011",
        ),
        (
            "M~ 3_#z",
            "1101001000010111011000100010111101101100110011001011100101001100001001001100011011110110100011010001100011101011",
        ),
    ],
    ids=["card", "signs"],
)
def test_known_barcodes(text: str, drawn: str) -> None:
    """The modules are those that python-barcode 0.16 gives."""
    assert modules(text) == drawn


def test_every_character_has_its_own_pattern_of_eleven_modules() -> None:
    patterns = {modules(chr(code))[11:22] for code in range(32, 127)}
    assert len(patterns) == 95
    assert all(pattern.startswith("1") and pattern.endswith("0") for pattern in patterns)


@pytest.mark.parametrize("text", ["", "µ-1", "K1\n", "Käfig"])
def test_what_code_128_cannot_say_has_no_barcode(text: str) -> None:
    assert code128(text) is None


def test_a_barcode_has_white_on_both_sides() -> None:
    bars = code128("K1")
    assert bars is not None
    assert width_of(bars) == len(modules("K1")) + 2 * QUIET
