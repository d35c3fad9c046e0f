"""Pipelines from grammars: random regular expressions, JMESPath, templates, time layouts, and chains of stages.
What Promtail leaves to chance (order of maps, `match` and what comes after it) does not occur in them."""

import json
import re

import grammar


def quoted(text):
    """A YAML string in double quotes."""

    def one(match):
        code = ord(match.group())
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    return re.sub("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]", one, json.dumps(text, ensure_ascii=False))


# --- Regular expressions


_LITERALS = ["a", "b", "c", "A", "1", "2", " ", "-", "\\.", "\u00e9", "\u4e2d", "x", "=", '"', "\\x{e9}", "\\x41", "\\Qa.b\\E", "\\-", "k", "s", "K"]
_CLASSES = [
    ".", "[abc]", "[^ab]", "[a-c1-2]", "[^\\s]", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "[[:alpha:]]", "[[:^digit:]]", "\\pL", "\\p{Lu}", "\\PN",
    "[\\w.-]", "[^[:space:]=]", "\\p{Han}", "[\\x00-\\x7f]", "[^\\x00-\\x7f]", "[k-s]", "\\p{Greek}",
]  # fmt: skip
_BORDERS = ["^", "$", "\\b", "\\B", "\\A", "\\z", "(?m:^)", "(?m:$)"]


def _regex(r, depth, names):
    kind = r.random()
    if depth == 0 or kind < 0.3:
        return r.choice(_LITERALS)
    if kind < 0.5:
        return r.choice(_CLASSES)
    if kind < 0.57:
        return r.choice(_BORDERS)
    if kind < 0.77:
        inner = "|".join(_sequence(r, depth - 1, names) for _ in range(r.choice([1, 1, 1, 2, 3])))
        opening = r.choice(["(", "(?:", "(?P<", "(?P<", "(?<", "(?i:", "(?s:", "(?U:"])
        if opening.endswith("<"):
            name = f"g{len(names)}"
            names.append(name)
            opening += name + ">"
        return opening + inner + ")"
    inner = _regex(r, depth - 1, names)
    if inner in _BORDERS:
        return inner
    if len(inner) > 1 and inner not in _CLASSES:
        inner = f"(?:{inner})"
    return inner + r.choice(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}"])


def _sequence(r, depth, names):
    return "".join(_regex(r, depth, names) for _ in range(r.randint(1, 4)))


def regex(r):
    """(expression, names of its groups). At least one name."""
    names = []
    expression = ("(?i)" if r.random() < 0.1 else "") + _sequence(r, 3, names)
    if not names:
        names.append("g0")
        expression = f"(?P<g0>{expression})"
    return expression, names


def _regex_text(r):
    pieces = ["a", "b", "c", "A", "K", "k", "s", "\u017f", "\u212a", "1", "2", " ", "-", ".", "\u00e9", "\u00c9", "\u4e2d", "x", "=", '"', "ab", "aa", "\u03b1"]
    data = "".join(r.choice(pieces) for _ in range(r.randint(0, 12))).encode()
    if r.random() < 0.15:
        at = r.randint(0, len(data))
        data = data[:at] + r.choice([b"\xff", b"\xc3", b"\xe4\xb8", b"\xed\xa0\x80", b"\xf0\x9f", b"\x00"]) + data[at:]
    return data


def regex_case(r):
    expression, names = regex(r)
    stages = f"- regex: {{expression: {quoted(expression)}}}\n"
    if r.random() < 0.4:
        what = r.choice(["<{{ .Value }}>", "", "{{ .Value | len }}", "x", "{{ .Value | ToUpper }}"])
        expression, more = regex(r)
        stages += f"- replace: {{expression: {quoted(expression)}, replace: {quoted(what)}}}\n"
        names += more
    for name in sorted(set(names)):
        stages += f"- template: {{source: t{name}, template: {quoted('{{ .' + name + ' | printf `%q` }}')}}}\n"
    stages += "- structured_metadata: {" + ", ".join(f"t{name}: " for name in sorted(set(names))) + "}\n"
    return stages, [_regex_text(r) for _ in range(30)]


# --- JMESPath


