-- One row per account that the CRM links to a call.
select
    call_id,
    object_id as account_id,
    max(crm_system) as crm_system,
    max(name) as account_name,
    max(owner) as owner,
    max(website_domain) as website_domain,
    count(*) over (partition by call_id) as account_count
from {{ ref('int_gong__crm_records') }}
where kind = 'account'
group by call_id, object_id
