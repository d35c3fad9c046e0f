// Makes entries of syslog messages: parsed, labelled, and counted when they cannot be.

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/receivers/received_source.h"
#include "agent/receivers/syslog/syslog_labels.h"

namespace agent {

struct SyslogCounters {
  uint64_t entries = 0;
  uint64_t parsing_errors = 0;
  uint64_t empty_messages = 0;
  uint64_t dropped_by_rules = 0;
};

// Loop thread.
class SyslogEntries {
 public:
  SyslogEntries(const SyslogConfig& config, const std::vector<RelabelRule>& rules);

  // Makes an entry of one message and appends it, but for an empty one, and one that a rule drops.
  // What cannot be read is the line. `now_ns` is when it came. False: a parsing error.
  bool Add(const SyslogPeer& peer, std::string_view text, int64_t now_ns,
           std::vector<ReceivedEntry>& entries);

  [[nodiscard]] const SyslogCounters& counters() const { return counters_; }
  [[nodiscard]] const SyslogLabels& labels() const { return labels_; }

 private:
  const bool rfc3164_;
  const bool use_incoming_timestamp_;
  const bool whole_message_;
  SyslogLabels labels_;
  SyslogCounters counters_;
  int64_t last_ns_ = 0;
};

}  // namespace agent
