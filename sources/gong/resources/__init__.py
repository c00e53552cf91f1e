"""Registry of all resources, endpoints and tables; the other modules declare one area of Gong's API each."""

from __future__ import annotations

from ..api.endpoint import Endpoint
from ..calls.endpoints import CALL, CALLS, CALLS_EXTENSIVE, TRANSCRIPTS
from ..calls.tables import (
    CALL_PERSONAL_FIELDS,
    CALL_TABLES,
    CALLS_TABLE,
    SENTENCES_TABLE,
    TRANSCRIPT_PERSONAL_FIELDS,
    TRANSCRIPTS_TABLE,
)
from ..calls.tables import TABLES_BY_RESOURCE as CALL_TABLES_BY_RESOURCE
from ..settings import GongSettings
from ..tables.pseudonyms import PersonalFields, Pseudonymizer, build_pseudonymizer
from ..tables.table import Table
from .account import PERMISSION_PROFILES, USER_SETTINGS_HISTORY, USERS, WORKSPACES
from .audit import AUDIT_LOGS, CALL_ACCESS
from .coaching import COACHING_METRICS
from .company_settings import BRIEFS, CALL_OUTCOMES, SCORECARDS, TRACKERS
from .date_sliced import DateSlicedResource
from .engage import FLOW_FOLDERS, FLOWS
from .full_refresh import FullRefreshResource
from .library import LIBRARY
from .stats import ANSWERED_SCORECARDS, USER_ACTIVITY_DAILY, USER_INTERACTION_STATS

FULL_REFRESH: tuple[FullRefreshResource, ...] = (
    USERS,
    WORKSPACES,
    LIBRARY,
    TRACKERS,
    SCORECARDS,
    CALL_OUTCOMES,
    BRIEFS,
    PERMISSION_PROFILES,
    FLOWS,
    FLOW_FOLDERS,
    USER_SETTINGS_HISTORY,
)
"""Read completely in every run, in this order."""

DATE_SLICED: tuple[DateSlicedResource, ...] = (
    ANSWERED_SCORECARDS,
    USER_ACTIVITY_DAILY,
    USER_INTERACTION_STATS,
    AUDIT_LOGS,
    COACHING_METRICS,
    CALL_ACCESS,
)
"""Read by date from a bookmark, in this order."""

LISTED_RESOURCES: tuple[FullRefreshResource | DateSlicedResource, ...] = (*FULL_REFRESH, *DATE_SLICED)
"""All resources but calls and transcripts."""

ENDPOINTS_BY_RESOURCE: dict[str, dict[Endpoint, tuple[Table, ...]]] = {
    "calls": {CALLS: (CALLS_TABLE,), CALL: (), CALLS_EXTENSIVE: (CALLS_TABLE, *CALL_TABLES)},
    "transcripts": {TRANSCRIPTS: (TRANSCRIPTS_TABLE, SENTENCES_TABLE)},
    **{resource.name: resource.endpoints for resource in LISTED_RESOURCES},
}
"""The endpoints that each resource reads, and the tables that each endpoint fills."""

ENDPOINTS: tuple[Endpoint, ...] = tuple(
    endpoint for endpoints in ENDPOINTS_BY_RESOURCE.values() for endpoint in endpoints
)
"""All endpoints that are read."""

TABLES_BY_RESOURCE: dict[str, tuple[Table, ...]] = {
    **CALL_TABLES_BY_RESOURCE,
    **{resource.name: resource.mapper.tables for resource in LISTED_RESOURCES},
}
"""The tables of each resource."""

TABLES: tuple[Table, ...] = tuple(table for tables in TABLES_BY_RESOURCE.values() for table in tables)
"""All tables."""

PERSONAL_FIELDS: dict[str, PersonalFields] = {
    "calls": CALL_PERSONAL_FIELDS,
    "transcripts": TRANSCRIPT_PERSONAL_FIELDS,
    **{resource.name: resource.personal_fields or PersonalFields(resource.tables[0]) for resource in LISTED_RESOURCES},
}
"""Where the records of each resource hold personal values."""

OPT_IN_RESOURCES: tuple[str, ...] = tuple(resource.name for resource in LISTED_RESOURCES if resource.opt_in)
"""Names of the resources that are read only if selected by name."""

RESOURCES: tuple[str, ...] = tuple(name for name in TABLES_BY_RESOURCE if name not in OPT_IN_RESOURCES)
"""Names of the resources that are read by default."""


def table_names(resource: str) -> list[str]:
    """Return the names of the tables that a resource fills."""
    return [table.name for table in TABLES_BY_RESOURCE[resource]]


def call_child_tables() -> list[str]:
    """Return the names of the tables whose rows belong to a call, identified by the column `call_id`."""
    return [table.name for table in TABLES if table.key[0] == "call_id"]


def pseudonymizer_from_settings(settings: GongSettings) -> Pseudonymizer | None:
    """Return the pseudonymizer for a connection's settings, or None if personal values are kept.

    Raises:
        ConfigurationError: If `pii_key` or `pii_crm_fields` is invalid.
    """
    if settings.pii != "hash":
        return None
    return build_pseudonymizer(settings.pii_key, settings.pii_crm_fields, PERSONAL_FIELDS)
