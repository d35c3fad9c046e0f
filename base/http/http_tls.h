// TLS settings of a client. Files are read again when they change; connections made with the old
// ones are then not used again.

#pragma once

#include <string>

#include "base/file_text.h"
#include "base/result.h"
#include "base/tls_options.h"

using CURL = void;

namespace agent {

// Loop thread.
class HttpTls {
 public:
  explicit HttpTls(TlsOptions options);

  // Sets up `easy`. Fails when a file cannot be read, or a version is unknown.
  Status Apply(CURL* easy);
  [[nodiscard]] const std::string& server_name() const { return options_.server_name; }

 private:
  TlsOptions options_;
  FileText ca_;
  FileText cert_;
  FileText key_;
};

}  // namespace agent
