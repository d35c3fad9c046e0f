// JSON from and to values, as Go's encoding/json reads and writes it.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/go_format.h"
#include "base/utf8.h"
#include "pipeline/template/datum_time.h"
#include "pipeline/template/format.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

// Reads one document; nullopt when it is not exactly that.
class JsonReader {
 public:
  JsonReader(std::string_view text, Call& call) : text_(text), call_(call) {}

  std::optional<Datum> Read() {
    auto value = ReadValue(0);
    SkipSpace();
    return value && text_.empty() ? value : std::nullopt;
  }

 private:
  void SkipSpace() {
    const std::size_t start = text_.find_first_not_of(" \t\r\n");
    text_.remove_prefix(start == std::string_view::npos ? text_.size() : start);
  }
  bool Take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::optional<Datum> TakeWord(std::string_view word, Datum value) {
    if (!text_.starts_with(word)) return std::nullopt;
    text_.remove_prefix(word.size());
    return value;
  }

  std::optional<Datum> ReadValue(int depth);
  std::optional<Datum> ReadNumber();
  std::optional<Datum> ReadList(int depth);
  std::optional<Datum> ReadDict(int depth);
  std::optional<std::string> ReadString();
  bool ReadEscape(std::string& out);
  std::optional<uint32_t> ReadHex();

  std::string_view text_;
  Call& call_;
};

std::optional<Datum> JsonReader::ReadValue(int depth) {
  SkipSpace();
  if (text_.empty() || depth > kMaxDatumDepth || !call_.Charge(sizeof(Datum))) return std::nullopt;
  switch (text_.front()) {
    case '{':
      return ReadDict(depth);
    case '[':
      return ReadList(depth);
    case '"': {
      auto text = ReadString();
      if (!text) return std::nullopt;
      return call_.Keep(std::move(*text));
    }
    case 't':
      return TakeWord("true", Datum::Bool(true));
    case 'f':
      return TakeWord("false", Datum::Bool(false));
    case 'n':
      return TakeWord("null", Datum());
    default:
      return ReadNumber();
  }
}

std::size_t DigitsAt(std::string_view text, std::size_t from) {
  const std::size_t end = text.find_first_not_of("0123456789", from);
  return (end == std::string_view::npos ? text.size() : end) - from;
}

std::optional<Datum> JsonReader::ReadNumber() {
  std::size_t end = text_.starts_with('-') ? 1 : 0;
  const std::size_t whole = DigitsAt(text_, end);
  if (whole == 0 || (whole > 1 && text_[end] == '0')) return std::nullopt;
  end += whole;
  if (text_.substr(end).starts_with('.')) {
    const std::size_t fraction = DigitsAt(text_, end + 1);
    if (fraction == 0) return std::nullopt;
    end += 1 + fraction;
  }
  if (end < text_.size() && (text_[end] | 0x20) == 'e') {
    ++end;
    if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
    const std::size_t exponent = DigitsAt(text_, end);
    if (exponent == 0) return std::nullopt;
    end += exponent;
  }
  const Result<double> value = ParseGoFloat(text_.substr(0, end));
  if (!value.ok() || !std::isfinite(*value)) return std::nullopt;
  text_.remove_prefix(end);
  return Datum::Float(*value);
}

std::optional<Datum> JsonReader::ReadList(int depth) {
  Take('[');
  DatumList* list = call_.NewList();
  SkipSpace();
  if (Take(']')) return Datum::List(list);
  while (true) {
    const auto item = ReadValue(depth + 1);
    if (!item) return std::nullopt;
    list->items.push_back(*item);
    SkipSpace();
    if (Take(']')) return Datum::List(list);
    if (!Take(',')) return std::nullopt;
  }
}

