// Names of rotated files: `app.20240501T101500.123Z.log` of `app.log`, which sort by time and keep
// the ending by which programs know them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace agent::file {

// Renames `path` after the time; a name that is taken is left alone, and the next millisecond used.
// Gives the new name.
Result<std::string> RotateAway(const std::string& path, int64_t wall_ns);

// What RotateAway() has made of `path`, oldest first.
std::vector<std::string> RotatedFiles(const std::string& path);

// Removes the oldest rotated files but `keep`; 0: none.
Status RemoveOldest(const std::string& path, std::size_t keep);

}  // namespace agent::file
