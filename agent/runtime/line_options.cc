#include "agent/runtime/line_options.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "agent/runtime/client_options.h"
#include "agent/runtime/output_options.h"
#include "base/check.h"

namespace agent {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// What is lost or sent again is counted in batches.
constexpr uint64_t kMaxBatchBytes = uint64_t{256} << 10U;

}  // namespace

JsonLinesOptions ToJsonLinesOptions(const OutputConfig& output, const std::string& host) {
  const LogstashConfig& config = *output.logstash;
  const bool udp = config.transport == "udp";
  JsonLinesOptions options;
  options.name = output.name;
  for (const std::string& text : config.hosts) {
    auto parsed = ParseHostPort(text, 0);
    AGENT_CHECK(parsed.ok());  // Checked when the file was read.
    options.hosts.push_back(std::move(*parsed));
  }
  options.transport = udp ? LineTransport::kUdp : LineTransport::kTcp;
  if (config.tls) options.tls = ToTlsOptions(config.tls_config);
  options.load_balance = config.load_balance;
  options.workers = config.workers;
  options.document = ToDocumentOptions(config.document, host);
  options.document.for_logstash = true;
  options.max_line_bytes = udp ? config.max_datagram_bytes : config.max_line_bytes;
  options.batch_bytes = std::min(config.batch_bytes, kMaxBatchBytes);
  options.batch_entries = config.batch_entries;
  options.batch_wait = duration_cast<milliseconds>(config.batch_wait);
  options.replay_bytes = config.replay_bytes;
  options.commit_delay = duration_cast<milliseconds>(config.commit_delay);
  options.ack_by_close_interval = duration_cast<milliseconds>(config.ack_by_close_interval);
  options.write_stall_limit = duration_cast<milliseconds>(config.write_stall_limit);
  options.tcp_user_timeout = duration_cast<milliseconds>(config.tcp_user_timeout);
  options.connect_timeout = duration_cast<milliseconds>(config.timeout);
  options.min_backoff = duration_cast<milliseconds>(config.backoff.min_period);
  options.max_backoff = duration_cast<milliseconds>(config.backoff.max_period);
  return options;
}

}  // namespace agent
