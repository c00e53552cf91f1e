{# SQL that engines write differently, dispatched by adapter. A default is the form that most engines share. #}

{# Name the type of a floating-point number with 64 bits; dbt's `type_float` has 32 in DuckDB. #}
{% macro type_double() -%}
  {{ return(adapter.dispatch('type_double', 'gong_elt')()) }}
{%- endmacro %}

{% macro default__type_double() -%}
  double precision
{%- endmacro %}

{% macro bigquery__type_double() -%}
  float64
{%- endmacro %}

{% macro spark__type_double() -%}
  double
{%- endmacro %}

{# Write a fraction for a division. Spark's literals are exact numbers, whose quotients it cuts to six digits. #}
{% macro fraction(literal) -%}
  {{ return(adapter.dispatch('fraction', 'gong_elt')(literal)) }}
{%- endmacro %}

{% macro default__fraction(literal) -%}
  {{ literal }}
{%- endmacro %}

{% macro spark__fraction(literal) -%}
  {{ literal }}D
{%- endmacro %}

{# Escape a text for a literal between single quotes. #}
{% macro escaped(text) -%}
  {{ return(adapter.dispatch('escaped', 'gong_elt')(text)) }}
{%- endmacro %}

{% macro default__escaped(text) -%}
  {{ return(text | replace("'", "''")) }}
{%- endmacro %}

{% macro snowflake__escaped(text) -%}
  {{ return(text | replace("\\", "\\\\") | replace("'", "''")) }}
{%- endmacro %}

{% macro bigquery__escaped(text) -%}
  {{ return(text | replace("\\", "\\\\") | replace("'", "\\'")) }}
{%- endmacro %}

{% macro spark__escaped(text) -%}
  {{ return(gong_elt.bigquery__escaped(text)) }}
{%- endmacro %}

{# Return a line break as an expression that can separate joined texts. #}
{% macro line_break() -%}
  {{ return(adapter.dispatch('line_break', 'gong_elt')()) }}
{%- endmacro %}

{% macro default__line_break() -%}
  chr(10)
{%- endmacro %}

{% macro bigquery__line_break() -%}
  '\n'
{%- endmacro %}

{# Return the first day of a period in UTC: day, week (from Monday, as in Gong) or month. #}
{% macro period_of(instant, period) -%}
  {{ return(adapter.dispatch('period_of', 'gong_elt')(instant, period)) }}
{%- endmacro %}

{% macro default__period_of(instant, period) -%}
  cast(date_trunc('{{ period }}', {{ instant }} at time zone 'UTC') as date)
{%- endmacro %}

{# The first day of a week is a setting of the account, so weeks are computed without it. #}
{% macro snowflake__period_of(instant, period) -%}
  {%- set day -%} cast(convert_timezone('UTC', {{ instant }}) as date) {%- endset -%}
  {%- if period == 'week' -%} cast(dateadd('day', 1 - dayofweekiso({{ day }}), {{ day }}) as date)
  {%- elif period == 'month' -%} cast(date_trunc('month', {{ day }}) as date)
  {%- else -%} {{ day }} {%- endif -%}
{%- endmacro %}

{# BigQuery's days of a week begin with Sunday as 1. Its isoweek would do, but the emulator of the tests rejects it. #}
{% macro bigquery__period_of(instant, period) -%}
  {%- set day -%} date({{ instant }}, 'UTC') {%- endset -%}
  {%- if period == 'week' -%} date_sub({{ day }}, interval mod(extract(dayofweek from {{ day }}) + 5, 7) day)
  {%- elif period == 'month' -%} date_trunc({{ day }}, month)
  {%- else -%} {{ day }} {%- endif -%}
{%- endmacro %}

{# Spark truncates instants in the time zone of its session, so the day is counted from 1970. #}
{% macro spark__period_of(instant, period) -%}
  {%- set day -%} date_from_unix_date({{ epoch_days(instant) }}) {%- endset -%}
  {%- if period == 'day' -%} {{ day }} {%- else -%} trunc({{ day }}, '{{ period }}') {%- endif -%}
{%- endmacro %}

{# Return the milliseconds from 1970-01-01 UTC to an instant, rounded down. #}
{% macro epoch_ms(instant) -%}
  {{ return(adapter.dispatch('epoch_ms', 'gong_elt')(instant)) }}
{%- endmacro %}

{% macro default__epoch_ms(instant) -%}
  cast(floor(extract(epoch from {{ instant }}) * 1000) as bigint)
{%- endmacro %}

{% macro duckdb__epoch_ms(instant) -%}
  epoch_ms({{ instant }})
{%- endmacro %}

{% macro snowflake__epoch_ms(instant) -%}
  cast(floor(date_part(epoch_microsecond, {{ instant }}) / 1000) as bigint)
{%- endmacro %}

{% macro bigquery__epoch_ms(instant) -%}
  unix_millis({{ instant }})
{%- endmacro %}

{% macro spark__epoch_ms(instant) -%}
  unix_millis({{ instant }})
{%- endmacro %}

{# Select each day from the first to the last one, as column `day`. #}
{% macro days_between(first, last) -%}
  {{ return(adapter.dispatch('days_between', 'gong_elt')(first, last)) }}
{%- endmacro %}

{% macro default__days_between(first, last) -%}
select
    cast({{ dbt.dateadd(
        'day', 'cast(numbers.generated_number as ' ~ dbt.type_int() ~ ') - 1', "cast('" ~ first ~ "' as date)"
    ) }} as date) as day
from (
    {{ dbt.generate_series((last - first).days + 1) }}
) as numbers
{%- endmacro %}

{# dbt's `generate_series` joins a table of two rows with itself fourteen times, which takes Spark seconds. #}
{% macro spark__days_between(first, last) -%}
select explode(sequence(cast('{{ first }}' as date), cast('{{ last }}' as date))) as day
{%- endmacro %}

{# Divide a number that is not negative by a whole number, and round down. #}
{% macro whole_part(dividend, divisor) -%}
  {{ return(adapter.dispatch('whole_part', 'gong_elt')(dividend, divisor)) }}
{%- endmacro %}

{% macro default__whole_part(dividend, divisor) -%}
  floor({{ dividend }} / {{ divisor }}.0)
{%- endmacro %}

{# PostgreSQL divides by a fraction with exact numbers: twelve seconds for the times of six million sentences. #}
{% macro postgres__whole_part(dividend, divisor) -%}
  (cast(floor({{ dividend }}) as bigint) / {{ divisor }})
{%- endmacro %}

{% macro spark__whole_part(dividend, divisor) -%}
  (cast(floor({{ dividend }}) as bigint) div {{ divisor }})
{%- endmacro %}

{# Return the days from 1970-01-01 to the day of an instant, in UTC. #}
{% macro epoch_days(instant) -%}
  cast(floor({{ epoch_ms(instant) }} / 86400000.0) as {{ dbt.type_int() }})
{%- endmacro %}

{# Return the days from 1970-01-01 to a date. #}
{% macro days_of_date(day) -%}
  {{ dbt.datediff("cast('1970-01-01' as date)", day, 'day') }}
{%- endmacro %}

{# Convert a JSON value to text: a string without its quotes, anything else as JSON. #}
{% macro json_as_text(column) -%}
  {{ return(adapter.dispatch('json_as_text', 'gong_elt')(column)) }}
{%- endmacro %}

{% macro default__json_as_text(column) -%}
  ({{ column }} #>> '{}')
{%- endmacro %}

{% macro duckdb__json_as_text(column) -%}
  json_extract_string({{ column }}, '$')
{%- endmacro %}

{# Snowflake loads JSON from Parquet files as a VARIANT that is a string of JSON. #}
{% macro snowflake__json_as_text(column) -%}
  {%- set text = gong_elt.variant_as_text(column) -%}
  case
    when substr({{ text }}, 1, 1) in ('"', '{', '[')
      then coalesce({{ gong_elt.variant_as_text('try_parse_json(' ~ text ~ ')') }}, {{ text }})
    else nullif({{ text }}, 'null')
  end
{%- endmacro %}

{% macro variant_as_text(value) -%}
  cast(get_path(object_construct('value', {{ value }}), 'value') as {{ dbt.type_string() }})
{%- endmacro %}

{% macro bigquery__json_as_text(column) -%}
  case
    when json_type({{ column }}) in ('object', 'array') then to_json_string({{ column }})
    else json_value({{ column }})
  end
{%- endmacro %}

{# JSON is text in Iceberg. `get_json_object` finds strings only below a key, and would write numbers in another way. #}
{% macro spark__json_as_text(column) -%}
  case
    when {{ column }} like '"%' then get_json_object('{"value":' || {{ column }} || '}', '$.value')
    else nullif({{ column }}, 'null')
  end
{%- endmacro %}

{# Return the first element of a JSON array as text; null if there is none. #}
{% macro json_first(column) -%}
  {{ return(adapter.dispatch('json_first', 'gong_elt')(column)) }}
{%- endmacro %}

{% macro default__json_first(column) -%}
  ({{ column }} ->> 0)
{%- endmacro %}

{% macro duckdb__json_first(column) -%}
  json_extract_string({{ column }}, '$[0]')
{%- endmacro %}

{% macro snowflake__json_first(column) -%}
  {{ gong_elt.variant_as_text('get(try_parse_json(' ~ gong_elt.variant_as_text(column) ~ '), 0)') }}
{%- endmacro %}

{% macro bigquery__json_first(column) -%}
  json_value({{ column }}, '$[0]')
{%- endmacro %}

{% macro spark__json_first(column) -%}
  get_json_object({{ column }}, '$[0]')
{%- endmacro %}

{# Return the mean of a figure, rounded to ten digits: the sum of fractions depends on the order of the rows, which differs
   between a full and an incremental build. #}
{% macro mean(expression) -%}
  {{ return(adapter.dispatch('mean', 'gong_elt')(expression)) }}
{%- endmacro %}

{% macro default__mean(expression) -%}
  round(avg(cast({{ expression }} as {{ type_double() }})), 10)
{%- endmacro %}

{# PostgreSQL rounds only exact numbers to digits. #}
{% macro postgres__mean(expression) -%}
  cast(round(cast(avg({{ expression }}) as numeric), 10) as double precision)
{%- endmacro %}

{# Return whether a text matches a regular expression. #}
{% macro matches(expression, pattern) -%}
  {{ return(adapter.dispatch('matches', 'gong_elt')(expression, pattern)) }}
{%- endmacro %}

{% macro default__matches(expression, pattern) -%}
  {{ expression }} ~ {{ pattern }}
{%- endmacro %}

{% macro duckdb__matches(expression, pattern) -%}
  regexp_matches({{ expression }}, {{ pattern }})
{%- endmacro %}

{# Snowflake's pattern has to match the whole text. #}
{% macro snowflake__matches(expression, pattern) -%}
  regexp_like({{ expression }}, {{ pattern }})
{%- endmacro %}

{% macro bigquery__matches(expression, pattern) -%}
  regexp_contains({{ expression }}, {{ pattern }})
{%- endmacro %}

{# Java's `$` also matches before a line break at the end, which `\z` does not. #}
{% macro spark__matches(expression, pattern) -%}
  {{ expression }} rlike {{ pattern | replace('$', '\\\\z') }}
{%- endmacro %}

{# Convert the text of a CRM field to a number; null if it is not a number, or too long for one. #}
{% macro text_as_number(expression) -%}
  {{ return(adapter.dispatch('text_as_number', 'gong_elt')(expression)) }}
{%- endmacro %}

{% macro default__text_as_number(expression) -%}
  case when {{ matches(expression, number_pattern()) }} then cast({{ expression }} as {{ type_double() }}) end
{%- endmacro %}

{% macro snowflake__text_as_number(expression) -%}
  case when {{ matches(expression, number_pattern()) }} then try_cast({{ expression }} as double precision) end
{%- endmacro %}

{% macro bigquery__text_as_number(expression) -%}
  case when {{ matches(expression, number_pattern()) }} then safe_cast({{ expression }} as float64) end
{%- endmacro %}

{# Convert a text that begins with a date (2026-01-31) to the date; null if there is no such day. #}
{% macro text_as_date(expression) -%}
  {%- set day = 'substr(' ~ expression ~ ', 1, 10)' -%}
  case when {{ matches(day, date_pattern()) }} then cast({{ day }} as date) end
{%- endmacro %}

{% macro date_pattern() -%}
  {%- set leap = '([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)-02-29' -%}
  {%- set days = '(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31' -%}
  '^([1-9][0-9]{3}-({{ days }})|{{ leap }})$'
{%- endmacro %}

{% macro number_pattern() -%}
  '^-?[0-9]{1,30}([.][0-9]{1,30})?([eE][-+]?[0-9]{1,2})?$'
{%- endmacro %}

{# Concatenate the texts of a group, separated by `between` and ordered by `place`, which is never null, then by text. #}
{% macro joined(text, between, place) -%}
  {{ return(adapter.dispatch('joined', 'gong_elt')(text, between, place)) }}
{%- endmacro %}

{% macro default__joined(text, between, place) -%}
  string_agg({{ text }}, {{ between }} order by {{ place }}, {{ text }})
{%- endmacro %}

{% macro snowflake__joined(text, between, place) -%}
  listagg({{ text }}, {{ between }}) within group (order by {{ place }}, {{ text }})
{%- endmacro %}

{# For groups of a few rows, four times as fast as DuckDB's ordered string_agg. #}
{% macro duckdb__joined(text, between, place) -%}
  array_to_string(
    [entry.words for entry in
      list_sort(list(struct_pack(place := {{ place }}, words := {{ text }})) filter (where {{ text }} is not null))],
    {{ between }}
  )
{%- endmacro %}

{# `array_join` leaves out nulls, but returns an empty text if there is nothing else. #}
{% macro spark__joined(text, between, place) -%}
  case when count({{ text }}) > 0 then
    array_join(
      transform(array_sort(collect_list(struct({{ place }} as place, {{ text }} as words))), entry -> entry.words),
      {{ between }}
    )
  end
{%- endmacro %}

{# Return keys that are not unique or have a null in one of their columns. #}
{% macro rows_without_a_key_of_their_own(model, columns) -%}
  {{ return(adapter.dispatch('rows_without_a_key_of_their_own', 'gong_elt')(model, columns)) }}
{%- endmacro %}

{% macro default__rows_without_a_key_of_their_own(model, columns) -%}
  select {{ columns | join(', ') }}, count(*) as row_count
  from {{ model }}
  group by {{ columns | join(', ') }}
  having count(*) > 1 or {{ columns | join(' is null or ') }} is null
{%- endmacro %}

{# Takes less than half the time over millions of sentences: one group per call instead of one per sentence. #}
{% macro duckdb__rows_without_a_key_of_their_own(model, columns) -%}
  {%- if columns | length == 2 -%}
  {%- set whole, part = columns -%}
  select {{ whole }}
  from {{ model }}
  group by {{ whole }}
  having {{ whole }} is null or count(*) <> len(list_distinct(list({{ part }})))
  {%- else -%}
  {{ gong_elt.default__rows_without_a_key_of_their_own(model, columns) }}
  {%- endif -%}
{%- endmacro %}

{# Write a table with one thread. With two, each leaves a row group that is not full; DuckDB can merge these after a later
   build and then rewrites up to 122,880 rows, which takes seconds for long texts. #}
{% macro one_writer() -%}
  {%- if target.type == 'duckdb' -%} set variable gong_threads = current_setting('threads'); set threads = 1 {%- endif -%}
{%- endmacro %}

{% macro as_many_writers_as_before() -%}
  {%- if target.type == 'duckdb' -%} set threads = getvariable('gong_threads') {%- endif -%}
{%- endmacro %}

{# Update PostgreSQL's statistics, and mark the pages whose rows are visible to all: the tests then read indexes only. A
   table on which another session does this is left to that session. #}
{% macro vacuum(relation) -%}
  {%- if target.type == 'postgres' and model.config.materialized != 'view' -%}
  vacuum (analyze, skip_locked) {{ relation }}
  {%- endif -%}
{%- endmacro %}

{% macro analyze_sources() -%}
  {%- if target.type == 'postgres' and execute -%}
    {%- for node in graph.sources.values() if node.package_name == 'gong_elt' -%}
      analyze {{ node.relation_name }};
    {%- endfor -%}
  {%- endif -%}
{%- endmacro %}

{% macro index_on(columns) -%}
  {%- set wanted = [{'columns': columns}] if target.type == 'postgres' else [] -%}
  {{ return(wanted) }}
{%- endmacro %}
