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
      alter table {{ target_relation }} add column {{ column }};
      {% endfor %}
      delete from {{ target_relation }};
      insert into {{ target_relation }} ({{ changes.names }}) select {{ changes.names }} from {{ built }};
      drop table {{ built }};
    {% endcall %}
  {% else %}
    {% do gong_elt.drop_unused(existing) %}
    {% call statement('create_table') %}
      {{ get_create_table_as_sql(False, target_relation, 'select * from ' ~ built) }}
      drop table {{ built }};
    {% endcall %}
    {% do create_indexes(target_relation) %}
  {% endif %}
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
    insert into {{ target_relation }} ({{ changes.names }}) select {{ changes.names }} from {{ built }};
    drop table {{ built }};
  {% endcall %}
{% endmacro %}

{# A view is left alone if its definition is the same, because replacing it would wait for its readers. The temporary
   view, with which PostgreSQL's text of the definition is compared, goes with dbt's session. #}
{% macro replace_view(existing, target_relation, sql) %}
  {% if existing is not none and existing.is_view %}
    {%- set built = make_temp_relation(target_relation) -%}
    {% call statement('compare_view', fetch_result=True) %}
      create temporary view {{ built }} as (
        {{ sql }}
      );
      select pg_get_viewdef('{{ built }}'::regclass) = pg_get_viewdef('{{ target_relation }}'::regclass) as is_same
    {% endcall %}
    {% if load_result('compare_view').table.rows[0][0] %}
      {% call noop_statement('main', 'UNCHANGED', 'UNCHANGED', 0) %}{{ sql }}{% endcall %}
      {{ return('') }}
    {% endif %}
    {%- set changes = gong_elt.column_changes(built, target_relation) -%}
    {# CREATE OR REPLACE VIEW can only add columns at the end. #}
    {% if changes.lost or not changes.is_prefix %}
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

{# Compare the columns of `built` with those of `existing`. Return the quoted `names` of those of `built`; `added`, with
   type, that `existing` lacks; `lost`, that only `existing` has or with another type; and `is_prefix`, whether those of
   `existing` come first and in the same order. #}
{% macro column_changes(built, existing) %}
  {% call statement('column_changes', fetch_result=True) %}
    select
      quote_ident(coalesce(built.attname, existing.attname)) as name,
      format_type(built.atttypid, built.atttypmod) as type,
      format_type(existing.atttypid, existing.atttypmod) as type_before,
      existing.attnum as number_before
    from (
      select * from pg_attribute where attrelid = '{{ built }}'::regclass and attnum > 0 and not attisdropped
    ) as built
    full join (
      select * from pg_attribute where attrelid = '{{ existing }}'::regclass and attnum > 0 and not attisdropped
    ) as existing on existing.attname = built.attname
    order by built.attnum
  {% endcall %}
  {%- set names = [] -%}
  {%- set added = [] -%}
  {%- set lost = [] -%}
  {%- set numbers = [] -%}
  {%- for name, type, type_before, number_before in load_result('column_changes').table.rows -%}
    {%- if type is not none -%}{%- do names.append(name) -%}{%- do numbers.append(number_before) -%}{%- endif -%}
    {%- if type_before is none -%}{%- do added.append(name ~ ' ' ~ type) -%}
    {%- elif type != type_before -%}{%- do lost.append(name) -%}{%- endif -%}
  {%- endfor -%}
  {%- set kept = numbers | reject('none') | list -%}
  {{ return({
      'names': names | join(', '),
      'added': added,
      'lost': lost,
      'is_prefix': numbers[:kept | length] == kept | sort,
  }) }}
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
