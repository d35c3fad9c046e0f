// Functions on texts: trimming, cutting, replacing, quoting, joining. Names in capitals are
// Promtail's own and take the text first; sprig's take it last.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/go_format.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "pipeline/template/convert.h"
#include "pipeline/template/format.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

bool HasRune(std::u32string_view set, char32_t rune) {
  return set.find(rune) != std::u32string_view::npos;
}

std::string_view TrimLeft(std::string_view text, std::string_view cutset) {
  const std::u32string set = ToRunes(cutset);
  while (!text.empty()) {
    const DecodedRune decoded = DecodeRune(text);
    if (!HasRune(set, decoded.rune)) break;
    text.remove_prefix(decoded.size);
  }
  return text;
}

std::string_view TrimRight(std::string_view text, std::string_view cutset) {
  const std::u32string set = ToRunes(cutset);
  while (!text.empty()) {
    std::size_t size = 1;
    while (size < 4 && size < text.size() &&
           (static_cast<unsigned char>(text[text.size() - size]) & 0xC0) == 0x80) {
      ++size;
    }
    DecodedRune decoded = DecodeRune(text.substr(text.size() - size));
    if (decoded.size != size) decoded = {};  // The last byte is an invalid one.
    if (!HasRune(set, decoded.rune)) break;
    text.remove_suffix(decoded.size);
  }
  return text;
}

