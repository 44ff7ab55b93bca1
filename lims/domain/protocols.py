"""What an animal protocol allows: how many animals, which procedures, from when until when.

Source: ARRIVE 2.0 item 14 (Percie du Sert et al., PLoS Biology 18:e3000410, 2020), ethical statement; Directive
2010/63/EU, articles 36 and 40: no procedure outside what was authorised; in the United States the PHS Policy, IV.C.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum

from lims.domain.colony_terms import ProtocolProcedure
from lims.domain.errors import DomainError
from lims.domain.sources import AUTHORISED

_FIELD = "protocol_id"
RENEWAL_NOTICE = timedelta(days=90)
"""A committee takes its time: so long before the expiry a protocol is shown as expiring."""


class ProtocolState(StrEnum):
    """Whether a protocol holds on a day."""

    NOT_YET_APPROVED = "not_yet_approved"
    HOLDS = "holds"
    EXPIRING = "expiring"
    EXPIRED = "expired"


def protocol_state(expires_on: date, approved_on: date | None, on: date) -> ProtocolState:
    """Give the state of a protocol on a day; its last day counts."""
    if on > expires_on:
        return ProtocolState.EXPIRED
    if approved_on is not None and on < approved_on:
        return ProtocolState.NOT_YET_APPROVED
    return ProtocolState.EXPIRING if on > expires_on - RENEWAL_NOTICE else ProtocolState.HOLDS


def require_protocol(
    code: str,
    expires_on: date,
    approved_on: date | None,
    animals_allowed: int,
    animals_used: int,
    wanted: int,
    on: date,
    procedure: ProtocolProcedure | None = None,
    procedures: Collection[str] = (),
) -> None:
    """Let animals into a protocol, or a procedure on one of its animals (Directive 2010/63/EU, ARRIVE 2.0 item 14).

    Args:
        code: the protocol's own number, for the sentence.
        expires_on: the last day on which it holds.
        approved_on: the first day; not checked where it is not recorded.
        animals_allowed: how many animals in all.
        animals_used: how many are under it already.
        wanted: how many more; 0 where an animal that is counted already has a procedure.
        on: the day it is for.
        procedure: what is to be done, if anything.
        procedures: the codes of `ProtocolProcedure` that it allows.

    Raises:
        DomainError: not approved yet, expired, the procedure is not allowed, or too many animals.
    """
    _require_dates(code, expires_on, approved_on, on)
    if procedure is not None and procedure.value not in procedures:
        allowed = ", ".join(procedure_words(one) for one in ProtocolProcedure if one.value in procedures)
        raise DomainError(
            f"Protocol {code} does not allow {procedure_words(procedure)}.",
            field=_FIELD,
            expected=f"one of the procedures it allows: {allowed}"
            if allowed
            else "a protocol that allows procedures; this one lists none",
            remedy="Choose another protocol, or have this one amended by the committee first.",
            source=AUTHORISED,
        )
    _require_animals(code, animals_allowed, animals_used, wanted)


def procedure_words(procedure: ProtocolProcedure) -> str:
    """Give a procedure as people write it."""
    return _WORDS.get(procedure, procedure.value.replace("_", " "))


_WORDS = {
    ProtocolProcedure.INTRACRANIAL: "intracranial implanting",
    ProtocolProcedure.INTRACAROTID: "intracarotid injection of cells",
    ProtocolProcedure.INTRACARDIAC: "intracardiac injection of cells",
    ProtocolProcedure.INTRATHECAL: "intrathecal injection of cells",
    ProtocolProcedure.MAMMARY_FAT_PAD: "implanting into the mammary fat pad",
    ProtocolProcedure.SUBCUTANEOUS: "subcutaneous implanting",
    ProtocolProcedure.TAIL_VEIN: "injection of cells into the tail vein",
    ProtocolProcedure.CSF_TAP: "CSF tap",
    ProtocolProcedure.BLOOD_DRAW: "drawing of blood",
    ProtocolProcedure.SURGERY: "surgery other than implanting",
}


def _require_dates(code: str, expires_on: date, approved_on: date | None, on: date) -> None:
    if approved_on is not None and on < approved_on:
        raise DomainError(
            f"Protocol {code} was approved on {approved_on}, after {on}.",
            field=_FIELD,
            expected=f"a day from {approved_on} to {expires_on}",
            remedy="Choose the protocol that held on that day, or correct the date.",
            source=AUTHORISED,
        )
    if on > expires_on:
        raise DomainError(
            f"Protocol {code} expired on {expires_on}, before {on}.",
            field=_FIELD,
            expected="a protocol that holds on that day",
            remedy="Choose another protocol, or record its renewal with the new date.",
            source=AUTHORISED,
        )


def _require_animals(code: str, allowed: int, used: int, wanted: int) -> None:
    if wanted < 0:
        raise DomainError(f"{wanted} animals cannot be asked for.", field=_FIELD, expected="0 or more", source=AUTHORISED)
    if wanted == 0 or used + wanted <= allowed:
        return
    raise DomainError(
        f"Protocol {code} allows {_counted(allowed)}; {_were(used, 'is', 'are')} used and {_were(wanted, 'was', 'were')} "
        f"asked for: {used + wanted - allowed} too many.",
        field=_FIELD,
        expected=f"at most {_counted(max(allowed - used, 0))} more",
        remedy="Ask for fewer, choose another protocol, or have this one amended by the committee first.",
        source=AUTHORISED,
    )


def _counted(number: int) -> str:
    return f"{number} animal" if number == 1 else f"{number} animals"


def _were(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
