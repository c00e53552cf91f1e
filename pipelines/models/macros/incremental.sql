{# Models of sentences are built for calls that are new or were loaded again; rows of the others stay.

   A row remembers by `_synced_at` which load it was made from. #}
{% macro changed_calls() -%}
  select _call_id, _synced_at
  from {{ ref('int_transcribed_calls') }} as calls
  {%- if is_incremental() %}
  where not exists (
    select 1 from (select distinct call_id, _synced_at from {{ this }}) as built
    where built.call_id = calls._call_id and built._synced_at = calls._synced_at
  )
  {%- endif %}
{%- endmacro %}

{# What was built of calls that have gone since, turned private, or lost their transcript. #}
{% macro forget_gone_calls() -%}
  {%- if is_incremental() -%}
  delete from {{ this }} where call_id not in (select _call_id from {{ ref('int_transcribed_calls') }})
  {%- endif -%}
{%- endmacro %}
