// Which files the patterns of a configuration match now, and what they are.

#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/doctor/access.h"
#include "agent/doctor/subject.h"

namespace agent::doctor {

struct SurveyedFile {
  std::string path;
  std::size_t pattern = 0;  // The first that matches it.
  uint64_t size = 0;
  int64_t modified_s = 0;
  bool opened = false;
  std::string head;  // Its first bytes.
};

struct UnreadableFile {
  std::string path;
  std::size_t pattern = 0;
  Refusal refusal;
};

struct Survey {
  // By pattern: how many files match, which include those that cannot be read.
  std::vector<std::size_t> matches;
  std::vector<SurveyedFile> files;
  std::vector<UnreadableFile> unreadable;
  std::vector<std::string> special;                               // FIFOs, devices, sockets.
  std::set<std::string> directories;                              // To be watched.
  std::vector<std::string> twice;                                 // Read by several jobs.
  std::vector<std::pair<std::string, std::string>> bad_patterns;  // Pattern, what is wrong.
  std::size_t not_opened = 0;  // There are so many that these were only counted.
  bool complete = true;
};

// Files that are opened, so that it takes a moment only.
constexpr std::size_t kMaxOpened = 5000;

Survey SurveyFiles(const std::vector<FilePattern>& patterns);

// "a gzip archive", "UTF-16 text", …; empty: text, as far as its beginning tells.
std::string KindOfFile(std::string_view head);
// What `decompression.format` such a file needs; empty: it is not compressed.
std::string CompressionOf(std::string_view head);

}  // namespace agent::doctor
