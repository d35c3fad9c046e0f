// What an answer to `_bulk` says of each document.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace agent::elasticsearch {

enum class ItemVerdict : uint8_t {
  kStored,
  kDuplicate,  // It was there already: stored.
  kRetry,      // Later.
  kHold,       // Later, rarely: the index is blocked or missing, which is not the document's fault.
  kRefused,    // For its content, or for want of a privilege.
};

struct BulkItem {
  ItemVerdict verdict = ItemVerdict::kStored;
  uint16_t status = 0;
  std::string reason;  // "mapper_parsing_exception: failed to parse …"; of those not stored.
};

// Items in the order of the documents. An error when the answer is no such answer, or does not have
// exactly `documents` items: then nothing is known of any of them.
// `require_items` false: one that says `"errors": false` and lists none is believed.
Result<std::vector<BulkItem>> ParseBulkAnswer(std::string_view body, std::size_t documents,
                                              bool require_items = true);

// What an item's status means, with the type of its error.
ItemVerdict JudgeItem(uint16_t status, std::string_view error_type);

}  // namespace agent::elasticsearch
