"""``casecoder-serve``: run the HTTP service."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from nlp.bundle import open_bundle
from nlp.cli import guarded
from nlp.errors import BackendUnavailable, SettingsError
from nlp.settings import Settings

app = typer.Typer(
    help="Run casecoder's HTTP service on this machine.", no_args_is_help=True, pretty_exceptions_enable=False
)


@app.callback()
def main() -> None:
    """Run casecoder's HTTP service on this machine."""


@app.command()
@guarded
def run(
    host: Annotated[
        str, typer.Option(help="Address to listen on: this machine only, as long as there are no keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve suggestions and redactions over HTTP; Ctrl-C stops after open requests are answered."""
    if not _is_loopback(host):
        raise SettingsError(
            f"{host} can be reached from other machines, and this version has no access keys: "
            "use 127.0.0.1, behind a proxy that asks for a password"
        )
    try:
        import uvicorn

        from .app import create_app
    except ModuleNotFoundError:
        raise BackendUnavailable("the service", "service") from None
    settings = Settings.from_env()
    bundle = open_bundle(settings.bundle)  # one that cannot be used is said in a sentence, before anything listens
    pipeline = bundle.pipeline(max_characters=settings.max_characters)
    typer.echo(f"casecoder listens on http://{host}:{port}/v1; no keys are set, so this machine only", err=True)
    # Access logs hold paths only, but tell who asked when: off. Lifespan on: a bundle that fails to load stops the
    # start.
    uvicorn.run(
        create_app(pipeline, bundle=bundle, settings=settings),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
