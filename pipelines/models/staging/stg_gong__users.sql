{{ config(materialized='view') }}

select
    id as user_id,
    {{ user_name() }} as user_name,
    lower(email_address) as email_address,
    title,
    manager_id,
    active,
    created
from {{ loaded('users') }}
