# ruff: noqa: RUF001 - characters that look like others are what this is about
"""What hostile callers send: texts, numbers, times, names of zones, headers and paths that have broken others."""

BOLD = "data-hostile"
"""Stands in every text that is an element of HTML: where it is in a page as an element, what was typed could run."""

INJECTED = "x-injected"
"""The header that an answer has when what was sent could put one there."""

MARKUP = (
    f"<script {BOLD}>ran()</script>",
    f'"><img {BOLD} src=x onerror=ran()>',
    f"'><svg {BOLD} onload=ran()>",
    f"</title></textarea></template><u {BOLD}>",
    f"{{{{ 7 * 7 }}}}{{% for a in b %}}<q {BOLD}>",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ customer.__init__.__globals__ }}",
    "{% include '/etc/passwd' %}",
    "${jndi:ldap://127.0.0.1/x}",
    "%s%n%(name)s{0}{name!r:>9999999}",
)
UNSAFE = (
    "\x00", "a\x00b", "\x1b[31mred", "\x7f", "\x85", "a\u202eb", "\u2066x\u2069", "\ufeffx", "\ufffe", "\U0001fffe",
    "\u2028", "line\r\nbreak", f"x\r\n{INJECTED}: 1", f"x\n{INJECTED}: 1\n\n<html>", "\t", "\x0b", "\u200f",
)  # fmt: skip
STRANGE = (
    "", " ", "\u00a0", "a" * 200, "a" * 201, "a" * 2001, "é" * 127, "🕘" * 64, "e\u0301" * 100, "\ufdfa" * 50,
    "ﬃ", "İ", "ß", "ſ", "K", "٣", "Ⅷ", "\u3164", "a\u0300" * 300, "👩‍👩‍👧‍👦", "مرحبا", "שלום", "日本語", "\U0010fffd",
    "'; DROP TABLE docs; --", "' OR 1=1", "$(reboot)", "`id`", "; cat /etc/passwd", "../../etc/passwd", "..\\..\\x",
    "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "http://[::1]:80", "javascript:ran()",
    "=HYPERLINK(\"http://evil.example\")", "+1", "-1", "@SUM(A1)", "|calc", "None", "null", "undefined", "true",
    "NaN", "Infinity", "1e309", "0x10", "1_000", "０１", "-0", "__proto__", "constructor", "__class__", "id", "rowid",
)  # fmt: skip
TEXTS = (*MARKUP, *UNSAFE, *STRANGE)

NUMBERS = (
    "0", "-0", "-1", "1", "5", "7", "1.5", "-1e0", "1e2", "2e308", "-1e999", "1e-999", "9007199254740991",
    "9007199254740992", "-9007199254740993", "9223372036854775807", "18446744073709551616", "1" + "0" * 400,
    "9" * 5000, "0.1" + "0" * 3000 + "1", "01", "+1", ".5", "5.", "0x10", "1_0", "NaN", "Infinity", "-Infinity",
    "1e", "--1", "2147483648", "4294967296", "0.30000000000000004",
)  # fmt: skip
"""Numbers as they are written in JSON, and what is none."""

FRAGMENTS = (
    "null", "true", "false", "[]", "{}", '""', "[[]]", "[null]", '[{"":{}}]', '{"":""}', "tru", "nul", "'x'", "",
    "//", "/* */ 1", "[1,]", '{"a":1,}', '{a:1}', "undefined", '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\x41"',
    '"\\u202e"', '"unended', "[" * 17 + "]" * 17, "[" * 500 + "]" * 500, '{"a":' * 20 + "1" + "}" * 20,
    '"' + "a" * 9000 + '"', "[" + "0," * 4000 + "0]", '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"é":1,"e\u0301":2}',
)  # fmt: skip
"""Values as they are written in JSON, and what is none."""

