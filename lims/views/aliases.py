"""The pages of animals' other names: each is shown on its animal's page, given there, and withdrawn with a reason."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import Blueprint, url_for
from wtforms import StringField

from lims.domain.vocabulary import RecordStatus
from lims.models import Animal
from lims.queries.animals import aliases_of
from lims.records.aliases import ALIAS
from lims.views.cells import badge
from lims.views.filters import may
from lims.views.form_fields import CodeField, needed
from lims.views.record_forms import Group, RecordForm
from lims.views.record_pages import RecordPages, install
from lims.views.support import current_session


class AliasForm(RecordForm):
    """A name that files use for an animal."""

    groups = (Group("Other name", ("animal_id", "alias"), "A file that uses it is read as if it said the animal's id."),)
    once: ClassVar = frozenset({"animal_id"})

    animal_id = CodeField("Animal", Animal, [needed("Name the animal.")])
    alias = StringField("Other name", [needed("Give the name that files use.")], description="Exactly as the files write it.")


def alias_table(animal: Animal) -> dict[str, Any]:
    """Give the table of an animal's other names, the withdrawn ones too."""
    columns = [
        {"key": "alias", "label": "Name", "mono": True},
        {"key": "record", "label": "Record"},
        {"key": "step", "label": "Change"},
    ]
    names = aliases_of(current_session(), animal.id)
    return {"caption": f"Other names of {animal.code}", "columns": columns, "rows": [_row(one) for one in names]}


def _row(alias: Any) -> dict[str, Any]:
    step = "Bring back" if alias.status is RecordStatus.WITHDRAWN else "Withdraw"
    return {
        "alias": {"text": alias.alias, "url": url_for("aliases.history", record_id=alias.id)},
        "record": badge(alias.status),
        "step": {"text": step, "url": url_for("aliases.withdraw", record_id=alias.id)} if may("alias:withdraw") else None,
    }


PAGES = RecordPages(
    pages=Blueprint("aliases", __name__, url_prefix="/p/<project_code>/other-names"),
    noun=ALIAS,
    form=AliasForm,
    home=lambda alias: url_for("animals.show", animal_id=alias.animal_id),
    lead="For good: every file that comes later is read by it.",
    changes=False,
)
pages = install(PAGES)
