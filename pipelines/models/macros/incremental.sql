{# Models of many rows keep what they have built of calls that have not changed.

   Beside its own columns a row holds what it remembers of its call: when it was loaded and what else was taken from there.
   Before a build, rows that remember something else than `calls` says now are deleted, and so are rows of calls
   that have gone, turned private or lost their transcript. What then has no rows is built. #}
{% macro forget_changed_calls(calls, remembered) -%}
  {%- if is_incremental() -%}
  {%- set there = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list -%}
  {%- for column in remembered if column not in there -%}
  {{ exceptions.raise_compiler_error(
      this.identifier ~ " was built by older models, without " ~ column ~ ": build it once with --full-refresh"
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
