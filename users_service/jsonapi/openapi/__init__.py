"""The description of the API in OpenAPI 3.1, made of what serves it."""

from .description import add_jsonapi_description, description

__all__ = ["add_jsonapi_description", "description"]
