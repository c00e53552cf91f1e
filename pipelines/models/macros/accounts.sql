{# Return the domain of an e-mail address in lower case; null if it has none, or one of free mail. #}
{% macro email_domain(address) -%}
  case
    when {{ address }} like '%@%.%'
      and {{ dbt.split_part(address, "'@'", 2) }} not in {{ quoted(var('gong_free_mail_domains')) }}
    then {{ dbt.split_part(address, "'@'", 2) }}
  end
{%- endmacro %}

{# Return the domain of a website's address in lower case, without `www.`; null if the text is no address. #}
{% macro website_domain(address) -%}
  {%- set host = dbt.split_part(
      "replace(replace(replace(lower(trim(" ~ address ~ ")), 'https://', ''), 'http://', ''), 'www.', '')", "'/'", 1
  ) -%}
  case when {{ address }} like '%.%' then {{ dbt.split_part(host, "':'", 1) }} end
{%- endmacro %}
