{{ config(materialized='view') }}

select
    id as folder_id,
    name as folder_name,
    parent_folder_id
from {{ source('gong', 'library_folders') }}
