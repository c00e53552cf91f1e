"""Allow one SELECT statement over the marts and nothing else, and let it read only what the policy allows.

The statement that runs is written again from its parse tree, with the names of its tables replaced. Names of marts
become those of common table expressions with the allowed rows, and all other names get a prefix that no table has. So a
name that this module takes for something else than the database does is unknown there.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from ...runtime.errors import UsageError, one_line
from .limited_marts import PREFIX, LimitedMarts
from .policy import MART_ACCESS

# It would print statements of readers, which are refused anyway.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_CTE_PREFIX = "_own_"
_MAX_CHARACTERS = 20_000
_CLOSEST_NAMES = 3

_FORBIDDEN = (
    *(exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.Set, exp.Pragma, exp.Copy, exp.Attach, exp.Detach),
    *(exp.Placeholder, exp.Parameter, exp.SessionParameter, exp.Use, exp.Show, exp.Describe, exp.Transaction),
)

_FUNCTION_NAMES = """
abs acos age all and any any_value approx_count_distinct approx_quantile arg_max arg_min array array_agg array_all
array_any array_concat array_contains array_distinct array_first array_last array_length array_size array_slice
array_sort array_to_string array_unique_agg ascii asin atan atan2 avg bit_length bool_and bool_or bool_xor btrim case
cast cbrt ceil ceiling char_length character_length chr coalesce concat concat_ws contains corr cos count count_if
countif covar_pop covar_samp cume_dist current_date current_datetime current_timestamp date date_add date_bin
date_diff date_from_parts date_part date_str_to_date date_sub date_to_date_str date_to_di date_trunc datediff
datetime_trunc day day_of_month day_of_week day_of_week_iso day_of_year dayname dayofmonth dayofweek dayofyear degrees
dense_rank ends_with epoch epoch_ms every exists exp explode extract filter first first_value flatten floor format
from_iso8601_timestamp gcd generate_date_array generate_series generate_timestamp_array greatest group_concat grouping
hour if ifnull initcap instr is_inf is_nan isnan json_array_length json_extract json_extract_scalar kurtosis lag last
last_day last_value lead least left length levenshtein list list_aggregate list_contains list_distinct list_filter
list_sort list_transform list_value listagg ln localtimestamp log log10 log2 logical_and logical_or lower lpad ltrim
make_date make_interval max max_by md5 median min min_by minute mod mode month monthname now nth_value ntile nullif
nvl nvl2 or overlay parse_json percent_rank percentile_cont percentile_disc pi posexplode position pow power quantile
quantile_cont quantile_disc quarter radians rank regexp_extract regexp_extract_all regexp_full_match regexp_ilike
regexp_instr regexp_like regexp_matches regexp_replace regexp_split regexp_split_to_array regr_slope repeat replace
reverse right round row_number rpad rtrim safe_divide second sign sin skewness split split_part sqrt starts_with
startswith stddev stddev_pop stddev_samp str_position str_to_date str_to_time strftime string_agg strpos strptime
struct substr substring sum tan time_str_to_time time_to_str time_to_time_str time_to_unix timestamp timestamp_add
timestamp_diff timestamp_sub timestamp_trunc to_char to_date to_days to_hours to_timestamp transform translate trim
trunc try_cast ts_or_ds_add ts_or_ds_diff ts_or_ds_to_date ts_or_ds_to_date_str ts_or_ds_to_timestamp unix_millis
unix_seconds unix_to_time unnest upper var_pop var_samp variance variance_pop week week_of_year weekofyear
width_bucket xor year yearweek zero_pad
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
# Names that PostgreSQL evaluates without parentheses, and types whose values name the database's own objects.
_SESSION_NAMES = frozenset(
    ("current_catalog", "current_role", "current_schema", "current_user", "session_user", "system_user", "user")
)
_FORBIDDEN_TYPES = (exp.DataType.Type.USERDEFINED, exp.DataType.Type.XML)
_TABLE_FUNCTIONS = (exp.GenerateSeries, exp.Unnest)


def guard_select(marts: LimitedMarts, sql: str, limit: int) -> str:
    """Return the statement that runs instead of the one that a reader wrote, with at most one row more than the limit.

    Args:
        marts: The marts and the policy.
        sql: What the reader wrote.
        limit: Number of rows of the answer.

    Raises:
        UsageError: If it is not one SELECT statement, uses a function that is not allowed, or reads something else than
            marts that the policy allows.
    """
    query = _parse(sql, marts.dialect)
    for node in query.walk():
        _check_node(node)
    ctes = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    if known := sorted(ctes & MART_ACCESS.keys()):
        raise UsageError(f"WITH {known[0]} has the name of a mart: use another name")
    used = [_replace_table(table, ctes, marts) for table in list(query.find_all(exp.Table))]
    for cte in query.find_all(exp.CTE):
        cte.args["alias"].set("this", exp.to_identifier(_CTE_PREFIX + cte.alias_or_name.lower(), quoted=True))
    limited = _limit_rows(query, limit)
    for mart in dict.fromkeys(filter(None, used)):
        limited = limited.with_(
            exp.to_identifier(PREFIX + mart), sqlglot.parse_one(marts.select(mart), read=marts.dialect), append=True
        )
    _move_first(limited, len({*filter(None, used)}))
    return limited.sql(dialect=marts.dialect, comments=False)


