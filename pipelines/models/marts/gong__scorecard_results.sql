select
    answers.answered_scorecard_id,
    answers.position,
    reviews.scorecard_id,
    reviews.scorecard_name,
    reviews.call_id,
    reviews.call_start_time as call_started,
    reviews.reviewed_user_id,
    reviewed.user_name as reviewed_name,
    reviewed.manager_id as manager_user_id,
    managers.user_name as team,
    reviews.reviewer_user_id,
    reviewers.user_name as reviewer_name,
    reviews.review_method,
    reviews.review_time,
    answers.question_id,
    answers.question_revision_id,
    questions.question_text,
    coalesce(questions.question_revision_id = answers.question_revision_id, false) as is_current_revision,
    answers.is_overall,
    answers.score,
    answers.answer_text
from {{ ref('stg_gong__answered_scorecard_answers') }} as answers
join {{ ref('stg_gong__answered_scorecards') }} as reviews
    on reviews.answered_scorecard_id = answers.answered_scorecard_id
left join {{ ref('stg_gong__scorecard_questions') }} as questions
    on questions.scorecard_id = reviews.scorecard_id
    and questions.question_id = answers.question_id
    and questions.question_id <> ''
left join {{ ref('stg_gong__users') }} as reviewed on reviewed.user_id = reviews.reviewed_user_id
left join {{ ref('stg_gong__users') }} as reviewers on reviewers.user_id = reviews.reviewer_user_id
left join {{ ref('stg_gong__users') }} as managers on managers.user_id = reviewed.manager_id
