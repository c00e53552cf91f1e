{# Check that the columns are never null and are unique together. #}
{% test primary_key(model, columns) %}
{{ rows_without_a_key_of_their_own(model, columns) }}
{% endtest %}

{# Check that the columns are unique together in all rows in which none of the ids is empty. #}
{% test unique_with_id(model, columns, ids) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
where {{ ids | join(" <> '' and ") }} <> ''
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Check that the id is not empty. #}
{% test has_id(model, column_name) %}
select {{ column_name }} from {{ model }} where coalesce({{ column_name }}, '') = ''
{% endtest %}

{# Check that the columns are unique together; they can be null. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{# Check that a share is null or between 0 and 1. #}
{% test is_share(model, column_name) %}
select {{ column_name }} from {{ model }} where {{ column_name }} < 0 or {{ column_name }} > 1.000001
{% endtest %}
