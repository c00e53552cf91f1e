-- The talk ratios of all known speakers of a call add up to 1.
select call_id, sum(talk_ratio) as total
from {{ ref('int_gong__speech') }}
where talk_ratio is not null
group by call_id
having abs(sum(talk_ratio) - 1) > 0.000001
