"""Ids and datetimes in Gong's format."""

import random
from datetime import date, datetime
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

TIME_ZONE = ZoneInfo("America/Los_Angeles")
"""Time zone of the company."""


class IdGenerator:
    """Distinct numeric ids of 17 to 19 digits, all within a signed 64-bit integer."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._drawn: set[int] = set()

    def draw(self) -> str:
        """Return a new id."""
        while True:
            number = self._rng.randrange(10 ** self._rng.choice((16, 17, 17, 18, 18, 18)), 9 * 10**18)
            if number not in self._drawn:
                self._drawn.add(number)
                return str(number)


def derive_id(company_name: str, kind: str, number: int) -> str:
    """Return an id of 18 digits that is the same for the same arguments."""
    return str(uuid5(NAMESPACE_OID, f"{company_name} {kind} {number}").int % (9 * 10**17) + 10**17)


def format_datetime(moment: datetime, fraction_digits: int = 0) -> str:
    """Return the datetime in the company's zone with its offset, truncated to 0 to 6 fraction digits."""
    local = moment.astimezone(TIME_ZONE)
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{local.microsecond:06d}"[: fraction_digits + 1] if fraction_digits else ""
    offset = local.strftime("%z")
    return f"{text}{fraction}{offset[:3]}:{offset[3:]}"


def parse_local_date(text: str) -> date:
    """Return the date of a datetime in the company's zone."""
    return datetime.fromisoformat(text).astimezone(TIME_ZONE).date()
