-- One row per day: the time spine of semantic layers.
select cast(days.day as date) as day
from generate_series(
    cast('{{ var("gong_first_day") }}' as timestamp), cast('{{ var("gong_last_day") }}' as timestamp), interval '1 day'
) as days (day)
