{# Begin a query with `paths`: the name of each library folder, and its path from the top. Folders of a cycle have none, and
   neither have those below the 50th level. #}
{% macro with_folder_paths() -%}
  {{ return(adapter.dispatch('with_folder_paths', 'gong_elt')()) }}
{%- endmacro %}

{% macro default__with_folder_paths() -%}
with recursive paths as (
    select folders.folder_id, folders.folder_name, cast(folders.folder_name as {{ dbt.type_string() }}) as folder_path, 1 as depth
    from {{ ref('stg_gong__library_folders') }} as folders
    left join {{ ref('stg_gong__library_folders') }} as parents on parents.folder_id = folders.parent_folder_id
    where parents.folder_id is null

    union all

    select folders.folder_id, folders.folder_name, paths.folder_path || ' / ' || folders.folder_name, paths.depth + 1
    from {{ ref('stg_gong__library_folders') }} as folders
    join paths on paths.folder_id = folders.parent_folder_id
    where paths.depth < 50
)
{%- endmacro %}

{# Spark 3.5 has no recursive queries: join as many levels of parents as the library has. #}
{% macro spark__with_folder_paths() -%}
{%- set levels = gong_elt.folder_levels() -%}
with paths as (
    select
        folders.folder_id,
        folders.folder_name,
        {% for level in range(levels, 0, -1) -%}
        case when parents_{{ level }}.folder_id is null then '' else parents_{{ level }}.folder_name || ' / ' end ||
        {% endfor -%}
        folders.folder_name as folder_path
    from {{ ref('stg_gong__library_folders') }} as folders
    {%- for level in range(1, levels + 1) %}
    left join {{ ref('stg_gong__library_folders') }} as parents_{{ level }}
        on parents_{{ level }}.folder_id = {{ 'folders' if level == 1 else 'parents_' ~ (level - 1) }}.parent_folder_id
    {%- endfor %}
    where parents_{{ levels }}.folder_id is null
)
{%- endmacro %}

{# Return the levels of the library, at most 50: the number of folders of the longest path that ends at the top. #}
{% macro folder_levels() -%}
  {%- set parents = {} -%}
  {%- set folders = ref('stg_gong__library_folders') -%}
  {%- if execute -%}
    {%- for row in run_query('select folder_id, parent_folder_id from ' ~ folders).rows -%}
      {%- do parents.update({row[0]: row[1]}) -%}
    {%- endfor -%}
  {%- endif -%}
  {%- set deepest = namespace(level=1) -%}
  {%- for folder_id in parents -%}
    {%- set path = namespace(folder_id=folder_id, level=0) -%}
    {%- for _ in range(50) if path.folder_id in parents -%}
      {%- set path.folder_id = parents[path.folder_id] -%}
      {%- set path.level = path.level + 1 -%}
    {%- endfor -%}
    {%- if path.folder_id not in parents -%}{%- set deepest.level = [deepest.level, path.level] | max -%}{%- endif -%}
  {%- endfor -%}
  {{ return(deepest.level) }}
{%- endmacro %}
