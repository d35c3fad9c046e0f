#include <optional>
#include <string>
#include <string_view>

#include "pipeline/stage.h"

namespace agent {

std::optional<Slot> StageFields::OptionalSource() {
  const ConfigNode* node = Node("source");
  if (node == nullptr || node->is_null()) return std::nullopt;
  const std::string source = String("source");
  if (source.empty() && node->is_scalar()) {
    Error("source", "empty source", "name an extracted key, or leave 'source' out to use the line");
  }
  return context_.slots.Read(source);
}

Slot StageFields::RequiredSource(std::string_view key) {
  return context_.slots.Read(RequiredString(key));
}

}  // namespace agent
