// A push request taken apart again: for sending it in pieces, and for the dead letter.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "outputs/batch.h"
#include "outputs/snappy_encoder.h"

namespace agent::loki {

struct DecodedEntry {
  int64_t timestamp_ns = 0;
  std::string_view line;
  std::vector<std::pair<std::string_view, std::string_view>> metadata;
};

// Views are into `raw`. Entries are numbered through all streams, as Batch::origins has them.
struct PushRequest {
  struct Stream {
    std::string_view labels;
    uint32_t begin = 0;  // Its entries.
    uint32_t end = 0;
  };

  std::string raw;
  std::vector<Stream> streams;
  std::vector<std::string_view> entries;  // With key and length.

  PushRequest() = default;
  PushRequest(const PushRequest&) = delete;  // The views would stay behind.
  PushRequest& operator=(const PushRequest&) = delete;
  ~PushRequest() = default;

  // Decompresses and takes apart. Fails only for what LokiEncoder has not made.
  Status Parse(std::string_view body);
  // What is inside an entry.
  [[nodiscard]] DecodedEntry Decode(uint32_t entry) const;
  // The stream that an entry is in.
  [[nodiscard]] const Stream& StreamOf(uint32_t entry) const;
};

// Some entries of a request that are sent by themselves: of each stream a range.
struct RequestPart {
  struct Slice {
    uint32_t stream = 0;
    uint32_t begin = 0;
    uint32_t end = 0;
  };

  std::vector<Slice> slices;

  [[nodiscard]] std::size_t entries() const;
};

// All of it.
RequestPart WholeRequest(const PushRequest& request);
// One part for each stream; more than one stream in each where there would be more than
// `max_parts`.
std::deque<RequestPart> SplitByStream(const RequestPart& part, std::size_t max_parts);
// Two parts of about the same size, between two streams or within the only one. `part` has at least
// two entries.
std::deque<RequestPart> Halve(const PushRequest& request, const RequestPart& part);

// The part as a request of its own. `raw_size` gets its size before compression.
Bytes EncodePart(const PushRequest& request, const RequestPart& part, SnappyEncoder& snappy,
                 std::size_t& raw_size);

}  // namespace agent::loki
