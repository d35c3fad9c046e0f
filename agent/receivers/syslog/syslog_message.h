// One syslog message, taken apart: RFC 5424, or the older form that RFC 3164 describes. Reads what
// real senders write: what cannot be read stays in the message, so that nothing is lost.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {

enum class SyslogFormat : uint8_t { kRfc5424, kRfc3164 };

// An element of the structured data: [id name="value" …].
struct SyslogElement {
  std::string_view id;
  std::vector<std::pair<std::string_view, std::string>> parameters;  // Values without escapes.
};

// Views point into the text that was parsed. Empty: absent, or "-".
struct SyslogMessage {
  uint8_t severity = 0;      // 0 to 7.
  uint8_t facility = 0;      // 0 to 23.
  std::string_view version;  // Of RFC 5424.
  std::optional<int64_t> timestamp_ns;
  std::string_view timestamp;  // As it was written, if it could be read.
  std::string_view hostname;
  std::string_view app_name;
  std::string_view proc_id;
  std::string_view msg_id;
  std::vector<SyslogElement> structured_data;
  std::string_view message;  // What the sender had to say, a byte order mark included.
  // What could not be read; from there on all is in `message`. Empty: everything was read.
  std::string_view error;
};

// RFC 5424 section 6. nullopt: it does not begin with a priority and a version.
std::optional<SyslogMessage> ParseRfc5424(std::string_view text);

// RFC 3164 section 4, and what is usual beside it: an RFC 3339 time, no time or no host at all.
// `now_ns` tells the year, which the format leaves out, and times are in UTC. nullopt: it does not
// begin with a priority.
std::optional<SyslogMessage> ParseRfc3164(std::string_view text, int64_t now_ns);

// "emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug".
std::string_view SyslogSeverityName(uint8_t severity);
// "kern", "user", "mail", …, "local7".
std::string_view SyslogFacilityName(uint8_t facility);

}  // namespace agent
