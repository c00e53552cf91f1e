select
    accounts.account_id,
    accounts.call_id,
    accounts.account_name,
    accounts.matched_by,
    calls.started,
    calls.is_external,
    calls.call_type,
    calls.title,
    calls.url,
    calls.host_name
from {{ ref('int_gong__call_accounts') }} as accounts
join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = accounts.call_id
