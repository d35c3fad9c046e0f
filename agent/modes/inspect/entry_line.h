// How a dry run prints an entry, as Promtail does:
//
//   TIMESTAMP<TAB>{labels}<TAB>LINE

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace agent {

// "2006-01-02T15:04:05.999999999-0700" of a time in nanoseconds since 1970, in the local zone,
// without the zeros at the end of the fraction.
std::string FormatEntryTime(int64_t ns);

// With a newline. `labels` as they are shown: {a="1"}.
void AppendEntryLine(int64_t timestamp_ns, std::string_view labels, std::string_view line,
                     bool color, std::string& out);

}  // namespace agent