std::optional<Datum> JsonReader::ReadDict(int depth) {
  Take('{');
  DatumDict* dict = call_.NewDict();
  SkipSpace();
  if (Take('}')) return Datum::Dict(dict);
  while (true) {
    SkipSpace();
    auto key = ReadString();
    SkipSpace();
    if (!key || !Take(':') || !call_.Charge(key->size() + 100)) return std::nullopt;
    const auto value = ReadValue(depth + 1);
    if (!value) return std::nullopt;
    dict->items[std::move(*key)] = *value;
    SkipSpace();
    if (Take('}')) return Datum::Dict(dict);
    if (!Take(',')) return std::nullopt;
  }
}

std::optional<std::string> JsonReader::ReadString() {
  if (!Take('"')) return std::nullopt;
  std::string value;
  while (!text_.empty()) {
    const std::size_t plain = std::min(text_.find_first_of("\"\\"), text_.size());
    const std::string_view part = text_.substr(0, plain);
    for (const char c : part) {
      if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
    }
    AppendSanitized(part, value);
    text_.remove_prefix(plain);
    if (Take('"')) return value;
    if (!Take('\\') || !ReadEscape(value)) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<uint32_t> JsonReader::ReadHex() {
  if (text_.size() < 4) return std::nullopt;
  uint32_t code = 0;
  for (const char c : text_.substr(0, 4)) {
    const std::size_t digit = std::string_view("0123456789abcdef")
                                  .find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    if (digit == std::string_view::npos) return std::nullopt;
    code = code * 16 + static_cast<uint32_t>(digit);
  }
  text_.remove_prefix(4);
  return code;
}

bool JsonReader::ReadEscape(std::string& out) {
  if (text_.empty()) return false;
  const char c = text_.front();
  text_.remove_prefix(1);
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t letter = kLetters.find(c);
  if (letter != std::string_view::npos) {
    out += kMeanings[letter];
    return true;
  }
  if (c != 'u') return false;
  auto code = ReadHex();
  if (!code) return false;
  if (*code >= 0xD800 && *code <= 0xDBFF && text_.starts_with("\\u")) {
    const std::string_view before = text_;
    text_.remove_prefix(2);
    const auto low = ReadHex();
    if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
    } else {
      text_ = before;
    }
  }
  AppendUtf8(*code >= 0xD800 && *code <= 0xDFFF ? 0xFFFD : *code, out);
  return true;
}

// What the three functions that write JSON differ in.
struct JsonStyle {
  bool escape_html = true;
  bool pretty = false;
};

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}

  // False: there is a value that JSON cannot hold.
  bool Write(const Datum& datum, int depth = 0);
  std::string Take() { return std::move(out_); }

 private:
  bool WriteFloat(double value);
  void WriteString(std::string_view text);
  bool WriteList(const DatumList& list, int depth);
  bool WriteDict(const DatumDict& dict, int depth);
  void BreakLine(int depth);

  const JsonStyle style_;
  std::string out_;
};

void JsonWriter::BreakLine(int depth) {
  if (!style_.pretty) return;
  out_ += '\n';
  out_.append(static_cast<std::size_t>(depth) * 2, ' ');
}

bool JsonWriter::WriteFloat(double value) {
  if (!std::isfinite(value)) return false;
  const double size = std::fabs(value);
  if (size == 0 || (size >= 1e-6 && size < 1e21)) {
    AppendFloatText(value, 'f', -1, out_);
    return true;
  }
  std::string text;
  AppendFloatText(value, 'e', -1, text);
  const std::size_t mark = text.find("e-0");
  if (mark != std::string::npos) text.erase(mark + 2, 1);  // 1e-09 is 1e-9.
  out_ += text;
  return true;
}