TIMES = (
    "2026-W48-2", "2026-W48-2T09:00:00Z", "2026-328", "20261124T090000Z", "2026-11-24", "2026-11-24T09:00",
    "2026-11-24T09:00:00", "2026-11-24 09:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T23:59:60Z",
    "2016-12-31T23:59:60Z", "2026-02-29T09:00:00Z", "2024-02-29T09:00:00Z", "2026-11-24T09:00:00.000000000000Z",
    "2026-11-24T09:00:00.5Z", "2026-11-24T09:00:00+24:00", "2026-11-24T09:00:00+23:59", "2026-11-24T09:00:00-23:59",
    "2026-11-24T09:00:00-00:00", "2026-11-24T09:00:00z", "2026-11-24t09:00:00Z", "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "0000-01-01T00:00:00Z", "1999-12-31T23:59:59Z",
    "2000-01-01T00:00:00Z", "2000-01-01T00:00:00+14:00", "2100-12-31T23:55:00Z", "2100-12-31T23:59:59-12:00",
    "2101-01-01T00:00:00Z", "+12026-11-24T09:00:00Z", "-2026-11-24T09:00:00Z", "٢٠٢٦-١١-٢٤T٠٩:٠٠:٠٠Z",
    "2026-11-24T09:00:00Z\n", " 2026-11-24T09:00:00Z", "2026-11-24T09:00:00 01:00", "2026-10-25T02:30:00+02:00",
    "2027-03-28T02:30:00+01:00", "2026-11-24T9:00:00Z", "1795510800", "now", "tomorrow", "2026-11-24T09:03:00Z",
    "2026-11-24T09:00:01Z", "2026-00-24T09:00:00Z", "2026-13-01T00:00:00Z", "2026-11-31T00:00:00Z",
)  # fmt: skip
DATES = (
    "2026-11-24", "2026-W48-2", "20261124", "2026-328", "0001-01-01", "9999-12-31", "2100-12-31", "2101-01-01",
    "2000-01-01", "1999-12-31", "2026-02-29", "2026-2-9", "２０２６-11-24", "today", "2026-11-24T00:00:00Z",
    "2026-10-25", "2027-03-28", "-2026-11-24", "2026-11-00",
)  # fmt: skip
CLOCKS = ("00:00", "24:00", "23:59", "25:00", "09:60", "9:00", "09:00:00", "0900", "-1:00", "09:03", "٠٩:٠٠", "9am")
ZONES = (
    "UTC", "Europe", "Europe/", "europe/berlin", "localtime", "posix/Europe/Berlin", "right/UTC", "posixrules",
    "Factory", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\x00", "Etc/GMT+14", "Pacific/Kiritimati",
    "America/Argentina/ComodRivadavia", "Africa/Monrovia", "Antarctica/Troll", "Asia/Kathmandu", "a/" * 2500, "+01:00",
    "CET-1CEST", "Z", "US/Pacific-New", "Europe\\Berlin", "Europe/Berlin ",
)  # fmt: skip
IDS = (
    ".", "..", "-", "a" * 128, "a" * 129, "a" * 5000, "a/b", "a%2Fb", "a b", "a?b", "a#b", "é", "a\x00", "constructor",
    "__proto__", "0", "-1", "apt_", "apt_" + "0" * 32, "*", "null", "profile", "business", "@", ":", "+", "a:b@c+d",
    "day/2026-11-24", "customer/ada", "\ud7ff", "%00", "%", "~", "other", "clinic",
)  # fmt: skip
CURSORS = (
    "x", "=", "====", "AAAA", "MDAwMDAwMDAwMDAwL3g", "MDAwMDAwMDAwMDAwLw", "OTk5OTk5OTk5OTk5L3o", "4oCu", "_-_-",
    "a" * 401, "a" * 8000, "MQ", "LTE", "MDAwMDAwMDAwMDAwLy4uLy4u", "gICA", "bnVsbA", "0", "-1", "\x00",
    "MDAwMDAwMDAwMDAwL3gK",
)  # fmt: skip
LANGUAGES = (
    "de", "fr-CA", "*", "en;q=2", "en;q=", ";;;", "x" * 5000, "en-" * 500, "de;q=0.5,fr;q=1e9,*;q=nan", "ar", "zz",
    "en_US.UTF-8", ",", "\xff", "de;q=٣",
)  # fmt: skip
MAILS = (
    "a@b", "@", "a@", "@b", "a@b@c", "a b@c.d", "a@b.c\r\nbcc: x@y.z", '"a b"@c.d', "a@[127.0.0.1]", "é@example.com",
    "a" * 64 + "@" + "b" * 189, "a" * 65 + "@b.c", "<a@b.c>", "a@b.c,d@e.f", "mailto:a@b.c", "a@xn--80ak6aa92e.com",
    "-oQ/tmp/x@y.z", "a@..", "\u202ea@b.c",
)  # fmt: skip
ADDRESSES = (
    "https://example.com/hook", "http://example.com", "https://", "https://[::1", "https://a:b@c/", "https://x:99999/",
    "https://127.0.0.1:1/", "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/", "https://0x7f.1/",
    "https://2130706433/", "https://example.com#x", "ftp://example.com", "//example.com", "https:\\\\example.com",
    "https://exa mple.com", "https://\u202eexample.com", "https://" + "a" * 3000, "https://example.com:0/", "https://a:-1/",
    "https://ex\u2025ample.com", "https://[v1.a]/", "https://example.com:٣/",
)  # fmt: skip

