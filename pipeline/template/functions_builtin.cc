// The functions of Go's text/template itself: comparing, indexing, printing, escaping.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/go_format.h"
#include "base/utf8.h"
#include "pipeline/template/format.h"
#include "pipeline/template/functions.h"

namespace agent {
namespace {

// Only values of one family compare.
enum class Family : uint8_t { kOther, kBool, kInteger, kFloat, kString };

Family FamilyOf(const Datum& datum) {
  switch (datum.kind()) {
    case Datum::Kind::kBool:
      return Family::kBool;
    case Datum::Kind::kFloat:
      return Family::kFloat;
    case Datum::Kind::kString:
      return Family::kString;
    default:
      return datum.is_integer() ? Family::kInteger : Family::kOther;
  }
}

std::string Incompatible(const Datum& a, const Datum& b) {
  return "incompatible types for comparison: " + std::string(TypeName(a)) + " and " +
         std::string(TypeName(b));
}

// What has no order is equal only to itself; lists and maps cannot even be compared.
bool EqualOthers(const Datum& a, const Datum& b, Call& call) {
  if (a.is_nil() || b.is_nil()) return a.is_nil() && b.is_nil();
  const bool comparable =
      a.kind() == b.kind() && a.kind() != Datum::Kind::kList && a.kind() != Datum::Kind::kDict;
  if (!comparable) {
    call.Fail("non-comparable types " + std::string(TypeName(a)) + " and " +
              std::string(TypeName(b)));
  }
  return comparable && DeepEqual(a, b);
}

bool Equal(const Datum& a, const Datum& b, Call& call) {
  const Family family = FamilyOf(a);
  if (family != FamilyOf(b)) {
    if (!a.is_nil() && !b.is_nil()) call.Fail(Incompatible(a, b));
    return false;
  }
  switch (family) {
    case Family::kBool:
    case Family::kInteger:
      return a.integer() == b.integer();
    case Family::kFloat:
      return a.real() == b.real();
    case Family::kString:
      return a.text() == b.text();
    case Family::kOther:
      break;
  }
  return EqualOthers(a, b, call);
}

bool Less(const Datum& a, const Datum& b, Call& call) {
  const Family family = FamilyOf(a);
  if (family == Family::kOther || FamilyOf(b) == Family::kOther || family == Family::kBool) {
    call.Fail("invalid type for comparison");
    return false;
  }
  if (family != FamilyOf(b)) {
    call.Fail(Incompatible(a, b));
    return false;
  }
  if (family == Family::kInteger) return a.integer() < b.integer();
  if (family == Family::kFloat) return a.real() < b.real();
  return a.text() < b.text();
}

Datum Eq(Call& call) {
  if (call.size() < 2) return call.Fail("missing argument for comparison");
  for (const Datum& other : call.From(1)) {
    if (Equal(call[0], other, call)) return Datum::Bool(true);
    if (!call.runtime().error.empty()) return {};
  }
  return Datum::Bool(false);
}

Datum IndexOnce(const Datum& item, const Datum& index, Call& call) {
  if (item.kind() == Datum::Kind::kDict) {
    if (!index.is_string()) return call.Fail("value is not of type string");
    const auto& items = item.dict().items;
    const auto found = items.find(index.text());
    if (found != items.end()) return found->second;
    return item.dict().type == DatumDict::Type::kString ? Datum::String("") : Datum();
  }
  const bool is_list = item.kind() == Datum::Kind::kList;
  if (!is_list && !item.is_string()) {
    return call.Fail("can't index item of type " + std::string(TypeName(item)));
  }
  if (!index.is_integer()) {
    return call.Fail("cannot index slice/array with type " + std::string(TypeName(index)));
  }
  const std::size_t size = is_list ? item.list().items.size() : item.text().size();
  if (index.integer() < 0 || static_cast<uint64_t>(index.integer()) >= size) {
    return call.Fail("index out of range: " + std::to_string(index.integer()));
  }
  const auto i = static_cast<std::size_t>(index.integer());
  if (is_list) return item.list().items[i];
  return Datum::Integer(Datum::Kind::kUint8, static_cast<unsigned char>(item.text()[i]));
}

Datum Index(Call& call) {
  if (call[0].is_nil()) return call.Fail("index of untyped nil");
  Datum item = call[0];
  for (const Datum& index : call.From(1)) {
    if (item.is_nil()) return call.Fail("index of nil pointer");
    item = IndexOnce(item, index, call);
    if (!call.runtime().error.empty()) return {};
  }
  return item;
}

Datum Len(Call& call) {
  switch (call[0].kind()) {
    case Datum::Kind::kString:
      return Datum::Int(static_cast<int64_t>(call.Text(0).size()));
    case Datum::Kind::kList:
      return Datum::Int(static_cast<int64_t>(call[0].list().items.size()));
    case Datum::Kind::kDict:
      return Datum::Int(static_cast<int64_t>(call[0].dict().items.size()));
    default:
      return call.Fail("len of type " + std::string(TypeName(call[0])));
  }
}

// The operands of an escaping function as one text; missing ones are "<no value>".
std::string JoinedOperands(Call& call) {
  std::vector<Datum> operands;
  for (const Datum& operand : call.From(0)) {
    operands.push_back(operand.is_nil() ? Datum::String("<no value>") : operand);
  }
  std::string text;
  AppendPrint(operands, text);
  return text;
}

Datum Html(Call& call) {
  std::string escaped;
  for (const char c : JoinedOperands(call)) {
    switch (c) {
      case '\0':
        escaped += "\uFFFD";
        break;
      case '"':
        escaped += "&#34;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  return call.Keep(std::move(escaped));
}

void AppendJsEscape(std::string_view rune_text, char32_t rune, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  if (rune == '\\' || rune == '\'' || rune == '"') {
    out += '\\';
    out += static_cast<char>(rune);
    return;
  }
  std::string quoted;
  AppendGoQuoted(rune_text, quoted);
  const bool printable = quoted.size() == rune_text.size() + 2;
  if (rune >= 0x80 && printable) {
    out += rune_text;
    return;
  }
  out += "\\u";
  for (int shift = rune > 0xFFFFF ? 20 : rune > 0xFFFF ? 16 : 12; shift >= 0; shift -= 4) {
    out += kHex[(rune >> shift) & 15];
  }
}

Datum Js(Call& call) {
  const std::string text = JoinedOperands(call);
  std::string escaped;
  for (std::string_view rest = text; !rest.empty();) {
    const DecodedRune decoded = DecodeRune(rest);
    const bool special = decoded.rune < ' ' || decoded.rune >= 0x80 ||
                         std::string_view("\\'\"<>&=").find(rest.front()) != std::string_view::npos;
    if (!decoded.valid) {
      escaped += rest.front();
    } else if (special) {
      AppendJsEscape(rest.substr(0, decoded.size), decoded.rune, escaped);
    } else {
      escaped += rest.front();
    }
    rest.remove_prefix(decoded.size);
  }
  return call.Keep(std::move(escaped));
}

Datum UrlQuery(Call& call) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : JoinedOperands(call)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      escaped += c;
    } else if (c == ' ') {
      escaped += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      escaped += '%';
      escaped += kHex[byte >> 4];
      escaped += kHex[byte & 15];
    }
  }
  return call.Keep(std::move(escaped));
}

Datum Print(Call& call) {
  std::string text;
  AppendPrint(call.From(0), text);
  return call.Keep(std::move(text));
}

Datum Printf(Call& call) {
  std::string text;
  AppendPrintf(call.Text(0), call.From(1), text);
  return call.Keep(std::move(text));
}

Datum Println(Call& call) {
  std::string text;
  AppendPrintLine(call.From(0), text);
  text += '\n';
  return call.Keep(std::move(text));
}

// `le` is less or equal; Go asks in this order, so that errors are the same.
bool LessOrEqual(Call& call) {
  if (Less(call[0], call[1], call)) return true;
  return call.runtime().error.empty() && Equal(call[0], call[1], call);
}

constexpr TemplateFunction kFunctions[] = {
    {"and", "aa*", nullptr},
    {"call", "aa*", [](Call& call) { return call.Fail("not a function"); }},
    {"eq", "aa*", Eq},
    {"ge", "aa", [](Call& call) { return Datum::Bool(!Less(call[0], call[1], call)); }},
    {"gt", "aa", [](Call& call) { return Datum::Bool(!LessOrEqual(call)); }},
    {"html", "a*", Html},
    {"index", "aa*", Index},
    {"js", "a*", Js},
    {"le", "aa", [](Call& call) { return Datum::Bool(LessOrEqual(call)); }},
    {"len", "a", Len},
    {"lt", "aa", [](Call& call) { return Datum::Bool(Less(call[0], call[1], call)); }},
    {"ne", "aa", [](Call& call) { return Datum::Bool(!Equal(call[0], call[1], call)); }},
    {"not", "a", [](Call& call) { return Datum::Bool(!IsTruthy(call[0])); }},
    {"or", "aa*", nullptr},
    {"print", "a*", Print},
    {"printf", "sa*", Printf},
    {"println", "a*", Println},
    {"urlquery", "a*", UrlQuery},
};

}  // namespace

std::span<const TemplateFunction> BuiltinFunctions() {
  return kFunctions;
}

}  // namespace agent
