"""HTTP as uvicorn speaks it, with an end to the head of a request."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536


class BoundedHttp(HttpToolsProtocol):
    """Refuses a request whose first line and headers are much longer than `MAX_HEAD_BYTES`. The parser would keep
    them whole, whatever their length, and before anybody has shown a key: one connection could fill the memory."""

    _heads = 0
    _head_bytes = 0
    _is_in_head = True

    def data_received(self, data: bytes) -> None:
        before = self._heads
        super().data_received(data)
        if not self._is_in_head:
            return
        # How much of what has just come belongs to a head that began in it is not told: less than one reading.
        self._head_bytes = self._head_bytes + len(data) if self._heads == before else 0
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The headers are longer than {MAX_HEAD_BYTES} bytes: send less.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._heads += 1
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()
