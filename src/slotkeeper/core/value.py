"""The base of the values that are stored and sent: frozen, compared by content, camelCase in JSON."""

from typing import Annotated

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:@+-]{1,128}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=2000)]
Minutes = Annotated[int, Meta(ge=0, le=525_600)]


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """A value; one is changed by `msgspec.structs.replace`, which returns a new one."""
