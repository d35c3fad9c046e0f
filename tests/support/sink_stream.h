// One connection of the scriptable sink, with TLS or without.

#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace agent {

class SinkStream {
 public:
  // `context` null: no TLS. Gives up waiting once `stop` is true.
  SinkStream(UniqueFd fd, SSL_CTX* context, const std::atomic<bool>& stop);

  // The TLS handshake.
  bool Open();
  // Appends what comes, at most `max_bytes`. False at the end, and once stopped.
  bool Read(std::string& out, std::size_t max_bytes);
  bool Write(std::string_view bytes);
  // The next close sends RST instead of FIN.
  void ResetOnClose();
  // Waits for the other side to close, or for `stop`.
  void WaitForClose();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  [[nodiscard]] bool WaitReadable() const;

  UniqueFd fd_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  const std::atomic<bool>& stop_;
};

}  // namespace agent
