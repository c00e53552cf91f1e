{# SQL that differs between DuckDB and PostgreSQL, dispatched by adapter. #}

{% macro json_as_text(column) -%}
  {{ return(adapter.dispatch('json_as_text', 'gong_elt')(column)) }}
{%- endmacro %}

{% macro default__json_as_text(column) -%}
  ({{ column }} #>> '{}')
{%- endmacro %}

{% macro duckdb__json_as_text(column) -%}
  json_extract_string({{ column }}, '$')
{%- endmacro %}

{# Return the mean of a figure, rounded to ten digits: the sum of fractions depends on the order of the rows, which differs
   between a full and an incremental build. #}
{% macro mean(expression) -%}
  {{ return(adapter.dispatch('mean', 'gong_elt')(expression)) }}
{%- endmacro %}

{% macro default__mean(expression) -%}
  cast(round(cast(avg({{ expression }}) as numeric), 10) as double precision)
{%- endmacro %}

{% macro duckdb__mean(expression) -%}
  round(cast(avg({{ expression }}) as double precision), 10)
{%- endmacro %}

{# Convert the text of a CRM field to a number; null if it is not a number, or too long for one. #}
{% macro text_as_number(expression) -%}
  {{ return(adapter.dispatch('text_as_number', 'gong_elt')(expression)) }}
{%- endmacro %}

{% macro default__text_as_number(expression) -%}
  case when {{ expression }} ~ '^-?[0-9]{1,30}([.][0-9]{1,30})?([eE][-+]?[0-9]{1,2})?$' then cast({{ expression }} as double precision) end
{%- endmacro %}

{% macro duckdb__text_as_number(expression) -%}
  case when regexp_matches({{ expression }}, '^-?[0-9]{1,30}([.][0-9]{1,30})?([eE][-+]?[0-9]{1,2})?$')
    then cast({{ expression }} as double precision) end
{%- endmacro %}

{# Concatenate the texts of a group, ordered by `place` and separated by `between`. #}
{% macro joined(text, between, place) -%}
  {{ return(adapter.dispatch('joined', 'gong_elt')(text, between, place)) }}
{%- endmacro %}

{% macro default__joined(text, between, place) -%}
  string_agg({{ text }}, {{ between }} order by {{ place }})
{%- endmacro %}

{# For groups of a few rows, four times as fast as DuckDB's ordered string_agg. #}
{% macro duckdb__joined(text, between, place) -%}
  array_to_string(
    [entry.words for entry in
      list_sort(list(struct_pack(place := {{ place }}, words := {{ text }})) filter (where {{ text }} is not null))],
    {{ between }}
  )
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

{% macro analyze(relation) -%}
  {%- if target.type == 'postgres' and model.config.materialized != 'view' -%} analyze {{ relation }} {%- endif -%}
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
