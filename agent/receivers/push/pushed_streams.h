// What a push request brings, taken apart: streams of entries, in the order of the request.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/receivers/received_source.h"
#include "base/labels.h"
#include "base/result.h"

namespace agent {

struct PushedStream {
  Labels labels;
  std::vector<ReceivedEntry> entries;  // Their own `labels` are null.
};

// Bounded: a small body can mean many entries.
class PushedStreams {
 public:
  explicit PushedStreams(std::size_t max_memory_bytes) : max_bytes_(max_memory_bytes) {}

  PushedStream& AddStream() {
    bytes_ += sizeof(PushedStream);
    return streams_.emplace_back();
  }
  // False when there is no room for it: see TooMany().
  [[nodiscard]] bool AddEntry(PushedStream& stream, ReceivedEntry entry) {
    bytes_ += entry.memory_bytes();
    if (bytes_ > max_bytes_) return false;
    stream.entries.push_back(std::move(entry));
    return true;
  }
  // Of what is in it beside entries.
  void Count(std::size_t bytes) { bytes_ += bytes; }

  [[nodiscard]] bool too_many() const { return bytes_ > max_bytes_; }
  [[nodiscard]] std::vector<PushedStream>& streams() { return streams_; }
  [[nodiscard]] std::size_t entry_count() const {
    std::size_t count = 0;
    for (const PushedStream& stream : streams_)
      count += stream.entries.size();
    return count;
  }

 private:
  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::vector<PushedStream> streams_;
};

// kNoSpace: what an answer 413 says.
inline Error TooManyEntries() {
  return {ErrorCode::kNoSpace, "too much for one request: send fewer entries at once"};
}

// logproto.PushRequest, already unpacked. An entry without a time has none. kInvalid when it is
// damaged or labels cannot be parsed; kNoSpace, see above.
Status ParsePushProtobuf(std::string_view message, PushedStreams& streams);

// `{"streams": [{"stream": {...}, "values": [["nanoseconds", "line", {...}]]}]}`. Takes the text,
// which is changed.
Status ParsePushJson(std::string text, PushedStreams& streams);

// One entry for each line that is not empty, in one stream without labels.
Status ParsePushText(std::string_view text, PushedStreams& streams);

}  // namespace agent
