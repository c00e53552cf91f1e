"""The dlt source: settings in, resources out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated

import dlt
from dlt.common.configuration import with_config
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs.base_configuration import NotResolved
from dlt.extract import DltResource

from .api.client import GongClient
from .api.rate_limiter import RateLimiter
from .auth.credentials import GongCredentials
from .calls.resources import call_pages, calls, transcripts
from .extract.context import ExtractContext, ExtractRun
from .metrics import RunMetrics
from .resources import DATE_SLICED, FULL_REFRESH, pseudonymizer_from_settings
from .resources.date_sliced import date_sliced
from .resources.full_refresh import full_refresh
from .settings import (
    DEFAULT_BASE_URL,
    DEFAULT_LOOKBACK,
    CallDetail,
    ContextTiming,
    CrmContext,
    GongSettings,
    PiiMode,
    PrivateCalls,
    PseudonymKey,
)


@dlt.source(name="gong", section="gong", max_table_nesting=0)
def gong_source(
    credentials: GongCredentials = dlt.secrets.value,
    base_url: str = DEFAULT_BASE_URL,
    start_date: str | None = None,
    workspace_id: str | None = None,
    primary_user_ids: list[str] | None = None,
    call_ids: list[str] | None = None,
    call_detail: CallDetail = "extensive",
    context: CrmContext = "Extended",
    context_timing: list[ContextTiming] | None = None,
    include_parties: bool = True,
    include_content: bool = True,
    include_interaction: bool = True,
    include_public_comments: bool = True,
    include_media: bool = False,
    private_calls: PrivateCalls = "exclude",
    pii: PiiMode = "keep",
    # As a secret, `dlt init` would write a placeholder for it. dlt resolves a field with the default None.
    pii_key: Annotated[str | None, NotResolved()] = "",
    pii_crm_fields: list[str] | None = None,
    lookback: str = DEFAULT_LOOKBACK,
    requests_per_second: float = 3.0,
    requests_per_day: int = 10_000,
    run: ExtractRun | None = None,
) -> Iterable[DltResource]:
    """Load a company's Gong data: the default resources, and opt-in resources selected by name.

    The source is incremental on the effective time of calls. dlt's resource state keeps the end of what was read, and
    each run reads a lookback behind it again. Rows are merged by their keys, so reading a record twice never doubles
    it. Building the source sends no request.

    Each argument is described at the setting of the same name in `GongSettings`, except two. `credentials` is an API
    key, an OAuth client or a bearer token. `run` holds what only a driver such as gong-elt knows; see `ExtractRun`.

    Example:
        ```python
        pipeline = dlt.pipeline("gong", destination="duckdb", dataset_name="gong_data")
        pipeline.run(gong_source().with_resources("calls", "transcripts"))
        ```

    Raises:
        ConfigurationError: If a setting has an invalid value.
    """
    settings = GongSettings(
        base_url=base_url,
        start_date=start_date,
        workspace_id=workspace_id,
        primary_user_ids=primary_user_ids,
        call_ids=call_ids,
        call_detail=call_detail,
        context=context,
        context_timing=context_timing,
        include_parties=include_parties,
        include_content=include_content,
        include_interaction=include_interaction,
        include_public_comments=include_public_comments,
        include_media=include_media,
        private_calls=private_calls,
        pii=pii,
        pii_key=pii_key or resolve_configuration(PseudonymKey()).pii_key,
        pii_crm_fields=pii_crm_fields,
        lookback=lookback,
        requests_per_second=requests_per_second,
        requests_per_day=requests_per_day,
    )
    run = run or ExtractRun()
    if run.requests_left is None:
        run = replace(run, requests_left=requests_per_day)
    metrics = run.metrics if run.metrics is not None else RunMetrics()
    client = _open_client(settings, credentials, run, metrics)
    extract = ExtractContext.open(settings, run, client, metrics, pseudonymizer_from_settings(settings))

    pages = call_pages(extract)
    return [
        pages,
        calls(pages, extract),
        transcripts(pages, extract),
        *(full_refresh(resource, extract) for resource in FULL_REFRESH),
        *(date_sliced(resource, extract) for resource in DATE_SLICED),
    ]


def gong_settings(connection: str = "gong", **settings: object) -> GongSettings:
    """Return the settings of a connection from dlt's configuration.

    Args:
        connection: `gong`, or the name of another connection, whose section is read first.
        settings: Values that replace configured ones; None does not.

    Raises:
        ConfigurationError: If a setting has an invalid value.
        ConfigurationException: If dlt cannot convert a value to the setting's type.
    """
    explicit = {name: value for name, value in settings.items() if value is not None}
    return resolve_configuration(GongSettings(), sections=_sections(connection), explicit_value=explicit)


def gong_client(
    connection: str = "gong",
    *,
    credentials: GongCredentials | None = None,
    settings: GongSettings | None = None,
    run: ExtractRun | None = None,
) -> GongClient:
    """Return a client with a connection's settings, to send requests without loading anything.

    Args:
        connection: `gong`, or the name of another connection.
        credentials: Credentials to use instead of the configured ones.
        settings: Settings to use instead of the configured ones.
        run: Bounds on the number of requests and on time; metrics to count in. Default: none.

    Raises:
        ConfigurationError: If a setting or a credential has an invalid value.
        ConfigurationException: If the credentials are missing.
    """
    run = run or ExtractRun()
    metrics = run.metrics if run.metrics is not None else RunMetrics()
    return _open_client(
        settings or gong_settings(connection), credentials or _configured_credentials(connection), run, metrics
    )


def _open_client(
    settings: GongSettings, credentials: GongCredentials, run: ExtractRun, metrics: RunMetrics
) -> GongClient:
    rate_limiter = RateLimiter(settings.requests_per_second, run.requests_left, deadline=run.deadline)
    return GongClient(settings.base_url, credentials.auth(settings.base_url), rate_limiter, metrics)


def _configured_credentials(connection: str) -> GongCredentials:
    def configured(credentials: GongCredentials = dlt.secrets.value) -> GongCredentials:
        return credentials

    credentials: GongCredentials = with_config(configured, sections=_sections(connection))()
    return credentials


def _sections(connection: str) -> tuple[str, ...]:
    return ("sources", "gong") if connection == "gong" else ("sources", "gong", connection)
