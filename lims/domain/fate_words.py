"""What laboratories write as the reason of an animal's death, and which reason of ours that is.

A table of words, not a guess: text that fits none of them, or two that contradict each other, is not understood, and a
person says what it means.
"""

from __future__ import annotations

import re

from lims.domain.cohort_terms import FateReason

_WORDS: tuple[tuple[FateReason, str], ...] = (
    (FateReason.NEUROLOGICAL_ENDPOINT, r"neurolog|seizure|paraly[sz]|paresis|ataxi|circling|head tilt"),
    (FateReason.WEIGHT_ENDPOINT, r"(body)?[ -]?weight ?loss|loss of (body[ -]?)?weight|lost weight|cachexi|emaciat"),
    (
        FateReason.TUMOUR_BURDEN,
        r"tumou?r (size|burden|volume|load|limit|too)|(large|big|ulcerat\w*) tumou?r|max\w* tumou?r|ulcerat",
    ),
    (
        FateReason.CONDITION_ENDPOINT,
        r"condition|moribund|hunched|letharg|body score|\bbcs\b|humane|suffering|welfare|\bsick\b|\bill\b",
    ),
    (
        FateReason.TECHNICAL,
        r"(died|dead|death) (after|during|from|under) (the )?(injection|dosing|gavage|surgery|operation|ana?esth|imaging|bleed)"
        r"|(gavage|dosing|injection) error|ana?esth|technical|accident",
    ),
    (FateReason.FOUND_DEAD, r"(found )?dead|died|spontaneous death"),
    (FateReason.TISSUE_HARVEST, r"harvest|tissue|sampling|passag|donor|pk (sample|time ?point)"),
    (FateReason.SCHEDULED, r"end of (the )?(experiment|study|exp|treatment)|(experiment|study) (end|over)|scheduled|planned"),
    (FateReason.UNRELATED, r"unrelated|fight|bite wound|malocclusion|teeth|dermatitis|cage flood"),
)
_NEGATED = re.compile(r"\b(?:no|not|without|never)\b", re.IGNORECASE)
_PATTERNS = tuple((reason, re.compile(rf"\b(?:{words})", re.IGNORECASE)) for reason, words in _WORDS)
_SAID_BY_OTHERS = {FateReason.FOUND_DEAD: frozenset({FateReason.TECHNICAL})}
"""Reasons whose words (`died`) stand within those of another one (`died after injection`)."""


def understood(words: str) -> FateReason | None:
    """Give the one reason that these words name; nothing where they name none, more than one, or say what it was not."""
    if _NEGATED.search(words):
        return None
    named = {reason for reason, pattern in _PATTERNS if pattern.search(words)}
    named -= {reason for reason, others in _SAID_BY_OTHERS.items() if named & others}
    return named.pop() if len(named) == 1 else None
