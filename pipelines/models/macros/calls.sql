{# Name a table that gong-elt loads. In Spark, the snapshot of `gong_snapshots`: tables of one load, not the newest of each. #}
{% macro loaded(table) -%}
  {%- set snapshot = var('gong_snapshots').get(table) -%}
  {{ source('gong', table) }}{{ ' version as of ' ~ snapshot if snapshot is not none }}
{%- endmacro %}

{# Keep rows of readable calls: not deleted in Gong and not private. #}
{% macro of_readable_calls() -%}
  where call_id in (select id from {{ loaded('calls') }} where {{ is_readable() }})
{%- endmacro %}

{% macro is_readable() -%}
  _deleted_at is null and not coalesce(is_private, false)
{%- endmacro %}

{# Drop rows of unreadable calls; keep rows without a call or of a call that was never loaded. #}
{% macro without_unreadable_calls() -%}
  where call_id is null
    or call_id not in (select id from {{ loaded('calls') }} where not ({{ is_readable() }}))
{%- endmacro %}

{% macro side(affiliation) -%}
  case {{ affiliation }} when 'Internal' then 'company' when 'External' then 'customer' else 'unknown' end
{%- endmacro %}

{# Return a number of Gong's, or null if it is absurd: arithmetic on it could overflow, which would end the build. #}
{% macro if_between(column, lowest, highest) -%}
  case when {{ column }} between {{ lowest }} and {{ highest }} then {{ column }} end
{%- endmacro %}

{# Format milliseconds from the start of the call as hh:mm:ss, with a minus sign before the start. #}
{% macro clock(milliseconds) -%}
  {%- set distance = "abs(" ~ milliseconds ~ ")" -%}
  {%- set hours = whole_part(distance, 3600000) -%}
  {%- set minutes = whole_part(distance, 60000) -%}
  case when {{ milliseconds }} <= -1000 then '-' else '' end ||
  {{ two_digits(hours) }} || ':' ||
  {{ two_digits(minutes ~ " - 60 * " ~ hours) }} || ':' ||
  {{ two_digits(whole_part(distance, 1000) ~ " - 60 * " ~ minutes) }}
{%- endmacro %}

{% macro two_digits(number) -%}
  (case when {{ number }} < 10 then '0' else '' end || cast(cast({{ number }} as integer) as {{ dbt.type_string() }}))
{%- endmacro %}

{# Return the value of the first CRM field in `names` that has one. #}
{% macro crm_field(names) -%}
  coalesce(
    {%- for name in names %}
    max(case when fields.name in {{ quoted([name]) }} then {{ json_as_text('fields.value') }} end){{ "," if not loop.last }}
    {%- endfor %}
  )
{%- endmacro %}

{% macro quoted(words) -%}
  ({% for word in words %}'{{ escaped(word) }}'{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}

{# Return first and last name; null if both are missing. #}
{% macro user_name() -%}
  nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '')
{%- endmacro %}
