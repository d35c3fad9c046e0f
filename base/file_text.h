// A text from the configuration, or from a file that is read again when it has changed.

#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace agent {

class FileText {
 public:
  // Of the two at most one is set.
  FileText(std::string text, std::string file) : file_(std::move(file)), text_(std::move(text)) {}

  // Reads the file if it is another than last time: true then. Fails when it cannot be read.
  Result<bool> Refresh();
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::string text_;
  int64_t seen_mtime_ns_ = -1;
  int64_t seen_size_ = -1;
  uint64_t seen_inode_ = 0;
};

}  // namespace agent
