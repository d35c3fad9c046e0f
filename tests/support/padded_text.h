// A copy of a text with kTextPadding readable bytes after it, as texts in a block have. What lies
// there is hostile: it would end strings and objects if anyone took it for part of the text.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pipeline/arena.h"

namespace agent {

class PaddedText {
 public:
  explicit PaddedText(std::string_view text) : size_(text.size()), bytes_(text) {
    while (bytes_.size() < size_ + kTextPadding)
      bytes_ += "\"}]0,";
    bytes_.resize(size_ + kTextPadding);
    bytes_.shrink_to_fit();
  }
  // Valid as long as this.
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  std::size_t size_;
  std::string bytes_;
};

}  // namespace agent
