"""Makes the web application: settings, database, extensions and pages, and nothing else."""

from __future__ import annotations

import os
import secrets
from importlib import import_module
from pathlib import Path

from flask_wtf import CSRFProtect

from importers.preflight import MAX_UPLOAD_BYTES
from lims.config import Settings
from lims.db import Database
from lims.paths import templates_dir
from lims.views import errors, filters, headers, kept, marks, navigation, request_log, rows, security, support
from lims.views.compiled import kept_templates
from lims.views.transaction import Application, Installation, close_session

BLUEPRINTS = (
    "lims.views.home",
    "lims.views.account",
    "lims.views.tokens",
    "lims.views.api.resources",
    "lims.views.api.imports",
    "lims.views.api.guide",
    "lims.views.people",
    "lims.views.projects",
    "lims.views.patients",
    "lims.views.aliases",
    "lims.views.consents",
    "lims.views.therapy",
    "lims.views.specimens",
    "lims.views.assays",
    "lims.views.alterations",
    "lims.views.stains",
    "lims.views.profiles",
    "lims.views.models",
    "lims.views.checks",
    "lims.views.storage",
    "lims.views.aliquots",
    "lims.views.preparations",
    "lims.views.studies",
    "lims.views.study_steps",
    "lims.views.amendments",  # and with it lims.views.signatures, whose addresses these are
    "lims.views.study_survival",
    "lims.views.study_missing",
    "lims.views.study_export",
    "lims.views.figures",
    "lims.views.arms",
    "lims.views.enrolments",
    "lims.views.randomisation",
    "lims.views.agents",
    "lims.views.lots",
    "lims.views.regimens",
    "lims.views.dose_volume",
    "lims.views.doses",
    "lims.views.dosing",
    "lims.views.measurements",
    "lims.views.kinds",
    "lims.views.procedures",
    "lims.views.exposures",
    "lims.views.colony",
    "lims.views.animals",
    "lims.views.cages",
    "lims.views.implants",
    "lims.views.protocols",
    "lims.views.endpoints",
    "lims.views.actions",
    "lims.views.fates",
    "lims.views.imports",
    "lims.views.import_edits",
    "lims.views.import_names",
    "lims.views.import_records",
    "lims.views.uploads",
    "lims.views.mapping",
    "lims.views.import_profiles",
    "lims.views.import_jobs",
    "lims.views.templates",
    "lims.views.audit",
    "lims.views.patterns",
    "lims.views.story",
    "lims.views.lineage",
    "lims.views.search",
    "lims.views.saved_views",
)
"""Modules with a blueprint called `pages`."""
FORM_MEMORY_BYTES = 2 * 2**20
FORM_PARTS = 5_000


class ConfigurationError(ValueError):
    """Settings that contradict each other."""


def create_app(settings: Settings, database: Database | None = None) -> Application:
    """Make the application for these settings, on `database` or on the one the settings name."""
    if settings.mail_server and not settings.trusted_hosts:
        raise ConfigurationError(
            "LIMS_MAIL_SERVER is set and LIMS_TRUSTED_HOSTS is not: a forged host name would then stand in the links of "
            "password messages. Name the hosts, such as LIMS_TRUSTED_HOSTS='[\"lims.lab.org\"]'."
        )
    app = Application("lims", template_folder=str(templates_dir()), static_folder=str(Path(__file__).parent / "static"))
    app.extensions["lims"] = Installation(settings, database or Database(settings.url, settings.zone))
    app.config.update(
        SECRET_KEY=settings.secret_key or stored_secret_key(settings.data_dir),
        MAX_CONTENT_LENGTH=MAX_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_MEMORY_BYTES,
        MAX_FORM_PARTS=FORM_PARTS,
        TRUSTED_HOSTS=settings.trusted_hosts or None,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_env.bytecode_cache = kept_templates(settings.data_dir)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.configure(app, settings)
    # The order matters: id and log, headers, forged forms, then who it is.
    request_log.install(app)
    app.before_request(errors.refuse_foreign_host)
    headers.install(app, https_only=settings.https_only)
    # Programs show a token with each import, which no other site can do for them.
    CSRFProtect(app).exempt("lims.views.api.imports.take")
    support.install(app)
    for module in BLUEPRINTS:
        app.register_blueprint(import_module(module).pages)
    security.install(app)
    navigation.install(app)
    filters.install(app)
    marks.install(app)
    rows.install(app)
    kept.install(app)
    errors.install(app)
    app.teardown_request(close_session)
    return app


def stored_secret_key(folder: Path) -> str:
    """Give the key that signs sessions, made in the data folder at the first start and readable by its owner only."""
    file = folder / "secret-key"
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    # Two processes may start at once: the key is whole before it has its name, and the first one to name it wins.
    draft = folder / f"secret-key.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(secrets.token_urlsafe(48))
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text(encoding="ascii").strip()
