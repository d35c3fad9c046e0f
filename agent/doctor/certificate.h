// What a TLS server shows: its certificate looked at by itself, whether we trust it or not.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/tls_options.h"

namespace agent::doctor {

struct ServerCertificate {
  std::string subject;
  std::string issuer;
  std::vector<std::string> names;  // "DNS:localhost", "IP:127.0.0.1".
  int64_t not_before_s = 0;
  int64_t not_after_s = 0;
  std::string protocol;   // "TLSv1.3".
  std::string untrusted;  // Why its chain leads to no authority of ours; empty: it does.
  bool name_matches = false;
  bool asks_for_certificate = false;  // Of the client.
};

// A handshake over the connected socket, with our authorities and without giving up on what it
// finds. `host`: whom the certificate should be for. Blocks, at most for `timeout`.
Result<ServerCertificate> LookAtCertificate(int fd, const std::string& host, const TlsOptions& tls,
                                            std::chrono::milliseconds timeout);

// Waits until the descriptor is readable (or writable). False after the time.
bool WaitFor(int fd, bool to_write, std::chrono::milliseconds timeout);

}  // namespace agent::doctor
