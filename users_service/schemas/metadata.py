"""What fields say of themselves in the description of the API."""

from typing import Any


def with_metadata(kwargs: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """Add metadata to the arguments of a field, for its JSON Schema in the OpenAPI document."""
    return kwargs | {"metadata": facts | kwargs.get("metadata", {})}
