// The id of an entry: the same whenever the same lines are read again, different for all others.

#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "base/entry.h"
#include "base/source_progress.h"

namespace agent {

// Text of base64's URL alphabet, without padding.
struct DocumentId {
  std::array<char, 22> text{};
  [[nodiscard]] std::string_view view() const { return {text.data(), text.size()}; }
};

// A hash of the source, its generation, where the entry's first line begins and where its last one
// ends. Both ends: a block of lines that was cut by a time limit is another entry than the longer
// one that is put together when it is read again. `salt` takes the place of the source's id where
// it has none, so that ids are unique, if not the same after a restart.
DocumentId MakeDocumentId(const Entry& entry, const SourceProgress* source, uint64_t salt);

}  // namespace agent
