#include "agent/config/pairs.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "base/labels.h"
#include "base/result.h"

namespace agent {
namespace {

// Takes the next value of a CSV line off `text`, with the comma behind it. False: a quote is not
// closed.
bool TakeField(std::string_view& text, std::string& field) {
  field.clear();
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(','), text.size());
    field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return true;
  }
  text.remove_prefix(1);
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c != '"') {
      field += c;
    } else if (text.starts_with('"')) {
      field += '"';
      text.remove_prefix(1);
    } else if (text.empty() || text.starts_with(',')) {
      text.remove_prefix(text.empty() ? 0 : 1);
      return true;
    } else {
      return false;
    }
  }
  return false;
}

}  // namespace

Result<Labels> ParseLabelPairs(std::string_view text) {
  Labels labels;
  std::string field;
  while (!text.empty()) {
    if (!TakeField(text, field)) return Error{ErrorCode::kInvalid, "a quote that is not closed"};
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) {
      return Error{ErrorCode::kInvalid, "'" + field + "' must be formatted as key=value"};
    }
    const std::string name = field.substr(0, equals);
    if (!IsValidLabelName(name)) {
      return Error{ErrorCode::kInvalid, "'" + name + "' is not a valid label name"};
    }
    labels.Set(name, field.substr(equals + 1));
  }
  return labels;
}

}  // namespace agent
