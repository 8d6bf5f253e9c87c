"""Ports of this machine: one that is free, and when somebody listens on it."""

import socket
import time

START_SECONDS = 60


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until_open(port: int, pause_seconds: float = 0.05) -> None:
    """Until somebody listens on the port. Raises RuntimeError when nobody does in time."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(pause_seconds)
        else:
            return
    raise RuntimeError("the server did not start")