MEDIA = (
    "", "text/plain", "application/json; charset=latin-1", "application/json;charset=utf-8", "APPLICATION/JSON",
    "application/vnd.api+json", "application/jsonx", "application/json, text/plain", "multipart/form-data",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/xml", "*/*", "json",
    "application/json; charset=utf-16", 'application/json; charset="utf-8"', "application/json\x0b", "é/é",
    "application/octet-stream", "application/json;" + "a=b;" * 500,
)  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "if-match": ('"1"', "*", '"1", "2"', 'W/"1"', "1", '""', '"' + "9" * 400 + '"', "\xff", '"x"', 'W/"-1"', '"1e3"'),
    "if-none-match": ("*", '"1"', 'W/"1", "2"', '"'),
    "idempotency-key": ("k", "k" * 16, '"a-key-of-some-length"', "", "k" * 256, "é" * 20, '"', "a b"),
    "x-http-method-override": ("DELETE",),
    "x-method-override": ("PUT",),
    "x-original-url": ("/keys",),
    "x-rewrite-url": ("/keys",),
    "x-forwarded-for": ("1.2.3.4", "::1, [fe80::1%eth0]", "a" * 3000, "1.2.3.4:99, 2001:db8::/129", "\xff:\xfe"),
    "x-forwarded-host": ("evil.example",),
    "x-forwarded-proto": ("javascript",),
    "forwarded": ("for=_x;host=evil.example",),
    "host": ("evil.example", "", "a:b:c", "[::1", "é"),
    "accept": ("text/html", "*/*;q=x", "application/xml", "a" * 4000),
    "accept-encoding": ("gzip", "gzip;q=0, identity;q=0", "br, zstd, \xff"),
    "range": ("bytes=0-1", "bytes=-1,5-"),
    "content-encoding": ("gzip", "deflate, gzip"),
    "expect": ("x",),
    "cookie": (
        "a=b", "__Host-slotkeeper=x", "__Host-slotkeeper=" + "a" * 3000,
        "__Host-slotkeeper=ss_aaaaaaaaaaaa_" + "a" * 32, "lang=\xff; ;=;",
    ),
    "sec-fetch-site": ("cross-site", "same-origin"),
    "origin": ("https://evil.example", "null"),
    "referer": ("https://evil.example/",),
    "x-csrf-token": ("x", "\xff" * 40),
    "x-api-key": ("x", "\xff"),
    "connection": ("x-csrf-token",),
    "te": ("trailers",),
    "via": ("1.1 x",),
    "upgrade": ("h2c", "websocket"),
    "date": ("x",),
    "if-modified-since": ("x",),
    "trailer": ("x",),
    "max-forwards": ("0",),
    "content-language": ("x",),
    "prefer": ("return=minimal",),
    "x-request-id": ("a" * 200,),
    "traceparent": ("00-x",),
    "user-agent": ("", "\x1b[31m"),
    "from": ("{{ 7*7 }}",),
    "accept-language": LANGUAGES,
}  # fmt: skip
"""By name."""

AUTHORIZATIONS = (
    "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Basic =", "Digest x", "Bearer sk_aaaaaaaaaaaa_" + "a" * 32,
    "Bearer \xff", "bearer " + "a" * 4000, "Bearer a b", "Bearer null", "Negotiate x",
)  # fmt: skip
METHODS = (
    "HEAD",
    "OPTIONS",
    "TRACE",
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "BREW",
    "get",
    "PROPFIND",
    "QUERY",
    "M-SEARCH",
)
"""Only what the parser of HTTP lets through: the rest is refused before it reaches us."""

PATH_TAILS = (
    "/", "//", "/.", "/..", "/%2e%2e", "/%2e%2e%2fkeys", ";a=b", "%00", "%ff", "%", "%2", "%zz", "%2F", "/x", ".json",
    "%20", "%0d%0ax-injected:%201", "\\", "/" + "a" * 6000, "/" * 2000, "%C0%AE%C0%AE", "%u002e", "?", "#x",
    "%E2%80%AE", "/%25%32%65", "&a=b", "%09",
)  # fmt: skip
QUERIES = (
    "?", "&", "&&&&", "=", "a", "a=b", "a=b&a=c", "%", "a=%", "a=%zz", "a=%ff", "a=%00", "limit=1&limit=2", "from=",
    "é=1", "a[]=1", "a=" + "b" * 9000, "&".join(f"p{at}=1" for at in range(250)), "__proto__=1",
    "cursor=%0d%0ax-injected:1",
    "to=2026-11-24T09:00:00+01:00", ";a=b", "a=b;c=d", "%E2%80%AE=1", "limit=1e1", "limit=%31", "limit=+1",
    "limit=true",
)  # fmt: skip

BROKEN_HEADS = (
    b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n",
    b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /health\r\n\r\n",
    b"GET  /health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\nHost: x\n\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /health HTTP/1.1\r\n folded: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\nx: a\r\n b\r\n\r\n",
    b"GET /health HTTP/1.1\r\nx: a\x00b\r\n\r\n",
    b"GET /he\x00alth HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://evil.example/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://evil.example:99999/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http:///health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"x: " + b"a" * 70_000 + b"\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"".join(b"x%d: a\r\n" % at for at in range(3000)) + b"\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\r\n\r\n\r\n",
    b"\x00" * 64,
    b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: x\r\n\r\n",
    b"POST /appointments HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
)
"""What is hardly HTTP: two readers could see two requests in it, or one could wait for ever."""
