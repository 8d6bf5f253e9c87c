"""Serving: the settings become a plan, the port is taken, and uvicorn runs what was built."""

import errno
import socket
from collections.abc import Callable

from slotkeeper.cli.complaints import Needs
from slotkeeper.core.errors import Invalid
from slotkeeper.embedded.app import Plan, build
from slotkeeper.process import set_up_logs
from slotkeeper.senders.options import SmtpSettings, WebhookSettings
from slotkeeper.settings import Settings
from slotkeeper.web.app import Rules
from slotkeeper.web.limits import Quota
from slotkeeper.web.provider import Provider

BACKLOG = 1024
GRACE_SECONDS = 3


def plan_of(settings: Settings) -> Plan:
    """What the settings say is to be built."""
    smtp, limits = settings.smtp, settings.limits
    return Plan(
        database=settings.database,
        rules=Rules(
            key_quota=Quota("key", limits.key_per_minute),
            address_quota=Quota("address", limits.address_per_minute),
            trusted_proxies=settings.trusted_proxies,
            max_body_bytes=limits.body_bytes,
            takes_http_hooks=settings.webhooks.allow_private,
            embed_origins=tuple(settings.pages.embed_origins.split()),
            streams=True,
            provider=Provider(
                issuer=settings.oidc.issuer,
                client_id=settings.oidc.client_id,
                client_secret=settings.oidc.client_secret,
                name=settings.oidc.name,
                origin=settings.base_url,
            )
            if settings.oidc.issuer
            else None,
        ),
        smtp=SmtpSettings(
            host=smtp.host,
            port=smtp.port,
            sender=smtp.from_address,
            username=smtp.username,
            password=smtp.password,
            security=smtp.security,
            timeout_seconds=smtp.timeout_seconds,
        )
        if smtp.host
        else None,
        webhooks=WebhookSettings(
            timeout_seconds=settings.webhooks.timeout_seconds,
            is_private_allowed=settings.webhooks.allow_private,
        ),
        delivers=settings.worker.enabled,
        base_url=settings.base_url,
    )


def listen(settings: Settings) -> socket.socket:
    """The socket to serve on.

    Raises:
        Needs: the port is taken, or may not be used. Invalid: there is no such host.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise Invalid(
            f"there is no host {settings.host!r} to listen on: use 127.0.0.1 or 0.0.0.0", field="host"
        ) from error
    listener = socket.socket(family, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        what = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise Needs(
            f"port {settings.port} on {settings.host} {what}",
            "Stop that program, or use another port: --port, SLOTKEEPER_PORT, or `port` in slotkeeper.toml.",
        ) from error
    return listener


def run(settings: Settings, listener: socket.socket, announce: Callable[[], object]) -> None:
    """Serve until told to stop, then let what is under way end; `announce` is called before the first request.

    Raises:
        Unreachable: the database cannot be opened.
    """
    from slotkeeper.embedded.server import Server, configured

    set_up_logs(settings.log)
    house = build(plan_of(settings))
    try:
        config = configured(house.app, grace_seconds=GRACE_SECONDS)
        announce()
        Server(config, house.app.streams).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # it has ended what was under way, and says again how it was told to stop
    finally:
        house.close()
        listener.close()
