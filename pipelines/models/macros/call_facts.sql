{# Columns that marts with parts of calls share, from `calls_enriched` as `calls`. #}
{% macro call_facts() -%}
    calls.started,
    calls.started_date,
    calls.started_epoch_ms,
    calls.is_external,
    calls.title as call_title,
    calls.host_user_id,
    calls.host_name,
    calls.team,
    calls.account_id,
    calls.account_name,
    calls.opportunity_id,
    calls.opportunity_name
{%- endmacro %}
