{# Count the distinct people on both sides of several calls, from `call_participants` as `participants`. #}
{% macro count_people() -%}
count(distinct case when participants.side = 'company'
            then coalesce(participants.user_id, participants.email_address, participants.party_id) end)
            as company_people,
        count(distinct case when participants.side <> 'company'
            then coalesce(participants.email_address, participants.name, participants.party_id) end)
            as external_people,
        count(distinct case when participants.side <> 'company' and participants.spoke
            then coalesce(participants.email_address, participants.name, participants.party_id) end)
            as external_people_who_spoke
{%- endmacro %}
