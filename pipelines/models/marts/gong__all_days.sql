-- One row per day: the time spine of semantic layers.
{%- set first = modules.datetime.date.fromisoformat(var('gong_first_day')) %}
{%- set last = modules.datetime.date.fromisoformat(var('gong_last_day')) %}
{{ days_between(first, last) }}
