"""The description of the API in OpenAPI 3.1, made from the services, schemas and limits.

description makes the document, methods each HTTP method in it; the other modules make their parts.
"""

from .description import add_jsonapi_description, description

__all__ = ["add_jsonapi_description", "description"]
