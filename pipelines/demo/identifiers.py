"""Ids and timestamps written the way Gong writes them."""

import random
from datetime import datetime
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Los_Angeles")


class Ids:
    """Draws distinct numeric ids of 17 to 19 digits, all within a signed 64-bit integer."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._drawn: set[int] = set()

    def draw(self) -> str:
        """A new id."""
        while True:
            number = self._rng.randrange(10 ** self._rng.choice((16, 17, 17, 18, 18, 18)), 9 * 10**18)
            if number not in self._drawn:
                self._drawn.add(number)
                return str(number)


def format_datetime(moment: datetime, fraction_digits: int = 0) -> str:
    """The instant in the company's zone with its offset, cut to 0 to 6 fraction digits."""
    local = moment.astimezone(ZONE)
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{local.microsecond:06d}"[: fraction_digits + 1] if fraction_digits else ""
    offset = local.strftime("%z")
    return f"{text}{fraction}{offset[:3]}:{offset[3:]}"
