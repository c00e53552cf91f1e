{# Rows of calls that may be read: neither deleted in Gong nor private. #}
{% macro of_readable_calls() -%}
  where call_id in (select id from {{ source('gong', 'calls') }} where {{ is_readable() }})
{%- endmacro %}

{% macro is_readable() -%}
  _deleted_at is null and not coalesce(is_private, false)
{%- endmacro %}

{# Rows that may belong to calls which were never loaded; only what belongs to unreadable ones is left out. #}
{% macro without_unreadable_calls() -%}
  where call_id is null
    or call_id not in (select id from {{ source('gong', 'calls') }} where not ({{ is_readable() }}))
{%- endmacro %}

{% macro side(affiliation) -%}
  case {{ affiliation }} when 'Internal' then 'company' when 'External' then 'customer' else 'unknown' end
{%- endmacro %}

{# Milliseconds from the begin of the call as hh:mm:ss. #}
{% macro clock(milliseconds) -%}
  {{ two_digits("floor(" ~ milliseconds ~ " / 3600000.0)") }} || ':' ||
  {{ two_digits("floor(" ~ milliseconds ~ " / 60000.0) - 60 * floor(" ~ milliseconds ~ " / 3600000.0)") }} || ':' ||
  {{ two_digits("floor(" ~ milliseconds ~ " / 1000.0) - 60 * floor(" ~ milliseconds ~ " / 60000.0)") }}
{%- endmacro %}

{% macro two_digits(number) -%}
  (case when {{ number }} < 10 then '0' else '' end || cast(cast({{ number }} as integer) as varchar))
{%- endmacro %}

{# The day in UTC with which a period begins: week (from Monday, as in Gong), month. #}
{% macro period_of(instant, period) -%}
  cast(date_trunc('{{ period }}', {{ instant }} at time zone 'UTC') as date)
{%- endmacro %}

{# Of a CRM record's fields, the first of these names that has a value. #}
{% macro crm_field(names) -%}
  coalesce(
    {%- for name in names %}
    max(case when fields.name in {{ quoted([name]) }} then {{ json_as_text('fields.value') }} end){{ "," if not loop.last }}
    {%- endfor %}
  )
{%- endmacro %}

{% macro quoted(words) -%}
  ({% for word in words %}'{{ word | replace("'", "''") }}'{{ ", " if not loop.last }}{% endfor %})
{%- endmacro %}

{# First and last name, as far as they are known. #}
{% macro user_name() -%}
  nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), '')
{%- endmacro %}
