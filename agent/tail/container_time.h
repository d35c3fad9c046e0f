// Where a second of a container's log begins in Docker's json-file. Promtail, which reads
// containers through the daemon, notes how far it has got as whole seconds.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agent {

// "0123abcd" for ".../0123abcd-json.log"; empty for other names.
std::string_view ContainerOfLog(std::string_view path);

// The offset of the first whole line that is not older than `second` (since 1970); the end of the
// last whole line when there is none. Reads a few dozen blocks, however long the file is. Nothing
// where a line cannot be understood.
std::optional<uint64_t> OffsetOfSecond(const std::string& path, int64_t second);

// The second of the line that ends at `offset`; nothing when there is none, or it cannot be
// understood.
std::optional<int64_t> SecondBefore(const std::string& path, uint64_t offset);

}  // namespace agent
