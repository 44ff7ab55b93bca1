"""The small marks of every page: icons, badges of states, arms and findings, and bars. Each is drawn once and kept."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

from flask import Flask, url_for
from markupsafe import Markup

SPRITE = "vendor/bootstrap-icons-1.13.2/icons.svg"
KEPT = 4096
STATUS = {
    "active": ("good", "check-circle"),
    "alive": ("good", "check-circle"),
    "established": ("good", "check-circle"),
    "committed": ("good", "check-circle"),
    "new": ("good", "plus-lg"),
    "ok": ("good", "check-circle"),
    "draft": ("quiet", "pencil"),
    "stored": ("quiet", "clock-history"),
    "checked": ("note", "eye"),
    "attempted": ("quiet", "clock-history"),
    "closed": ("quiet", "pause-circle"),
    "locked": ("quiet", "lock"),
    "dead": ("quiet", "slash-circle"),
    "retired": ("quiet", "slash-circle"),
    "same": ("quiet", "check-circle"),
    "skipped": ("quiet", "slash-circle"),
    "withdrawn": ("quiet", "slash-circle"),
    "superseded": ("quiet", "slash-circle"),
    "excluded": ("warning", "slash-circle"),
    "changed": ("warning", "pencil"),
    "suspect": ("warning", "exclamation-triangle-fill"),
    "conflicting": ("error", "exclamation-octagon-fill"),
    "refused": ("error", "exclamation-octagon-fill"),
    "failed": ("error", "x-circle"),
    "not_recorded": ("quiet", "question-circle"),
    "given": ("good", "check-circle"),
    "none": ("warning", "question-circle"),
    "not_for_xenograft": ("warning", "exclamation-triangle-fill"),
    "available": ("good", "check-circle"),
    "used_up": ("quiet", "slash-circle"),
    "shipped": ("quiet", "truck"),
    "discarded": ("quiet", "trash"),
    "pending": ("quiet", "clock-history"),
    "engrafted": ("good", "check-circle"),
    "passed": ("good", "check-circle"),
    "inconclusive": ("warning", "question-circle"),
    "positive": ("note", "check-circle"),
    "negative": ("quiet", "slash-circle"),
    "equivocal": ("warning", "question-circle"),
    "holds": ("good", "check-circle"),
    "expiring": ("warning", "clock-history"),
    "act": ("endpoint", "bell-fill"),
    "watch": ("warning", "eye"),
    "open": ("warning", "bell-fill"),
    "deferred": ("note", "clock-history"),
    "held": ("warning", "pause-circle"),
    "missed": ("error", "x-circle"),
    "due": ("note", "clock-history"),
    "overdue": ("error", "exclamation-octagon-fill"),
    "planned": ("quiet", "calendar-check"),
    "valid": ("good", "check-circle"),
    "broken": ("error", "exclamation-octagon-fill"),
    "expired": ("error", "exclamation-octagon-fill"),
    "not_yet_approved": ("warning", "pause-circle"),
    "not_assessed": ("quiet", "question-circle"),
}
"""Tone and icon of each state of `lims.domain.vocabulary` and its neighbours, by code."""
SEVERITY = {
    "error": "exclamation-octagon-fill",
    "warning": "exclamation-triangle-fill",
    "endpoint": "bell-fill",
    "note": "info-circle-fill",
}


def icon(name: str, label: str | None = None) -> Markup:
    """Draw one symbol of the sprite.

    name: as in Bootstrap Icons, listed in frontend/vendor.mjs. label: said aloud; without it the icon is decoration beside
    a word that says the same.
    """
    return _icon(url_for("static", filename=SPRITE), name, label)


@lru_cache(KEPT)
def _icon(sprite: str, name: str, label: str | None) -> Markup:
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    drawn = Markup('<svg class="icon" width="16" height="16" fill="currentColor" {}><use href="{}#{}"></use></svg>')
    return drawn.format(said, sprite, name)


def status_badge(status: Enum | str, word: str | None = None) -> Markup:
    """Show a state with colour, icon and word. word: what is read, if not the code with spaces."""
    return _status(url_for("static", filename=SPRITE), _code(status), word)


@lru_cache(KEPT)
def _status(sprite: str, code: str, word: str | None) -> Markup:
    tone, symbol = STATUS.get(code, ("quiet", "tag"))
    return _state(tone, _icon(sprite, symbol, None), word or code.replace("_", " "))


def severity_badge(severity: Enum | str, word: str | None = None) -> Markup:
    """Show an error, warning, endpoint or note, with colour, icon and word."""
    code = _code(severity)
    return _state(code, icon(SEVERITY[code]), word or code)


def _state(tone: str, symbol: Markup, word: str) -> Markup:
    return Markup('<span class="state tone-{}">{}{}</span>').format(tone, symbol, word)


def _code(term: Enum | str) -> str:
    return str(term.value) if isinstance(term, Enum) else term


@lru_cache(KEPT)
def arm_badge(name: str, slot: str) -> Markup:
    """Show an arm's name beside its colour.

    slot: `Style.slot` of lims.plots.arm_styles for this arm ("arm-0", "vehicle-0"), so that badge and plot agree.
    """
    return Markup('<span class="arm"><span class="arm-swatch {}" aria-hidden="true"></span>{}</span>').format(slot, name)


def bar(part: float, whole: float) -> Markup:
    """Show how much of something is used, beside the words that say it."""
    drawn = Markup('<meter class="bar{}" min="0" max="{}" value="{}" aria-hidden="true"></meter>')
    return drawn.format(" bar-over" if part > whole else "", max(whole, 1), part)


def install(app: Flask) -> None:
    """Make them known to the templates."""
    for mark in (icon, status_badge, severity_badge, arm_badge, bar):
        app.add_template_global(mark)
