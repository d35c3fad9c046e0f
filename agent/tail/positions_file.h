// Promtail's positions.yaml, read and written so that either program can take over from the other:
//
//   positions:
//     /var/log/app.log: "1234"
//     cursor-journal-job: s=ab12;i=3f
//
// A value of a path is a byte offset in decimal digits, quoted. Damage costs the lines that are
// damaged, never the start.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace agent {

using PositionEntries = std::map<std::string, std::string>;

struct ParsedPositions {
  PositionEntries entries;
  std::size_t bad_lines = 0;  // Lines that say nothing understandable; NULs, a torn end.
};

ParsedPositions ParsePositions(std::string_view text);

// In the byte-for-byte form that Promtail writes. Keys that are no valid UTF-8 are left out: YAML
// cannot hold them.
std::string FormatPositions(const PositionEntries& entries);

// True for keys that name no file: "cursor-..." and "journal-...".
bool IsCursorKey(std::string_view key);

// A decimal offset; nothing for anything else.
std::optional<uint64_t> ParseOffset(std::string_view text);

// The whole content; kInvalid when it is longer than `max_bytes`.
Result<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes);

// Replaces the file atomically: writes `<path>.tmp` with mode 0600, fsyncs, renames, fsyncs the
// directory. When it fails, what was there stays. `modified_ns`: the time of modification that it
// is to have, by the wall clock, where the file system takes it.
Status ReplaceFile(const std::string& path, std::string_view content,
                   std::optional<int64_t> modified_ns = std::nullopt);

// Makes a rename or a new file durable.
Status SyncDirectoryOf(const std::string& path);

// write(2) until all is written.
Status WriteAll(int fd, std::string_view content);

}  // namespace agent
