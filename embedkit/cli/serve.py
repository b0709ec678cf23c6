"""serve: the HTTP service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from embedkit.cli.options import models_argument, workers_option
from embedkit.cli.output import printed_warnings
from embedkit.cli.parameters import ModelPath, Number, WholeNumber
from embedkit.errors import ConfigurationError

__all__ = ["serve"]

# Options that are fields of ListenAddress; the others are fields of ServiceSettings.
_LISTENING = ("port", "workers", "reload", "trusted_proxies", "access_log")


@click.command()
@models_argument
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; the default accepts connections from this machine only.",
)
@click.option(
    "--port", type=WholeNumber(0, 65535), default=8000, show_default=True,
    help="Port to listen on; 0 chooses a free one.",
)  # fmt: skip
@click.option(
    "--search", type=click.Path(path_type=Path), metavar="INDEX",
    help="Also answer POST /v1/search from this search index.",
)  # fmt: skip
@workers_option("Processes; they share one copy of the vectors.", WholeNumber(1, 256), 1)
@click.option(
    "--classifier", "classifiers", type=ModelPath(), multiple=True, metavar="PATH",
    help="Directory that classify train wrote, or NAME=PATH; repeatable.",
)  # fmt: skip
@click.option(
    "--reload-model", "reload", is_flag=True,
    help="Reload the model whenever its directory changes; SIGHUP reloads it once.",
)  # fmt: skip
@click.option(
    "--api-key-file", type=click.Path(path_type=Path), metavar="FILE",
    help="Require one of the keys in FILE, one per line; EMBEDKIT_API_KEY sets a key as well.",
)  # fmt: skip
@click.option(
    "--insecure", is_flag=True, help="Accept connections from other machines without a key."
)
@click.option(
    "--cors-origin", "origins", multiple=True, metavar="URL",
    help="Allow requests from pages of this site, such as https://example.org; repeatable.",
)  # fmt: skip
@click.option(
    "--queue", type=WholeNumber(1), default=1024, show_default=True,
    help="Questions that may wait in each worker; more are refused with status 429.",
)  # fmt: skip
@click.option(
    "--body-limit", type=WholeNumber(1), default=1 << 20, show_default=True, metavar="BYTES",
    help="Largest body of a request.",
)  # fmt: skip
@click.option(
    "--timeout", type=Number(0.01), default=10, show_default=True, metavar="SECONDS",
    help="Give up on a request after this time.",
)  # fmt: skip
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="ADDRESS",
    help="Take the client's address from the header X-Forwarded-For of this proxy; repeatable.",
)
@click.option("--access-log", is_flag=True, help="Log each request on one line.")
def serve(
    models: tuple[str, ...],
    classifiers: tuple[str, ...],
    host: str,
    search: Path | None,
    api_key_file: Path | None,
    insecure: bool,
    **options: Any,
) -> None:
    """Answer questions over HTTP, with a web page.

    The page is at /, the documentation of the API at /docs. To serve several models, pass NAME=PATH
    for each; requests choose one by its name, and the first is the default. Only this machine can
    connect unless --host is another address, which requires a key. While the service runs, the
    workers share a copy of the vectors in the directory for temporary files (TMPDIR).
    """
    try:
        from embedkit.service.listening import ListenAddress
        from embedkit.service.server import serve as serve_http
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the service needs the package {error.name}.",
            hint="Run pip install 'embedkit[serve]'.",
        ) from None
    from embedkit.service.settings import (
        ServiceSettings,
        named_models,
        read_keys,
        require_key_for_public_host,
        temporary_folder,
    )

    with printed_warnings(quiet=False):
        keys = read_keys(api_key_file)
    require_key_for_public_host(host, keys, insecure=insecure)
    address = ListenAddress(host, **{name: options.pop(name) for name in _LISTENING})
    settings = ServiceSettings(
        models=named_models(models),
        classifiers=named_models(classifiers, "--classifier"),
        folder=temporary_folder(),
        keys=keys,
        documents=search,
        **options,
    )
    if search is not None:
        from embedkit.retrieval.text_index import TextIndex

        TextIndex.open(search)  # so that an error stops the command, not each worker
    serve_http(settings, address)
