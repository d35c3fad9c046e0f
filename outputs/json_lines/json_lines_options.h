// What an output of JSON lines is configured with.

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

enum class LineTransport : uint8_t { kTcp, kUdp };

struct JsonLinesOptions {
  std::string name;
  std::vector<HostPort> hosts;  // At least one.
  LineTransport transport = LineTransport::kTcp;
  std::optional<TlsOptions> tls;  // None: plain.
  bool load_balance = false;      // A connection to each host; else to one of them, until it fails.
  std::size_t workers = 1;        // So many in place of each connection; more than one mix lines.

  DocumentOptions document;
  std::size_t max_line_bytes = std::size_t{1} << 20;  // Of a document; a longer message is cut.
  std::size_t batch_bytes = std::size_t{256} << 10;
  std::size_t batch_entries = 10'000;
  std::chrono::milliseconds batch_wait{1'000};

  // Written and not committed: more waits. It is what is sent again when a connection is lost.
  std::size_t replay_bytes = std::size_t{8} << 20;
  // For so long, what the peer's TCP has taken is still sent again when the connection is lost.
  std::chrono::milliseconds commit_delay{1'000};
  // Every so often the connection is closed in good order, and only what was sent before a close
  // that the peer has answered is committed. 0: never.
  std::chrono::milliseconds ack_by_close_interval{0};
  // A peer that takes nothing for so long is left.
  std::chrono::milliseconds write_stall_limit{300'000};
  std::size_t send_buffer_bytes = std::size_t{256} << 10;  // SO_SNDBUF.
  // A peer whose system has not answered for so long, although it was asked, is gone. 0: the
  // system's own limit, a quarter of an hour.
  std::chrono::milliseconds tcp_user_timeout{60'000};
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds min_backoff{1'000};
  std::chrono::milliseconds max_backoff{60'000};
};

}  // namespace agent
