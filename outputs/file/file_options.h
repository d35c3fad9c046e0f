// What a file output, or that of standard output, is configured with.

#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "outputs/document/document_options.h"
#include "outputs/event_pattern.h"

namespace agent {

enum class FileFormat : uint8_t {
  kNdjson,  // A document on each line.
  kLogfmt,  // Time, labels, metadata and line as key=value.
  kRaw,     // The line alone.
};

enum class FileCompression : uint8_t { kNone, kGzip, kZstd };

enum class FileSync : uint8_t {
  kInterval,  // Every half second, or 4 MiB: nothing counts as delivered before.
  kAlways,    // With every write.
  kNever,     // Delivered when written: a power loss may cost what the system had in memory.
};

struct FileOptions {
  std::string name;
  std::string path_text;  // For pages.
  EventPattern path;      // Without any part: standard output.
  FileFormat format = FileFormat::kNdjson;
  FileCompression compression = FileCompression::kNone;
  int compression_level = 0;  // 0: the usual one.
  DocumentOptions document;   // Of kNdjson.

  uint64_t rotate_bytes = 0;                // A file does not grow beyond it; 0: no bound.
  std::chrono::seconds rotate_interval{0};  // A file is of one interval, counted from 1970; 0: any.
  std::size_t keep = 0;                     // Rotated files of each path; 0: all.
  FileSync sync = FileSync::kInterval;
  mode_t mode = 0640;
  uid_t owner = static_cast<uid_t>(-1);  // -1: the process's.
  gid_t group = static_cast<gid_t>(-1);
  std::size_t max_open_files = 64;

  std::size_t batch_bytes = std::size_t{1} << 20;  // Uncompressed.
  std::chrono::milliseconds batch_wait{1'000};
  std::chrono::milliseconds min_backoff{500};
  std::chrono::milliseconds max_backoff{30'000};
};

}  // namespace agent
