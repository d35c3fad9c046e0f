// A bulk request taken apart again: for sending some of its documents, and for the dead letter.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "outputs/batch.h"
#include "outputs/deflate.h"

namespace agent::elasticsearch {

class BulkBody {
 public:
  // Fails only for what BulkEncoder has not made.
  static Result<BulkBody> Parse(const Bytes& body, std::size_t raw_size, bool compressed);

  [[nodiscard]] std::size_t size() const { return items_.size(); }
  // What it takes.
  [[nodiscard]] std::size_t memory_bytes() const {
    return raw_->size() + items_.size() * sizeof(Item);
  }

  struct Document {
    std::string_view action;    // With its newline.
    std::string_view document;  // Without it.
  };
  [[nodiscard]] Document At(std::size_t entry) const;
  // Both lines, with their newlines.
  [[nodiscard]] std::size_t RawSize(std::span<const uint32_t> entries) const;

  // Some of them as a request of its own; `deflater` null: not compressed.
  [[nodiscard]] Bytes Encode(std::span<const uint32_t> entries, Deflater* deflater) const;

 private:
  struct Item {
    uint32_t action = 0;  // Where it begins.
    uint32_t document = 0;
    uint32_t end = 0;  // Behind the document's newline.
  };

  std::unique_ptr<std::string> raw_;  // Stays where it is when this is moved.
  std::vector<Item> items_;
};

// The value of a key of an action line: `_index`, `_id`. Empty when it is not there.
std::string ActionValue(std::string_view action, std::string_view key);

}  // namespace agent::elasticsearch
