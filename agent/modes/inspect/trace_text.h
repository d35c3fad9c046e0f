// The story of an entry for a person at a terminal:
//
//   == /var/log/nginx/access.log:12, offset 1834 (job nginx)
//      10.0.0.1 - - [06/May/2023:07:08:09 +0000] "GET /api HTTP/1.1" 200 ...(171 bytes)
//      0.drop: unchanged
//      1.regex      + extracted method "GET"
//                   + extracted time "06/May/2023:07:08:09 +0000"
//      2.timestamp  - time 2026-05-04T09:12:03.418+0000
//                   + time 2023-05-06T07:08:09+0000
//
// Added is +, removed -, changed ~ or, where that is too long for a row, - and +.

#pragma once

#include <cstddef>
#include <string>

#include "agent/modes/inspect/entry_trace.h"

namespace agent {

struct TraceTextOptions {
  bool color = false;
  std::size_t columns = 80;
  // Also the entry itself, as a dry run prints it: nobody else shows it.
  bool with_entry = false;
};

std::string FormatTraceText(const EntryTrace& trace, const TraceTextOptions& options);

}  // namespace agent
