-- One row per call with an account: the first by id if several are linked.
with ranked as (
    select
        call_id,
        object_id as account_id,
        max(name) as account_name,
        row_number() over (partition by call_id order by object_id) as choice
    from {{ ref('int_crm_records') }}
    where kind = 'account'
    group by call_id, object_id
)

select call_id, account_id, account_name
from ranked
where choice = 1
