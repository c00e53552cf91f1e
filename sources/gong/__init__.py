"""Load calls, transcripts, the library, users and workspaces from the Gong API, incrementally and as Arrow tables."""

from .api.client import GongClient
from .auth.credentials import GongAccessToken, GongApiKey, GongCredentials, GongOAuth
from .calls.lookup import CallLookup
from .calls.tables import CALL_METADATA_COLUMNS, COLUMNS_KEPT_AFTER_DELETION
from .datetimes import parse_datetime_setting, parse_duration, truncate_to_millisecond
from .errors import AuthenticationError, ConfigurationError, GongError, RunStopped
from .extract.background import BackgroundReader
from .extract.context import PII_MODE, ExtractRun, check_pii_mode
from .incremental.bookmarks import correct_future_times, plan_backfill, plan_window, read_bookmark
from .incremental.coverage import Coverage, describe_narrowing
from .incremental.lookback import Lookback
from .incremental.windows import Window
from .metrics import MAX_CLOCK_SKEW, RunMetrics
from .request_estimate import RequestEstimate, estimate_requests
from .resources import OPT_IN_RESOURCES, RESOURCES, TABLES_BY_RESOURCE, call_child_tables, table_names
from .settings import GongSettings
from .source import gong_client, gong_settings, gong_source
from .tables.dlt_hints import table_schemas
from .tables.known_hashes import KnownHashes
from .telemetry import disable_telemetry

__all__ = [
    "CALL_METADATA_COLUMNS",
    "COLUMNS_KEPT_AFTER_DELETION",
    "MAX_CLOCK_SKEW",
    "OPT_IN_RESOURCES",
    "PII_MODE",
    "RESOURCES",
    "TABLES_BY_RESOURCE",
    "AuthenticationError",
    "BackgroundReader",
    "CallLookup",
    "ConfigurationError",
    "Coverage",
    "ExtractRun",
    "GongAccessToken",
    "GongApiKey",
    "GongClient",
    "GongCredentials",
    "GongError",
    "GongOAuth",
    "GongSettings",
    "KnownHashes",
    "Lookback",
    "RequestEstimate",
    "RunMetrics",
    "RunStopped",
    "Window",
    "call_child_tables",
    "check_pii_mode",
    "correct_future_times",
    "describe_narrowing",
    "estimate_requests",
    "gong_client",
    "gong_settings",
    "gong_source",
    "parse_datetime_setting",
    "parse_duration",
    "plan_backfill",
    "plan_window",
    "read_bookmark",
    "table_names",
    "table_schemas",
    "truncate_to_millisecond",
]

disable_telemetry()
