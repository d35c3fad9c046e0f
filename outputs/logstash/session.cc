#include "outputs/logstash/session.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace agent::logstash {

Session::Session(const SessionOptions& options, int64_t now_ns)
    : options_(options), opened_ns_(now_ns), alive_ns_(now_ns), progress_ns_(now_ns) {}

bool Session::may_send(int64_t now_ns) const {
  if (!problem_.empty()) return false;
  if (windows_.size() >= std::max<std::size_t>(options_.pipelining, 1)) return false;
  return options_.ttl.count() == 0 || now_ns < opened_ns_ + options_.ttl.count();
}

void Session::Send(uint64_t window, uint32_t events, Bytes body, int64_t now_ns) {
  CHECK(events > 0);
  if (windows_.empty()) {
    alive_ns_ = now_ns;
    progress_ns_ = now_ns;
    rested_ = true;
  }
  const WindowHeader header(events, body);
  windows_.push_back({.id = window,
                      .events = events,
                      .acked = 0,
                      .header = header,
                      .body = std::move(body),
                      .written = 0});
}

std::string_view Session::unwritten() const {
  for (const Window& window : windows_) {
    if (window.written == window.size()) continue;
    const std::string_view header = window.header.view();
    if (window.written < header.size()) return header.substr(window.written);
    const std::string_view body(window.body.data.get(), window.body.size);
    return body.substr(window.written - header.size());
  }
  return {};
}

void Session::Wrote(std::size_t size, int64_t now_ns) {
  if (size == 0) return;
  alive_ns_ = now_ns;
  for (Window& window : windows_) {
    if (window.written == window.size()) continue;
    window.written += size;
    return;
  }
}

std::vector<Session::Acked> Session::OnReceived(std::string_view bytes, int64_t now_ns) {
  std::vector<Acked> acked;
  if (!problem_.empty()) return acked;
  for (const uint32_t sequence : reader_.Read(bytes)) {
    alive_ns_ = now_ns;
    rested_ = false;
    if (sequence > 0) progress_ns_ = now_ns;
    if (!Take(sequence, acked)) return acked;
  }
  if (reader_.failed()) problem_ = "the server does not speak lumberjack";
  return acked;
}

bool Session::Window::MayHave(uint32_t sequence) const {
  if (written == size()) return sequence <= events;
  // Of a compressed frame nothing can be read before all of it is there; an event that is not has
  // two bytes at least, `{}`.
  constexpr std::size_t kSmallest = kEventHeaderBytes + 2;
  return !IsCompressed(body) && sequence < events &&
         header.view().size() + sequence * kSmallest <= written;
}

// False when it is none that there can be.
bool Session::Take(uint32_t sequence, std::vector<Acked>& acked) {
  if (sequence == 0) return true;  // It lives.
  if (windows_.empty()) {
    problem_ = "the server acknowledges what was not sent";
    return false;
  }
  Window& window = windows_.front();
  const bool whole = sequence == window.events;
  if (!window.MayHave(sequence)) {
    problem_ = "the server acknowledges more than was sent";
    return false;
  }
  if (sequence < window.acked) {
    problem_ = "the server takes an acknowledgement back";
    return false;
  }
  has_acked_ = true;
  if (sequence > window.acked || whole) {
    acked.push_back({window.id, sequence - window.acked, whole});
  }
  window.acked = sequence;
  if (whole) windows_.pop_front();
  return true;
}

Session::Due Session::Check(int64_t now_ns) const {
  if (windows_.empty()) {
    const bool idle =
        options_.idle_limit.count() > 0 && now_ns >= alive_ns_ + options_.idle_limit.count();
    const bool old = options_.ttl.count() > 0 && now_ns >= opened_ns_ + options_.ttl.count();
    return idle || old ? Due::kClose : Due::kNothing;
  }
  if (now_ns >= alive_ns_ + options_.timeout.count()) return Due::kTimedOut;
  const bool stalled = options_.ack_stall_limit.count() > 0 &&
                       now_ns >= progress_ns_ + options_.ack_stall_limit.count();
  return stalled ? Due::kStalled : Due::kNothing;
}

std::optional<int64_t> Session::deadline() const {
  std::optional<int64_t> first;
  const auto consider = [&first](int64_t since, std::chrono::nanoseconds limit) {
    if (limit.count() == 0) return;
    first = std::min(first.value_or(INT64_MAX), since + limit.count());
  };
  if (windows_.empty()) {
    consider(alive_ns_, options_.idle_limit);
    consider(opened_ns_, options_.ttl);
  } else {
    consider(alive_ns_, options_.timeout);
    consider(progress_ns_, options_.ack_stall_limit);
  }
  return first;
}

std::vector<uint64_t> Session::unfinished() const {
  std::vector<uint64_t> ids;
  for (const Window& window : windows_)
    ids.push_back(window.id);
  return ids;
}

}  // namespace agent::logstash
