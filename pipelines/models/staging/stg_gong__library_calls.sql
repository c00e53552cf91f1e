{{ config(materialized='view') }}

select
    folder_id,
    position,
    call_id,
    title,
    note,
    added_by as added_by_user_id,
    created as added,
    snippet_from_sec,
    snippet_to_sec
from {{ loaded('library_calls') }}
{{ without_unreadable_calls() }}
