// TLS of connections that we open. Files are read again when they have changed; connections made
// before keep what they have.

#pragma once

#include <memory>
#include <string>

#include "base/file_text.h"
#include "base/net/transport.h"
#include "base/result.h"
#include "base/tls_options.h"

namespace agent {

// Loop thread. The process ignores SIGPIPE.
class TlsClient {
 public:
  explicit TlsClient(TlsOptions options);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();

  // TLS over a connected socket, which is the caller's and outlives it. `host`: whom the peer's
  // certificate is for, unless the options say so. Fails when certificates or the key cannot be
  // used.
  Result<std::unique_ptr<Transport>> MakeTransport(int fd, const std::string& host);

 private:
  struct Context;

  Status Refresh();

  const TlsOptions options_;
  FileText ca_;
  FileText cert_;
  FileText key_;
  std::unique_ptr<Context> context_;  // Null: none yet.
};

}  // namespace agent