def _parse(sql: str, dialect: str) -> exp.Query:
    if len(sql) > _MAX_CHARACTERS:
        raise UsageError(f"the statement has {len(sql):,} characters: use at most {_MAX_CHARACTERS:,}")
    try:
        statements = [statement for statement in sqlglot.parse(sql, read=dialect) if statement is not None]
    except ParseError as error:
        place = error.errors[0]
        raise UsageError(
            f"the statement cannot be parsed: {place['description']}, line {place['line']}, column {place['col']}"
        ) from None
    except (SqlglotError, RecursionError) as error:
        raise UsageError(f"the statement cannot be parsed: {one_line(error, 300)}") from None
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements: write one SELECT statement")
    (statement,) = statements
    if not isinstance(statement, exp.Select | exp.SetOperation | exp.Subquery):
        raise UsageError("not a SELECT statement: only SELECT over the marts is allowed")
    return statement


def _check_node(node: exp.Expression) -> None:
    if isinstance(node, _FORBIDDEN):
        raise UsageError(f"{_describe(node)} is not allowed: only SELECT over the marts is")
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc | exp.CombinedAggFunc | exp.ParameterizedAgg):
        name = str(node.this).lower()
        if name not in _FUNCTIONS:
            raise UsageError(f"the function {name} is not allowed")
    elif isinstance(node, exp.Func) and not _names(node) & _FUNCTIONS:
        raise UsageError(f"the function {min(_names(node))} is not allowed")
    elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        # A function of a schema or of a value.
        raise UsageError(f"{_describe(node)} is not allowed: call functions without a schema")
    elif isinstance(node, exp.Column) and not node.table and not node.this.args.get("quoted"):
        if node.name.lower() in _SESSION_NAMES:
            raise UsageError(f"{node.name} is not allowed")
    elif isinstance(node, exp.PseudoType | exp.ObjectIdentifier) or (
        isinstance(node, exp.DataType) and node.this in _FORBIDDEN_TYPES
    ):
        raise UsageError(f"the type {_describe(node)} is not allowed")
    elif isinstance(node, exp.With) and node.recursive:
        raise UsageError("WITH RECURSIVE is not allowed")


def _replace_table(table: exp.Table, ctes: set[str], marts: LimitedMarts) -> str | None:
    """Let a table name what it may read; return the name of the mart, None for another table."""
    source = table.this
    if isinstance(source, _TABLE_FUNCTIONS):
        return None
    if not isinstance(source, exp.Identifier):
        raise UsageError(f"{_describe(table)} is not allowed: read the marts")
    name, dataset = source.name, table.db
    if table.catalog or (dataset and dataset.lower() != marts.dataset.lower()):
        raise UsageError(f"{_describe(table)} is not in {marts.dataset}: only the marts may be read")
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=source.quoted)))
    table.set("db", None)
    lower = name.lower()
    if not dataset and lower in ctes:
        table.set("this", exp.to_identifier(_CTE_PREFIX + lower, quoted=True))
        return None
    if lower not in MART_ACCESS:
        closest = difflib.get_close_matches(lower, MART_ACCESS, _CLOSEST_NAMES)
        advice = f": did you mean {' or '.join(closest)}?" if closest else "; describe_schema lists the marts"
        raise UsageError(f"{name!r} is not a mart{advice}")
    table.set("this", exp.to_identifier(PREFIX + lower))
    return lower


def _limit_rows(query: exp.Query, limit: int) -> exp.Query:
    """Return the query with a limit of one row more than asked for, which shows that there are more."""
    while isinstance(query, exp.Subquery) and not query.args.get("alias"):
        query = query.this
    rows = limit + 1
    if (own := query.args.get("limit")) is not None:
        value = own.args.get("expression") or own.args.get("count")
        if not isinstance(value, exp.Literal) or value.is_string or not value.this.isdigit():
            raise UsageError("LIMIT must be a number")
        rows = min(rows, int(value.this))
    query.set("limit", exp.Limit(expression=exp.Literal.number(rows)))
    return query


def _move_first(query: exp.Query, count: int) -> None:
    """Let the last common table expressions be the first: those of the query read them."""
    if count and (with_ := query.args.get("with_")) is not None:
        expressions: Sequence[exp.Expression] = with_.expressions
        with_.set("expressions", [*expressions[-count:], *expressions[:-count]])


def _describe(node: exp.Expression) -> str:
    text = one_line(node.sql(comments=False), 80)
    return text or type(node).__name__


def _names(function: exp.Func) -> set[str]:
    names: list[str] = function.sql_names()  # type: ignore[no-untyped-call]
    return {name.lower() for name in names}
