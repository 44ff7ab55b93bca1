"""The demo's files, study by study: most as they should be, and one of each thing that goes wrong in a laboratory."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from lims.demo.cohorts import SCREENING, Cohort, Mouse
from lims.demo.desk import Desk
from lims.demo.files import Oddity, body_weights, caliper_long, caliper_wide, living_image, spoilt
from lims.demo.people import Staff
from lims.demo.studies import Recorded
from lims.domain.vocabulary import BatchState, Quality
from lims.models import Measurement
from lims.records.measurements import Correction, correct_measurements

FAILED_INJECTION_DAY = 21
EXPIRED_DAY, REPEATED_DAY = 24, 25
SATURATED_DAY = 28
SWAPPED_DAY = 12
HALF_TIME = 21
LIVING_IMAGE_ANSWERS = {"encoding": "cp1252", "animal_column": "roi_label"}


def screening(desk: Desk, staff: Staff, recorded: Recorded) -> None:
    """What the animals are randomised on: the first imaging session, or a screening list with decimal commas."""
    cohort = recorded.cohort
    if cohort.plan.brain:
        _record_session(desk, staff, recorded, 0, _session(cohort, 0))
        return
    name = f"{cohort.day_zero} screening {cohort.plan.code}.csv"
    desk.record(staff.technician, name, caliper_wide(cohort, SCREENING), recorded.study)


def brain_files(desk: Desk, staff: Staff, recorded: Recorded) -> None:
    """Imaging sessions and weighings of the brain study; a failed injection, an expired lot, a saturated image, a swap."""
    cohort = recorded.cohort
    vehicle, antibody = _first(cohort, "VEH"), _first(cohort, "TRAS")
    odd = {
        FAILED_INJECTION_DAY: Oddity(factors={antibody.code: 0.05}),
        EXPIRED_DAY: Oddity(everywhere=0.31),
        SATURATED_DAY: Oddity(saturated=[vehicle.code]),
    }
    for day in cohort.plan.sessions()[1:]:
        batch = _record_session(desk, staff, recorded, day, _session(cohort, day, odd.get(day)))
        if day == EXPIRED_DAY:
            desk.withdraw(
                staff.scientist, batch, "luciferin lot past its date: light too low in all animals; imaged again next day"
            )
            repeated = living_image(cohort, REPEATED_DAY, _shining(cohort, day), measured=day)
            _record_session(desk, staff, recorded, REPEATED_DAY, repeated)
    _exclude(desk, staff, recorded, antibody)
    _brain_weights(desk, staff, recorded)


def _brain_weights(desk: Desk, staff: Staff, recorded: Recorded) -> None:
    cohort = recorded.cohort
    first = [day for day in cohort.plan.weighings() if day <= HALF_TIME]
    name = f"{cohort.on(HALF_TIME)} weights {cohort.plan.code}"
    one, other = cohort.enrolled()[:2]
    swapped = (SWAPPED_DAY, one.code, other.code)
    wrong = desk.record(staff.technician, f"{name}.xlsx", body_weights(cohort, first, swapped), recorded.study)
    desk.record(
        staff.scientist,
        f"{name} corrected.xlsx",
        body_weights(cohort, first),
        recorded.study,
        supersedes=wrong,
        reason=f"{swapped[1]} and {swapped[2]} were taken for each other on day {SWAPPED_DAY}: paper sheet compared",
    )
    second = [day for day in cohort.plan.weighings() if day > HALF_TIME]
    last = cohort.on(cohort.plan.last_day)
    desk.record(staff.technician, f"{last} weights {cohort.plan.code}.xlsx", body_weights(cohort, second), recorded.study)


def _exclude(desk: Desk, staff: Staff, recorded: Recorded, mouse: Mouse) -> None:
    """Exclude the readings after a failed injection: they stay, with the reason, and no longer count."""
    reason = "luciferin injection failed: light falls on this day and is back at the next session"
    excluded = {"quality": (Quality.OK.value, Quality.EXCLUDED.value), "quality_reason": (None, reason)}
    of_that_day = select(Measurement.id).where(
        Measurement.animal_id == recorded.animals[mouse.code],
        Measurement.taken_on == recorded.cohort.on(FAILED_INJECTION_DAY),
        Measurement.kind.in_(("bli_total_flux", "bli_radiance")),
    )
    with desk.database.transaction() as session:
        corrections = [Correction(key, dict(excluded)) for key in session.scalars(of_that_day.order_by(Measurement.id))]
        correct_measurements(session, staff.scientist, staff.project, corrections, reason=reason)


def fat_pad_files(desk: Desk, staff: Staff, recorded: Recorded) -> None:
    """Caliper tables of the fat-pad study: a table that grows, and weights."""
    cohort, study = recorded.cohort, recorded.study
    days = [day for day in cohort.plan.sessions() if day > 0]
    until = [day for day in days if day <= HALF_TIME]
    for some in (until, days):
        name = f"{cohort.on(some[-1])} caliper {cohort.plan.code}.xlsx"
        desk.record(staff.technician, name, caliper_long(cohort, some, "TH"), study)
    name = f"{cohort.on(cohort.plan.last_day)} weights {cohort.plan.code}.xlsx"
    desk.record(staff.technician, name, body_weights(cohort, cohort.plan.weighings()), study)


def running_files(desk: Desk, staff: Staff, recorded: Recorded) -> None:
    """The running study's files; of the last session, one copy edited by hand is refused, and the instrument's own waits."""
    cohort, study = recorded.cohort, recorded.study
    _, *earlier, last = cohort.plan.sessions()
    for day in earlier:
        _record_session(desk, staff, recorded, day, _session(cohort, day))
    weighings = cohort.plan.weighings()
    for some in (weighings[:3], weighings):
        name = f"{cohort.on(some[-1])} weights {cohort.plan.code}.xlsx"
        desk.record(staff.technician, name, body_weights(cohort, some), study)
    waiting = _session(cohort, last)
    edited = spoilt(waiting, lambda text: _by_hand(text, *_shining(cohort, last)[2:4]))
    name = _imaging(cohort, last)
    desk.check(staff.technician, name.replace(".csv", " edited.csv"), edited, study, expect=BatchState.REFUSED)
    desk.check(staff.scientist, name, waiting, study)


def _by_hand(text: str, unknown: Mouse, marked: Mouse) -> str:
    """Mistype one animal's number, and put a footnote mark where another one's flux was."""
    lines = text.replace(unknown.code, f"{unknown.code}9").split("\r\n")
    place = next(index for index, line in enumerate(lines) if f",{marked.code}," in line)
    cells = lines[place].split(",")
    cells[3] = "1*"
    lines[place] = ",".join(cells)
    return "\r\n".join(lines)


def _first(cohort: Cohort, arm: str) -> Mouse:
    return next(mouse for mouse in cohort.mice if mouse.arm == arm)


def _shining(cohort: Cohort, day: int) -> Sequence[Mouse]:
    return [mouse for mouse in cohort.mice if day in mouse.flux]


def _record_session(desk: Desk, staff: Staff, recorded: Recorded, day: int, content: bytes) -> int:
    """Record an imaging session: the first one over its check page, the others with the answers that were given there."""
    name = _imaging(recorded.cohort, day)
    if day == 0:
        return desk.record(staff.scientist, name, content, recorded.study)
    return desk.record_at_once(staff.scientist, name, content, recorded.study, LIVING_IMAGE_ANSWERS)


def _session(cohort: Cohort, day: int, odd: Oddity | None = None) -> bytes:
    return living_image(cohort, day, _shining(cohort, day), odd)


def _imaging(cohort: Cohort, day: int) -> str:
    return f"{cohort.on(day)} IVIS {cohort.plan.model}.csv"
