"""Options that several commands share, and their conversion."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..runtime.connection import Connection
    from ..runtime.target import Target


DEFAULT_WAIT = "60s"
"""Default of `--wait`."""


def list_choices(*values: str) -> dict[str, Any]:
    """Return the arguments of `typer.Option` that show and complete the values of an option.

    The job validates the value, because its message also names the option to programs that call the job.
    """
    return {"metavar": f"[{'|'.join(values)}]", "autocompletion": lambda: list(values)}


ConnectionOption = Annotated[
    str | None,
    typer.Option(
        "--connection",
        help="Named Gong account, configured under sources.gong.NAME; default: gong_elt.connection, else gong",
    ),
]
DestinationOption = Annotated[
    str | None,
    typer.Option(
        "--destination",
        help="Warehouse: duckdb, postgres or any SQL destination of dlt; default: gong_elt.destination, else duckdb",
    ),
]
DatasetOption = Annotated[
    str | None,
    typer.Option("--dataset", help="Dataset (schema) of the loaded tables; default: gong_elt.dataset, else gong"),
]
AnalyticsOption = Annotated[
    str | None,
    typer.Option(
        "--analytics", help="Dataset of the marts; default: gong_elt.analytics, else the dataset's name with _analytics"
    ),
]
DeadlineOption = Annotated[
    str | None,
    typer.Option("--deadline", help="Stop with exit code 3 after this duration (30m, 2h) or at this date-time"),
]
WaitOption = Annotated[
    str,
    typer.Option(
        "--wait",
        help="How long to wait for another run, or a DuckDB file that another process has open; 0: not at all",
    ),
]
PublishOption = Annotated[
    str | None,
    typer.Option(
        "--publish",
        help="Replace this file by a copy of the DuckDB file after the run, for BI tools; default: gong_elt.publish",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object to stdout")]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Start of the period, e.g. 2026-01-31; default: the first call")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="End of the period, exclusive; default: the last call")
]
RepOption = Annotated[str | None, typer.Option("--rep", help="Only calls whose host's name contains this text")]
AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account", help="Only calls of this account: its name or a part of it, domain, CRM id, or a contact's e-mail"
    ),
]
SideOption = Annotated[
    str | None,
    typer.Option(
        "--side",
        help="Only what this side said: company, customer or unknown; default: all",
        **list_choices("company", "customer", "unknown"),
    ),
]


def resolve_connection_name(connection: str | None) -> str:
    """Return the name of the Gong account that the option or the settings give."""
    from ..runtime.configuration.command_defaults import read_command_defaults

    return read_command_defaults().connection if connection is None else connection


def resolve_connection(connection: str | None) -> Connection:
    """Return the Gong account that the option or the settings name."""
    from ..runtime.connection import Connection

    return Connection(resolve_connection_name(connection))


def resolve_target(
    connection: str | None, destination: str | None, dataset: str | None, wait: str
) -> tuple[Connection, Target]:
    """Return the Gong account and the warehouse that the options or the settings name."""
    from ..runtime.configuration.command_defaults import read_command_defaults
    from ..runtime.process.interruption import cancel_on_signal
    from ..runtime.process.waiting import WaitPolicy
    from ..runtime.run_options import parse_wait
    from ..runtime.target import Target

    account, defaults = resolve_connection(connection), read_command_defaults()
    target = Target.resolve(
        defaults.destination if destination is None else destination,
        defaults.dataset if dataset is None else dataset,
        waiting=WaitPolicy(parse_wait(wait).total_seconds()),
    )
    cancel_on_signal(target.warehouse.cancel_statements)
    return account, target


def resolve_marts(
    connection: str | None, destination: str | None, dataset: str | None, analytics: str | None, wait: str
) -> tuple[Connection, Target, str]:
    """Return the Gong account, the warehouse and the dataset of the marts that the options or the settings name."""
    from ..analytics.marts import validate_analytics
    from ..analytics.marts_origin import default_analytics
    from ..runtime.configuration.command_defaults import read_command_defaults

    account, target = resolve_target(connection, destination, dataset, wait)
    name = read_command_defaults().analytics if analytics is None else analytics
    name = default_analytics(target.dataset) if name is None else name
    validate_analytics(target, name)
    return account, target, name


def resolve_publish(publish: str | None) -> str | None:
    """Return the file that the option or the settings name; None for no copy."""
    from ..runtime.configuration.command_defaults import read_command_defaults

    return read_command_defaults().publish if publish is None else publish


def resolve_mcp_files(policy: Path | None, audit_log: Path | None) -> tuple[Path | None, Path | None]:
    """Return the files of tokens and of the audit log that the options or the settings name; None for none."""
    from ..runtime.configuration.command_defaults import read_command_defaults

    defaults = read_command_defaults()
    files = ((policy, defaults.mcp_policy), (audit_log, defaults.mcp_audit_log))
    resolved = [file or (Path(setting) if setting else None) for file, setting in files]
    return resolved[0], resolved[1]


def enter_folder(folder: Path | None) -> None:
    """Make a folder the working directory, in which settings and DuckDB files are found.

    Raises:
        UsageError: If it does not exist.
    """
    from ..runtime.errors import UsageError

    if folder is None:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"--folder {str(folder)!r}: {error.strerror or error}") from error


def split_list(text: str | None) -> list[str] | None:
    """Return the comma-separated items without empty ones; None if the option is not used."""
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]
