// Functions that turn one type into another, and those that tell and choose by type or emptiness.

#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/go_format.h"
#include "pipeline/template/convert.h"
#include "pipeline/template/format.h"
#include "pipeline/template/functions.h"
#include "pipeline/template/literals.h"

namespace agent {
namespace {

// Without a fraction that consists of zeros: "12.00" is 12. Any other fraction makes the text no
// integer.
std::string_view WithoutZeroDecimals(std::string_view text) {
  const std::size_t last = text.find_last_not_of('0');
  const bool has_zeros = last != std::string_view::npos && last + 1 < text.size();
  return has_zeros && text[last] == '.' ? text.substr(0, last) : text;
}

int64_t Truncated(double value) {
  constexpr double kLimit = 9223372036854775808.0;
  if (value >= -kLimit && value < kLimit) return static_cast<int64_t>(value);
  return std::numeric_limits<int64_t>::min();  // What Go's conversion gives on amd64.
}

Datum Atoi(Call& call) {
  return Datum::Int(ParseDecimal(call.Text(0)));
}

// The digits of a number as octal.
Datum ToDecimal(Call& call) {
  const std::string text = ToText(call[0]);
  int64_t value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, value, 8);
  return Datum::Int64(error == std::errc() && stop == end ? value : 0);
}

Datum ToStrings(Call& call) {
  DatumList* list = call.NewList(DatumList::Type::kString);
  for (std::string& text : ToTexts(call[0]))
    list->items.push_back(call.Keep(std::move(text)));
  return Datum::List(list);
}

Datum Default(Call& call) {
  return call.size() < 2 || IsEmpty(call[1]) ? call[0] : call[1];
}

Datum Coalesce(Call& call) {
  for (const Datum& value : call.From(0)) {
    if (!IsEmpty(value)) return value;
  }
  return {};
}

Datum All(Call& call) {
  for (const Datum& value : call.From(0)) {
    if (IsEmpty(value)) return Datum::Bool(false);
  }
  return Datum::Bool(true);
}

Datum Any(Call& call) {
  for (const Datum& value : call.From(0)) {
    if (!IsEmpty(value)) return Datum::Bool(true);
  }
  return Datum::Bool(false);
}

Datum TypeIsLike(Call& call) {
  const std::string_view name = TypeName(call[1]);
  return Datum::Bool(call.Text(0) == name || "*" + std::string(call.Text(0)) == name);
}

Datum Fail(Call& call) {
  return call.Fail(std::string(call.Text(0)));
}

constexpr TemplateFunction kFunctions[] = {
    {"all", "a*", All},
    {"any", "a*", Any},
    {"atoi", "s", Atoi},
    {"coalesce", "a*", Coalesce},
    {"deepEqual", "aa", [](Call& call) { return Datum::Bool(DeepEqual(call[0], call[1])); }},
    {"default", "aa*", Default},
    {"empty", "a", [](Call& call) { return Datum::Bool(IsEmpty(call[0])); }},
    {"fail", "s", Fail},
    {"float64", "a", [](Call& call) { return Datum::Float(ToFloat64(call[0])); }},
    {"int", "a", [](Call& call) { return Datum::Int(ToInt64(call[0])); }},
    {"int64", "a", [](Call& call) { return Datum::Int64(ToInt64(call[0])); }},
    {"kindIs", "sa", [](Call& call) { return Datum::Bool(KindName(call[1]) == call.Text(0)); }},
    {"kindOf", "a", [](Call& call) { return Datum::String(KindName(call[0])); }},
    {"ternary", "aab", [](Call& call) { return call[2].boolean() ? call[0] : call[1]; }},
    {"toDecimal", "a", ToDecimal},
    {"toString", "a", [](Call& call) { return call.Keep(ToText(call[0])); }},
    {"toStrings", "a", ToStrings},
    {"typeIs", "sa", [](Call& call) { return Datum::Bool(TypeName(call[1]) == call.Text(0)); }},
    {"typeIsLike", "sa", TypeIsLike},
    {"typeOf", "a", [](Call& call) { return Datum::String(TypeName(call[0])); }},
};

}  // namespace

int64_t ParseDecimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (text.starts_with('+') && !text.substr(1).starts_with('-')) text.remove_prefix(1);
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || text.empty()) return 0;
  if (error == std::errc::result_out_of_range) {
    return negative ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return error == std::errc() ? value : 0;
}

int64_t ToInt64(const Datum& datum) {
  switch (datum.kind()) {
    case Datum::Kind::kFloat:
      return Truncated(datum.real());
    case Datum::Kind::kString:
      return ParseIntegerLiteral(WithoutZeroDecimals(datum.text())).value_or(0);
    case Datum::Kind::kBool:
      return datum.integer();
    default:
      return datum.is_integer() ? datum.integer() : 0;
  }
}

double ToFloat64(const Datum& datum) {
  if (datum.kind() == Datum::Kind::kFloat) return datum.real();
  if (!datum.is_string()) return static_cast<double>(ToInt64(datum));
  const Result<double> value = ParseGoFloat(datum.text());
  return value.ok() ? *value : 0;
}

std::string ToText(const Datum& datum) {
  return DatumText(datum);
}

std::vector<std::string> ToTexts(const Datum& datum) {
  std::vector<std::string> texts;
  if (datum.kind() != Datum::Kind::kList) {
    if (!datum.is_nil()) texts.push_back(ToText(datum));
    return texts;
  }
  for (const Datum& item : datum.list().items) {
    if (!item.is_nil()) texts.push_back(ToText(item));
  }
  return texts;
}

std::span<const TemplateFunction> ConversionFunctions() {
  return kFunctions;
}

}  // namespace agent
