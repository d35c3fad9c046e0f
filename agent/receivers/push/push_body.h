// The body of a push request: unpacked, and read as what its headers say.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/http/request.h"
#include "agent/receivers/push/pushed_streams.h"
#include "base/result.h"

namespace agent {

// A body without its Content-Encoding: `gzip`, `deflate` (with zlib's head or without), or none.
// kInvalid for another one, and when it is damaged or goes on behind its end; kNoSpace when it
// would be larger than `max_bytes`.
Result<std::string> UnpackBody(std::string_view body, std::string_view encoding,
                               std::size_t max_bytes);

// Of /loki/api/v1/push: JSON where Content-Type says so, else protobuf in snappy's block format.
// Takes the body. Errors as for UnpackBody() and PushedStreams.
Status ParsePushBody(ServerRequest request, std::size_t max_bytes, PushedStreams& streams);

// Of /promtail/api/v1/raw: lines.
Status ParseRawBody(const ServerRequest& request, std::size_t max_bytes, PushedStreams& streams);

}  // namespace agent
