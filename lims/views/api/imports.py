"""Imports by programs: a file or records in, through the same path as on the pages; and how that stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec

import orjson
from flask import Blueprint, Response, g, request, url_for
from sqlalchemy.orm import Session

from lims.audit.record import Actor
from lims.domain.errors import DomainError, NotFound
from lims.domain.permissions import require
from lims.domain.vocabulary import BatchState, JobKind, JobState
from lims.intake.answers import already_there, answer_of, study_named
from lims.intake.profiles import receive_by_profile
from lims.intake.requests import keep_request, known_batch
from lims.intake.store import FileStore
from lims.intake.upload import DEAD, receive
from lims.jobs.start import start
from lims.jobs.table import ask
from lims.models import ImportBatch, Job, Project
from lims.queries.imports import all_findings, batch_of, project_of_batch
from lims.queries.jobs import latest_job
from lims.views.api.asked import Asked, asked, parameters
from lims.views.api.bearer import TAKES_IMPORTS
from lims.views.api.problems import IMPORTS, PREFIX, problem
from lims.views.import_check import as_read
from lims.views.import_findings import SAID
from lims.views.import_jobs import look_at
from lims.views.request_log import request_id
from lims.views.support import current_account, current_project, current_session, needs, projects_of_account
from lims.views.transaction import answer_now, installation

pages = Blueprint(TAKES_IMPORTS.partition(".")[0], __name__)
Parameters = ParamSpec("Parameters")
View = Callable[Parameters, Response]
RETRY_SECONDS = 1


def of_named_project(view: View[Parameters]) -> View[Parameters]:
    """Let a request be about the project that it names, or about the only one that its person belongs to."""

    @wraps(view)
    def named(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Response:
        codes = [one.code for one in projects_of_account()]
        code = parameters().get("project") or (codes[0] if len(codes) == 1 else "")
        if not code:
            raise DomainError(
                "Say which project.", field="project", expected=f"one of {', '.join(codes)}" if codes else "a project"
            )
        g.project_code = code
        return view(*args, **kwargs)

    return named


def of_project_of_batch(view: View[Parameters]) -> View[Parameters]:
    """Let a request be about the project of its batch; a batch of another person's project is not found."""

    @wraps(view)
    def found(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Response:
        code = project_of_batch(current_session(), int(str(kwargs["batch_id"])))
        if code not in {one.code for one in projects_of_account()}:
            raise NotFound(f"There is no import {kwargs['batch_id']} in any project of yours.")
        g.project_code = code
        return view(*args, **kwargs)

    return found


@pages.post(IMPORTS)
@pages.post(f"{PREFIX}/imports")
@of_named_project
@needs("batch:store")
def take() -> Response:
    """Take a file or records in, and check or record them."""
    session, account = current_session(), current_account()
    said, actor = asked(), Actor(account.id, account.name, "api", request_id())
    key, job_id = request.headers.get("Idempotency-Key"), None
    batch = known_batch(session, g.token_id, current_project().id, key, said.digest) if key is not None else None
    if batch is None:
        batch = _receive(session, actor, said)
        if key is not None:
            keep_request(session, g.token_id, batch, key, said.digest)
        if batch.state is BatchState.COMMITTED:
            return _json(already_there(batch) | _about(batch, None))
        job_id = _ask(session, actor, batch, said)
    else:
        job = latest_job(session, batch)
        if job is not None and job.state is JobState.FAILED and batch.state not in (BatchState.COMMITTED, *DEAD):
            job_id = _ask(session, actor, batch, said)
    batch_id = batch.id
    answer_now(url_for(".show", batch_id=batch_id))
    if job_id is not None:
        start(installation().settings, installation().database, job_id)
    return _standing(batch_of(current_session(), current_project().id, batch_id))


@pages.get(f"{IMPORTS}/<int:batch_id>")
@pages.get(f"{PREFIX}/imports/<int:batch_id>")
@of_project_of_batch
@needs("project:read")
def show(batch_id: int) -> Response:
    """Say how an import stands."""
    return _standing(batch_of(current_session(), current_project().id, batch_id))


def _receive(session: Session, actor: Actor, said: Asked) -> ImportBatch:
    project = session.get_one(Project, current_project().id)
    study = study_named(session, project, said.study, said.choices, made_by="create=study")
    replaced = None
    if said.supersede is not None:
        require(current_project().role, "batch:supersede")
        replaced = batch_of(session, project.id, said.supersede)
    place = (session, actor, FileStore(installation().settings.file_dir), project, said.name, said.content)
    more: dict[str, Any] = {"study": study, "choices": said.choices, "supersedes": replaced}
    if said.profile:
        return receive_by_profile(*place, said.profile, **more)[0]
    return receive(*place, importer=said.importer, **more)[0]


def _ask(session: Session, actor: Actor, batch: ImportBatch, said: Asked) -> int:
    kind = JobKind.COMMIT if said.commit else JobKind.CHECK
    require(current_project().role, f"batch:{kind.value}")
    return ask(session, actor, batch, kind, reason=said.reason, accept=said.accept).id


def _standing(batch: ImportBatch) -> Response:
    """Answer with what an import came to, or how far it is; a request whose job failed is answered by the reason."""
    job = latest_job(current_session(), batch)
    if job is not None and job.state is JobState.FAILED and request.method == "POST":
        return _linked(problem(HTTPStatus.CONFLICT, job.message or ""), batch)
    report, hide = as_read(batch)
    told = answer_of(batch.id, batch.state, batch.importer, report, all_findings(current_session(), batch))
    if hide.studies:
        told["findings"] = [one | hide.within({name: one[name] for name in SAID}) for one in told["findings"]]
    response = _json(told | _about(batch, job))
    if job is not None and job.active:
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return _linked(response, batch)


def _linked(response: Response, batch: ImportBatch) -> Response:
    response.headers["Location"] = url_for(".show", batch_id=batch.id)
    return response


def _about(batch: ImportBatch, job: Job | None) -> dict[str, Any]:
    """Give what the answer says beside the outcome: where it belongs, and how its job stands."""
    code = current_project().code
    links = {"self": url_for(".show", batch_id=batch.id), "page": url_for("imports.show", project_code=code, batch_id=batch.id)}
    told: dict[str, Any] = {"project": code, "file": batch.file_name, "job": None, "links": links}
    if job is not None:
        look = look_at(job) if job.active else None
        told["job"] = {
            "kind": job.kind.value,
            "state": job.state.value,
            "step": look.words if look else None,
            "fraction": look.fraction if look else None,
            "message": job.message,
        }
    return told


def _json(told: dict[str, Any]) -> Response:
    return Response(orjson.dumps(told, option=orjson.OPT_UTC_Z), content_type="application/json")
