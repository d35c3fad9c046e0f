// What tests of the file output share: entries, and what files hold.

#pragma once

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/entry.h"
#include "base/label_sets.h"
#include "outputs/batch.h"

namespace agent::file {

inline Bytes ToBytes(std::string_view text) {
  Bytes bytes{std::make_unique_for_overwrite<char[]>(text.size()), text.size()};
  std::memcpy(bytes.data.get(), text.data(), text.size());
  return bytes;
}

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void WriteAll(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

// An entry that is good as long as this is.
class TestEntry {
 public:
  TestEntry(LabelSets& sets, const Labels& labels, const std::string& line,
            std::vector<Metadata> metadata = {})
      : padded_(line + std::string(64, '\0')), metadata_(std::move(metadata)) {
    entry.labels = sets.Intern(labels);
    entry.timestamp_ns = 1714557600123456789;  // 2024-05-01T10:00:00Z and a bit.
    entry.line = std::string_view(padded_).substr(0, line.size());
    entry.metadata = metadata_;
    entry.source_bytes = static_cast<uint32_t>(line.size() + 1);
  }
  TestEntry(const TestEntry&) = delete;
  TestEntry& operator=(const TestEntry&) = delete;

  Entry entry;

 private:
  std::string padded_;
  std::vector<Metadata> metadata_;
};

}  // namespace agent::file