# `merge` of what is no object, `contains` with what is one, and the like end Promtail: they are left out.
def _path(r, depth):
    kind = r.random()
    if depth == 0 or kind < 0.25:
        return r.choice(["a", "b", "c", "list", "obj", "@", "a.b", "list[0]", "obj.x", '"a b"', "list[-1]", "list[]", "list[*]", "`1`", "'t'", "`[1,\"a\"]`", "`null`"])
    inner = _path(r, depth - 1)
    other = _path(r, depth - 1)
    if kind < 0.4:
        return f"({inner})" + r.choice([".b", ".x", "[0]", "[-1]", "[1:]", "[::-1]", "[*]", "[]", "[*].x", "[].b", "[?x]", "[?@ == `1`]", "[?x > `1`].x", ".[b, x]", "[:2]"])
    if kind < 0.55:
        return f"({inner} {r.choice(['||', '&&', '==', '!=', '<', '>=', '|'])} {other})"
    if kind < 0.6:
        return f"!({inner})"
    if kind < 0.7:
        return f"[{inner}, {other}]"
    if kind < 0.75:
        return f"{{k: {inner}, l: {other}}}"
    one = r.choice(["length", "abs", "ceil", "floor", "avg", "sum", "max", "min", "sort", "reverse", "type", "to_string", "to_number", "to_array", "not_null"])
    if kind < 0.92:
        return f"{one}({inner})"
    return r.choice(["contains({0}, 't')", "contains({0}, `1`)", "join({0}, {1})", "starts_with({0}, {1})", "map(&x, {0})", "max_by({0}, &x)", "min_by({0}, &x)", "not_null({0}, {1})", "map(&length(@), {0})"]).format(inner, other)


def _document(r, depth=3):
    kind = r.random()
    if depth and kind < 0.3:
        return {key: _document(r, depth - 1) for key in r.sample(["a", "b", "c", "x", "list", "obj", "a b"], r.randint(0, 4))}
    if depth and kind < 0.5:
        return [_document(r, depth - 1) for _ in range(r.randint(0, 4))]
    if kind < 0.6:
        same = r.choice([[3, 1, 2], ["b", "a", "\u00e9"], [1.5, -2], [{"x": 1}, {"x": 3}, {"x": 2}], [{"x": "b"}, {"x": "a"}], [{"x": None}]])
        return same
    return r.choice([0, 1, -1.5, 2e21, "", "t", "text", "\u00e9\U0001f600", "1", "-2.5", True, False, None, "1e3", "<&>"])


def jmespath_case(r):
    names = [f"e{number}" for number in range(8)]
    expressions = ", ".join(f"{name}: {quoted(_path(r, 3))}" for name in names)
    stages = f"- json: {{expressions: {{{expressions}}}}}\n- structured_metadata: {{{', '.join(f'{name}: ' for name in names)}}}\n"
    lines = []
    for _ in range(12):
        top = {key: _document(r) for key in r.sample(["a", "b", "c", "list", "obj", "a b"], r.randint(1, 6))}
        lines.append(json.dumps(top, ensure_ascii=r.random() < 0.5).encode())
    return stages, lines


# --- Templates


