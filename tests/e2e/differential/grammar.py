"""Lines from grammars: what programs write, what they write when something is wrong, and what nobody
should write. Every grammar is a function of a random.Random that gives bytes without newline."""

import datetime
import json
import re

_WORDS = (
    "connection request user admin GET POST timeout error warn info ok done failed cache miss 42 0 "
    "/api/v1/items?id=7&x=a%20b 10.0.0.1 \u00fcber \u4e2d\u6587 \U0001f600 e\u0301 \u0130stanbul \u00df \ufb01 \u01c6 \u2028 \ufeff \u00a0"
).split(" ")
_KEYS = ["level", "msg", "message", "ts", "user", "id", "code", "took", "a", "b", "c", "nested", "list", "log-level", "a.b", "@t", ""]
_NASTY = ["\t", "\\", '"', "'", "=", " ", "{", "}", "[", "]", ":", ",", "<", ">", "&", "%", "$", "\x00", "\x1b[31m", "\x7f", "\r", "/", "`"]


def _word(r):
    if r.random() < 0.15:
        return "".join(r.choice(_NASTY) for _ in range(r.randint(1, 3)))
    return r.choice(_WORDS)


def _phrase(r, most=6):
    return " ".join(_word(r) for _ in range(r.randint(0, most)))


def _clean(text):
    return text.replace("\n", " ").encode("utf-8", "surrogatepass")


def damaged(r, data):
    """The bytes with something wrong: cut, removed, doubled, swapped, or of another kind."""
    data = bytearray(data)
    for _ in range(r.randint(1, 3)):
        if not data:
            return bytes(data)
        at = r.randrange(len(data))
        what = r.randrange(7)
        if what == 0:
            del data[at:]
        elif what == 1:
            del data[at]
        elif what == 2:
            data.insert(at, data[r.randrange(len(data))])
        elif what == 3:
            data[at] = r.choice(b'"\\{}[]:,=0-+.eE \t\x00\x01\x1f\x7f')
        elif what == 4:
            data[at:at] = r.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xe2\x82"])
        elif what == 5:
            other = r.randrange(len(data))
            data[at], data[other] = data[other], data[at]
        else:
            del data[:at]
    return bytes(data).replace(b"\n", b" ")


# --- JSON


_NUMBERS = (
    "0 -0 1 -1 7 42 503 1.5 -1.25 0.1 1e3 1E+2 1e-7 123456789 9007199254740993 -9007199254740993 12345678901234567890 "
    "1e21 1e20 999999999999999999999 1.7976931348623157e308 1e400 -1e400 4.9e-324 1e-400 0.000001 0.0000001 3.140 2.0 "
    "0e5 0.0 -0.0 1.0000000000000002 123.456e-2 100000000000000000000000 0.30000000000000004 1700000000123456789 2.5e-3"
).split()
_BAD_NUMBERS = "01 -01 +1 .5 1. 1.e3 1e 1e+ - 0x10 1_000 NaN Infinity -Infinity 1..2 1.2.3 00 --1 1a".split()
_ESCAPES = [
    "\\n", "\\t", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\u00e9", "\\u4e2d", "\\ud83d\\ude00", "\\u0000", "\\u001b", "\\u2028",
]
_BAD_ESCAPES = ["\\ud800", "\\udc00", "\\ud800x", "\\ud800\\u0041", "\\x41", "\\u12", "\\uzzzz", "\\", "\\'", "\\a", "\\ud83d\\ud83d", "\\U0001F600"]


def _json_string(r, bad=0.03):
    out = []
    for _ in range(r.randint(0, 5)):
        kind = r.random()
        if kind < 0.2:
            out.append(r.choice(_ESCAPES))
        elif kind < 0.2 + bad:
            out.append(r.choice(_BAD_ESCAPES))
        elif kind < 0.2 + 2 * bad:
            out.append(r.choice(["\x01", "\t", "\x1f", "\x7f", "\x00"]))
        else:
            out.append(json.dumps(_word(r), ensure_ascii=r.random() < 0.3)[1:-1])
    return '"' + " ".join(out) + '"'


def _json_value(r, depth):
    kind = r.random()
    if depth > 0 and kind < 0.12:
        return _json_object(r, depth - 1)
    if depth > 0 and kind < 0.24:
        return "[" + ",".join(_space(r) + _json_value(r, depth - 1) for _ in range(r.randint(0, 4))) + _space(r) + "]"
    if kind < 0.45:
        return r.choice(_NUMBERS)
    if kind < 0.47:
        return r.choice(_BAD_NUMBERS)
    if kind < 0.55:
        return r.choice(["true", "false", "null"])
    if kind < 0.56:
        return r.choice(["True", "nil", "undefined", "tru", "nulll", "'x'", ""])
    return _json_string(r)


