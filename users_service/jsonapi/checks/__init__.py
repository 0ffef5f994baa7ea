"""Checks at start that every model and schema can be served as a resource.

It begins with models; then it checks the attributes, the relationships and the creation of each.
"""

from pyramid.exceptions import ConfigurationError

from ..api import Api
from .attributes import attribute_faults
from .creation import creation_faults
from .display import display_faults
from .models import mapping_faults, model_faults, registry_faults
from .relationships import relationship_faults

__all__ = ["ResourceError", "check_resources"]


class ResourceError(ConfigurationError):  # type: ignore[misc]  # pyramid is untyped
    """The faults of all resources of an application, one sentence on each line."""


def check_resources(api: Api) -> None:
    """Check that every resource can be served.

    :raises ResourceError: with all faults of all resources.
    """
    faults = list(api.refused.values())
    mapped = []
    for resource in api.resources.values():
        found = list(mapping_faults(resource))
        faults += found
        mapped += [] if found else [resource]
    if unconfigured := list(registry_faults(mapped)):
        raise ResourceError("\n".join([*faults, *unconfigured]))
    for resource in mapped:
        found = list(model_faults(resource))
        for field in resource.attributes.values():
            found += attribute_faults(resource, field)
        for field in resource.relationship_fields.values():
            found += relationship_faults(resource, field, api)
        found += creation_faults(resource)
        faults += found or display_faults(resource)  # which reads what the others have checked
    if faults:
        raise ResourceError("\n".join(faults))