# name:parameters:result, by type: s text, i int, I int64, f float64, b boolean, l list, d dictionary, t time, a any;
# j is a step that is not 0, n a small number, r a regular expression, p a format.
_FUNCTIONS = [
    each.split(":")
    for each in """
upper:s:s lower:s:s title:s:s untitle:s:s swapcase:s:s trim:s:s nospace:s:s initials:s:s snakecase:s:s camelcase:s:s kebabcase:s:s
trunc:is:s substr:iis:s repeat:ns:s abbrev:is:s abbrevboth:iis:s indent:ns:s nindent:ns:s wrap:is:s wrapWith:iss:s
trimAll:ss:s trimPrefix:ss:s trimSuffix:ss:s contains:ss:b hasPrefix:ss:b hasSuffix:ss:b replace:sss:s
quote:a:s squote:a:s quote:aa:s cat:aa:s toString:a:s plural:ssi:s
ToLower:s:s ToUpper:s:s TrimSpace:s:s Trim:ss:s TrimLeft:ss:s TrimRight:ss:s TrimPrefix:ss:s TrimSuffix:ss:s Replace:sssi:s
Hash:ss:s Sha2Hash:ss:s sha1sum:s:s sha256sum:s:s adler32sum:s:s b64enc:s:s b64dec:s:s b32enc:s:s b32dec:s:s
regexReplaceAll:rss:s regexReplaceAllLiteral:rss:s regexMatch:rs:b regexFind:rs:s regexFindAll:rsi:l regexSplit:rsi:l regexQuoteMeta:s:s
atoi:s:i int:a:i int64:a:I float64:a:f toDecimal:a:I add:aa:I sub:aa:I mul:aa:I div:aa:I mod:aa:I add1:a:I max:aa:I min:aa:I
addf:aa:f subf:aa:f mulf:aa:f divf:aa:f maxf:aa:f minf:aa:f floor:a:f ceil:a:f round:ai:f seq:n:s seq:nn:s seq:njn:s until:n:l untilStep:nnj:l
default:aa:a default:ss:s empty:a:b coalesce:aaa:a ternary:aab:a ternary:ssb:s all:aa:b any:aa:b
list:aaa:l first:l:a last:l:a rest:l:l initial:l:l append:la:l prepend:la:l concat:ll:l reverse:l:l uniq:l:l without:la:l has:al:b compact:l:l
sortAlpha:l:l sortAlpha:a:l splitList:ss:l split:ss:d splitn:sis:d join:sl:s join:sa:s toStrings:a:l chunk:il:l slice:lii:l index:li:a len:a:i len:l:i
dict:sa:d dict:sasa:d get:ds:a hasKey:ds:b pick:ds:d omit:ds:d merge:dd:d toJson:a:s toRawJson:a:s toPrettyJson:a:s fromJson:s:a
kindOf:a:s typeOf:a:s kindIs:sa:b deepEqual:aa:b
base:s:s dir:s:s ext:s:s clean:s:s isAbs:s:b urlParse:s:d semver:s:a duration:a:s durationRound:a:s
printf:pa:s printf:paa:s print:aa:s println:aa:s html:a:s js:a:s urlquery:a:s
eq:aa:b eq:ss:b ne:aa:b lt:aa:b lt:ii:b le:ss:b gt:ff:b ge:aa:b and:aa:a or:aa:a not:a:b
date:st:s toDate:ss:t dateModify:st:t unixEpoch:t:s
""".split()
]
_WITH_RESULT = {kind: [f for f in _FUNCTIONS if f[2] == kind] for kind in "siIfbldta"}
_TEXTS = ["a", "", "hello world", "x-y_z", "3", "-7", "2.50", "a,b,,c", " pad ", "\u00fcber \u4e2d", "l", ",", "A1b2", "path/to/x.tar.gz", "true", '{"a":[1,"x"]}', "1.2.3", "2006-01-02", "2023-05-06", "15ms", "%", "\\", "<b>&", "0x1f", "1e3", "\U0001f600"]
_FORMATS = ["%v", "%s", "%q", "%d", "%5v", "%-6s|", "%05d", "%x", "%.2f", "%t", "%T", "%+v", "%#v", "%8.3f", "%e", "%g", "%c", "%U", "%o", "%b", "% d", "%+d", "%%", "%6.2v", "%v %v", "%[2]v %[1]v", "%X", "%.3s", "%+q", "%!"]
_FIELDS = [".Entry", ".a", ".n", ".list", ".none", ".Value", "$.a", "(index . \"a\")"]


def _constant(text):
    return '"' + re.sub(r'["\\]', r"\\\g<0>", text) + '"'


