"""The addresses of hosts, asked for so that a name server that hangs for one name keeps no other name waiting.

An event loop asks in a few threads that all names share, and a question to the system cannot be broken off. Here each
name has at most one question under way, in a thread of its own.
"""

import asyncio
import socket
import threading
from contextlib import suppress

Addresses = tuple[str, ...]


class Lookup:
    """Questions under way, by host and port, of one event loop."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], asyncio.Future[Addresses]] = {}

    async def addresses(self, host: str, port: int) -> Addresses:
        """The host's IP addresses, the best first. Raises OSError where it has none."""
        key = host, port
        if key not in self._asked:
            asked = asyncio.get_running_loop().create_future()
            threading.Thread(target=_ask, args=(host, port, asked), name=f"lookup {host}", daemon=True).start()
            asked.add_done_callback(lambda _: self._asked.pop(key))
            self._asked[key] = asked  # not before there is somebody who will answer it
        return await asyncio.shield(self._asked[key])


def _ask(host: str, port: int, asked: "asyncio.Future[Addresses]") -> None:
    """Ask the system, and tell the loop."""
    found: Addresses = ()
    failure: Exception | None = None
    try:
        found = tuple(
            dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        )
    except (OSError, UnicodeError) as error:
        failure = OSError(f"{host} cannot be found: {error}")

    def tell() -> None:
        if failure is None:
            asked.set_result(found)
        else:
            asked.set_exception(failure)
            asked.exception()  # whoever asked may have gone

    with suppress(RuntimeError):  # so may the loop
        asked.get_loop().call_soon_threadsafe(tell)
