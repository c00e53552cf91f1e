"""Settings under `gong_elt`: defaults of the options that most commands share."""

from __future__ import annotations

from functools import cache
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import BaseConfiguration

from .unknown_settings import refuse_unknown_settings

SECTION = "gong_elt"


@configspec
class CommandDefaults(BaseConfiguration):
    """Defaults of the command line's options, so that no option has to be repeated. An option takes precedence.

    Attributes:
        destination: Default of `--destination`.
        dataset: Default of `--dataset`.
        connection: Default of `--connection`.
        analytics: Default of `--analytics`. Default: the dataset's name with `_analytics`.
        publish: Default of `--publish`.
        embedding: Model of search by meaning: `wordllama` of the extra `semantic`, `none`, or the URL of an
            OpenAI-compatible API, which then receives the text of all calls.
        embedding_model: Name of the model at that URL.
        embedding_key: Key of that API, a secret.
        mcp_policy: Default of `--policy` of `gong-elt mcp`.
        mcp_audit_log: Default of `--audit-log` of `gong-elt mcp`.
        serve_token: Token of `gong-elt serve`, a secret of at least 16 characters. Default: a new one per start.
    """

    destination: str = "duckdb"
    dataset: str = "gong"
    connection: str = "gong"
    analytics: str | None = None
    publish: str | None = None
    embedding: str = "wordllama"
    embedding_model: str | None = None
    embedding_key: str | None = None
    mcp_policy: str | None = None
    mcp_audit_log: str | None = None
    serve_token: str | None = None


@cache
def read_command_defaults() -> CommandDefaults:
    """Return the defaults of options, as configured when it is first called: one command asks several times.

    dlt's own resolution would also take a variable such as `DATASET` of another program.

    Raises:
        UsageError: If a setting of this section is unknown, or a file is not valid TOML.
    """
    refuse_unknown_settings((SECTION,), CommandDefaults.get_resolvable_fields())
    names = CommandDefaults.get_resolvable_fields()
    values: dict[str, Any] = {name: dlt.config.get(f"{SECTION}.{name}") for name in names}
    return CommandDefaults(**{name: str(value) for name, value in values.items() if value is not None})
