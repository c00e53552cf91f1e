{# Build large models incrementally, by call.

   Each row contains the columns of its call that it was built from (`remembered`), such as `_synced_at`. Before a build,
   delete the rows whose values differ from those in `calls` now, and the rows of calls that were deleted, became private
   or lost their transcript. `calls_to_build` then selects the calls without rows. #}
{% macro forget_changed_calls(calls, remembered) -%}
  {%- if is_incremental() -%}
  {%- set there = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list -%}
  {%- for column in remembered if column not in there -%}
  {{ exceptions.raise_compiler_error(
      this.identifier ~ " was built by an earlier version, without column " ~ column ~ ": build it once with --full-refresh"
  ) }}
  {%- endfor -%}
  delete from {{ this }} where call_id in (
    select built.call_id
    from ({{ built_calls(remembered) }}) as built
    left join {{ ref(calls) }} as calls
      on calls.call_id = built.call_id
      {%- for column in remembered %}
      and calls.{{ column }} is not distinct from built.{{ column }}
      {%- endfor %}
    where calls.call_id is null
  )
  {%- endif -%}
{%- endmacro %}

{# Select each call of the model as it was when its rows were built. All rows of a call are built at once. #}
{% macro built_calls(remembered) -%}
  {{ return(adapter.dispatch('built_calls', 'gong_elt')(remembered)) }}
{%- endmacro %}

{% macro default__built_calls(remembered) -%}
  select distinct call_id, {{ remembered | join(', ') }} from {{ this }}
{%- endmacro %}

{# PostgreSQL reads every row for `distinct`. This reads one row per call, through the index. #}
{% macro postgres__built_calls(remembered) -%}
  {%- if not config.get('indexes') -%} {{ return(gong_elt.default__built_calls(remembered)) }} {%- endif -%}
  with recursive ids as (
    (select call_id from {{ this }} order by call_id limit 1)
    union all
    select (select later.call_id from {{ this }} as later where later.call_id > ids.call_id order by later.call_id limit 1)
    from ids
    where ids.call_id is not null
  )
  select first_row.*
  from ids
  cross join lateral (
    select call_id, {{ remembered | join(', ') }} from {{ this }} as rows_of_call where rows_of_call.call_id = ids.call_id limit 1
  ) as first_row
{%- endmacro %}

{% macro calls_to_build(calls) -%}
  select *
  from {{ ref(calls) }} as calls
  {%- if is_incremental() %}
  where not exists (select 1 from {{ this }} as built where built.call_id = calls.call_id)
  {%- endif %}
{%- endmacro %}
