"""`registry mcp`: answer an assistant's questions on a register at its address."""

from __future__ import annotations

import rich_click as click

from registry.audit.remote import RemoteRegister
from registry.cli.evidence import verifier_option
from registry.errors import ConfigurationError
from registry.tlog.keys import Verifier

try:
    from registry.assistant.server import CitedRegister, allowed, make_server
except ModuleNotFoundError as missing:
    raise ConfigurationError(
        "registry mcp needs an optional dependency: pip install 'public-algorithm-register[mcp]'"
    ) from missing


@click.command()
@click.argument("address", metavar="ADDRESS")
@verifier_option
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Serve at /mcp there, not on stdin and stdout."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where --port listens.")
@click.option(
    "--allowed-host",
    "names",
    multiple=True,
    help="A name by which clients ask beside that of --host and localhost; repeat it.",
)
def mcp(
    address: str, key: Verifier | None, port: int | None, host: str, names: tuple[str, ...]
) -> None:
    """Answer an assistant's questions on a register (Model Context Protocol); it only reads.

    Its tools are search, read, compare, count and prove. ADDRESS is that of any register. Each
    answer has its address, the entry of the log as of which it holds, and its proof; what cannot be
    cited is not answered. It needs no token. With --key signatures are checked by the log's key;
    else a record's proof is checked by the key that it names itself.

    Example: registry mcp https://algorithms.example.org/ --key log.example+1234abcd+AQ…
    """
    with RemoteRegister(address) as register:
        server = make_server(CitedRegister(register, key))
        if port is None:
            server.run("stdio")
        else:
            server.run(
                "streamable-http",
                host=host,
                port=port,
                stateless_http=True,
                transport_security=allowed(host, names),
            )
