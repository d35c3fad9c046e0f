#include "agent/receivers/syslog/syslog_entries.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "agent/receivers/syslog/syslog_message.h"
#include "agent/receivers/syslog/syslog_text.h"

namespace agent {

SyslogEntries::SyslogEntries(const SyslogConfig& config, const std::vector<RelabelRule>& rules)
    : rfc3164_(config.rfc3164),
      use_incoming_timestamp_(config.use_incoming_timestamp),
      whole_message_(config.use_rfc5424_message && !config.rfc3164),
      // Promtail knows no structured data of RFC 3164, and neither does the format.
      labels_(config.labels, rules, config.label_structured_data && !config.rfc3164) {}

bool SyslogEntries::Add(const SyslogPeer& peer, std::string_view text, int64_t now_ns,
                        std::vector<ReceivedEntry>& entries) {
  const std::optional<SyslogMessage> message =
      rfc3164_ ? ParseRfc3164(text, now_ns) : ParseRfc5424(text);
  const bool readable = message && message->error.empty();
  if (!readable) ++counters_.parsing_errors;
  if (readable && message->message.empty()) {
    ++counters_.empty_messages;
    return true;
  }
  const std::shared_ptr<const Labels>& labels = labels_.For(peer, message ? &*message : nullptr);
  if (labels == nullptr) {
    ++counters_.dropped_by_rules;
    return readable;
  }
  ReceivedEntry& entry = entries.emplace_back();
  if (readable && whole_message_) {
    entry.line = FormatRfc5424(*message);
  } else {
    const bool in_parts = message && !message->message.empty() && !whole_message_;
    entry.line = in_parts ? message->message : text;
  }
  entry.labels = labels;
  // Those of one read come at the same moment: a nanosecond between them keeps their order.
  last_ns_ = std::max(now_ns, last_ns_ + 1);
  entry.timestamp_ns = last_ns_;
  if (use_incoming_timestamp_ && message && message->timestamp_ns) {
    entry.timestamp_ns = message->timestamp_ns;
  }
  ++counters_.entries;
  return readable;
}

}  // namespace agent
