{# No row lacks one of these columns, and no two rows share them all. #}
{% test primary_key(model, columns) %}
{{ rows_without_a_key_of_their_own(model, columns) }}
{% endtest %}

{# No two rows share these columns, which may be empty. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# A share is none or lies between zero and one. #}
{% test is_share(model, column_name) %}
select {{ column_name }} from {{ model }} where {{ column_name }} < 0 or {{ column_name }} > 1.000001
{% endtest %}
