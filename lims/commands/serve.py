"""`lims serve`: the pages, by waitress."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from importers.preflight import MAX_UPLOAD_BYTES
from lims.commands.loading import collecting_later
from lims.commands.support import Refusal, require_current_tables, settings_of
from lims.commands.warm import loaded_when_idle
from lims.commands.worker import worker_beside

if TYPE_CHECKING:
    from lims.config import Settings
    from lims.views.transaction import Application

THREADS = 8
BACKLOG = 1024
"""Connections waiting to be taken."""
CONNECTIONS = 500
"""Connections open at once; slow clients hold one each, and a thread only once all that they send is there."""
LARGEST_BODY = 4 * MAX_UPLOAD_BYTES
"""Bytes the server takes before the application, which refuses a file beyond `MAX_UPLOAD_BYTES` with a page, is asked at all."""


@click.command()
@click.option("--host", help="Network address to listen on. Otherwise LIMS_HOST, otherwise this machine only.")
@click.option("--port", type=click.IntRange(1, 65535), help="Otherwise LIMS_PORT, otherwise 5000.")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None) -> None:
    """Serve the pages until interrupted."""
    import waitress

    settings = settings_of(context)
    settings = settings.model_copy(update={"host": host or settings.host, "port": port or settings.port})
    app, listening = prepare(settings)
    # Behind a proxy with a certificate, and only then, its word on the caller's address and scheme is taken.
    proxy = (
        {
            "trusted_proxy": "127.0.0.1",
            "trusted_proxy_count": 1,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
            "clear_untrusted_proxy_headers": True,
        }
        if settings.https_only
        else {}
    )
    click.echo(f"Serving at http://{settings.host}:{settings.port}")
    limits = {"max_request_body_size": LARGEST_BODY, "connection_limit": CONNECTIONS}
    with worker_beside(settings), loaded_when_idle(app):
        waitress.serve(app, sockets=[listening], threads=THREADS, ident=None, _quiet=True, **limits, **proxy)


@collecting_later()
def prepare(settings: Settings) -> tuple[Application, socket.socket]:
    """Make what is served, and the socket to serve it on."""
    from lims import logs
    from lims.app import ConfigurationError, create_app

    require_current_tables(settings.url)
    listening = listen(settings.host, settings.port)
    try:
        app = create_app(settings)
    except ConfigurationError as refused:
        listening.close()
        raise click.UsageError(str(refused)) from refused
    logs.configure()
    return app, listening


def listen(host: str, port: int) -> socket.socket:
    """Open the socket to serve on; refuses a port that somebody else has, or an address that is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as refused:
        raise Refusal(f"Cannot listen at {host}, port {port}: {refused.strerror}. Choose another --host or --port.") from refused
