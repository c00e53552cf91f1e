-- One row per call with people: their number on both sides, and the figures of the host.
with people as (
    select
        call_id,
        count(case when side = 'company' then 1 end) as company_people,
        count(distinct case when side <> 'company' then coalesce(email_address, name, party_id) end) as external_people,
        count(case when side <> 'company' and spoke then 1 end) as external_people_who_spoke
    from {{ ref('gong__call_participants') }}
    group by call_id
),

-- Gong can list the host twice on a call; the party that spoke longer counts.
hosts as (
    select
        call_id, talk_ratio, longest_turn_seconds, patience_seconds,
        row_number() over (partition by call_id order by talk_seconds desc, party_id nulls last) as choice
    from {{ ref('gong__call_participants') }}
    where is_host
)

select
    people.call_id,
    people.company_people,
    people.external_people,
    people.external_people_who_spoke,
    hosts.talk_ratio as host_talk_ratio,
    hosts.longest_turn_seconds as host_longest_turn_seconds,
    hosts.patience_seconds as host_patience_seconds
from people
left join hosts on hosts.call_id = people.call_id and hosts.choice = 1
