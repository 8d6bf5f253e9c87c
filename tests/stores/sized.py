"""Documents of which the items have a given size, to the byte."""

import random

from slotkeeper.contracts import Key, Put
from slotkeeper.stores.items import item_of, size_of


def a_put_of(key: Key, size: int) -> Put:
    """A document of noise, which cannot be deflated further: a byte more of it makes an item a byte larger."""
    noise = random.Random(size).randbytes(size)
    tried = size - 1000
    return Put(key, noise[: tried + size - size_of(item_of(Put(key, noise[:tried]), 1))])
