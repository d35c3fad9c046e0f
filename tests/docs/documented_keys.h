// The keys that the pages document.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/docs/keys.h"

namespace agent {

struct DocumentedKey {
  std::string page;     // "outputs/README.md".
  std::string section;  // "outputs[].file", or a pattern: "*.tls_config".
  std::string name;
  docs::KeyRow row;

  // "outputs[].file.path"
  [[nodiscard]] std::string path() const { return section + (section.empty() ? "" : ".") + name; }
  [[nodiscard]] bool Is(std::string_view observed) const {
    return docs::IsSection(path(), observed);
  }
  // For messages: "outputs/README.md:12: outputs[].file.path".
  [[nodiscard]] std::string Where() const;
};

// A row with two names in a table of three sections is six.
std::vector<DocumentedKey> AllDocumentedKeys();

}  // namespace agent
