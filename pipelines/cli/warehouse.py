"""Commands that serve and look after the warehouse: mcp, skill, serve, maintain, migrate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import (
    DEFAULT_WAIT,
    AnalyticsOption,
    ConnectionOption,
    DatasetOption,
    DestinationOption,
    JsonOption,
    PublishOption,
    WaitOption,
    enter_folder,
    resolve_connection_name,
    resolve_marts,
    resolve_mcp_files,
    resolve_publish,
    resolve_target,
)
from .output import print_error, print_line, print_result, report_errors, stderr

app = typer.Typer()


@app.command("mcp")
def mcp_command(
    http: Annotated[
        bool, typer.Option("--http", help="Serve Streamable HTTP; default: standard input and output, for one client")
    ] = False,
    host: Annotated[str, typer.Option(help="Interface for --http; others than loopback need --policy")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port for --http; 0: any free one")] = 8765,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="Further name under which clients reach --http, such as that of a proxy; can be repeated"),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="TOML file of tokens and what each may read; default: gong_elt.mcp_policy, else none"),
    ] = None,
    token_name: Annotated[
        str | None, typer.Option("--as", help="Without --http: apply the policy of this token", metavar="NAME")
    ] = None,
    audit_log: Annotated[
        Path | None,
        typer.Option(help="Append a JSON line per answer to this file; default: gong_elt.mcp_audit_log, else none"),
    ] = None,
    new_token: Annotated[
        str | None,
        typer.Option(help="Print a new token of this name and its section for the policy file", metavar="NAME"),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder to work in, with .dlt and the DuckDB file; default: the current one")
    ] = None,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = "10s",
) -> None:
    """Answer questions of agents about the loaded calls over the Model Context Protocol, read-only."""
    with report_errors():
        from ..mcp_server.access.policy_file import format_new_token
        from ..mcp_server.serve import McpOptions, serve_mcp
        from ..runtime.process.interruption import is_interrupted

        if new_token is not None:
            sys.stdout.write(format_new_token(new_token))
            return
        # Paths of options are relative to the folder of the shell, those of settings to that of the settings.
        policy, audit_log = (file and file.absolute() for file in (policy, audit_log))
        enter_folder(folder)
        policy, audit_log = resolve_mcp_files(policy, audit_log)
        names = tuple(allowed_host or ())
        account, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        options = McpOptions(http, host, port, names, policy, token_name, audit_log)
        try:
            serve_mcp(account, target, marts, options, print_error)
        except KeyboardInterrupt:
            if not is_interrupted():
                raise
            print_error("ended by a signal")


@app.command("skill")
def skill_command(
    to: Annotated[
        Path | None,
        typer.Option(help="Folder of skills, such as .claude/skills; gong-elt/SKILL.md is written; default: stdout"),
    ] = None,
) -> None:
    """Print or install a skill: how a coding agent works with gong-elt, its commands and its tables."""
    with report_errors():
        from ..mcp_server.skill import install_skill, read_skill

        if to is None:
            sys.stdout.write(read_skill())
        else:
            print_line(f"wrote {install_skill(to)}")


@app.command("serve")
def serve_command(
    every: Annotated[str, typer.Option(help="Time between the starts of two syncs")] = "1h",
    with_models: Annotated[bool, typer.Option("--models", help="Build the marts after each sync")] = False,
    reconcile_every: Annotated[
        str | None, typer.Option("--reconcile", help="Time between the starts of two reconciles; default: none runs")
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 9494,
    publish: PublishOption = None,
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
) -> None:
    """Let other processes read the DuckDB file over DuckDB's protocol quack while this one syncs. Experimental."""
    with report_errors():
        from ..runtime.configuration.command_defaults import read_command_defaults
        from ..runtime.process.interruption import is_interrupted
        from ..serve.serve import ServeOptions, serve

        _, target, marts = resolve_marts(connection, destination, dataset, analytics, wait)
        options = ServeOptions(
            every,
            reconcile_every,
            marts if with_models else None,
            resolve_publish(publish),
            port,
            read_command_defaults().serve_token,
        )
        try:
            serve(resolve_connection_name(connection), target, options, print_line, stderr())
        except KeyboardInterrupt:
            if not is_interrupted():
                raise
            print_line("ended by a signal; clients can no longer connect")


@app.command("maintain")
def maintain_command(
    analytics: AnalyticsOption = None,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Free the space of rows that were deleted or replaced. The data stays as it is."""
    with report_errors():
        from ..maintenance.maintain import maintain

        result = maintain(*resolve_marts(connection, destination, dataset, analytics, wait))
    print_result(result, as_json=as_json)


@app.command("migrate")
def migrate_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, change nothing")] = False,
    connection: ConnectionOption = None,
    destination: DestinationOption = None,
    dataset: DatasetOption = None,
    wait: WaitOption = DEFAULT_WAIT,
    as_json: JsonOption = False,
) -> None:
    """Upgrade the tables of an earlier version, in one transaction."""
    with report_errors():
        from ..maintenance.migrate import migrate

        result = migrate(*resolve_target(connection, destination, dataset, wait), dry_run=dry_run)
    print_result(result, as_json=as_json)
