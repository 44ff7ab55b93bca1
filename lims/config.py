"""Typed settings from the environment (`LIMS_…`); a bad one fails at start, by name."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class JobsRun(StrEnum):
    """Where long work is done."""

    WORKER = "worker"
    HERE = "here"


class Settings(BaseSettings):
    """How this installation runs."""

    model_config = SettingsConfigDict(env_prefix="LIMS_", extra="ignore")

    data_dir: Path = Field(default_factory=lambda: user_data_path("bcbm-lims"))
    """Where the embedded database, the stored files and the checkpoint key live."""
    database_url: str | None = None
    """SQLAlchemy URL; without one, a SQLite file in the data folder."""
    secret_key: str | None = None
    """Signs sessions; without one, a key is made in the data folder at the first start."""
    timezone: str = "UTC"
    """The lab's time zone: files' local times are read in it, pages show it."""
    lab_name: str = "PDX laboratory"
    host: str = "127.0.0.1"
    port: int = Field(default=5000, ge=1, le=65535)
    https_only: bool = False
    """Send cookies over HTTPS only; on wherever the server is reached through a proxy with a certificate."""
    trusted_hosts: list[str] = Field(default_factory=list)
    """Host names this installation answers to; empty: any."""
    import_memory_mb: int = Field(default=1536, ge=256)
    """Address space of the child process that reads an uploaded file, MiB."""
    password_memory_kib: int = Field(default=65_536, ge=19_456)
    """Memory one password hash takes, KiB; less is quicker and weaker (OWASP names 19 MiB as the least)."""
    import_seconds: int = Field(default=300, ge=5)
    """Processor seconds the child process may use."""
    jobs: JobsRun = JobsRun.WORKER
    """Who checks and records what pages and programs upload: a worker, or the process that is asked, which then waits."""
    checkpoint_dir: Path | None = None
    """Another folder (on another machine, best) that receives a copy of each checkpoint of the audit trail."""
    mail_server: str | None = None
    """SMTP server for password resets, host or host:port; without one, an administrator resets passwords."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError(f"{value!r} is no time zone; expected an IANA name such as Europe/Amsterdam") from unknown
        return value

    @property
    def zone(self) -> ZoneInfo:
        """Give the lab's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def url(self) -> str:
        """Give the database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'lims.db'}"

    @property
    def file_dir(self) -> Path:
        """Give the folder of the stored files."""
        return self.data_dir / "files"
