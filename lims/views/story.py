"""The demo's story: from tissue to audit in five minutes, with links to the very records. Only a demo project has one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, url_for

from lims.domain.errors import NotFound
from lims.domain.synthetic import DEMO_PROJECT, DEMO_TITLE
from lims.domain.vocabulary import BatchState, Quality
from lims.queries.accounts import MyProject
from lims.queries.story import story as read_story
from lims.views.security import signed_in
from lims.views.support import current_project, current_session, needs, projects_of_account

pages = Blueprint("story", __name__, url_prefix="/p/<project_code>/story")


@pages.get("/")
@needs("project:read")
def show() -> str:
    """Walk through the demo's records."""
    if not _is_demo(current_project()):
        raise NotFound("Only the demo has a story.")
    return render_template(
        "story/show.html", story=read_story(current_session(), current_project().id), BatchState=BatchState, Quality=Quality
    )


def _is_demo(project: MyProject) -> bool:
    return (project.code, project.title) == (DEMO_PROJECT, DEMO_TITLE)


@pages.app_context_processor
def _entrance() -> dict[str, Any]:
    """Give every page the way to the story, where the person is in the demo."""
    demo = next(filter(_is_demo, projects_of_account()), None) if signed_in() else None
    return {"story_url": url_for("story.show", project_code=demo.code) if demo else None}
