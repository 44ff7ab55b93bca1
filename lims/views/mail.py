"""Sends a plain message through the installation's mail server, beside the request: its duration tells nobody anything."""

from __future__ import annotations

import smtplib
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import structlog

SECONDS = 20
SMTP_PORT = 25
_sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
log = structlog.stdlib.get_logger("lims.mail")


def send_text(server: str, *, sender: str, recipient: str, subject: str, body: str) -> None:
    """Queue a text message; `server` is host or host:port. A failure is logged without the recipient."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message.set_content(body)
    _sender.submit(_deliver, server, message)


def _deliver(server: str, message: EmailMessage) -> None:
    host, _, port = server.partition(":")
    try:
        with smtplib.SMTP(host, int(port or SMTP_PORT), timeout=SECONDS) as connection:
            if connection.has_extn("starttls"):
                connection.starttls()
            connection.send_message(message)
    except (OSError, smtplib.SMTPException) as failed:
        log.warning("mail not sent", error=type(failed).__name__, subject=message["Subject"])
