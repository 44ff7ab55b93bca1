"""`lims serve`: the pages, by waitress."""

from __future__ import annotations

import click

from lims.commands.support import Refusal, settings_of

THREADS = 8


@click.command()
@click.option("--host", help="Network address to listen on. Otherwise LIMS_HOST, otherwise this machine only.")
@click.option("--port", type=click.IntRange(1, 65535), help="Otherwise LIMS_PORT, otherwise 5000.")
@click.pass_context
def serve(context: click.Context, host: str | None, port: int | None) -> None:
    """Serve the pages until interrupted."""
    import waitress

    from lims import logs
    from lims.app import ConfigurationError, create_app

    settings = settings_of(context)
    settings = settings.model_copy(update={"host": host or settings.host, "port": port or settings.port})
    require_current_tables(settings.url)
    try:
        app = create_app(settings)
    except ConfigurationError as refused:
        raise click.UsageError(str(refused)) from refused
    logs.configure()
    click.echo(f"Serving at http://{settings.host}:{settings.port}", err=False)
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
    waitress.serve(app, host=settings.host, port=settings.port, threads=THREADS, ident=None, _quiet=True, **proxy)


def require_current_tables(url: str) -> None:
    """Refuse to serve a database whose tables are older or newer than the code."""
    from lims import migrate

    at, heads = migrate.current(url), migrate.heads()
    if at is None:
        raise Refusal("This database has no tables yet: run `lims init` first.")
    if at not in heads:
        needed = ", ".join(heads)
        raise Refusal(f"The database's tables are at {at}, this version needs {needed}: back it up, then run `lims upgrade`.")