def _space(r):
    return r.choice(["", "", "", "", " ", "  ", "\t", "\r"])


def _json_object(r, depth, keys=None):
    pairs = []
    for _ in range(r.randint(0, 7)):
        key = r.choice(keys or _KEYS)
        text = json.dumps(key)
        if r.random() < 0.03 and key:
            text = '"' + "".join(f"\\u{ord(c):04x}" for c in key) + '"'
        pairs.append(f"{_space(r)}{text}{_space(r)}:{_space(r)}{_json_value(r, depth)}{_space(r)}")
    return "{" + ",".join(pairs) + "}"


def json_line(r):
    text = _json_object(r, r.randint(0, 4)).encode("utf-8", "surrogatepass").replace(b"\n", b" ")
    kind = r.random()
    if kind < 0.12:
        return damaged(r, text)
    if kind < 0.15:
        return text + r.choice([b" ", b"x", b"{}", b"\t\r", b",", b"]", b"\x00", b" null"])
    if kind < 0.17:
        return r.choice([b"null", b"[]", b'"text"', b"1", b"true", b"", b" ", b"{", b"}", b"{}{}", b"\xef\xbb\xbf{}", b" {} "])
    return text


def json_plain(r):
    """Well-formed objects of scalars, for pipelines that are about what follows `json`."""
    values = {
        "level": r.choice(["info", "warn", "error", "debug", "", "INFO", "Fatal"]),
        "msg": r.choice(["ok", "disk full", "user 'ann' said \"hi\"", "", "a\tb", "\u00fc <&> \u2028", "x" * r.randint(0, 40)]),
        "user": r.choice(["ann", "bob", "", None, 7, "\u00e9ve"]),
        "code": r.choice([200, 404, 503, "500", 0, -1, 1.5, None, True, "x", "1e3", "0x10"]),
        "took": r.choice([0.25, 3, "15ms", "1h2m", "slow", None, False, 1e21, "inf", "NaN", " 1", "1_0", "-2s", "1.5"]),
        "id": r.choice(["a-1", "b-2", 12345678901234567890, "", None]),
    }
    chosen = {key: value for key, value in values.items() if r.random() < 0.8}
    return json.dumps(chosen, ensure_ascii=r.random() < 0.5).encode()


# --- logfmt


def _logfmt_value(r):
    kind = r.random()
    if kind < 0.25:
        return r.choice(["info", "15ms", "42", "a/b", "x:y", "\u00fc", "-", "a,b", "[1]", "a'b", "x\\ny", "\x7f", "\u00a0", "\ufffd"])
    if kind < 0.6:
        inner = "".join(
            r.choice(["a", "b c", "=", "\\\"", "\\\\", "\\n", "\\t", "\\u00e9", "\\ud83d\\ude00", "\u00fc", "'", "\\/", "<"])
            for _ in range(r.randint(0, 6))
        )
        return f'"{inner}"'
    if kind < 0.68:
        return '"' + r.choice(["\\ud800", "\\x41", "\\", "\\u12", "\\q", "\\'", "open", "\\udc00\\ud800", "\x01", "a\tb"]) + r.choice(['"', ""])
    if kind < 0.74:
        return r.choice(['a"b', "a=b", '"a"b', '"a"="b"', '""""', "=", '"', "\x00", "a\x01b"])
    return r.choice(["", "true", "0", "1e3", "None"])


def logfmt_line(r):
    parts = []
    for _ in range(r.randint(0, 8)):
        key = r.choice(["level", "msg", "user", "took", "a", "b", "c", "log-level", "a.b", "\u00fc", "Level", "@t"])
        if r.random() < 0.04:
            key = r.choice(['"k"', 'k"', "=", "", "k\x00", "\x01", "k\u2028"])
        parts.append(key if r.random() < 0.1 else f"{key}={_logfmt_value(r)}")
    text = _clean(r.choice([" ", " ", "  ", "\t", " \r"]).join(parts))
    return damaged(r, text) if r.random() < 0.12 else text


# --- text


def text_line(r):
    kind = r.random()
    if kind < 0.03:
        return b""
    if kind < 0.05:
        return b"x" * r.choice([255, 256, 1023, 1024, 4096, 16384, 70000])
    if kind < 0.15:
        return damaged(r, _clean(_phrase(r)))
    return _clean(_phrase(r, 10))


def access_line(r):
    """Of a web server."""
    path = r.choice(["/", "/a?b=c", "/\u00fc", ""])
    line = (
        f'{r.choice(["10.0.0.1", "::1", "-", "1.2.3.4:80"])} - {r.choice(["-", "ann", "b b"])} '
        f'[{r.randint(1, 31):02d}/{r.choice(["Jan", "May", "Dec"])}/2023:{r.randint(0, 23):02d}:07:08 +0200] '
        f'"{r.choice(["GET", "POST", "-"])} {path} HTTP/1.1" {r.choice([200, 301, 404, 503, "-"])} {r.choice([0, 17, "-", 123456])}'
    )
    data = _clean(line)
    return damaged(r, data) if r.random() < 0.1 else data


