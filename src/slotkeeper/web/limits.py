"""How much each key and each address may ask: token buckets in memory, and what callers are told of them."""

import ipaddress
import math
from collections.abc import Callable

import msgspec

from slotkeeper.core.errors import SlotkeeperError
from slotkeeper.web.http import Headers, Request

MAX_BUCKETS = 20_000
_IPV6_NETWORK = 64  # what one subscriber is usually given


class Limited(SlotkeeperError):
    """More was asked than is allowed; ask again after the seconds in Retry-After."""

    def __init__(self, retry_after: int, headers: Headers) -> None:
        super().__init__(f"too many requests: try again in {retry_after} seconds")
        self.retry_after = retry_after
        self.headers = headers


class Quota(msgspec.Struct, frozen=True):
    """`size` requests at once, and as many again in every `seconds`."""

    name: str
    size: int
    seconds: int = 60


KEY_QUOTA = Quota("key", 60_000)
ADDRESS_QUOTA = Quota("address", 600)


class _Bucket:
    __slots__ = ("at", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at


class Limiter:
    """One bucket for each caller. There are never more than `max_buckets`: those unused for longest are forgotten,
    which is to the good of their callers."""

    def __init__(self, quota: Quota, seconds: Callable[[], float], max_buckets: int = MAX_BUCKETS) -> None:
        self._quota = quota
        self._rate = quota.size / quota.seconds
        self._seconds = seconds
        self._max_buckets = max_buckets
        self._buckets: dict[str, _Bucket] = {}
        # draft-ietf-httpapi-ratelimit-headers-10: q and w of the policy, r and t of what is left.
        self._policy = ("ratelimit-policy", f'"{quota.name}";q={quota.size};w={quota.seconds}')

    def take(self, caller: str) -> Headers:
        """Take one request from the caller's bucket; returns the headers that tell what is left.

        Raises:
            Limited: nothing is left.
        """
        now = self._seconds()
        bucket = self._bucket(caller, now)
        if bucket.tokens < 1:
            raise Limited(math.ceil((1 - bucket.tokens) / self._rate), self._headers(bucket))
        bucket.tokens -= 1
        return self._headers(bucket)

    def _bucket(self, caller: str, now: float) -> _Bucket:
        """The caller's bucket, filled up to now, and last in the order of use."""
        bucket = self._buckets.pop(caller, None)
        if bucket is None:
            bucket = _Bucket(self._quota.size, now)
            if len(self._buckets) >= self._max_buckets:
                del self._buckets[next(iter(self._buckets))]
        else:
            bucket.tokens = min(self._quota.size, bucket.tokens + (now - bucket.at) * self._rate)
            bucket.at = now
        self._buckets[caller] = bucket
        return bucket

    def _headers(self, bucket: _Bucket) -> Headers:
        until_full = math.ceil((self._quota.size - bucket.tokens) / self._rate)
        return self._policy, ("ratelimit", f'"{self._quota.name}";r={int(bucket.tokens)};t={until_full}')


def caller_address(request: Request, trusted_proxies: int) -> str:
    """The address that a request came from, as far as it can be trusted: an IPv6 one stands for its /64 network.

    Each trusted proxy adds the address that it was asked from at the right end of `X-Forwarded-For`; what stands
    further left was written by the caller and proves nothing.
    """
    address = request.peer
    if trusted_proxies:
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            address = hops[-trusted_proxies]
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.strip("[]"), _IPV6_NETWORK), strict=False))
    except ValueError:
        return address