std::string_view WithoutPrefix(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string_view WithoutSuffix(std::string_view text, std::string_view suffix) {
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

// strings.Replace: an empty `from` matches before every rune and at the end.
Datum Replaced(Call& call, std::string_view text, std::string_view from, std::string_view to,
               int64_t limit) {
  std::string result;
  std::size_t pos = 0;
  bool first = true;
  while (limit != 0) {
    std::size_t found = text.find(from, pos);
    if (from.empty()) {
      if (!first && pos >= text.size()) break;
      found = first ? 0 : pos + DecodeRune(text.substr(pos)).size;
    }
    if (found == std::string_view::npos || found > text.size()) break;
    if (!call.Charge(to.size() + found - pos)) return {};
    result += text.substr(pos, found - pos);
    result += to;
    pos = found + from.size();
    first = false;
    if (limit > 0) --limit;
  }
  result += text.substr(pos);
  return call.Keep(std::move(result));
}

Datum Repeat(Call& call) {
  const int64_t count = call.Int(0);
  const std::string_view text = call.Text(1);
  if (count < 0) return call.Fail("negative repeat count");
  const auto limit = static_cast<int64_t>(DatumPool::kMaxBytes);
  if (!text.empty() && count > limit / static_cast<int64_t>(text.size())) {
    return call.Fail("too much memory");
  }
  if (text.empty() || !call.Charge(static_cast<std::size_t>(count) * text.size())) {
    return Datum::String("");
  }
  std::string result;
  for (int64_t i = 0; i < count; ++i)
    result += text;
  return call.Keep(std::move(result));
}

Datum Substr(Call& call) {
  const std::string_view text = call.Text(2);
  const auto size = static_cast<int64_t>(text.size());
  int64_t start = call.Int(0);
  int64_t end = call.Int(1);
  if (start < 0) {
    start = 0;
  } else if (end < 0 || end > size) {
    end = size;
  }
  if (end < 0 || end > size || start > end) return call.Fail("slice bounds out of range");
  return Datum::String(
      text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
}

Datum Trunc(Call& call) {
  const std::string_view text = call.Text(1);
  const int64_t count = call.Int(0);
  const auto size = static_cast<int64_t>(text.size());
  if (count < 0 && count + size > 0) {
    return Datum::String(text.substr(static_cast<std::size_t>(size + count)));
  }
  if (count < 0) return call[1];
  return Datum::String(text.substr(0, static_cast<std::size_t>(count)));
}

// Sprig counts bytes here.
std::string Abbreviated(std::string_view text, int64_t offset, int64_t width) {
  const auto size = static_cast<int64_t>(text.size());
  if (text.empty() || width < 4) return "";
  if (size <= width) return std::string(text);
  offset = std::min(offset, size);
  if (size - offset < width - 3) offset = size - (width - 3);
  if (offset <= 4) return std::string(text.substr(0, static_cast<std::size_t>(width - 3))) + "...";
  if (width < 7) return "";
  const auto rest = text.substr(static_cast<std::size_t>(offset));
  if (offset + width - 3 < size) return "..." + Abbreviated(rest, 0, width - 3);
  return "..." + std::string(text.substr(static_cast<std::size_t>(size - (width - 3))));
}

Datum Abbrev(Call& call) {
  if (call.Int(0) < 4) return call[1];
  return call.Keep(Abbreviated(call.Text(1), 0, call.Int(0)));
}

Datum AbbrevBoth(Call& call) {
  const int64_t left = call.Int(0);
  const int64_t right = call.Int(1);
  if (right < 4 || (left > 0 && right < 7)) return call[2];
  return call.Keep(Abbreviated(call.Text(2), left, right));
}

struct Wrapping {
  std::size_t width;
  std::string_view line_break;
  bool breaks_words;
};

std::string Wrapped(std::string_view text, const Wrapping& wrapping) {
  std::string result;
  std::size_t pos = 0;
  while (text.size() - pos > wrapping.width) {
    if (text[pos] == ' ') {
      ++pos;
      continue;
    }
    const std::size_t end = pos + wrapping.width;
    std::size_t space = text.substr(pos, wrapping.width + 1).rfind(' ');
    std::size_t skip = 1;
    if (space != std::string_view::npos) {
      space += pos;
    } else if (wrapping.breaks_words) {
      space = end;
      skip = 0;
    } else {
      space = text.find(' ', end);
      if (space == std::string_view::npos) break;
    }
    result += text.substr(pos, space - pos);
    result += wrapping.line_break;
    pos = space + skip;
  }
  return result + std::string(text.substr(std::min(pos, text.size())));
}

Datum Wrap(Call& call) {
  const auto width = static_cast<std::size_t>(std::max<int64_t>(call.Int(0), 1));
  return call.Keep(Wrapped(call.Text(1), {width, "\n", false}));
}

Datum WrapWith(Call& call) {
  const auto width = static_cast<std::size_t>(std::max<int64_t>(call.Int(0), 1));
  const std::string_view line_break = call.Text(1).empty() ? "\n" : call.Text(1);
  if (!call.Charge((call.Text(2).size() / width + 1) * line_break.size())) return {};
  return call.Keep(Wrapped(call.Text(2), {width, line_break, true}));
}

Datum Indented(Call& call, std::string_view start) {
  const int64_t spaces = call.Int(0);
  const std::string_view text = call.Text(1);
  if (spaces < 0) return call.Fail("negative repeat count");
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  if (spaces > static_cast<int64_t>(DatumPool::kMaxBytes / lines)) {
    return call.Fail("too much memory");
  }
  const std::string pad(static_cast<std::size_t>(spaces), ' ');
  if (!call.Charge(lines * pad.size())) return {};
  std::string result(start);
  result += pad;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += pad;
  }
  return call.Keep(std::move(result));
}

// Sprig's library takes each byte for a character of its own as soon as one of them is a space.
Datum NoSpace(Call& call) {
  const std::string_view text = call.Text(0);
  const auto rune_of = [](char c) { return static_cast<char32_t>(static_cast<unsigned char>(c)); };
  const auto is_space = [&](char c) { return IsUnicodeSpace(rune_of(c)); };
  if (std::none_of(text.begin(), text.end(), is_space)) return call[0];
  std::string result;
  for (const char c : text) {
    if (!is_space(c)) AppendUtf8(rune_of(c), result);
  }
  return call.Keep(std::move(result));
}

Datum Quote(Call& call) {
  std::string result;
  for (const Datum& value : call.From(0)) {
    if (value.is_nil()) continue;
    if (!result.empty()) result += ' ';
    AppendGoQuoted(ToText(value), result);
  }
  return call.Keep(std::move(result));
}

Datum SingleQuote(Call& call) {
  std::string result;
  for (const Datum& value : call.From(0)) {
    if (value.is_nil()) continue;
    if (!result.empty()) result += ' ';
    result += "'" + ToText(value) + "'";
  }
  return call.Keep(std::move(result));
}

Datum Cat(Call& call) {
  std::string result;
  bool first = true;
  for (const Datum& value : call.From(0)) {
    if (value.is_nil()) continue;
    if (!first) result += ' ';
    first = false;
    AppendDatum(value, result);
  }
  return call.Keep(std::move(result));
}

Datum Join(Call& call) {
  std::string result;
  bool first = true;
  for (const std::string& text : ToTexts(call[1])) {
    if (!call.Charge(text.size() + call.Text(0).size())) return {};
    if (!first) result += call.Text(0);
    first = false;
    result += text;
  }
  return call.Keep(std::move(result));
}

// strings.SplitN.
std::vector<std::string_view> SplitText(std::string_view text, std::string_view separator,
                                        int64_t limit) {
  std::vector<std::string_view> parts;
  if (limit == 0) return parts;
  while (limit < 0 || static_cast<int64_t>(parts.size()) + 1 < limit) {
    std::size_t end = text.find(separator);
    if (separator.empty()) {
      end = text.empty() ? std::string_view::npos : DecodeRune(text).size;
      if (end >= text.size()) end = std::string_view::npos;
    }
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + separator.size());
  }
  if (!separator.empty() || !text.empty()) parts.push_back(text);
  return parts;
}

Datum SplitDict(Call& call, std::string_view separator, int64_t limit, std::string_view text) {
  const auto parts = SplitText(text, separator, limit);
  if (!call.Charge(parts.size() * 100)) return {};
  DatumDict* dict = call.NewDict(DatumDict::Type::kString);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    dict->items["_" + std::to_string(i)] = Datum::String(parts[i]);
  }
  return Datum::Dict(dict);
}

