// What a Logstash output that speaks lumberjack is configured with.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/net/host_port.h"
#include "base/tls_options.h"
#include "outputs/document/document_options.h"

namespace agent {

struct LumberjackOptions {
  std::string name;
  std::vector<HostPort> hosts;    // At least one.
  std::optional<TlsOptions> tls;  // None: plain.
  bool load_balance = false;      // All of them; else one, until it fails.
  std::size_t workers = 1;        // Connections to each host.

  std::string index = "log-agent";  // @metadata.beat.
  std::string version;              // @metadata.version.
  std::string pipeline;             // @metadata.pipeline; empty: none.
  bool with_ids = true;             // @metadata._id, from where the entry came.
  DocumentOptions document;

  std::size_t window_entries = 2048;
  std::size_t window_bytes = std::size_t{4} << 20;  // Uncompressed; a larger event goes alone.
  std::chrono::milliseconds batch_wait{1'000};
  int compression_level = 3;   // 0: none.
  std::size_t pipelining = 2;  // Windows in flight on a connection.
  bool slow_start = false;     // Windows begin small, and grow as they are acknowledged.
  std::chrono::milliseconds timeout{30'000};     // To connect, and between signs of life.
  std::chrono::milliseconds ttl{0};              // Of a connection; 0: none.
  std::chrono::milliseconds ack_stall_limit{0};  // Alive, and nothing acknowledged; 0: for ever.
  std::chrono::milliseconds min_backoff{1'000};
  std::chrono::milliseconds max_backoff{60'000};
};

}  // namespace agent
