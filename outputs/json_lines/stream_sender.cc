#include "outputs/json_lines/stream_sender.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace agent::json_lines {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMinHold{30'000};
constexpr milliseconds kMaxHold{300'000};
constexpr milliseconds kMinLook{10};
constexpr milliseconds kMaxLook{250};

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// How often a flow is asked what is due.
milliseconds LookInterval(const JsonLinesOptions& options) {
  return std::clamp(options.commit_delay / 8, kMinLook, kMaxLook);
}

}  // namespace

StreamSender::StreamSender(Dependencies dependencies, Random random)
    : dependencies_(std::move(dependencies)),
      pump_timer_(dependencies_.loop),
      retry_timer_(dependencies_.loop),
      look_timer_(dependencies_.loop) {
  const JsonLinesOptions& options = dependencies_.options;
  if (options.tls) tls_ = std::make_unique<TlsClient>(*options.tls);
  const auto add = [&](std::vector<std::size_t> hosts) {
    places_.push_back(std::make_unique<Place>(
        std::move(hosts), Backoff(options.min_backoff, options.max_backoff, Random(random.Next())),
        Backoff(kMinHold, kMaxHold, Random(random.Next()))));
  };
  std::vector<std::size_t> all(options.hosts.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (std::size_t worker = 0; worker < options.workers; ++worker) {
    if (!options.load_balance) {
      add(all);
      continue;
    }
    for (const std::size_t host : all)
      add({host});
  }
}

StreamSender::~StreamSender() {
  Abandon();
}

// The one with least on its way.
StreamSender::Place* StreamSender::FreePlace() {
  Place* best = nullptr;
  for (const auto& place : places_) {
    if (place->connection == nullptr || !place->connection->HasRoom()) continue;
    if (best != nullptr && place->connection->flow().bytes() >= best->connection->flow().bytes())
      continue;
    best = place.get();
  }
  return best;
}

void StreamSender::Pump() {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  while (!dependencies_.queue.empty()) {
    Place* const place = FreePlace();
    if (place == nullptr) break;
    LineBatch batch = std::move(dependencies_.queue.front());
    dependencies_.queue.pop_front();
    place->connection->Add(std::move(batch));
  }
  for (const auto& place : places_) {
    if (place->connection != nullptr) {
      if (draining_ && dependencies_.queue.empty() && !place->connection->flow().empty()) {
        place->connection->Close();
      }
    } else if (!dependencies_.queue.empty() && place->retry_ns <= now) {
      Connect(*place);
    }
  }
  SetTimers();
}

void StreamSender::Connect(Place& place) {
  const HostPort& host = dependencies_.options.hosts[place.hosts[place.next]];
  dependencies_.counters.requests.fetch_add(1, std::memory_order_relaxed);
  place.connection = std::make_unique<LineConnection>(
      dependencies_.options, host, dependencies_.loop, dependencies_.clock, tls_.get(),
      LineConnection::Callbacks{
          .ready = [this] { PumpSoon(); },
          .ended = [this, &place](LineConnection::Ending ending,
                                  const std::string& error) { OnEnded(place, ending, error); }});
}

// Callbacks come from within connections, which must not be changed under them.
void StreamSender::PumpSoon() {
  if (pump_timer_.active()) return;
  pump_timer_.StartOnce(milliseconds(0), [this] {
    ended_.clear();
    Pump();
    dependencies_.finished();
  });
}

void StreamSender::OnEnded(Place& place, LineConnection::Ending ending, const std::string& error) {
  using Ending = LineConnection::Ending;
  if (place.connection->flow().has_committed()) {
    place.failures = 0;
    place.backoff.Reset();
    place.hold_backoff.Reset();
  }
  if (ending != Ending::kClosedInOrder && ending != Ending::kIdle) Failed(place, ending, error);
  ended_.push_back(std::move(place.connection));
  PumpSoon();
}

void StreamSender::Failed(Place& place, LineConnection::Ending ending, const std::string& error) {
  const HostPort& host = dependencies_.options.hosts[place.hosts[place.next]];
  const bool had_committed = place.connection->flow().has_committed();
  const std::size_t again = ReturnToQueue(place);
  dependencies_.counters.failed_requests.fetch_add(1, std::memory_order_relaxed);
  place.last_error = host.text() + ": " + error;
  place.next = (place.next + 1) % place.hosts.size();
  place.holding = ending == LineConnection::Ending::kUntrusted;
  milliseconds wait{0};
  // The next host at once; and the same one too, when it did well until now.
  if (!had_committed && ++place.failures % place.hosts.size() == 0) {
    wait = place.holding ? place.hold_backoff.Next() : place.backoff.Next();
  }
  place.retry_ns = dependencies_.clock.MonotonicNanos() + wait.count() * kNanosPerMilli;
  // Whoever has not answered the end would not do so the next time, and have all of it twice.
  if (draining_ && place.connection->shut_down()) place.retry_ns = kNever;
  const std::string& name = dependencies_.options.name;
  if (ending == LineConnection::Ending::kLost) {
    dependencies_.logger.WriteLimited(
        LogLevel::kWarn, "lines_lost:" + name, "json_lines",
        "a connection is lost: what may not have arrived is sent again",
        {{"output", name}, {"host", host.text()}, {"error", error}, {"lines_again", again}});
  } else {
    dependencies_.logger.WriteLimited(
        place.holding ? LogLevel::kError : LogLevel::kWarn, "lines_unreachable:" + name,
        "json_lines",
        place.holding ? "TLS is refused: lines are kept, and it is tried now and then"
                      : "no connection: lines are kept, will try again",
        {{"output", name}, {"host", host.text()}, {"error", error}, {"wait_ms", wait.count()}});
  }
}

// Gives how many of its lines will be sent a second time.
std::size_t StreamSender::ReturnToQueue(Place& place) {
  uint64_t again = 0;
  std::deque<LineBatch> back = place.connection->TakeBack(again);
  while (!back.empty()) {
    dependencies_.queue.push_front(std::move(back.back()));
    back.pop_back();
  }
  dependencies_.counters.retried_entries.fetch_add(again, std::memory_order_relaxed);
  return static_cast<std::size_t>(again);
}

void StreamSender::LookAtAll() {
  for (const auto& place : places_) {
    if (place->connection != nullptr) place->connection->Look();
    // Something got through.
    if (place->connection != nullptr && place->connection->flow().has_committed()) {
      place->last_error.clear();
      place->holding = false;
    }
  }
  dependencies_.finished();
  SetTimers();
}

void StreamSender::SetTimers() {
  const bool look = std::any_of(places_.begin(), places_.end(), [](const auto& place) {
    return place->connection != nullptr && place->connection->active();
  });
  if (!look) {
    look_timer_.Stop();
  } else if (!look_timer_.active()) {
    look_timer_.StartRepeating(LookInterval(dependencies_.options), [this] { LookAtAll(); });
  }
  if (dependencies_.queue.empty()) return retry_timer_.Stop();
  const int64_t now = dependencies_.clock.MonotonicNanos();
  std::optional<int64_t> first;
  for (const auto& place : places_) {
    if (place->connection == nullptr && place->retry_ns > now && place->retry_ns < kNever)
      first = std::min(first.value_or(place->retry_ns), place->retry_ns);
  }
  if (!first) return;
  retry_timer_.StartOnce(milliseconds((*first - now) / kNanosPerMilli + 1), [this] { Pump(); });
}

bool StreamSender::idle() const {
  return std::all_of(places_.begin(), places_.end(), [](const auto& place) {
    return place->connection == nullptr || place->connection->flow().empty();
  });
}

void StreamSender::BeginDrain() {
  draining_ = true;
  Pump();
}

bool StreamSender::IsHopeless(int64_t deadline_ns) const {
  return std::all_of(places_.begin(), places_.end(), [&](const auto& place) {
    return place->connection == nullptr && place->retry_ns > deadline_ns;
  });
}

void StreamSender::Abandon() {
  pump_timer_.Stop();
  retry_timer_.Stop();
  look_timer_.Stop();
  for (const auto& place : places_) {
    if (place->connection != nullptr) place->connection->Abandon();
    place->connection.reset();
  }
  ended_.clear();
}

void StreamSender::AddStatus(LaneStatus& status) const {
  bool connected = false;
  bool holding = true;
  for (const auto& place : places_) {
    holding = holding && place->holding;
    if (!place->last_error.empty()) status.last_error = place->last_error;
    status.attempts = std::max(status.attempts, static_cast<uint32_t>(place->failures));
    if (place->connection == nullptr) continue;
    const LineFlow& flow = place->connection->flow();
    connected = connected || place->connection->connected();
    status.queued_batches += flow.batches();
    status.queued_bytes += flow.bytes();
    if (const int64_t oldest = flow.oldest_ns();
        oldest > 0 && (status.oldest_ns == 0 || oldest < status.oldest_ns))
      status.oldest_ns = oldest;
  }
  status.state = connected || status.last_error.empty() ? "sending"
                 : holding                              ? "holding"
                                                        : "retrying";
}

}  // namespace agent::json_lines
