{# Return a URL that opens a call in Gong at a moment, in milliseconds from its start; the call's own URL if that is
   unknown. Gong's OpenAPI has the form in the example of the `url` of a library item. #}
{% macro moment_url(url, start_ms, end_ms) -%}
  {%- set first = whole_part("greatest(" ~ start_ms ~ ", 0)", 1000) -%}
  {%- set last = whole_part("(greatest(coalesce(" ~ end_ms ~ ", 0), " ~ start_ms ~ ", 0) + 999)", 1000) -%}
  case
    when {{ start_ms }} is null then {{ url }}
    else {{ url }} || case when {{ url }} like '%?%' then '&' else '?' end
      || 'highlights=%5B%7B%22type%22%3A%22SHARE%22%2C%22from%22%3A' || {{ whole_as_text(first) }}
      || '%2C%22to%22%3A' || {{ whole_as_text(last) }} || '%7D%5D'
  end
{%- endmacro %}

{% macro whole_as_text(number) -%}
  cast(cast({{ number }} as bigint) as {{ dbt.type_string() }})
{%- endmacro %}
