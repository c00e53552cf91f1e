{{ config(materialized='view') }}

select
    id as folder_id,
    name as folder_name,
    parent_folder_id
from {{ loaded('library_folders') }}