def colour_line(r):
    pieces = []
    for _ in range(r.randint(1, 6)):
        pieces.append(_word(r))
        pieces.append(
            r.choice(
                ["\x1b[0m", "\x1b[31;1m", "\x1b[38;5;196m", "\x1b[K", "\x1b[2J", "\x1b]0;title\x07", "\x1b(B", "\x1b[?25l", "\u009b31m",
                 "\x1b", "\x1b[", "\x1b[12345m", "\x1b[1;2;3;4;5m", "\x1b7", "\x1b[6n", "\x1b[1A", "\x1b#8", "\x1b]8;;http://x\x07", "\x1b[31", "\x1bc"]
            )
        )
    return _clean("".join(pieces))


# --- containers


def _rfc3339(r):
    at = datetime.datetime(2023, 1, 1) + datetime.timedelta(seconds=r.randrange(40_000_000))
    fraction = r.choice(["", ".1", ".123", ".123456789", ".000000001", ".9999999999", ",5", "."])
    zone = r.choice(["Z", "Z", "Z", "+02:00", "-07:30", "+00:00", "z", "+0200", "", "+24:00", "-00:00", "+23:59"])
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"


def docker_line(r):
    kind = r.random()
    log = json.dumps(_phrase(r) + r.choice(["\n", "\n", "\r\n", ""]), ensure_ascii=r.random() < 0.5)
    if kind < 0.1:
        log = r.choice(["null", "17", "1.50", "true", '{"a":1}', "[1,2]", '""', _json_string(r, 0.2)])
    stream = r.choice(['"stdout"', '"stdout"', '"stderr"', '""', "null", "1", '"std\\u006fut"'])
    fields = [f'"log":{log}', f'"stream":{stream}', f'"time":"{_rfc3339(r)}"']
    if kind < 0.25:
        r.shuffle(fields)
    if kind < 0.15:
        del fields[r.randrange(3)]
    if 0.25 < kind < 0.35:
        fields.append(r.choice(['"attrs":{"a":"b"}', '"log":"again"', '"stream":"stderr"', '"time":17', '"LOG":"x"', '"Stream":"y"']))
    text = _clean("{" + r.choice([",", ", "]).join(fields) + "}")
    return damaged(r, text) if 0.35 < kind < 0.45 else text


def cri_line(r):
    kind = r.random()
    flag = r.choice(["F", "F", "F", "P", "P", "P:x", "FP", "p", ""])
    stream = r.choice(["stdout", "stdout", "stderr"]) if kind > 0.1 else r.choice(["stdin", "Stdout", "stdoutx", ""])
    gap = " " if kind > 0.05 else r.choice(["  ", "\t", ""])
    text = _clean(f"{_rfc3339(r)}{gap}{stream} {flag} {_phrase(r)}")
    return damaged(r, text) if r.random() < 0.06 else text


def event_line(r):
    keys = ["Logon Type", "level", "Subject", "\u00fc", "9x", "", "a-b", "ok", " lead", "message"]
    values = ["3", " v ", "", "a:b", "\t", "\u00e9"]
    pairs = [r.choice(keys) + r.choice([":", ":", ": ", " : ", ""]) + r.choice(values) for _ in range(r.randint(0, 5))]
    return json.dumps({"message": r.choice(["\r\n", "\r\n", "\n", "\r\n\r\n"]).join(pairs), "level": "info"}).encode()


# --- times


_LAYOUT = re.compile(
    "January|Jan|Monday|Mon|MST|2006|002|__2|-07:00:00|Z07:00:00|-070000|Z070000|-07:00|Z07:00|-0700|Z0700|-07|Z07|"
    "01|02|03|04|05|06|_2|15|PM|pm|1|2|3|4|5|[.,]0+(?!\\d)|[.,]9+(?!\\d)"
)


def _zone(r, sign, colon, seconds=False):
    minutes = r.choice([0, 0, 120, -420, 330, -90, 1439, 765])
    text = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{':' if colon else ''}{abs(minutes) % 60:02d}"
    if seconds:
        text += (":" if colon else "") + r.choice(["00", "30"])
    return "Z" if sign == "Z" and r.random() < 0.4 else text


