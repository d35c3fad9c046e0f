#include "tests/docs/documented_keys.h"

#include "agent/docs/pages.h"

namespace agent {

std::string DocumentedKey::Where() const {
  return page + ":" + std::to_string(row.line) + ": " + path();
}

std::vector<DocumentedKey> AllDocumentedKeys() {
  std::vector<DocumentedKey> keys;
  for (const docs::Page& page : docs::AllPages()) {
    for (const docs::KeyRow& row : docs::KeyRows(docs::ParseMarkdown(page.text))) {
      for (const std::string& section : row.sections) {
        for (const std::string& name : row.names)
          keys.push_back({std::string(page.path), section, name, row});
      }
    }
  }
  return keys;
}

}  // namespace agent