def _argument(r, kind, depth):
    if depth > 0 and r.random() < 0.5:
        wanted = {"j": "i", "n": "i", "r": "s", "p": "s"}.get(kind, kind)
        choice = _WITH_RESULT[wanted] if wanted != "a" and r.random() < 0.9 else _FUNCTIONS
        if kind not in "nj":  # These bound how much is made.
            return f"({_call(r, depth - 1, choice)})"
    if kind in "sa" and r.random() < 0.35:
        return r.choice(_FIELDS)
    if kind == "s":
        return _constant(r.choice(_TEXTS))
    if kind in "iI":
        return str(r.choice([0, 1, 2, 3, 5, 8, -1, -3, 40]))
    if kind == "f":
        return r.choice(["0.5", "-2.25", "1e3", "3.0", "1e21"])
    if kind == "j":
        return str(r.choice([1, 2, 3, -1, -2]))
    if kind == "n":
        return str(r.choice([0, 1, 2, 5, -1]))
    if kind == "b":
        return r.choice(["true", "false", "(eq .a .n)"])
    if kind == "r":
        return _constant(r.choice(["[a-z]+", "l+", "(\\w)(\\w)", "", "^h", "[,-]", "\\s", "(", "o|l", "(?i)X"]))
    if kind == "p":
        return _constant(r.choice(_FORMATS))
    if kind == "l":
        return r.choice(['(list 1 "a" 2.5)', "(list)", '(splitList "," .list)', "(until 4)", "(list 3 1 2)", '(list "b" "a" "b")', '(list (list 1) nil true)', ".a"])
    if kind == "d":
        return r.choice(['(dict "a" 1 "b" (list 1))', "(dict)", "(fromJson .a)", '(dict "a" .a "k" (dict "x" 1))'])
    if kind == "t":
        return r.choice(['(toDate "2006-01-02" "2023-05-06")', '(toDate "2006-01-02T15:04:05-07:00" "2023-05-06T07:08:09+02:00")'])
    return r.choice([_constant(r.choice(_TEXTS)), "1", "2.5", "-3", "0", "true", "nil", "1e6", "(list 1 2)", '(dict "k" "v")', "'c'"])


def _call(r, depth, functions=None):
    name, kinds, _ = r.choice(functions or _FUNCTIONS)
    if kinds and r.random() < 0.2:  # The last argument through a pipe.
        head = " ".join([name, *(_argument(r, kind, depth) for kind in kinds[:-1])])
        return f"{_argument(r, kinds[-1], depth)} | {head}"
    return " ".join([name, *(_argument(r, kind, depth) for kind in kinds)])


def template_case(r):
    names = [f"v{number}" for number in range(12)]
    stages = "- json: {expressions: {a: a, num: \"n\", list: list}}\n- template: {source: \"n\", template: '{{ .num }}'}\n"
    for name in names:
        body = "{{ " + _call(r, 3) + " }}"
        kind = r.random()
        if kind < 0.1:
            body = "{{ if " + _call(r, 1) + " }}yes{{ else }}no{{ end }}"
        elif kind < 0.2:
            body = "{{ range $i, $e := " + _call(r, 1) + " }}{{ $i }}:{{ $e }};{{ else }}none{{ end }}"
        elif kind < 0.25:
            body = "{{ with " + _call(r, 1) + " }}<{{ . }}>{{ else }}nothing{{ end }}"
        stages += f"- template: {{source: {name}, template: {quoted(body)}}}\n"
    stages += "- structured_metadata: {" + ", ".join(f"{name}: " for name in names) + "}\n"
    lines = [
        '{"a":"hello","n":5,"list":"a,b,c"}', '{"a":"","n":-2.5,"list":""}', '{"a":"W\u00f6rld x","n":"12","list":"1,2"}',
        '{"a":{"b":[1,2]},"n":1e21,"list":"x"}', "not json",
    ]  # fmt: skip
    return stages, [line.encode() for line in lines]


# --- Times


_ELEMENTS = [
    "2006", "06", "01", "1", "Jan", "January", "02", "2", "_2", "002", "__2", "15", "03", "3", "04", "4", "05", "5", "PM", "pm", "MST", "-0700", "-07:00",
    "Z07:00", "Z0700", "-07", "Mon", "Monday", ".000", ".999", ",000000", ".999999999", "-07:00:00", "Z070000",
]  # fmt: skip
_GAPS = [" ", "-", "/", ":", "T", "", ", ", ".", "  ", "[", "]", " at ", "_", "h"]


def layout(r):
    """Most have a date and a time, in any order."""
    elements = r.sample(_ELEMENTS, r.randint(1, 3))
    if r.random() < 0.8:
        elements += [r.choice(["2006", "06"]), r.choice(["01", "1", "Jan", "January"]), r.choice(["02", "2", "_2"])]
    if r.random() < 0.6:
        elements += [r.choice(["15", "3 PM", "03pm"]), r.choice(["04", "4"]), r.choice(["05", "5", "05.000"])]
    if r.random() < 0.5:
        r.shuffle(elements)
    return "".join(element + r.choice(_GAPS) for element in elements).strip() or "2006"


