"""What a model and a schema must have to be a resource: checked once, before anything is served."""

from pyramid.exceptions import ConfigurationError

from ..api import Api
from .attributes import attribute_faults
from .creation import creation_faults
from .models import mapping_faults, model_faults, registry_faults
from .relationships import relationship_faults

__all__ = ["ResourceError", "check_resources"]


class ResourceError(ConfigurationError):  # type: ignore[misc]  # pyramid is untyped
    """Everything that is wrong with the resources of an application, in one sentence each."""


def check_resources(api: Api) -> None:
    """Make sure that every resource can be served.

    :raises ResourceError: with every fault of every resource.
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
        faults += model_faults(resource)
        for field in resource.attributes.values():
            faults += attribute_faults(resource, field)
        for field in resource.relationship_fields.values():
            faults += relationship_faults(resource, field, api)
        faults += creation_faults(resource)
    if faults:
        raise ResourceError("\n".join(faults))
