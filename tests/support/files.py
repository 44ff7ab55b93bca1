"""Instrument files made in memory, as the instrument or the person at the bench would have saved them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

import openpyxl

LIVING_IMAGE_HEADERS = (
    "Image Number",
    "ROI",
    "Image Layer",
    "Total Flux [p/s]",
    "Avg Radiance [p/s/cm²/sr]",
    "Stdev Radiance",
    "Min Radiance",
    "Max Radiance",
    "ROI Label",
    "Experiment",
)


def delimited(
    headers: Sequence[object], rows: Iterable[Sequence[object]], delimiter: str = ",", encoding: str = "utf-8", end: str = "\r\n"
) -> bytes:
    """Write a text table."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end)
    writer.writerow(headers)
    writer.writerows(rows)
    return written.getvalue().encode(encoding)


def workbook(*rows: Sequence[object], title: str = "Sheet1") -> bytes:
    """Save rows as an Excel workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def living_image(flux: Mapping[str, object], on: str, radiance: object = "2.28E+03") -> bytes:
    """Write the ROI table of an imaging session, a row an animal: comma, code page 1252, so its ² is the byte 0xB2."""
    image = f"IV{on.replace('-', '')}090235_001A"
    rows = [
        [image, f"ROI {number}", "Overlay", value, radiance, "1.92E+03", "-3.16E+03", "1.23E+04", animal, on]
        for number, (animal, value) in enumerate(flux.items(), 1)
    ]
    return delimited(LIVING_IMAGE_HEADERS, rows, encoding="cp1252")


def caliper_long(rows: Iterable[tuple[str, object, object, object]]) -> bytes:
    """Write caliper diameters as xlsx, a row for each animal and day: animal, date, length and width in mm."""
    return workbook(["Animal", "Date", "Length (mm)", "Width (mm)"], *rows, title="Caliper")


def caliper_wide(volumes: Mapping[str, Sequence[float]], days: Sequence[str]) -> bytes:
    """Write volumes in mm³ as a spreadsheet with decimal commas saves them: a row an animal, a column a date."""
    rows = [[animal, *(f"{value:.1f}".replace(".", ",") for value in values)] for animal, values in volumes.items()]
    return delimited(["Mouse", *(f"Volume_{day}" for day in days)], rows, delimiter=";")


def weights(rows: Iterable[tuple[str, str, object]], header: Sequence[str] = ("Animal", "Date", "Weight (g)")) -> bytes:
    """Write body weights as csv, a row for each animal and day: animal, date, weight in g."""
    return delimited(header, rows)
