// A stream of syslog messages: the same messages come out however the bytes arrive, none is longer
// than it may be, and each can be parsed and written anew.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/receivers/syslog/syslog_framing.h"
#include "agent/receivers/syslog/syslog_message.h"
#include "agent/receivers/syslog/syslog_text.h"
#include "base/check.h"

namespace {

constexpr agent::SyslogFraming::Limits kLimits = {64, 100};

std::vector<std::string> Cut(std::string_view stream, std::size_t step) {
  std::vector<std::string> messages;
  agent::SyslogFraming framing(kLimits);
  const auto sink = [&messages](std::string_view message) { messages.emplace_back(message); };
  for (std::size_t at = 0; at < stream.size(); at += step) {
    const auto status = framing.Add(stream.substr(at, step), sink);
    CHECK(framing.pending_bytes() <= kLimits.line_bytes + 1);
    if (status != agent::SyslogFraming::Status::kGoOn) break;
  }
  framing.End(sink);
  return messages;
}

// The parts of a message lie in its text, or are copies without escapes.
void Parse(const std::string& text) {
  const auto old = agent::ParseRfc3164(text, 1767323045'000'000'000);
  if (old) CHECK(old->message.size() <= text.size());
  const auto message = agent::ParseRfc5424(text);
  if (!message || !message->error.empty()) return;
  const std::string written = agent::FormatRfc5424(*message);
  const auto again = agent::ParseRfc5424(written);
  CHECK(again.has_value());
  CHECK(again->error.empty());
  CHECK(again->message == message->message);
  CHECK(again->hostname == message->hostname);
  CHECK(agent::FormatRfc5424(*again) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> messages = Cut(input, size + 1);
  CHECK(Cut(input, 1) == messages);
  CHECK(Cut(input, 7) == messages);
  for (const std::string& message : messages) {
    CHECK(!message.empty() && message.size() <= kLimits.line_bytes);
    Parse(message);
  }
  Parse(std::string(input));
  Parse("<13>1 - - - - - " + std::string(input));
  return 0;
}
