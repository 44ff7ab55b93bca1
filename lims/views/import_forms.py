"""Forms of the import pages; the answers form is made from what the file leaves open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_wtf.file import FileRequired, MultipleFileField
from wtforms import (  # type: ignore[attr-defined]  # SelectChoice is newer than the stubs
    BooleanField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, ValidationError

from importers.base import Severity
from importers.registry import IMPORTERS
from lims.intake.accepted import ACCEPT
from lims.models import ImportBatch, Study
from lims.queries.blinding import Veil
from lims.views.filters import quoted, sentence
from lims.views.once import OnceForm

PREFIX = "answer-"
"""Names of question fields begin so: an importer's key cannot meet a field of the form itself."""
EVERYTHING = "animals,arms,study,agents,cages"
FEW = 5
"""Up to so many options of a question stand side by side; more are a list to choose from."""


def study_choices(studies: Sequence[Study]) -> list[SelectChoice]:
    """Give the studies to choose from, and none."""
    named = (SelectChoice(str(one.id), f"{one.code} · {one.title}") for one in studies)
    return [SelectChoice("", "None, or as the file says"), *named]


class UploadForm(OnceForm):
    """A file, and where it belongs."""

    file = MultipleFileField(
        "Choose a file, or several",
        [FileRequired("Choose a file first.")],
        description="xlsx, xls, xlsb, ods, csv, tsv or txt, up to 50 MB together. Stored and read; nothing is recorded yet.",
    )
    study = SelectField("Study", default="", description="Needed where the file counts days, or names arms.")
    supersedes = HiddenField()

    def validate_file(self, field: MultipleFileField) -> None:
        """Let one file replace a batch, never several."""
        if self.supersedes.data and len(field.data) > 1:
            raise ValidationError("One corrected file replaces a batch. Choose one.")

    def offer(self, studies: Sequence[Study]) -> None:
        """Fill the list of studies."""
        self.study.choices = study_choices(studies)


class AnswersForm(OnceForm):
    """What a person says of a file: the fields every file has; `answers_form` adds one for each open question."""

    importer = SelectField("Format")
    study = SelectField("Study")
    create = BooleanField("Create the animals, cages, arms, agents and study that this file names")
    leave_out = BooleanField("Leave out what is refused, and record the rest")
    changed = BooleanField("Accept the changed values as corrections")


class CommitForm(OnceForm):
    """The confirmation: of exactly what the check page showed."""

    digest = HiddenField()
    reason = StringField("Reason", description="Why recorded values change, or rows are left out.")


class WithdrawForm(OnceForm):
    """Taking a batch back."""

    reason = TextAreaField("Reason", [InputRequired("Say why its numbers should not count; the reason stays in the trail.")])


class TypedRadioField(RadioField):
    """One of a few answers, or what is typed beside them."""

    def __init__(self, label: str, *, typed: str, choices: Sequence[SelectChoice], **settings: Any) -> None:
        super().__init__(label, choices=choices, validate_choice=False, **settings)
        self.typed, self._offered = typed, frozenset(choice.value for choice in choices)

    @property
    def text(self) -> str:
        """Give what was typed; nothing where one of the answers was chosen."""
        return "" if self.data is None or self.data in self._offered else str(self.data)

    def process(self, formdata: Any, *data: Any, **more: Any) -> None:
        """Take what was chosen. What is typed while the choice stays as it was counts: nobody types to no purpose."""
        super().process(formdata, *data, **more)
        text = formdata.get(f"{self.name}-typed", "").strip() if formdata else ""
        if text and (not self.data or self.data == self.object_data):
            self.data = text


def commit_form(batch: ImportBatch, digest: str | None) -> CommitForm:
    """Make the confirmation of what the page shows; a reason is needed where recorded values change."""
    form = CommitForm(data={"digest": digest})
    if batch.choices.get("changed") and (batch.report or {}).get("changed"):
        form.reason.flags.required = True
    return form


def answers_form(batch: ImportBatch, studies: Sequence[Study], hide: Veil) -> AnswersForm:
    """Make the form for a batch, filled with what was answered, else with what is proposed; `hide` passes what it says."""
    report = batch.report or {}
    choices = batch.choices
    fields: dict[str, Any] = {}
    questions = report.get("questions", [])
    for question in questions:
        fields[PREFIX + question["key"]] = _question_field(question, hide)
    form: AnswersForm = type("AnswersOfFile", (AnswersForm,), fields)(
        data={
            "importer": batch.importer or "",
            "study": str(batch.study_id or ""),
            "create": bool(choices.get("create")),
            "leave_out": choices.get("leave_out") == "refused",
            "changed": choices.get("changed") == "accept",
        }
    )
    form.importer.choices = [SelectChoice("", "Not recognised: choose"), *(SelectChoice(one.key, one.title) for one in IMPORTERS)]
    form.study.choices = study_choices(studies)
    waiting = {one["code"] for one in report.get("groups", []) if one["severity"] == Severity.ERROR}
    for question in questions:
        flags = form[PREFIX + question["key"]].flags
        flags.awaited = f"question-{question['key']}" in waiting
        flags.answered = question["answer"] is not None
    return form


def _question_field(question: Mapping[str, Any], hide: Veil) -> Any:
    evidence = sentence(question["evidence"]).rstrip(".")
    parts = [f"{evidence}." if evidence and evidence[-1] not in "?!" else evidence]
    parts += [f"Samples: {', '.join(question['samples'])}."] if question["samples"] else []
    prompt, described = hide.text(question["prompt"]), quoted(hide.text(" ".join(filter(None, parts))))
    if question["options"] and question["typed"]:
        choices = [SelectChoice(value, hide.text(label)) for value, label in question["options"]]
        return TypedRadioField(
            prompt, typed=hide.text(question["typed"]), choices=choices, default=question["answer"], description=described
        )
    if question["options"]:
        field = RadioField if len(question["options"]) <= FEW else SelectField
        choices = [SelectChoice(value, hide.text(label)) for value, label in question["options"]]
        if field is SelectField and question["answer"] is None:
            # A list shows its first choice as if it were chosen: what nobody answered must not be answered by the next check.
            choices.insert(0, SelectChoice("", "Choose…"))
        return field(
            prompt,
            choices=choices,
            default=question["answer"],
            description=described,
            validate_choice=False,
        )
    return StringField(prompt, default=question["answer"] or "", description=described)


def question_fields(form: AnswersForm) -> list[Any]:
    """Give the fields of open questions, for the page."""
    return [one for one in form if one.name.startswith(PREFIX)]


def given_answers(form: AnswersForm, batch: ImportBatch) -> dict[str, str]:
    """Give the answers as choices; an emptied one is taken back. Kinds of changes that were accepted one by one stay so."""
    kinds = batch.choices.get("changed", "").replace(ACCEPT, "")
    answers = {one.name.removeprefix(PREFIX): str(one.data or "").strip() for one in question_fields(form)}
    return answers | {
        "create": EVERYTHING if form.create.data else "",
        "leave_out": "refused" if form.leave_out.data else "",
        "changed": ACCEPT if form.changed.data else kinds,
    }