def time_case(r):
    layouts = [layout(r) for _ in range(3)]
    zone = r.choice(["", "", ", location: Europe/Berlin", ", location: America/New_York", ", location: Asia/Kolkata", ", location: UTC"])
    fallbacks = ", ".join(quoted(each) for each in layouts[1:])
    stages = "- regex: {expression: '^(?P<ts>.*)$'}\n"
    stages += f"- timestamp: {{source: ts, format: {quoted(layouts[0])}, fallback_formats: [{fallbacks}]{zone}, action_on_failure: skip}}\n"
    return stages, [line for each in layouts for line in grammar.generate(f"time {each}", r, 12)]


# --- Chains


def _stage(r):
    key = r.choice(["level", "msg", "user", "code", "took", "id", "extra"])
    other = r.choice(["level", "msg", "user", "code", "took", "id", "extra"])
    label = r.choice(["level", "user", "extra", "zone", "job"])
    return r.choice(
        [
            f"json: {{expressions: {{{key}: {other}, {other}: }}}}" if key != other else f"json: {{expressions: {{{key}: }}}}",
            "json: {expressions: {level: , msg: , code: }}",
            f"json: {{source: {key}, expressions: {{{other}: a}}}}",
            f"logfmt: {{mapping: {{{key}: {other}}}}}",
            f"logfmt: {{source: {key}, mapping: {{{other}: }}}}",
            f"regex: {{expression: '(?P<{key}>\\w+)[ =:\"]+(?P<extra>\\w*)'}}",
            f"regex: {{source: {key}, expression: '^(?P<{other}>.)(?P<extra>.*)$'}}",
            f"replace: {{expression: '(\\d)(?P<{key}>\\d*)', replace: '<{{{{ .Value }}}}>'}}",
            f"replace: {{source: {key}, expression: '([aeiou])', replace: '{{{{ .{other} }}}}'}}",
            f"template: {{source: {key}, template: '{{{{ .Value }}}}-{{{{ .{other} }}}}'}}",
            f"template: {{source: {key}, template: '{{{{ if .{other} }}}}{{{{ .{other} | ToUpper }}}}{{{{ end }}}}'}}",
            f"template: {{source: {key}, template: '{{{{ .Entry | trunc 9 }}}}'}}",
            f"labels: {{{label}: {key}}}",
            f"labels: {{{key}: , {label}: {other}}}" if key != label else f"labels: {{{key}: }}",
            f"labeldrop: [{label}, {key}]",
            f"static_labels: {{{label}: fixed}}",
            f"structured_metadata: {{{key}: , m1: {other}}}" if key != other else f"structured_metadata: {{{key}: }}",
            f"output: {{source: {key}}}",
            f"drop: {{source: {key}, value: info, drop_counter_reason: diff_generated}}",
            f"drop: {{source: [{key}, extra], expression: 'a.*;', drop_counter_reason: diff_generated}}",
            f"drop: {{expression: '{r.choice(['zzz', '^$', 'x{3}'])}', drop_counter_reason: diff_generated}}",
            f"drop: {{longer_than: {r.choice([200, 500])}b, drop_counter_reason: diff_generated}}",
            f"timestamp: {{source: {key}, format: Unix, action_on_failure: skip}}",
            "docker: {}",
            "decolorize: {}",
            f"pack: {{labels: [{key}, {label}], ingest_timestamp: false}}",
        ]
    )


def chain_case(r):
    stages = "".join(f"- {_stage(r)}\n" for _ in range(r.randint(3, 9)))
    kinds = ["json_plain", "json_plain", "logfmt", "text", "docker", "access"]
    return stages, [line for _ in range(30) for line in grammar.generate(r.choice(kinds), r, 1)]


# Kind: (function, options of the case).
KINDS = {
    "regular expressions": (regex_case, {}),
    "JMESPath": (jmespath_case, {"objects": "any"}),
    "templates": (template_case, {"objects": "any"}),
    "layouts": (time_case, {}),
    "chains": (chain_case, {"objects": "any", "labels": {"zone": "eu"}}),
}
