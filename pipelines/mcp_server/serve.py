"""Job of `gong-elt mcp`: open the warehouse, check who may read it, and serve agents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from ..analytics.search.sentences import search_packages_are_installed
from ..evidence.evidence import Evidence
from ..runtime.connection import Connection
from ..runtime.errors import UsageError, root_cause_message
from ..runtime.process.interruption import is_interrupted
from ..runtime.target import Target
from .access.audit_log import AuditLog
from .access.policy_file import Grant, load_grants


@dataclass(frozen=True, slots=True)
class McpOptions:
    """Options of the server.

    Attributes:
        http: Serve HTTP; else standard input and output.
        host: Interface on which it listens.
        port: Port on which it listens; 0 for a free one.
        allowed_hosts: Further names under which clients reach it.
        policy: File of tokens; None to need none.
        token_name: On standard input and output: the token of the file whose policy applies.
        audit_log: File to which answers are logged; None for no log.
    """

    http: bool = False
    host: str = "127.0.0.1"
    port: int = 8765
    allowed_hosts: tuple[str, ...] = ()
    policy: Path | None = None
    token_name: str | None = None
    audit_log: Path | None = None


def mcp_is_installed() -> bool:
    """Return whether the SDK of the protocol is installed."""
    return find_spec("mcp") is not None


def serve_mcp(
    connection: Connection, target: Target, analytics: str, options: McpOptions, report: Callable[[str], None]
) -> None:
    """Serve agents until the client or a signal ends the process.

    Args:
        connection: The Gong account.
        target: The warehouse.
        analytics: Dataset of the marts.
        options: How to serve, and whom.
        report: Prints a line for the operator.

    Raises:
        UsageError: If an option or the policy is invalid, the marts do not exist, or the SDK is missing.
        KeyboardInterrupt: If a signal has ended it.
    """
    if not mcp_is_installed():
        raise UsageError("the MCP server is not installed: pip install 'gong-elt[mcp]'")
    _check_options(options)
    grants = () if options.policy is None else load_grants(options.policy, report)
    if options.token_name is not None:
        grants = (_find_named(grants, options.token_name, options.policy),)
    audit_log = None if options.audit_log is None else AuditLog(options.audit_log)
    with Evidence.open(connection, target, analytics) as evidence:
        if search_packages_are_installed():
            # The first index of a large company takes minutes, which no client waits for.
            Thread(target=_prepare_search, args=(evidence, report)).start()
        _serve(evidence, grants, audit_log, options, report)


def _prepare_search(evidence: Evidence, report: Callable[[str], None]) -> None:
    """Bring the index of sentences up to date; a search reports the same error to its client."""
    try:
        evidence.prepare_search()
    except Exception as error:
        # A signal interrupts all statements.
        if not is_interrupted():
            report(f"the index of sentences is not up to date: {root_cause_message(error)}")


def _serve(
    evidence: Evidence,
    grants: tuple[Grant, ...],
    audit_log: AuditLog | None,
    options: McpOptions,
    report: Callable[[str], None],
) -> None:
    # The SDK takes half a second to import, and invalid options are reported before.
    from .request_runner import Reader, RequestRunner  # noqa: PLC0415
    from .server import build_server  # noqa: PLC0415
    from .transports import HttpOptions, configure_logging, serve_http, serve_stdio  # noqa: PLC0415

    readers = {grant.name: Reader(grant.name, _restrict(evidence, grant, options.policy)) for grant in grants}
    configure_logging(report)
    runner = RequestRunner(audit_log, report)
    if options.http:
        anonymous = None if grants else Reader("http", evidence)
        listen = HttpOptions(options.host, options.port, options.allowed_hosts, grants)
        serve_http(build_server(readers, anonymous, runner), listen, report)
    else:
        reader = next(iter(readers.values()), Reader("stdio", evidence))
        serve_stdio(build_server({}, reader, runner), report)


def _check_options(options: McpOptions) -> None:
    """Refuse options that would have no effect."""
    if options.http and options.token_name is not None:
        raise UsageError("--as is for standard input and output: with --http, each client sends its token")
    if not options.http and options.policy is not None and options.token_name is None:
        raise UsageError("--policy without --http needs --as NAME, the token whose policy applies")
    if options.token_name is not None and options.policy is None:
        raise UsageError("--as needs --policy FILE, the file with the token")


def _find_named(grants: tuple[Grant, ...], name: str, file: Path | None) -> Grant:
    for grant in grants:
        if grant.name == name:
            return grant
    names = ", ".join(grant.name for grant in grants)
    raise UsageError(f"--as {name!r} is not a token of {file}: use one of {names}")


def _restrict(evidence: Evidence, grant: Grant, file: Path | None) -> Evidence:
    """Return the evidence that a token may read.

    Raises:
        UsageError: If its policy names an unknown workspace, team or account.
    """
    try:
        return evidence.with_policy(grant.policy)
    except UsageError as error:
        raise UsageError(f"policy {file}: token {grant.name!r}: {str(error).removeprefix('policy: ')}") from error
