// Sends lines over TCP, plain or with TLS: one connection, or one to each of several hosts. What a
// lost connection had not brought over goes to the next one.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/net/tls_client.h"
#include "outputs/json_lines/line_connection.h"
#include "outputs/json_lines/line_sender.h"

namespace agent::json_lines {

// Loop thread. Not destroyed from within a callback of its own.
class StreamSender final : public LineSender {
 public:
  StreamSender(Dependencies dependencies, Random random);
  StreamSender(const StreamSender&) = delete;
  StreamSender& operator=(const StreamSender&) = delete;
  ~StreamSender() override;

  void Pump() override;
  [[nodiscard]] bool idle() const override;
  void BeginDrain() override;
  [[nodiscard]] bool IsHopeless(int64_t deadline_ns) const override;
  void Abandon() override;
  void AddStatus(LaneStatus& status) const override;

 private:
  // A place for a connection; its hosts are tried one after the other.
  struct Place {
    Place(std::vector<std::size_t> of_hosts, Backoff wait, Backoff hold)
        : hosts(std::move(of_hosts)), backoff(wait), hold_backoff(hold) {}

    std::vector<std::size_t> hosts;
    std::size_t next = 0;  // Of `hosts`.
    std::unique_ptr<LineConnection> connection;
    Backoff backoff;
    Backoff hold_backoff;
    std::size_t failures = 0;  // In a row, without anything committed between them.
    int64_t retry_ns = 0;      // Not before that.
    bool holding = false;
    std::string last_error;
  };

  void Connect(Place& place);
  Place* FreePlace();
  void OnEnded(Place& place, LineConnection::Ending ending, const std::string& error);
  void Failed(Place& place, LineConnection::Ending ending, const std::string& error);
  std::size_t ReturnToQueue(Place& place);
  void PumpSoon();
  void LookAtAll();
  void SetTimers();

  const Dependencies dependencies_;
  std::unique_ptr<TlsClient> tls_;  // Null: plain.
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<std::unique_ptr<LineConnection>> ended_;  // Destroyed on the loop's next turn.
  bool draining_ = false;
  Timer pump_timer_;
  Timer retry_timer_;
  Timer look_timer_;
};

}  // namespace agent::json_lines
