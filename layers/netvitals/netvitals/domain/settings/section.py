"""Define what a section of the configuration is, and the types of its fields."""

from collections.abc import Iterable
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=900)]
Interval = Annotated[int, Meta(ge=10, le=86400)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the configuration: unknown keys are errors, defaults are not written out."""


def extended[S: msgspec.Struct](struct: type[S], fields: Iterable[tuple[str, Any, Any]]) -> type[S]:
    """Return the struct with further fields (name, type, default), under its own name and docstring."""
    result = msgspec.defstruct(
        struct.__name__,
        fields,
        bases=(struct,),
        module=struct.__module__,
        namespace={"__doc__": struct.__doc__},
        frozen=True,
    )
    return cast("type[S]", result)
