"""Parses the `page` family of query parameters (§6.5)."""

import re

from ..errors import Error, parameter_source
from ..limits import Limits
from ..resource import Resource
from . import cursors
from .cursors import Order
from .query import CURSOR_PROFILE, CursorPage, OffsetPage
from .query_string import invalid

# The largest page number and offset. Their product with a page size fits into the 63 bits of an
# OFFSET on every engine.
MOST_PAGES = 1 << 31

CURSOR_PARAMETERS = {"page[after]", "page[before]"}
NUMBER_PARAMETERS = {"page[number]"}
OFFSET_PARAMETERS = {"page[offset]", "page[limit]"}
STRATEGIES = (CURSOR_PARAMETERS, NUMBER_PARAMETERS, OFFSET_PARAMETERS)
PAGE_PARAMETERS = {
    "page[size]",
    "page[total]",
    *CURSOR_PARAMETERS,
    *NUMBER_PARAMETERS,
    *OFFSET_PARAMETERS,
}


class PageReader:
    """Parses the `page` family for a list of one resource.

    :param faults: the list that errors are appended to.
    """

    def __init__(self, resource: Resource, limits: Limits, faults: list[Error]) -> None:
        self.resource = resource
        self.limits = limits
        self.faults = faults

    def page(self, values: dict[str, str], order: Order, list_key: str) -> CursorPage | OffsetPage:
        """Parse the `page` family (§6.5): cursors, a number or an offset; never two of them.

        :param values: all query parameters by name.
        """
        limits = self.limits
        used = [sorted(strategy & values.keys()) for strategy in STRATEGIES]
        first, *others = [name for names in used for name in names[:1]] or [""]
        self.faults += [invalid(name, f"Cannot be combined with {first}.") for name in others]
        total = values.get("page[total]", "false")
        if total not in ("true", "false"):
            self.faults.append(invalid("page[total]", "Must be true or false."))
        ranged = values.keys() >= CURSOR_PARAMETERS
        default = limits.max_page_size if ranged else min(limits.page_size, limits.max_page_size)
        if by_offset := sorted(OFFSET_PARAMETERS & values.keys()):
            if "page[size]" in values:
                detail = f"Cannot be combined with {by_offset[0]}"
                if "page[limit]" not in values:
                    detail += "; use page[limit]"
                self.faults.append(invalid("page[size]", f"{detail}."))
            size = self.size(values, "page[limit]", default)
            return OffsetPage(
                size=size, offset=self.whole(values, "page[offset]", 0, 0), numbered=False
            )
        size = self.size(values, "page[size]", default)
        if "page[number]" in values:
            number = self.whole(values, "page[number]", 1, 1)
            return OffsetPage(size=size, offset=(number - 1) * size, numbered=True)
        positions = {
            name.removeprefix("page[").removesuffix("]"): self.position(
                order, list_key, name, values
            )
            for name in sorted(CURSOR_PARAMETERS & values.keys())
        }
        return CursorPage(size=size, total=total == "true", **positions)

    def position(
        self, order: Order, list_key: str, name: str, values: dict[str, str]
    ) -> cursors.Position | None:
        """Decode a cursor of this list in this order."""
        try:
            return cursors.decode(self.resource, order, list_key, values[name])
        except ValueError as error:
            self.faults.append(invalid(name, str(error)))
            return None

    def size(self, values: dict[str, str], name: str, default: int) -> int:
        """Parse the size of a page. The cursor profile defines the error of a size too large."""
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
        """Parse a whole number in ASCII digits; leading zeros are allowed.

        :param least: the smallest valid number, 0 or 1.
        """
        text = values.get(name)
        if text is None:
            return default
        digits = text.lstrip("0") or "0"
        if not re.fullmatch(r"[0-9]+", text) or (digits == "0" and least):
            self.faults.append(invalid(name, f"Must be a whole number of at least {least}."))
        elif len(digits) > 10 or int(digits) > MOST_PAGES:
            if name in ("page[size]", "page[limit]"):
                return MOST_PAGES
            self.faults.append(invalid(name, f"Must be at most {MOST_PAGES}."))
        else:
            return int(digits)
        return default
