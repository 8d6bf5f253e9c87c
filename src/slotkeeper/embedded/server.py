"""The server: uvicorn as it is set up wherever we serve, and that knows what would never end by itself."""

import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from slotkeeper.embedded.protocol import BoundedHttp
from slotkeeper.embedded.streaming import Streams


def configured(app: Callable[..., Any], *, grace_seconds: int) -> uvicorn.Config:
    """How the ASGI application is served: by our own `BoundedHttp`, with nothing logged but what the process logs, and
    without what a stranger could set (a proxy's headers) or need not know (which server it is). A stop waits for what
    is under way, for at most `grace_seconds`."""
    return uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=grace_seconds,
    )


class Server(uvicorn.Server):
    """Ends the streams before it waits for what is under way."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.stop()
        await super().shutdown(sockets)
