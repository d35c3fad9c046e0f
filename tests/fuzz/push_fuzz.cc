// What is pushed, from hostile bytes: no crash, memory within its bound, and labels that come back
// as they are when they are written and read again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "agent/receivers/push/label_text.h"
#include "agent/receivers/push/push_body.h"
#include "base/check.h"

namespace {

constexpr std::size_t kMaxBytes = 1U << 16U;

void CheckBounded(agent::PushedStreams& streams) {
  std::size_t bytes = 0;
  for (const agent::PushedStream& stream : streams.streams()) {
    for (const agent::ReceivedEntry& entry : stream.entries)
      bytes += entry.memory_bytes();
  }
  CHECK(bytes <= kMaxBytes);
}

void CheckBody(const char* type, const char* encoding, std::string_view body) {
  agent::PushedStreams streams(kMaxBytes);
  agent::ServerRequest request;
  request.content_type = type;
  request.content_encoding = encoding;
  request.body = body;
  static_cast<void>(agent::ParsePushBody(std::move(request), kMaxBytes, streams));
  CheckBounded(streams);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* encoding : {"", "gzip", "deflate"}) {
    CheckBody("application/json", encoding, text);
    CheckBody("application/x-protobuf", encoding, text);
  }
  agent::PushedStreams message(kMaxBytes);
  static_cast<void>(agent::ParsePushProtobuf(text, message));
  CheckBounded(message);
  agent::PushedStreams lines(kMaxBytes);
  static_cast<void>(agent::ParsePushText(text, lines));
  CheckBounded(lines);

  const auto labels = agent::ParseLabelText(text);
  if (!labels.ok()) return 0;
  for (const agent::Label& label : *labels) {
    CHECK(!label.value.empty());
    if (!agent::IsValidLabelName(label.name)) return 0;  // It was quoted.
  }
  const auto again = agent::ParseLabelText(agent::FormatLabels(*labels));
  CHECK(again.ok());
  CHECK(*again == *labels);
  return 0;
}
