// TLS settings of a client. Files are read again when they change; connections made with the old
// ones are then not used again.

#pragma once

#include <cstdint>
#include <string>

#include "base/http/http_options.h"
#include "base/result.h"

using CURL = void;

namespace agent {

// Loop thread.
class HttpTls {
 public:
  explicit HttpTls(HttpTlsOptions options);

  // Sets up `easy`. Fails when a file cannot be read, or a version is unknown.
  Status Apply(CURL* easy);
  [[nodiscard]] const std::string& server_name() const { return options_.server_name; }

 private:
  // A text from the configuration or a file.
  struct Source {
    std::string file;
    std::string text;
    int64_t seen_mtime_ns = -1;
    int64_t seen_size = -1;
    uint64_t seen_inode = 0;
  };
  static Status Refresh(Source& source);

  HttpTlsOptions options_;
  Source ca_;
  Source cert_;
  Source key_;
};

}  // namespace agent
