// Reads what the dead letter has written: a file of NDJSON, or one that was compressed with gzip
// afterwards.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/labels.h"
#include "base/result.h"

namespace agent {

// A refused entry, as it was.
struct DeadLetterRecord {
  std::string reason;
  std::string output;
  std::string job;
  std::string source;
  uint64_t offset = 0;

  // Of outputs that send documents: these; of others, what follows.
  std::string document;  // JSON; empty: it is none of these.
  std::string index;
  std::string id;

  std::string tenant;
  Labels labels;
  int64_t timestamp_ns = 0;
  std::string line;
  std::vector<std::pair<std::string, std::string>> metadata;
};

// An error says what is wrong with the line.
Result<DeadLetterRecord> ParseDeadLetterLine(std::string_view line);

class DeadLetterFile {
 public:
  static Result<std::unique_ptr<DeadLetterFile>> Open(const std::string& path);
  DeadLetterFile(const DeadLetterFile&) = delete;
  DeadLetterFile& operator=(const DeadLetterFile&) = delete;
  ~DeadLetterFile();

  // The next line without its newline, which is good until the next call; nullopt at the end. Lines
  // that are empty are left out, but counted.
  std::optional<std::string_view> Next();
  [[nodiscard]] uint64_t line_number() const { return line_number_; }  // From 1 on.
  // Why it ended before its end; empty: it did not.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Removes the file, unless something was written to it after what was read.
  Status Remove();

 private:
  struct Stream;

  DeadLetterFile(std::string path, std::unique_ptr<Stream> stream);
  bool Fill();

  const std::string path_;
  std::unique_ptr<Stream> stream_;
  uint64_t file_bytes_ = 0;  // Of the file, that were read.
  std::string buffer_;
  std::size_t at_ = 0;
  bool ended_ = false;
  uint64_t line_number_ = 0;
  std::string error_;
};

}  // namespace agent
