"""What the server logs, to standard error: lines for people, or one JSON object a line for programs."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from slotkeeper.settings import Log


class JsonLines(logging.Formatter):
    """One JSON object a line, its time in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(said).decode()


def set_up(log: Log) -> None:
    """Log what is at least as important as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines() if log.format == "json" else logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.upper())
