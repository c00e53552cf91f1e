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
    from (select distinct call_id, {{ remembered | join(', ') }} from {{ this }}) as built
    left join {{ ref(calls) }} as calls
      on calls.call_id = built.call_id
      {%- for column in remembered %}
      and calls.{{ column }} is not distinct from built.{{ column }}
      {%- endfor %}
    where calls.call_id is null
  )
  {%- endif -%}
{%- endmacro %}

{% macro calls_to_build(calls) -%}
  select *
  from {{ ref(calls) }} as calls
  {%- if is_incremental() %}
  where not exists (select 1 from {{ this }} as built where built.call_id = calls.call_id)
  {%- endif %}
{%- endmacro %}
