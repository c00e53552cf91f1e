{{ config(
    materialized='incremental',
    pre_hook="{{ forget_changed_calls('gong__calls_enriched', [
        'started', 'started_date', 'started_epoch_ms', 'is_external', 'host_user_id', 'host_name', 'team', 'account_id',
        'account_name', 'opportunity_id', 'opportunity_name', '_synced_at'
    ]) }}",
    indexes=index_on(['call_id'])
) }}

with calls as (
    {{ calls_to_build('gong__calls_enriched') }}
),

insights as (
    select call_id, 'brief' as kind, 0 as position, 0 as item_position,
        cast(null as {{ dbt.type_string() }}) as section, brief as text, cast(null as {{ type_double() }}) as start_seconds
    from {{ ref('stg_gong__calls') }}
    where brief <> ''
    union all
    select call_id, 'key point', position, 0, cast(null as {{ dbt.type_string() }}), text, cast(null as {{ type_double() }})
    from {{ ref('stg_gong__call_key_points') }}
    union all
    select items.call_id, 'outline', items.position, items.item_position, sections.section, items.text, items.start_seconds
    from {{ ref('stg_gong__call_outline_items') }} as items
    left join {{ ref('stg_gong__call_outline') }} as sections
        on sections.call_id = items.call_id and sections.position = items.position
    union all
    select call_id, 'highlight', position, item_position, title, text, start_seconds
    from {{ ref('stg_gong__call_highlights') }}
)

select
    insights.call_id,
    insights.kind,
    insights.position,
    insights.item_position,
    insights.section,
    insights.text,
    insights.start_seconds,
    {{ clock('(1000 * insights.start_seconds)') }} as start_time,
    {{ moment_url('calls.url', '1000 * insights.start_seconds', '1000 * insights.start_seconds') }} as moment_url,
    {{ call_facts() }},
    calls._synced_at
from insights
join calls on calls.call_id = insights.call_id
