{{ config(materialized='view') }}

select
    id as workspace_id,
    name as workspace_name
from {{ loaded('workspaces') }}
