"""What a patient's consents allow on a day: the gate between tissue and the animal room.

Source: MIABIS 2.0 Core (Merino-Martinez et al., Biopreservation and Biobanking 14:298, 2016), permitted uses;
Declaration of Helsinki, article 32: consent for research on human material, free to be withdrawn. A withdrawal ends
every consent given before it, whatever its protocol; a consent given on that day or later, and not withdrawn itself,
counts again.

What a withdrawal stops: GDPR, article 7(3), and Declaration of Taipei (2016), paragraph 15, let it end every future use and
leave standing what was done before. So new tissue, new models and new implants are refused. Living animals and vials that
exist still have to be cared for, brought to their end and accounted for (Directive 2010/63/EU, articles 14, 17 and 30): what is
made on the way, by freezing, splitting or harvesting, is recorded once a person confirms it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lims.domain.errors import DomainError
from lims.domain.notices import Notice

GATE_SOURCE = "MIABIS 2.0, permitted uses; Declaration of Helsinki, article 32"
WITHDRAWAL_SOURCE = "GDPR, article 7(3); Declaration of Taipei (2016), paragraph 15"

USES = ("research", "xenograft", "commercial", "sharing")
"""Permitted uses (MIABIS), as fields of a consent."""


class ConsentState(StrEnum):
    """What a patient's consents come to on a day."""

    NONE = "none"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    NOT_FOR_XENOGRAFT = "not_for_xenograft"


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """One consent: when it was given and withdrawn, and the uses it permits (MIABIS)."""

    given_on: date
    withdrawn_on: date | None = None
    research: bool = False
    xenograft: bool = False
    commercial: bool = False
    sharing: bool = False


def in_force(consents: Sequence[ConsentTerms], on: date) -> list[ConsentTerms]:
    """Give the consents that count on a day, oldest first (MIABIS; Declaration of Helsinki, article 32)."""
    last = last_withdrawal(consents, on)
    return sorted(
        (
            consent
            for consent in consents
            if consent.given_on <= on
            and (consent.withdrawn_on is None or consent.withdrawn_on > on)
            and (last is None or consent.given_on >= last)
        ),
        key=lambda consent: consent.given_on,
    )


def last_withdrawal(consents: Sequence[ConsentTerms], on: date) -> date | None:
    """Give the newest withdrawal up to a day, the day itself included; `None` where there is none."""
    return max((c.withdrawn_on for c in consents if c.withdrawn_on is not None and c.withdrawn_on <= on), default=None)


def consent_state(consents: Sequence[ConsentTerms], on: date) -> ConsentState:
    """Say what a patient's consents come to on a day (MIABIS permitted uses).

    Of several in force each permits what it permits: one for xenografts is enough.
    """
    current = in_force(consents, on)
    if any(consent.xenograft for consent in current):
        return ConsentState.GIVEN
    if current:
        return ConsentState.NOT_FOR_XENOGRAFT
    return ConsentState.NONE if last_withdrawal(consents, on) is None else ConsentState.WITHDRAWN


def withdrawn_from(consents: Sequence[ConsentTerms], on: date, use: str | None = None) -> date | None:
    """Give the day since which a patient no longer permits a use, of any kind unless one is named (GDPR, article 7(3)).

    `None` where a consent in force permits it, and where none that was withdrawn ever did.
    """
    if any(use is None or getattr(consent, use) for consent in in_force(consents, on)):
        return None
    ended = last_withdrawal(consents, on)
    permitted = (use is None or getattr(consent, use) for consent in consents if ended is not None and consent.given_on <= ended)
    return ended if any(permitted) else None


def require_not_withdrawn(
    consents: Sequence[ConsentTerms], on: date, patient_code: str, *, use: str | None = None, field: str, new: str
) -> None:
    """Refuse that something new is made of a patient's tissue after the consent was withdrawn (GDPR, article 7(3)).

    `new` names it in the sentence, such as `specimen is received`.

    Raises:
        DomainError: on the column `field`.
    """
    ended = withdrawn_from(consents, on, use)
    if ended is not None:
        raise DomainError(
            f"Patient {patient_code} withdrew consent on {ended}: no new {new} after that.",
            field=field,
            expected=f"a consent of {patient_code} in force on {on}",
            remedy="Do not take it in, and tell who is responsible for consents. A new consent is recorded first.",
            source=WITHDRAWAL_SOURCE,
        )


def doubt_withdrawn(consents: Sequence[ConsentTerms], on: date, patient_code: str, *, field: str) -> list[Notice]:
    """Doubt more of a patient's tissue that exists already, after the consent was withdrawn (Directive 2010/63/EU; GDPR)."""
    ended = withdrawn_from(consents, on)
    if ended is None:
        return []
    told = f"Patient {patient_code} withdrew consent on {ended}: what exists is kept account of, and not used any more."
    expected = "only what the welfare of an animal, safekeeping or disposal needs; say in a note which"
    return [Notice("warning", field, told, expected, source=WITHDRAWAL_SOURCE)]


def require_xenograft(consents: Sequence[ConsentTerms], on: date, patient_code: str) -> None:
    """Let tissue of a patient into a mouse only with a consent for xenografts in force on that day (MIABIS).

    Raises:
        DomainError: no consent, a withdrawn one, one that is not given yet, or one that does not permit xenografts.
    """
    state = consent_state(consents, on)
    if state is ConsentState.GIVEN:
        return
    raise DomainError(
        _why_not(consents, on, patient_code, state),
        field="aliquot_id",
        expected=f"a consent of {patient_code} that permits xenografts, in force on {on}",
        remedy=_REMEDIES[state],
        source=WITHDRAWAL_SOURCE if state is ConsentState.WITHDRAWN else GATE_SOURCE,
    )


_REMEDIES = {
    ConsentState.NONE: "Record the consent first, or implant tissue of another patient.",
    ConsentState.WITHDRAWN: "Implant tissue of another patient; tell who is responsible for consents.",
    ConsentState.NOT_FOR_XENOGRAFT: "Ask who is responsible for consents whether a newer one permits xenografts, and record it.",
}


def _why_not(consents: Sequence[ConsentTerms], on: date, patient_code: str, state: ConsentState) -> str:
    if state is ConsentState.WITHDRAWN:
        return f"Patient {patient_code} withdrew consent on {last_withdrawal(consents, on)}: nothing new is made of this tissue."
    if state is ConsentState.NOT_FOR_XENOGRAFT:
        given = in_force(consents, on)[-1].given_on
        return f"The consent of patient {patient_code} of {given} does not permit xenografts."
    coming = min((consent.given_on for consent in consents if consent.given_on > on), default=None)
    if coming is not None:
        return f"Patient {patient_code} gave consent on {coming}, which is after {on}."
    return f"No consent of patient {patient_code} is recorded."
