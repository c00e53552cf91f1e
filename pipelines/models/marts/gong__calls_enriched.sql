select
    calls.call_id,
    calls.url,
    {{ moment_url('calls.url', '0', '1000 * calls.duration_seconds') }} as moment_url,
    calls.title,
    calls.started,
    {{ period_of('calls.started', 'day') }} as started_date,
    {{ period_of('calls.started', 'week') }} as started_week,
    {{ period_of('calls.started', 'month') }} as started_month,
    {{ epoch_ms('calls.started') }} as started_epoch_ms,
    {{ weekday('calls.started') }} as started_weekday,
    {{ hour_of_day('calls.started') }} as started_hour,
    calls.duration_seconds,
    types.is_external,
    types.call_type,
    calls.direction,
    calls.system,
    calls.scope,
    calls.language,
    calls.purpose,
    calls.workspace_id,
    workspaces.workspace_name,
    calls.host_user_id,
    users.user_name as host_name,
    users.title as host_title,
    {{ epoch_days('calls.started') }} - {{ epoch_days('users.created') }} as host_tenure_days,
    managers.user_name as team,
    accounts.account_id,
    accounts.account_name,
    accounts.matched_by as account_matched_by,
    opportunities.opportunity_id,
    opportunities.opportunity_name,
    opportunities.stage_at_call,
    opportunities.stage_now,
    opportunities.amount_now,
    opportunities.currency,
    opportunities.close_date,
    {{ deal_outcome('opportunities') }} as deal_outcome,
    coalesce(people.company_people, 0) as company_people,
    coalesce(people.external_people, 0) as external_people,
    coalesce(people.external_people_who_spoke, 0) as external_people_who_spoke,
    transcribed.call_id is not null as has_transcript,
    people.host_talk_ratio,
    people.host_longest_turn_seconds as longest_monologue_seconds,
    speech.longest_customer_story_seconds,
    people.host_patience_seconds as patience_seconds,
    speech.interactivity,
    calls.company_question_count,
    calls.customer_question_count,
    calls.company_question_count * {{ fraction('3600.0') }} / nullif(calls.duration_seconds, 0)
        as company_questions_per_hour,
    calls.customer_question_count * {{ fraction('3600.0') }} / nullif(calls.duration_seconds, 0)
        as customer_questions_per_hour,
    coalesce(mentions.tracker_mention_count, 0) as tracker_mention_count,
    mentions.competitors,
    coalesce(mentions.next_step_count, 0) as next_step_count,
    calls.call_outcome_id,
    calls.call_outcome_category,
    calls.call_outcome_name,
    calls.brief,
    coalesce(transcribed._synced_at, calls._synced_at) as _synced_at,
    {{ epoch_ms('coalesce(transcribed._synced_at, calls._synced_at)') }} as _synced_epoch_ms
from {{ ref('stg_gong__calls') }} as calls
join {{ ref('int_gong__call_types') }} as types on types.call_id = calls.call_id
left join {{ ref('stg_gong__workspaces') }} as workspaces on workspaces.workspace_id = calls.workspace_id
left join {{ ref('stg_gong__users') }} as users on users.user_id = calls.host_user_id
left join {{ ref('stg_gong__users') }} as managers on managers.user_id = users.manager_id
left join {{ ref('int_gong__call_accounts') }} as accounts on accounts.call_id = calls.call_id and accounts.choice = 1
left join {{ ref('int_gong__call_opportunities') }} as opportunities
    on opportunities.call_id = calls.call_id and opportunities.choice = 1
left join {{ ref('int_gong__call_people') }} as people on people.call_id = calls.call_id
left join {{ ref('int_gong__call_speech') }} as speech on speech.call_id = calls.call_id
left join {{ ref('int_gong__transcribed_calls') }} as transcribed on transcribed.call_id = calls.call_id
left join {{ ref('int_gong__call_mentions') }} as mentions on mentions.call_id = calls.call_id
