-- One row per day: the time spine of semantic layers.
{%- set first = modules.datetime.date.fromisoformat(var('gong_first_day')) %}
{%- set last = modules.datetime.date.fromisoformat(var('gong_last_day')) %}
select
    cast({{ dbt.dateadd(
        'day', 'cast(numbers.generated_number as ' ~ dbt.type_int() ~ ') - 1', "cast('" ~ first ~ "' as date)"
    ) }} as date) as day
from (
    {{ dbt.generate_series((last - first).days + 1) }}
) as numbers
