{# One row per rep and period with external calls, also those that others host. A rep is a user who hosts external calls at
   any time. Figures of a period are means over calls, as in Gong, not ratios of summed seconds. #}
{% macro rep_period(period) %}
with on_calls as (
    select
        participants.user_id,
        calls.started_{{ period }} as {{ period }},
        participants.call_id,
        max(case when participants.is_host then 1 else 0 end) as hosted,
        max(calls.duration_seconds) as duration_seconds,
        max(participants.talk_ratio) as talk_ratio,
        max(participants.longest_turn_seconds) as longest_turn_seconds,
        max(participants.patience_seconds) as patience_seconds,
        max(case when participants.spoke then calls.interactivity end) as interactivity,
        max(case when participants.spoke then
            participants.question_count * {{ fraction('3600.0') }} / nullif(calls.duration_seconds, 0) end)
            as questions_per_hour
    from {{ ref('gong__call_participants') }} as participants
    join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = participants.call_id
    join {{ ref('gong__reps') }} as reps on reps.user_id = participants.user_id and reps.is_rep
    where participants.side = 'company' and participants.user_id is not null and calls.is_external
        -- Gong sent no start, so the call is in no period; data_quality counts such calls.
        and calls.started is not null
    group by participants.user_id, calls.started_{{ period }}, participants.call_id
),

calls as (
    select
        user_id,
        {{ period }},
        count(*) as call_count,
        cast(sum(hosted) as bigint) as hosted_call_count,
        cast(sum(duration_seconds) / {{ fraction('3600.0') }} as {{ type_double() }}) as call_hours,
        {{ mean('talk_ratio') }} as talk_ratio,
        {{ mean('longest_turn_seconds') }} as longest_monologue_seconds,
        {{ mean('patience_seconds') }} as patience_seconds,
        {{ mean('interactivity') }} as interactivity,
        {{ mean('questions_per_hour') }} as questions_per_hour
    from on_calls
    group by user_id, {{ period }}
),

reviews as (
    select
        reviewed_user_id as user_id,
        {{ period_of('call_started', period) }} as {{ period }},
        count(distinct answered_scorecard_id) as scorecard_count,
        cast(avg(case when not is_overall then score end) as {{ type_double() }}) as scorecard_mean,
        cast(avg(case when is_overall then score end) as {{ type_double() }}) as scorecard_overall_mean
    from {{ ref('gong__scorecard_results') }}
    group by reviewed_user_id, {{ period_of('call_started', period) }}
)

select
    calls.user_id,
    calls.{{ period }},
    users.user_name as rep_name,
    managers.user_name as team,
    calls.call_count,
    calls.hosted_call_count,
    calls.call_hours,
    calls.talk_ratio,
    calls.longest_monologue_seconds,
    calls.patience_seconds,
    calls.interactivity,
    calls.questions_per_hour,
    coalesce(reviews.scorecard_count, 0) as scorecard_count,
    reviews.scorecard_mean,
    reviews.scorecard_overall_mean
from calls
left join {{ ref('stg_gong__users') }} as users on users.user_id = calls.user_id
left join {{ ref('stg_gong__users') }} as managers on managers.user_id = users.manager_id
left join reviews on reviews.user_id = calls.user_id and reviews.{{ period }} = calls.{{ period }}
{% endmacro %}