def _layout_piece(r, at, piece):
    if piece[0] in ".,":
        digits = f"{at.microsecond:06d}{r.randrange(1000):03d}{r.randrange(10**6):06d}"[: len(piece) - 1]
        if piece[1] == "9":
            cut = r.choice(["full", "short", "none"])
            return "" if cut == "none" else piece[0] + (digits if cut == "full" else digits[:1])
        return piece[0] + digits
    if "07" in piece:
        if len(piece) == 3:
            return r.choice(["+02", "-07", "+00", "Z" if piece[0] == "Z" else "+11"])
        return _zone(r, piece[0], ":" in piece, len(piece) > 6)
    plain = {
        "January": f"{at:%B}", "Jan": f"{at:%b}", "Monday": f"{at:%A}", "Mon": f"{at:%a}",
        "2006": f"{at.year:04d}", "06": f"{at:%y}", "01": f"{at:%m}", "1": str(at.month), "02": f"{at:%d}", "2": str(at.day),
        "_2": f"{at.day:2d}", "002": f"{at:%j}", "__2": f"{at.timetuple().tm_yday:3d}", "15": f"{at:%H}", "03": f"{at:%I}",
        "3": str(int(f"{at:%I}")), "04": f"{at:%M}", "4": str(at.minute), "05": f"{at:%S}", "5": str(at.second),
        "PM": f"{at:%p}", "pm": f"{at:%p}".lower(),
    }  # fmt: skip
    if piece == "MST":
        return r.choice(["UTC", "CET", "CEST", "MST", "PST", "GMT", "GMT+3", "GMT-12", "EST", "JST", "+03", "WIB", "ChST", "MeST", "AMST", "utc"])
    text = plain[piece]
    if r.random() < 0.03:
        text = r.choice([text.upper(), text.lower(), "0" + text, text[1:], " " + text, text + "0"])
    return text


def time_line(r, layout):
    """A time in a Go layout, sometimes with something wrong."""
    year = r.choice([2023, 2024, 2026, 2000, 1999, 1970, 1969, 1900, 2038, 2099])
    at = datetime.datetime(year, 1, 1) + datetime.timedelta(
        days=r.randrange(366), seconds=r.randrange(86400), microseconds=r.randrange(10**6)
    )
    if r.random() < 0.3:
        at = r.choice(
            [
                datetime.datetime(2024, 2, 29, 23, 59, 59, 999999),
                datetime.datetime(2023, 12, 31, 23, 59, 59),
                datetime.datetime(2024, 3, 31, 2, 30),
                datetime.datetime(2024, 10, 27, 2, 30, 0, 1),
                datetime.datetime(2023, 3, 12, 2, 30),
                datetime.datetime(2023, 11, 5, 1, 30),
                datetime.datetime(2023, 1, 1),
                datetime.datetime(1969, 12, 31, 23, 59, 59, 500000),
                datetime.datetime(2023, 6, 7, 12, 0, 5),
                datetime.datetime(2023, 6, 7, 0, 4, 5),
            ]
        )
    text = _LAYOUT.sub(lambda match: _layout_piece(r, at, match.group()), layout)
    kind = r.random()
    if kind < 0.1:
        text += r.choice([".5", ",123456789", ".", " ", "Z", "x", ".1234567890123", "+01:00"])
    data = _clean(text)
    # Years far from ours are a matter of their own: damage may not make one.
    return data if kind < 0.8 else re.sub(rb"(?<!\d)(?!19|20)\d{4,}", b"2025", damaged(r, data))


def _unix(r, base):
    text = str(base + r.randrange(-1000, 1000))
    if r.random() < 0.35:
        text += r.choice([".", ".5", ".25", ".123456789", ".1234567891", ".000000001", ".-5", ".+5", ".0", ".9999999999", "..1", ".1.1", ".x", "e3"])
    if r.random() < 0.2:
        text = r.choice(["+" + text, " " + text, text + " ", "0" + text, "-" + text, "x", "", "0x10", text + "_000", "\u0661"])
    return _clean(text)


def unix_line(r):
    """Seconds, of years that the protocol can say."""
    return _unix(r, r.choice([0, 1, -1, 1_700_000_000, -1_700_000_000, 4_000_000_000]))


def unix_fine_line(r):
    """Of any unit. What does not fit into 64 bits of nanoseconds wraps around."""
    return _unix(
        r, r.choice([0, -1, 1_700_000_000, 1_700_000_000_123, 1_700_000_000_123_456, 1_700_000_000_123_456_789, 1 << 62, -(1 << 62), 1 << 63, 10**30])
    )


_GRAMMARS = {
    "json": json_line,
    "json_plain": json_plain,
    "logfmt": logfmt_line,
    "text": text_line,
    "access": access_line,
    "colour": colour_line,
    "docker": docker_line,
    "cri": cri_line,
    "event": event_line,
    "unix": unix_line,
    "unix_fine": unix_fine_line,
}


def generate(name, r, count):
    """`count` lines of a grammar; `time LAYOUT` is one for each layout."""
    if name.startswith("time "):
        return [time_line(r, name[5:]) for _ in range(count)]
    return [_GRAMMARS[name](r) for _ in range(count)]
