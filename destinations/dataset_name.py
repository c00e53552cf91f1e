"""Names of datasets: refuse one that dlt would change, or that a warehouse keeps for itself; those of the marts."""

from __future__ import annotations

from dlt.common.normalizers.naming.snake_case import NamingConvention

from .warehouse import InvalidWarehouseError

MAX_CHARACTERS = 63
"""PostgreSQL cuts longer names, and two datasets could become one."""

_RESERVED = frozenset({"information_schema", "system", "temp"})
_RESERVED_PREFIX = "pg_"


def validate_dataset_name(name: str, option: str = "--dataset") -> None:
    """Refuse a name under which the warehouse would have another dataset, or none.

    Args:
        name: Name of the dataset as the user wrote it.
        option: Option or setting that has the name, for the error message.

    Raises:
        InvalidWarehouseError: If the name is invalid. The message has one that works.
    """
    if name in _RESERVED or name.startswith(_RESERVED_PREFIX):
        raise InvalidWarehouseError(f"{option} {name!r} is reserved by the warehouse: use another name")
    if len(name) > MAX_CHARACTERS:
        raise InvalidWarehouseError(
            f"{option} {name[:MAX_CHARACTERS]!r}… has {len(name)} characters: use at most {MAX_CHARACTERS}"
        )
    usable = _normalize(name)
    if not name or name != usable:
        raise InvalidWarehouseError(
            f"{option} {name!r} is not a dataset name: use {usable or 'gong'}, or another name of small letters, digits"
            " and single underscores"
        )


def datasets_of_marts(analytics: str) -> tuple[str, str, str]:
    """Return the datasets of the marts, and of the staging and the intermediate models that they are built from.

    Their names are those that dbt makes of the models' `schema` in staging.yml and intermediate.yml.
    """
    return analytics, f"{analytics}_staging", f"{analytics}_intermediate"


def _normalize(name: str) -> str:
    """Return the name that dlt would use; empty if the name has no letter or digit."""
    if not any(letter.isascii() and letter.isalnum() for letter in name):
        return ""
    usable = NamingConvention(MAX_CHARACTERS).normalize_identifier(name)
    return f"gong_{usable}" if usable in _RESERVED or usable.startswith(_RESERVED_PREFIX) else usable
