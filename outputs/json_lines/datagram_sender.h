// Sends lines over UDP, each as a datagram without its newline. Nothing is known of what was sent,
// but that a port which is closed is answered for: then one datagram at a time asks whether it
// still is, and is itself not counted as sent until no answer has come.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/backoff.h"
#include "base/net/host_lookup.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "outputs/json_lines/line_sender.h"

namespace agent::json_lines {

// Loop thread. Not destroyed from within a callback of its own.
class DatagramSender final : public LineSender {
 public:
  DatagramSender(Dependencies dependencies, Random random);
  DatagramSender(const DatagramSender&) = delete;
  DatagramSender& operator=(const DatagramSender&) = delete;
  ~DatagramSender() override;

  void Pump() override;
  [[nodiscard]] bool idle() const override { return !current_; }
  void BeginDrain() override { Pump(); }
  [[nodiscard]] bool IsHopeless(int64_t deadline_ns) const override;
  void Abandon() override;
  void AddStatus(LaneStatus& status) const override;

 private:
  enum class State : uint8_t {
    kClosed,     // No socket.
    kLookingUp,  // The host's address.
    kAsking,     // One datagram is on its way, and an answer would be a refusal.
    kOpen,
    kWaiting,  // After a refusal.
  };

  void Open();
  void OnFound(Result<std::vector<SocketAddress>> found);
  Status Connect(const SocketAddress& address);
  void Ask();
  void OnNoAnswer();
  void SendAll();
  // False: it must wait.
  bool SendLine();
  bool TakeNext();
  // False: it must wait.
  bool OnSendError(int error_number);
  void OnRefused(const std::string& error);
  void WaitWritable();

  const Dependencies dependencies_;
  Backoff backoff_;
  State state_ = State::kClosed;
  std::size_t host_ = 0;      // Of the options.
  std::size_t failures_ = 0;  // In a row.
  int64_t retry_ns_ = 0;
  std::string last_error_;
  std::optional<LineBatch> current_;
  std::unique_ptr<HostLookup> lookup_;
  UniqueFd fd_;
  std::unique_ptr<FdWatcher> watcher_;
  Timer timer_;
};

}  // namespace agent::json_lines