Datum SplitList(Call& call) {
  const auto parts = SplitText(call.Text(1), call.Text(0), -1);
  if (!call.Charge(parts.size() * sizeof(Datum))) return {};
  DatumList* list = call.NewList(DatumList::Type::kString);
  for (const std::string_view part : parts)
    list->items.push_back(Datum::String(part));
  return Datum::List(list);
}

Datum Contains(Call& call) {
  return Datum::Bool(call.Text(1).find(call.Text(0)) != std::string_view::npos);
}

Datum SprigReplace(Call& call) {
  return Replaced(call, call.Text(2), call.Text(0), call.Text(1), -1);
}

Datum TrimAll(Call& call) {
  return Datum::String(TrimRight(TrimLeft(call.Text(1), call.Text(0)), call.Text(0)));
}

Datum PromtailReplace(Call& call) {
  return Replaced(call, call.Text(0), call.Text(1), call.Text(2), call.Int(3));
}

Datum PromtailTrim(Call& call) {
  return Datum::String(TrimRight(TrimLeft(call.Text(0), call.Text(1)), call.Text(1)));
}

Datum TrimSpace(Call& call) {
  return Datum::String(TrimUnicodeSpace(call.Text(0)));
}

constexpr TemplateFunction kFunctions[] = {
    {"Replace", "sssi", PromtailReplace},
    {"Trim", "ss", PromtailTrim},
    {"TrimLeft", "ss", [](Call& c) { return Datum::String(TrimLeft(c.Text(0), c.Text(1))); }},
    {"TrimPrefix", "ss",
     [](Call& c) { return Datum::String(WithoutPrefix(c.Text(0), c.Text(1))); }},
    {"TrimRight", "ss", [](Call& c) { return Datum::String(TrimRight(c.Text(0), c.Text(1))); }},
    {"TrimSpace", "s", TrimSpace},
    {"TrimSuffix", "ss",
     [](Call& c) { return Datum::String(WithoutSuffix(c.Text(0), c.Text(1))); }},
    {"abbrev", "is", Abbrev},
    {"abbrevboth", "iis", AbbrevBoth},
    {"cat", "a*", Cat},
    {"contains", "ss", Contains},
    {"hasPrefix", "ss", [](Call& c) { return Datum::Bool(c.Text(1).starts_with(c.Text(0))); }},
    {"hasSuffix", "ss", [](Call& c) { return Datum::Bool(c.Text(1).ends_with(c.Text(0))); }},
    {"hello", "", [](Call&) { return Datum::String("Hello!"); }},
    {"indent", "is", [](Call& c) { return Indented(c, ""); }},
    {"join", "sa", Join},
    {"nindent", "is", [](Call& c) { return Indented(c, "\n"); }},
    {"nospace", "s", NoSpace},
    {"plural", "ssi", [](Call& c) { return c.Int(2) == 1 ? c[0] : c[1]; }},
    {"quote", "a*", Quote},
    {"repeat", "is", Repeat},
    {"replace", "sss", SprigReplace},
    {"split", "ss", [](Call& c) { return SplitDict(c, c.Text(0), -1, c.Text(1)); }},
    {"splitList", "ss", SplitList},
    {"splitn", "sis", [](Call& c) { return SplitDict(c, c.Text(0), c.Int(1), c.Text(2)); }},
    {"squote", "a*", SingleQuote},
    {"substr", "iis", Substr},
    {"trim", "s", TrimSpace},
    {"trimAll", "ss", TrimAll},
    {"trimPrefix", "ss",
     [](Call& c) { return Datum::String(WithoutPrefix(c.Text(1), c.Text(0))); }},
    {"trimSuffix", "ss",
     [](Call& c) { return Datum::String(WithoutSuffix(c.Text(1), c.Text(0))); }},
    {"trimall", "ss", TrimAll},
    {"trunc", "is", Trunc},
    {"wrap", "is", Wrap},
    {"wrapWith", "iss", WrapWith},
};

}  // namespace

std::span<const TemplateFunction> StringFunctions() {
  return kFunctions;
}

}  // namespace agent
