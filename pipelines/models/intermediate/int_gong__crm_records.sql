-- One row per account or opportunity linked to the call itself, and timing; without those that have no id.
{{ config(indexes=index_on(['call_id'])) }}

with linked as (
    select
        *,
        case when object_type in {{ quoted(var('gong_account_types')) }} then 'account' else 'opportunity' end as kind
    from {{ ref('stg_gong__call_crm_objects') }}
    where party_id = ''
      and object_id <> ''
      and object_type in {{ quoted(var('gong_account_types') + var('gong_opportunity_types')) }}
),

described as (
    select
        linked.call_id,
        linked.system as crm_system,
        linked.kind,
        linked.object_id,
        linked.timing,
        {{ crm_field(var('gong_name_fields')) }} as name,
        {{ crm_field(var('gong_stage_fields')) }} as stage,
        {{ crm_field(var('gong_amount_fields')) }} as amount,
        {{ crm_field(var('gong_close_date_fields')) }} as close_date,
        lower({{ crm_field(var('gong_is_closed_fields')) }}) as is_closed,
        {{ crm_field(var('gong_currency_fields')) }} as currency,
        {{ crm_field(var('gong_owner_fields')) }} as owner,
        {{ crm_field(var('gong_website_fields')) }} as website
    from linked
    left join {{ ref('stg_gong__call_crm_fields') }} as fields
        on fields.call_id = linked.call_id
        and fields.party_id = linked.party_id
        and fields.system = linked.system
        and fields.object_type = linked.object_type
        and fields.object_id = linked.object_id
        and fields.timing = linked.timing
    group by linked.call_id, linked.system, linked.kind, linked.object_id, linked.timing
)

select
    call_id,
    crm_system,
    kind,
    object_id,
    timing,
    name,
    stage,
    {{ text_as_number('amount') }} as amount,
    currency,
    {{ text_as_date('close_date') }} as close_date,
    is_closed = 'true' or stage in {{ quoted(var('gong_won_stages') + var('gong_lost_stages')) }} as is_closed,
    stage in {{ quoted(var('gong_won_stages')) }} as is_won,
    owner,
    {{ website_domain('website') }} as website_domain
from described
