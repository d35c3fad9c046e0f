#include "pipeline/field_name.h"

namespace agent {

std::optional<std::string> ReadFieldName(std::string_view text) {
  if (text.find_first_of("[]") == std::string_view::npos) {
    return text.empty() ? std::nullopt : std::optional<std::string>(text);
  }
  std::string name;
  while (!text.empty()) {
    const std::size_t close = text.find(']');
    if (text[0] != '[' || close == std::string_view::npos) return std::nullopt;
    const std::string_view part = text.substr(1, close - 1);
    if (part.empty() || part.find('[') != std::string_view::npos) return std::nullopt;
    if (!name.empty()) name += '.';
    name += part;
    text.remove_prefix(close + 1);
  }
  return name;
}

}  // namespace agent
