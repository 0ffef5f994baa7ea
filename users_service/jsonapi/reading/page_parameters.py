"""The `page` family of parameters becomes the page that a request asks for (§6.5)."""

import re

from ..errors import Error, parameter_source
from ..limits import Limits
from ..resource import Resource
from . import cursors
from .cursors import Order
from .query import CURSOR_PROFILE, CursorPage, OffsetPage
from .query_string import invalid

# An OFFSET has 63 bits on every engine; no list is as long as this.
MOST_PAGES = 1 << 31

CURSOR_PARAMETERS = {"page[after]", "page[before]"}
NUMBER_PARAMETERS = {"page[number]"}
OFFSET_PARAMETERS = {"page[offset]", "page[limit]"}
DIALECTS = (CURSOR_PARAMETERS, NUMBER_PARAMETERS, OFFSET_PARAMETERS)
PAGE_PARAMETERS = {
    "page[size]",
    "page[total]",
    *CURSOR_PARAMETERS,
    *NUMBER_PARAMETERS,
    *OFFSET_PARAMETERS,
}


class PageReader:
    """Reads the `page` family for one list.

    :param faults: what is wrong with the parameters is added to these.
    """

    def __init__(self, resource: Resource, limits: Limits, faults: list[Error]) -> None:
        self.resource = resource
        self.limits = limits
        self.faults = faults

    def page(self, values: dict[str, str], order: Order, scope: str) -> CursorPage | OffsetPage:
        """Read the `page` family (§6.5): cursors, numbers or offsets; never two of them."""
        limits = self.limits
        spoken = [sorted(dialect & values.keys()) for dialect in DIALECTS]
        first, *others = [name for names in spoken for name in names[:1]] or [""]
        self.faults += [invalid(name, f"Does not go with {first}.") for name in others]
        total = values.get("page[total]", "false")
        if total not in ("true", "false"):
            self.faults.append(invalid("page[total]", "Must be true or false."))
        ranged = values.keys() >= CURSOR_PARAMETERS
        default = limits.max_page_size if ranged else min(limits.page_size, limits.max_page_size)
        if OFFSET_PARAMETERS & values.keys():
            if "page[size]" in values:
                self.faults.append(invalid("page[size]", "Does not go with page[offset]."))
            size = self.size(values, "page[limit]", default)
            return OffsetPage(
                size=size, offset=self.whole(values, "page[offset]", 0, 0), numbered=False
            )
        size = self.size(values, "page[size]", default)
        if "page[number]" in values:
            number = self.whole(values, "page[number]", 1, 1)
            return OffsetPage(size=size, offset=(number - 1) * size, numbered=True)
        positions = {
            name.removeprefix("page[").removesuffix("]"): self.position(order, scope, name, values)
            for name in sorted(CURSOR_PARAMETERS & values.keys())
        }
        return CursorPage(size=size, total=total == "true", **positions)

    def position(
        self, order: Order, scope: str, name: str, values: dict[str, str]
    ) -> cursors.Position | None:
        """Read a cursor of this list in this order."""
        try:
            return cursors.decode(self.resource, order, scope, values[name])
        except ValueError as error:
            self.faults.append(invalid(name, str(error)))
            return None

    def size(self, values: dict[str, str], name: str, default: int) -> int:
        """Read the size of a page; one that is too large is refused as the cursor profile says."""
        most = self.limits.max_page_size
        size = self.whole(values, name, 1, default)
        if size > most:
            self.faults.append(
                Error(
                    code="page_too_large",
                    detail=f"Must be at most {most}.",
                    source=parameter_source(name),
                    meta={"page": {"maxSize": most}},
                    type=f"{CURSOR_PROFILE}/max-size-exceeded",
                )
            )
        return min(size, most)

    def whole(self, values: dict[str, str], name: str, least: int, default: int) -> int:
        """Read a whole number in ASCII digits; leading zeros are allowed."""
        text = values.get(name)
        if text is None:
            return default
        digits = text.lstrip("0") or "0"
        if not re.fullmatch(r"[0-9]+", text) or (digits == "0" and least):
            self.faults.append(invalid(name, f"Must be a whole number, at least {least}."))
        elif len(digits) > 10 or int(digits) > MOST_PAGES:
            if name in ("page[size]", "page[limit]"):
                return MOST_PAGES
            self.faults.append(invalid(name, f"Must be at most {MOST_PAGES}."))
        else:
            return int(digits)
        return default
