#include "pipeline/stages/metric_filter.h"

#include <array>
#include <utility>

namespace agent {
namespace {

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Error Wrong(std::string_view what) {
  return Error{ErrorCode::kInvalid,
               std::string(what) + "; expected a comparison such as 'level == \"error\"'"};
}

struct Comparison {
  std::string_view text;
  bool negated;
  bool regex;
};

// Longer ones first.
constexpr std::array<Comparison, 5> kComparisons = {{{"==", false, false},
                                                     {"=~", false, true},
                                                     {"!=", true, false},
                                                     {"!~", true, true},
                                                     {"=", false, false}}};

Result<std::string> Unquote(std::string_view text) {
  if (text.empty()) return Wrong("the value is missing");
  const char quote = text.front();
  if (quote != '"' && quote != '\'' && quote != '`') {
    if (text.find_first_of(" \t\"'`=!&|") != std::string_view::npos) {
      return Wrong("more than one comparison");
    }
    return std::string(text);
  }
  std::string value;
  std::size_t at = 1;
  for (; at < text.size() && text[at] != quote; ++at) {
    const bool escaped = quote == '"' && text[at] == '\\' && at + 1 < text.size() &&
                         (text[at + 1] == '"' || text[at + 1] == '\\');
    if (escaped) ++at;
    value += text[at];
  }
  if (at >= text.size()) return Wrong("the closing quote is missing");
  if (at + 1 != text.size()) return Wrong("more than one comparison");
  return value;
}

}  // namespace

Result<MetricFilter> MetricFilter::Parse(std::string_view text, SlotTable& slots) {
  const std::size_t operator_at = text.find_first_of("=!");
  if (operator_at == std::string_view::npos) return Wrong("no comparison");
  const std::string_view name = Trim(text.substr(0, operator_at));
  if (name.empty() || name.find_first_of(" \t\"'") != std::string_view::npos) {
    return Wrong("no name before the comparison");
  }
  const std::string_view rest = text.substr(operator_at);
  for (const Comparison& known : kComparisons) {
    if (!rest.starts_with(known.text)) continue;
    Result<std::string> value = Unquote(Trim(rest.substr(known.text.size())));
    if (!value.ok()) return std::move(value).error();
    MetricFilter filter;
    filter.slot_ = slots.Read(name);
    filter.negated_ = known.negated;
    if (known.regex) {
      auto regex = GoRegex::Compile(*value, RegexScope::kWholeText);
      if (!regex.ok()) return std::move(regex).error();
      filter.regex_ = std::move(regex).value();
    }
    filter.value_ = std::move(value).value();
    return filter;
  }
  return Wrong("unknown comparison");
}

bool MetricFilter::Selects(Block& block, EntryIndex entry) const {
  const std::string_view text = block.ExtractedText(entry, slot_).value_or(std::string_view{});
  const bool equal = regex_ ? regex_->Matches(text) : text == value_;
  return equal != negated_;
}

}  // namespace agent
