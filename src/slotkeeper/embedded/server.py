"""The server: uvicorn, that knows what would never end by itself."""

import socket

import uvicorn

from slotkeeper.embedded.streaming import Streams


class Server(uvicorn.Server):
    """Ends the streams before it waits for what is under way."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.stop()
        await super().shutdown(sockets)
