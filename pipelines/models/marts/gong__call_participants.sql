select
    parties.call_id,
    parties.party_id,
    calls.started,
    types.is_external,
    types.call_type,
    parties.user_id,
    parties.name,
    parties.email_address,
    parties.title,
    parties.side,
    coalesce(parties.user_id = calls.host_user_id, false) as is_host,
    speech.talk_seconds is not null as spoke,
    coalesce(speech.talk_seconds, 0.0) as talk_seconds,
    speech.talk_ratio,
    coalesce(speech.turn_count, 0) as turn_count,
    speech.longest_turn_seconds,
    coalesce(speech.question_count, 0) as question_count,
    speech.patience_seconds
from {{ ref('stg_gong__call_parties') }} as parties
join {{ ref('stg_gong__calls') }} as calls on calls.call_id = parties.call_id
join {{ ref('int_gong__call_types') }} as types on types.call_id = parties.call_id
left join {{ ref('int_gong__speakers') }} as speakers
    on speakers.call_id = parties.call_id
    and speakers.speaker_id = parties.speaker_id
    and speakers.party_id is not distinct from parties.party_id
left join {{ ref('int_gong__speech') }} as speech
    on speech.call_id = speakers.call_id and speech.speaker_id = speakers.speaker_id
