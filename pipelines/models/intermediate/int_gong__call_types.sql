-- One row per call: whether it is external, and its type. README.md has the rules.
with sides as (
    select
        call_id,
        max(case when side = 'customer' then 1 else 0 end) as has_customer,
        max(case when side = 'unknown' then 1 else 0 end) as has_unknown
    from {{ ref('stg_gong__call_parties') }}
    group by call_id
),

described as (
    select
        calls.call_id,
        calls.duration_seconds,
        calls.direction in ('Inbound', 'Outbound')
            or (coalesce(calls.direction, 'Unknown') = 'Unknown' and calls.system in {{ quoted(var('gong_dialers')) }}) as is_dial,
        calls.direction = 'Conference' or calls.system in {{ quoted(var('gong_web_conferences')) }} as is_meeting,
        calls.scope,
        coalesce(sides.has_customer, 0) = 1 as has_customer,
        coalesce(sides.has_unknown, 0) = 1 as has_unknown
    from {{ ref('stg_gong__calls') }} as calls
    left join sides on sides.call_id = calls.call_id
),

placed as (
    select
        call_id,
        duration_seconds,
        coalesce(is_dial, false) as is_dial,
        coalesce(is_meeting, false) as is_meeting,
        -- Gong does not know who is behind many phone numbers.
        has_customer
            or coalesce(scope, 'Unknown') = 'External'
            or (coalesce(is_dial, false) and has_unknown and coalesce(scope, 'Unknown') <> 'Internal') as is_external
    from described
)

select
    call_id,
    is_external,
    case
        when not is_external then 'internal'
        when is_dial and duration_seconds < {{ var('gong_short_dial_seconds') }} then 'short_dial'
        when is_dial then 'dial'
        when is_meeting then 'meeting'
        else 'other'
    end as call_type
from placed
