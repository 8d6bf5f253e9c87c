"""A disk that fails when it is told to: the calls by which this process's SQLite reads, writes and syncs its files.

SQLite asks the system through a table of functions (its "VFS"). We hand it a copy of the table in which three of them
ask us first, so that the real store, over the real `sqlite3` module, meets errors that a healthy machine does not have.
It needs neither root nor a compiler, only a Python whose `sqlite3` is linked to a shared library.
"""

import ctypes
import random
from typing import Any, Literal

Call = Literal["read", "write", "sync"]

_OK, _FULL, _READ_FAILED, _WRITE_FAILED, _SYNC_FAILED = 0, 13, 10 | 1 << 8, 10 | 3 << 8, 10 | 4 << 8
"""https://sqlite.org/rescode.html: SQLITE_FULL, SQLITE_IOERR_READ, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC."""
_METHODS, _READ, _WRITE, _SYNC = 19, 2, 3, 5
"""https://sqlite.org/c3ref/io_methods.html: how many words the table of a file has, and where ours stand in it."""

# A file's name goes through as the address that it is: SQLite finds more behind it than the name.
_Open = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_Transfer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_Methods = ctypes.c_void_p * _METHODS


class _Vfs(ctypes.Structure):
    """https://sqlite.org/c3ref/vfs.html, as far as `xOpen`, and what stands behind that in version 3."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("open", ctypes.c_void_p),
        ("others", ctypes.c_void_p * 15),
    )


class FailingDisk:
    """Every file that SQLite opens in this process from `install` on can be made to fail."""

    def __init__(self, seed: int = 1) -> None:
        self._rates: dict[Call, float] = {}
        self._is_full = False
        self._random = random.Random(seed)
        self._tables: dict[int, Any] = {}
        self._kept: list[Any] = []
        """What SQLite has the address of must not be collected."""

    def install(self) -> None:
        """Stand between SQLite and its files.

        Raises:
            LookupError: this Python's SQLite cannot be reached.
        """
        library = _sqlite()
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        plain = library.sqlite3_vfs_find(None).contents
        ours = _Vfs.from_buffer_copy(plain)
        opens = _Open(plain.open or 0)

        def opened(vfs: int, name: int, file: int, flags: int, out: int) -> int:
            code: int = opens(vfs, name, file, flags, out)
            methods = ctypes.c_void_p.from_address(file)
            if methods.value:
                methods.value = self._table(methods.value)
            return code

        ours.name, ours.open = b"failing", self._pointer(_Open(opened))
        self._kept += [ours, opens]
        library.sqlite3_vfs_register(ctypes.byref(ours), 1)

    def fail(self, call: Call, rate: float = 1.0, *, is_full: bool = False) -> None:
        """Let so many of such calls fail from now on: as an I/O error, or as a disk without space."""
        self._is_full = is_full
        self._rates[call] = rate

    def mend(self) -> None:
        """Let nothing fail any more."""
        self._rates = {}

    def _is_due(self, call: Call) -> bool:
        return self._random.random() < self._rates.get(call, 0.0)

    def _table(self, address: int) -> int:
        """The address of our copy of the file methods that stand at `address`."""
        if address not in self._tables:
            theirs = _Methods.from_address(address)
            ours = _Methods(*theirs)
            reads, writes = _Transfer(theirs[_READ] or 0), _Transfer(theirs[_WRITE] or 0)
            syncs = _Sync(theirs[_SYNC] or 0)

            def read(file: int, to: int, size: int, offset: int) -> int:
                return _READ_FAILED if self._is_due("read") else reads(file, to, size, offset)

            def write(file: int, source: int, size: int, offset: int) -> int:
                if self._is_due("write"):
                    return _FULL if self._is_full else _WRITE_FAILED
                return int(writes(file, source, size, offset))

            def sync(file: int, flags: int) -> int:
                return _SYNC_FAILED if self._is_due("sync") else syncs(file, flags)

            ours[_READ], ours[_WRITE] = self._pointer(_Transfer(read)), self._pointer(_Transfer(write))
            ours[_SYNC] = self._pointer(_Sync(sync))
            self._tables[address] = ours
        return ctypes.addressof(self._tables[address])

    def _pointer(self, function: Any) -> int | None:
        self._kept.append(function)
        return ctypes.cast(function, ctypes.c_void_p).value


def _sqlite() -> ctypes.CDLL:
    """The very library that the module `sqlite3` calls."""
    try:
        import _sqlite3

        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_vfs_register  # noqa: B018 - asks whether it is there
    except (ImportError, AttributeError, OSError) as error:
        raise LookupError("this Python has its SQLite inside, where no call of it can be made to fail") from error
    return library


def can_fail() -> bool:
    """Whether a disk can be made to fail here."""
    try:
        _sqlite()
    except LookupError:
        return False
    return True
