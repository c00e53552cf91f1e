"""The command that obtains OAuth tokens: login."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import ConnectionOption, resolve_connection, split_list
from .output import fail, report_errors, stderr

app = typer.Typer()


@app.command("login")
def login_command(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 that receives Gong's response")] = 8910,
    scopes: Annotated[
        str | None, typer.Option(help="Scopes to request, separated by commas; default: those of a default sync")
    ] = None,
    timeout: Annotated[str, typer.Option(help="How long to wait for the consent")] = "5m",
    browser: Annotated[bool, typer.Option(help="Open the consent page in a browser")] = True,
    connection: ConnectionOption = None,
) -> None:
    """Log in with OAuth: an administrator consents in a browser, and the tokens are stored on this machine."""
    with report_errors():
        from sources.gong import parse_duration

        from ..login.oauth_login import LoginError, default_scopes, login
        from ..runtime.result import show_line

        err = stderr()

        def print_line(text: str) -> None:
            for line in text.splitlines():
                show_line(err, line)

        account = resolve_connection(connection)
        try:
            result = login(
                account,
                print_line,
                port=port,
                scopes=split_list(scopes) or default_scopes(),
                timeout=parse_duration(timeout),
                browser=browser,
            )
        except LoginError as error:
            fail(1, str(error))
        print_line(f"connection {account.name} is logged in; its tokens are in {result.file}")
        if result.host:
            print_line(f"requests go to {result.host}")
        if result.missing:
            print_line(f"not granted: {', '.join(result.missing)}; resources that need them will be skipped")
