// The pages of the documentation, as they were when the program was built.

#pragma once

#include <span>
#include <string_view>

namespace agent::docs {

struct Page {
  std::string_view name;  // "json", "outputs", "readme".
  std::string_view path;  // In the repository: "pipeline/stages/json.md".
  std::string_view text;
};

// In the order of the list: the overview first.
std::span<const Page> AllPages();

}  // namespace agent::docs
