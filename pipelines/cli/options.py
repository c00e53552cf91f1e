"""Options that several commands share, and their conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..runtime.connection import Connection
    from ..runtime.target import Target


def list_choices(*values: str) -> dict[str, Any]:
    """Return the arguments of `typer.Option` that show and complete the values of an option.

    The job validates the value, because its message also names the option to programs that call the job.
    """
    return {"metavar": f"[{'|'.join(values)}]", "autocompletion": lambda: list(values)}


ConnectionOption = Annotated[
    str, typer.Option("--connection", help="Named Gong account, configured under sources.gong.NAME")
]
DestinationOption = Annotated[
    str, typer.Option("--destination", help="Warehouse: duckdb, postgres or another SQL destination of dlt")
]
DatasetOption = Annotated[str, typer.Option("--dataset", help="Dataset (schema) of the loaded tables")]
AnalyticsOption = Annotated[str, typer.Option("--analytics", help="Dataset of the marts")]
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
JsonOption = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object to stdout")]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Start of the period, e.g. 2026-01-31; default: the first call")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", help="End of the period, exclusive; default: the last call")
]
RepOption = Annotated[str | None, typer.Option("--rep", help="Only calls whose host's name contains this text")]
AccountOption = Annotated[
    str | None, typer.Option("--account", help="Only calls whose account's name contains this text")
]
SideOption = Annotated[
    str | None,
    typer.Option(
        "--side",
        help="Only what this side said: company, customer or unknown; default: all",
        **list_choices("company", "customer", "unknown"),
    ),
]


def resolve_target(connection: str, destination: str, dataset: str, wait: str) -> tuple[Connection, Target]:
    """Return the Gong account and the warehouse that the options name."""
    from ..runtime.connection import Connection
    from ..runtime.process.interruption import cancel_on_signal
    from ..runtime.process.waiting import WaitPolicy
    from ..runtime.run_options import parse_wait
    from ..runtime.target import Target

    target = Target.resolve(destination, dataset, waiting=WaitPolicy(parse_wait(wait).total_seconds()))
    cancel_on_signal(target.warehouse.cancel_statements)
    return Connection(connection), target


def split_list(text: str | None) -> list[str] | None:
    """Return the comma-separated items without empty ones; None if the option is not used."""
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]
