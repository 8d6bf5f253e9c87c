"""Who else can say who somebody is: an OpenID provider, as the settings name it."""

import msgspec


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenID provider at which we are registered as `client_id`. `name` stands on the button; `origin` is our own
    address, at which the provider sends people back: `{origin}/staff/{business}/oidc/back`."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    origin: str
