// Trust in an authority that is known by its fingerprint alone: what Beats call
// `ca_trusted_fingerprint`, and Elasticsearch prints when it is first started.

#pragma once

#include <string>
#include <string_view>

using SSL_CTX = struct ssl_ctx_st;  // NOLINT(readability-identifier-naming): OpenSSL's name.

namespace agent {

// 64 hexadecimal digits, of a SHA-256; colons between bytes are taken as well. Gives them in lower
// case without colons; empty when it is none.
std::string NormalFingerprint(std::string_view text);

// From here on a peer's chain is also good when it shows a certificate with this fingerprint (as
// NormalFingerprint() gives it) and leads to it. `fingerprint` outlives the handshakes.
void TrustFingerprint(SSL_CTX* context, const std::string& fingerprint);

}  // namespace agent
