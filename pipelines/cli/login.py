"""`gong-elt login`: OAuth in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import ConnectionOption, fail, report_errors, stderr


def login(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 for Gong's answer")] = 8910,
    scopes: Annotated[
        str | None, typer.Option(help="Scopes to ask for, separated by commas; by default those of a plain sync")
    ] = None,
    timeout: Annotated[str, typer.Option(help="How long to wait for the consent")] = "5m",
    browser: Annotated[bool, typer.Option(help="Open the address in a browser")] = True,
    connection: ConnectionOption = "gong",
) -> None:
    """Log in with OAuth: an administrator consents in a browser, and the tokens are kept for this machine's runs."""
    with report_errors():
        from sources.gong import parse_duration

        from ..runtime.connection import Connection
        from ..runtime.oauth_login import NotLoggedIn, wanted_scopes
        from ..runtime.oauth_login import login as run_login

        wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()] if scopes else wanted_scopes()
        err = stderr()
        try:
            done = run_login(
                Connection(connection),
                lambda line: err.print(line, markup=False, highlight=False, soft_wrap=True),
                port=port,
                scopes=wanted,
                patience=parse_duration(timeout),
                browser=browser,
            )
        except NotLoggedIn as refusal:
            fail(1, str(refusal))
        lines = [f"connection {connection} is logged in; its tokens are in {done.file}"]
        lines += [f"requests go to {done.host}"] if done.host else []
        lines += [f"not given: {', '.join(done.missing)}: what needs them will be skipped"] if done.missing else []
        for line in lines:
            err.print(line, markup=False, highlight=False, soft_wrap=True)
