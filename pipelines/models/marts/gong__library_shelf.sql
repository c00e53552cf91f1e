{{ with_folder_paths() }}

select
    shelf.folder_id,
    shelf.position,
    paths.folder_name,
    paths.folder_path,
    shelf.call_id,
    shelf.title,
    calls.url,
    shelf.note,
    shelf.added,
    adders.user_name as added_by_name,
    shelf.snippet_from_sec,
    shelf.snippet_to_sec,
    calls.call_id is not null as is_loaded,
    calls.started,
    calls.is_external,
    calls.call_type,
    calls.host_name,
    calls.team,
    calls.account_name
from {{ ref('stg_gong__library_calls') }} as shelf
left join paths on paths.folder_id = shelf.folder_id
left join {{ ref('gong__calls_enriched') }} as calls on calls.call_id = shelf.call_id
left join {{ ref('stg_gong__users') }} as adders on adders.user_id = shelf.added_by_user_id