void JsonWriter::WriteString(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out_ += '"';
  while (!text.empty()) {
    const DecodedRune decoded = DecodeRune(text);
    const char c = text.front();
    const bool html = style_.escape_html && (c == '<' || c == '>' || c == '&');
    const std::size_t short_form = std::string_view("\"\\\b\f\n\r\t").find(c);
    if (short_form != std::string_view::npos) {
      out_ += '\\';
      out_ += "\"\\bfnrt"[short_form];
    } else if (decoded.rune < 0x20 || html) {
      out_ += "\\u00";
      out_ += kHex[decoded.rune >> 4];
      out_ += kHex[decoded.rune & 15];
    } else if (!decoded.valid) {
      out_ += "\\ufffd";
    } else if (decoded.rune == 0x2028 || decoded.rune == 0x2029) {
      out_ += decoded.rune == 0x2028 ? "\\u2028" : "\\u2029";
    } else {
      out_ += text.substr(0, decoded.size);
    }
    text.remove_prefix(decoded.size);
  }
  out_ += '"';
}

bool JsonWriter::WriteList(const DatumList& list, int depth) {
  out_ += '[';
  bool first = true;
  for (const Datum& item : list.items) {
    if (!first) out_ += ',';
    first = false;
    BreakLine(depth + 1);
    if (!Write(item, depth + 1)) return false;
  }
  if (!first) BreakLine(depth);
  out_ += ']';
  return true;
}

bool JsonWriter::WriteDict(const DatumDict& dict, int depth) {
  out_ += '{';
  bool first = true;
  for (const auto& [key, value] : dict.items) {
    if (!first) out_ += ',';
    first = false;
    BreakLine(depth + 1);
    WriteString(key);
    out_ += style_.pretty ? ": " : ":";
    if (!Write(value, depth + 1)) return false;
  }
  if (!first) BreakLine(depth);
  out_ += '}';
  return true;
}

bool JsonWriter::Write(const Datum& datum, int depth) {
  if (depth > kMaxDatumDepth || out_.size() > DatumPool::kMaxBytes) return false;
  switch (datum.kind()) {
    case Datum::Kind::kNil:
      out_ += "null";
      return true;
    case Datum::Kind::kBool:
      out_ += datum.boolean() ? "true" : "false";
      return true;
    case Datum::Kind::kFloat:
      return WriteFloat(datum.real());
    case Datum::Kind::kString:
      WriteString(datum.text());
      return true;
    case Datum::Kind::kList:
      return WriteList(datum.list(), depth);
    case Datum::Kind::kDict:
      return WriteDict(datum.dict(), depth);
    case Datum::Kind::kTime:
      WriteString(FormatTime("2006-01-02T15:04:05.999999999Z07:00", datum.time()));
      return true;
    case Datum::Kind::kVersion:
      WriteString(DatumText(datum));
      return true;
    default:
      out_ += std::to_string(datum.integer());
      return true;
  }
}

Datum FromJson(Call& call) {
  return JsonReader(call.Text(0), call).Read().value_or(Datum());
}

Datum MustFromJson(Call& call) {
  const auto value = JsonReader(call.Text(0), call).Read();
  return value ? *value : call.Fail("invalid JSON");
}

Datum Written(Call& call, const JsonStyle& style, bool must) {
  JsonWriter writer(style);
  if (writer.Write(call[0])) return call.Keep(writer.Take());
  return must ? call.Fail("a value that JSON cannot hold") : Datum::String("");
}

constexpr JsonStyle kPlain = {true, false};
constexpr JsonStyle kPretty = {true, true};
constexpr JsonStyle kRaw = {false, false};

constexpr TemplateFunction kFunctions[] = {
    {"fromJson", "s", FromJson},
    {"mustFromJson", "s", MustFromJson},
    {"mustToJson", "a", [](Call& call) { return Written(call, kPlain, true); }},
    {"mustToPrettyJson", "a", [](Call& call) { return Written(call, kPretty, true); }},
    {"mustToRawJson", "a", [](Call& call) { return Written(call, kRaw, true); }},
    {"toJson", "a", [](Call& call) { return Written(call, kPlain, false); }},
    {"toPrettyJson", "a", [](Call& call) { return Written(call, kPretty, false); }},
    {"toRawJson", "a", [](Call& call) { return Written(call, kRaw, true); }},
};

}  // namespace

std::span<const TemplateFunction> JsonFunctions() {
  return kFunctions;
}

}  // namespace agent
