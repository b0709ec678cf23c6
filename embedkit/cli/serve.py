"""serve: answer questions over HTTP."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from embedkit.cli.options import model_option
from embedkit.errors import ConfigurationError

__all__ = ["serve"]


@click.command()
@model_option
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Listen here; the default is this machine only.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="Processes that answer; they share one copy of the vectors.",
)  # fmt: skip
@click.option(
    "--reload-model", is_flag=True,
    help="Serve every new state of the model directory; SIGHUP does that once.",
)  # fmt: skip
@click.option(
    "--api-key-file", type=click.Path(path_type=Path), metavar="FILE",
    help="Ask for one of these keys, one a line; EMBEDKIT_API_KEY sets one as well.",
)  # fmt: skip
@click.option("--insecure", is_flag=True, help="Let other machines ask without a key.")
@click.option(
    "--cors-origin", multiple=True, metavar="URL",
    help="Let pages of this site ask, such as https://example.org; may be repeated.",
)  # fmt: skip
@click.option(
    "--queue", type=click.IntRange(1), default=1024, show_default=True,
    help="Questions that may wait in a worker; past it the answer is 429.",
)  # fmt: skip
@click.option(
    "--body-limit", type=click.IntRange(1), default=1 << 20, show_default=True, metavar="BYTES",
    help="Size of a request's body.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(0.01), default=10.0, show_default=True, metavar="SECONDS",
    help="Give up an answer that takes longer.",
)  # fmt: skip
@click.option("--access-log", is_flag=True, help="Write a line for each request.")
def serve(
    model: str,
    host: str,
    port: int,
    workers: int,
    reload_model: bool,
    api_key_file: Path | None,
    insecure: bool,
    cors_origin: tuple[str, ...],
    queue: int,
    body_limit: int,
    timeout: float,
    access_log: bool,
) -> None:
    """Answer questions over HTTP, with a page at / and the API's description at /docs.

    Only this machine can ask unless --host says otherwise, which wants a key. A copy of the vectors
    for all workers lies in the folder for temporary files (TMPDIR) while the service runs.
    """
    try:
        from embedkit.service.server import ListenAddress
        from embedkit.service.server import serve as serve_http
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the service needs the package {error.name}.", hint="pip install 'embedkit[serve]'"
        ) from None
    from embedkit.service.settings import (
        ServiceSettings,
        read_keys,
        require_key_for_public_host,
    )

    keys = read_keys(api_key_file)
    require_key_for_public_host(host, keys, insecure=insecure)
    settings = ServiceSettings(
        model=_named(Path(model)),
        folder=Path(tempfile.gettempdir()),
        keys=keys,
        origins=cors_origin,
        queue=queue,
        body_limit=body_limit,
        timeout=timeout,
    )
    serve_http(settings, ListenAddress(host, port, workers, reload_model, access_log))


def _named(model: Path) -> Path:
    """Return the same directory by a path that ends in its name, which answers tell."""
    return model.resolve() if model.name in ("", "..") else model
