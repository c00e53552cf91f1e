{# PostgreSQL: a build replaces rows, not relations.

   dbt swaps tables and views and drops the old ones with CASCADE. That removes users' views over them and GRANTs, and it
   waits for every open transaction that has read them, while all later readers wait too. Here a transaction deletes and
   inserts the rows: readers see the old ones until it commits. A relation is dropped only if its columns change and
   nothing depends on it. #}

{% materialization table, adapter='postgres' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% do gong_elt.replace_rows(existing, target_relation, sql) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) %}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization incremental, adapter='postgres' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set is_full = existing is none or not existing.is_table or should_full_refresh() -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% if is_full %}
    {% do gong_elt.replace_rows(existing, target_relation, sql) %}
  {% else %}
    {% do gong_elt.append_rows(target_relation, sql) %}
  {% endif %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, is_full)) %}
  {% do persist_docs(target_relation, model) %}
  {% do adapter.commit() %}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% materialization view, adapter='postgres' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='view') -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {% do gong_elt.replace_view(existing, target_relation, sql) %}
  {% do apply_grants(target_relation, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) %}
  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro replace_rows(existing, target_relation, sql) %}
  {% if existing is none %}
    {% call statement('main') %}
      {{ get_create_table_as_sql(False, target_relation, sql) }}
    {% endcall %}
    {% do create_indexes(target_relation) %}
    {{ return('') }}
  {% endif %}
  {%- set built = make_temp_relation(target_relation) -%}
  {% call statement('main') %}
    {{ get_create_table_as_sql(True, built, sql) }}
  {% endcall %}
  {%- set changes = gong_elt.column_changes(built, existing) if existing.is_table else none -%}
  {% if changes is not none and not changes.lost %}
    {% call statement('replace_rows') %}
      {% for column in changes.added %}
      alter table {{ target_relation }} add column {{ column.quoted }} {{ column.data_type }};
      {% endfor %}
      delete from {{ target_relation }};
      {{ gong_elt.insert_from(built, target_relation) }};
    {% endcall %}
  {% else %}
    {% do gong_elt.drop_unused(existing) %}
    {% call statement('create_table') %}
      {{ get_create_table_as_sql(False, target_relation, 'select * from ' ~ built) }}
    {% endcall %}
    {% do create_indexes(target_relation) %}
  {% endif %}
  {% do run_query('drop table ' ~ built) %}
{% endmacro %}

{% macro append_rows(target_relation, sql) %}
  {%- set built = make_temp_relation(target_relation) -%}
  {% call statement('main') %}
    {{ get_create_table_as_sql(True, built, sql) }}
  {% endcall %}
  {%- set changes = gong_elt.column_changes(built, target_relation) -%}
  {% if changes.added or changes.lost %}
    {{ exceptions.raise_compiler_error(
        target_relation.identifier ~ " was built by an earlier version, with other columns: build it once with --full-refresh"
    ) }}
  {% endif %}
  {% call statement('append_rows') %}
    {{ gong_elt.insert_from(built, target_relation) }};
  {% endcall %}
  {% do run_query('drop table ' ~ built) %}
{% endmacro %}

{# A view is left alone if its definition is the same, because replacing it would wait for its readers. #}
{% macro replace_view(existing, target_relation, sql) %}
  {%- set built = make_temp_relation(target_relation) -%}
  {% if existing is not none and existing.is_view %}
    {% do run_query('create temporary view ' ~ built ~ ' as (' ~ sql ~ ')') %}
    {%- set is_same = run_query(
        "select pg_get_viewdef('" ~ built ~ "'::regclass) = pg_get_viewdef('" ~ target_relation ~ "'::regclass)"
    ).rows[0][0] -%}
    {%- set columns = adapter.get_columns_in_relation(built) -%}
    {%- set columns_before = adapter.get_columns_in_relation(target_relation) -%}
    {% do run_query('drop view ' ~ built) %}
    {% if is_same %}
      {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{{ sql }}{% endcall %}
      {{ return('') }}
    {% endif %}
    {# CREATE OR REPLACE VIEW can only add columns at the end. #}
    {%- set kept = columns[:columns_before | length] -%}
    {% if kept | map(attribute='name') | list != columns_before | map(attribute='name') | list
        or kept | map(attribute='data_type') | list != columns_before | map(attribute='data_type') | list %}
      {% do gong_elt.drop_unused(existing) %}
    {% endif %}
  {% elif existing is not none %}
    {% do gong_elt.drop_unused(existing) %}
  {% endif %}
  {% call statement('main') %}
    create or replace view {{ target_relation }} as (
      {{ sql }}
    );
  {% endcall %}
{% endmacro %}

{# Return the columns that `built` has and `existing` lacks (`added`), and those of which `existing` has another type or
   that only it has (`lost`). #}
{% macro column_changes(built, existing) %}
  {%- set types = {} -%}
  {%- set types_before = {} -%}
  {%- set columns = adapter.get_columns_in_relation(built) -%}
  {%- set columns_before = adapter.get_columns_in_relation(existing) -%}
  {%- for column in columns %}{% do types.update({column.name: column.data_type}) %}{% endfor -%}
  {%- for column in columns_before %}{% do types_before.update({column.name: column.data_type}) %}{% endfor -%}
  {%- set added = [] -%}
  {%- set lost = [] -%}
  {%- for column in columns if column.name not in types_before %}{% do added.append(column) %}{% endfor -%}
  {%- for column in columns_before if types.get(column.name) != column.data_type %}{% do lost.append(column) %}{% endfor -%}
  {{ return({'added': added, 'lost': lost}) }}
{% endmacro %}

{% macro insert_from(built, target_relation) %}
  {%- set columns = adapter.get_columns_in_relation(built) | map(attribute='quoted') | join(', ') -%}
  insert into {{ target_relation }} ({{ columns }}) select {{ columns }} from {{ built }}
{% endmacro %}

{# Drop a relation that cannot be kept, or name what depends on it. #}
{% macro drop_unused(relation) %}
  {%- set users = run_query(gong_elt.dependents_of(relation)).columns[0].values() -%}
  {% if users | length > 0 %}
    {{ exceptions.raise_compiler_error(
        relation.identifier ~ " gets other columns and has to be dropped, but " ~ users | join(", ") ~ " depends on it. Drop"
        ~ " what depends on it, run gong-elt models, and create it again"
    ) }}
  {% endif %}
  {% do adapter.drop_relation(relation) %}
{% endmacro %}

{# Views have their dependencies through a rule; functions and others depend directly. #}
{% macro dependents_of(relation) %}
  select distinct
    case when depend.classid = 'pg_rewrite'::regclass
      then pg_describe_object('pg_class'::regclass, rewrite.ev_class, 0)
      else pg_describe_object(depend.classid, depend.objid, 0) end as name
  from pg_depend as depend
  left join pg_rewrite as rewrite on depend.classid = 'pg_rewrite'::regclass and rewrite.oid = depend.objid
  where depend.refclassid = 'pg_class'::regclass
    and depend.refobjid = '{{ relation }}'::regclass
    and depend.deptype = 'n'
    and coalesce(rewrite.ev_class, 0) <> depend.refobjid
  order by name
{% endmacro %}

{# dbt's macros drop with CASCADE. #}
{% macro postgres__drop_table(relation) -%}
  drop table if exists {{ relation }}
{%- endmacro %}

{% macro postgres__drop_view(relation) -%}
  drop view if exists {{ relation }}
{%- endmacro %}

{% macro postgres__drop_materialized_view(relation) -%}
  drop materialized view if exists {{ relation }}
{%- endmacro %}
