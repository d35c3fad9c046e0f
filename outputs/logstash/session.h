// One connection to a lumberjack server, without the connection: which windows are on their way,
// what is to be written, what acknowledgements mean, and when to lose patience. Reads and writes
// nothing itself.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "outputs/batch.h"
#include "outputs/logstash/frames.h"

namespace agent::logstash {

struct SessionOptions {
  std::size_t pipelining = 2;  // Windows in flight; 0 is as good as 1.
  std::chrono::nanoseconds timeout{std::chrono::seconds(30)};
  std::chrono::nanoseconds ack_stall_limit{0};                    // 0: none.
  std::chrono::nanoseconds idle_limit{std::chrono::seconds(45)};  // 0: none.
  std::chrono::nanoseconds ttl{0};                                // 0: none.
};

// Loop thread. Times are monotonic.
class Session {
 public:
  // The connection is open.
  Session(const SessionOptions& options, int64_t now_ns);

  // Another window may be given to it.
  [[nodiscard]] bool may_send(int64_t now_ns) const;
  void Send(uint64_t window, uint32_t events, Bytes body, int64_t now_ns);
  // To be written now; empty: nothing.
  [[nodiscard]] std::string_view unwritten() const;
  void Wrote(std::size_t size, int64_t now_ns);

  struct Acked {
    uint64_t window = 0;
    uint32_t events = 0;  // More than before.
    bool whole = false;   // The window is done.
  };
  // What was acknowledged; and if problem() is there afterwards, the connection is to be closed.
  std::vector<Acked> OnReceived(std::string_view bytes, int64_t now_ns);
  // What the server has said that it must not; empty: nothing.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  enum class Due : uint8_t {
    kNothing,
    kClose,     // In good order: it is idle, or has had its time.
    kTimedOut,  // No sign of life.
    kStalled,   // It lives, and acknowledges nothing.
  };
  [[nodiscard]] Due Check(int64_t now_ns) const;
  // When to check; nullopt: nothing is waited for.
  [[nodiscard]] std::optional<int64_t> deadline() const;

  // The oldest first.
  [[nodiscard]] std::vector<uint64_t> unfinished() const;
  [[nodiscard]] std::size_t in_flight() const { return windows_.size(); }
  // Its end is nobody's fault: nothing is in flight, or nothing but windows that were given to a
  // connection that had rested, of which the server has not said a word. It was closing it then.
  [[nodiscard]] bool may_end() const { return windows_.empty() || (rested_ && has_acked_); }
  // Something of the oldest window has been written.
  [[nodiscard]] bool has_begun() const { return !windows_.empty() && windows_.front().written > 0; }

 private:
  struct Window {
    uint64_t id = 0;
    uint32_t events = 0;
    uint32_t acked = 0;
    WindowHeader header;
    Bytes body;
    std::size_t written = 0;  // Of header and body.

    // The server may have got so many events of it.
    [[nodiscard]] bool MayHave(uint32_t sequence) const;
    [[nodiscard]] std::size_t size() const { return header.view().size() + body.size; }
  };
  bool Take(uint32_t sequence, std::vector<Acked>& acked);

  const SessionOptions options_;
  const int64_t opened_ns_;
  AckReader reader_;
  std::deque<Window> windows_;
  int64_t alive_ns_;        // The last sign of life, or the first window after none.
  int64_t progress_ns_;     // The last that was acknowledged, likewise.
  bool has_acked_ = false;  // Anything, ever.
  bool rested_ = false;     // The oldest window was given to a resting connection; no word since.
  std::string problem_;
};

}  // namespace agent::logstash
