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

{# Return whether a text contains one of some parts, in any case. #}
{% macro contains_any(text, parts) -%}
  coalesce(
    {%- for part in parts %}
    lower({{ text }}) like {{ quoted(['%' ~ part ~ '%']) }}{{ " or" if not loop.last }}
    {%- endfor %}, false
  )
{%- endmacro %}

{# Return `won`, `lost` or `open`; null without a deal. #}
{% macro deal_outcome(deal) -%}
  case
    when {{ deal }}.is_won then 'won'
    when {{ deal }}.is_closed then 'lost'
    when {{ deal }}.opportunity_id is not null then 'open'
  end
{%- endmacro %}

{# Return the day of the week of an instant, in UTC: 1 for Monday to 7 for Sunday. 1970-01-01 was a Thursday. #}
{% macro weekday(instant) -%}
  {%- set days = "(" ~ epoch_days(instant) ~ " + 3)" -%}
  cast({{ days }} - 7 * floor({{ days }} / 7.0) + 1 as {{ dbt.type_int() }})
{%- endmacro %}

{# Return the hour of an instant, in UTC, from 0 to 23. #}
{% macro hour_of_day(instant) -%}
  cast(floor(({{ epoch_ms(instant) }} - 86400000 * cast({{ epoch_days(instant) }} as bigint)) / 3600000.0) as {{ dbt.type_int() }})
{%- endmacro %}

{# Return the URL of a deal in the CRM; null if `gong_deal_url` is empty. #}
{% macro deal_url(deal_id) -%}
  {%- set before, _, after = var('gong_deal_url').partition('{id}') -%}
  {%- if var('gong_deal_url') -%} '{{ escaped(before) }}' || {{ deal_id }} || '{{ escaped(after) }}'
  {%- else -%} cast(null as {{ dbt.type_string() }}) {%- endif -%}
{%- endmacro %}

{# Return whether an instant is at most some days ago. #}
{% macro is_recent(instant, days) -%}
  ({{ epoch_days('current_timestamp') }} - {{ epoch_days(instant) }} between 0 and {{ days }})
{%- endmacro %}

{# Return whether a text contains one of some words, in any case. #}
{% macro contains_any_word(text, words) -%}
  coalesce(
    {%- for word in words %}
    ' ' || replace(replace(lower({{ text }}), ',', ' '), '/', ' ') || ' ' like {{ quoted(['% ' ~ word ~ ' %']) }}{{ " or" if not loop.last }}
    {%- endfor %}, false
  )
{%- endmacro %}
