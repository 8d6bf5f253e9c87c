"""A credential that is nearly right."""


def forged(signed: str) -> str:
    """The signed link with another signature. The last letter stays: some of its bits are beyond the signature, so
    that another letter may spell the same bytes (RFC 4648 section 3.5)."""
    other = "A" if signed[-2] != "A" else "B"
    return signed[:-2] + other + signed[-1]
