"""How letters leave: what the senders of mail and of webhooks are told.

It stands apart from them because a server is planned before it sends anything, and they take long to load.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """The server, how to log in, and the address that letters come from. At most `connections` are open at a time."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    security: Literal["starttls", "tls", "none"] = "starttls"
    timeout_seconds: float = 30.0
    connections: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """How endpoints are called. `is_private_allowed` opens http and inside addresses: for tests and closed networks."""

    timeout_seconds: float = 10.0
    idle_connections: int = 32
    is_private_allowed: bool = False
