// The batches of one tenant on their way to Loki: one request at a time, in order. What fails is
// sent again, in place, for as long as it takes; what Loki refuses is found by sending the batch in
// pieces, and only that goes to the dead letter.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/http/http_client.h"
#include "base/log.h"
#include "base/random.h"
#include "outputs/batch.h"
#include "outputs/dead_letter.h"
#include "outputs/loki/loki_counters.h"
#include "outputs/loki/loki_options.h"
#include "outputs/loki/push_request.h"
#include "outputs/output.h"
#include "outputs/snappy_encoder.h"

namespace agent::loki {

class Lane;

// What a lane does to the world.
class LaneHost {
 public:
  virtual ~LaneHost() = default;

  // May a request go out now? If not, Lane::OnAdmitted() is called once it may.
  virtual bool Admit(Lane& lane) = 0;
  virtual void ForgetAdmission(Lane& lane) = 0;
  // Sends; Lane::OnResponse() is called later. The lane keeps `body`.
  virtual void Post(Lane& lane, std::string_view body) = 0;
  virtual void CancelPost(Lane& lane) = 0;
  // Calls Lane::OnWake() then, unless it is called again before. Nothing: never.
  virtual void WakeAfter(Lane& lane, std::optional<std::chrono::milliseconds> delay) = 0;
  // A request was accepted.
  virtual void CountSent(std::size_t entries, std::size_t bytes) = 0;
  // How many requests of the whole output were accepted so far.
  [[nodiscard]] virtual uint64_t accepted() const = 0;
  // Nothing is left in the lane.
  virtual void OnIdle(Lane& lane) = 0;
};

// What one request carries.
struct LanePiece {
  std::optional<RequestPart> part;  // Nothing: the whole batch, as it was encoded.
  Bytes body;                       // Of the part; made when it is first sent.
  std::size_t raw_size = 0;
  uint32_t attempts = 0;
  uint32_t rate_limited = 0;
  uint32_t failures = 0;         // Answers and resets that ask for another try.
  uint32_t internal_errors = 0;  // Status 500 among them.
  uint64_t accepted_at_first_failure = 0;
};
// The batch at the front of the queue while it is worked on.
struct LaneFront {
  std::deque<LanePiece> pieces;
  std::unique_ptr<PushRequest> request;  // Once it had to be taken apart.
  std::vector<bool> refused;             // By entry; empty: none.
  std::vector<uint8_t> kept;             // For the dead letter: 1 + LossReason, by entry.
  std::string reason;                    // Of the last refusal, in words.
  std::size_t isolation_requests = 0;
};

// Loop thread.
class Lane {
 public:
  // All of it outlives the lane.
  struct Context {
    const LokiOptions& options;
    LaneHost& host;
    TenantCounters& counters;
    const Clock& clock;
    Logger& logger;
    DeadLetter& dead_letter;
    SnappyEncoder& snappy;
  };

  // So many requests are spent on finding what a 400 is about; what is refused after that is
  // refused as a whole.
  static constexpr std::size_t kMaxIsolationRequests = 32;
  static constexpr std::size_t kHalveRateLimitedBytes = std::size_t{256} << 10;

  Lane(const Context& context, std::string tenant, Random random);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();  // Abandons what is left.

  void Enqueue(Batch batch);
  // From now on nothing waits longer than until `deadline_ns`, monotonic; what would is tried once
  // more and then abandoned.
  void Drain(int64_t deadline_ns);
  // Gives up everything.
  void AbandonAll();
  // Another lane has found the host up again.
  void OnHostUp();

  // From the host.
  void OnAdmitted();
  void OnResponse(const HttpResponse& response);
  void OnWake();

  [[nodiscard]] bool idle() const { return queue_.empty(); }
  [[nodiscard]] const std::string& tenant() const { return tenant_; }
  [[nodiscard]] LaneStatus Status() const;

 private:
  enum class State : uint8_t { kIdle, kAsking, kSending, kWaiting };

  void SendNext();
  void Begin();
  void Deliver();
  bool TakeApart();
  std::size_t PieceEntries() const;
  bool Cooling() const;
  void StartCooling();

  void Isolate(const HttpResponse& response);
  void SendSmaller(const HttpResponse& response, LossReason reason);
  RequestPart FrontPart() const;
  // The parts take the place of the piece at the front, and its number of attempts.
  void ReplacePiece(std::deque<RequestPart> parts, uint32_t attempts);
  void RateLimited(const HttpResponse& response);
  void Retry(const HttpResponse& response);
  bool OutOfRetries(const HttpResponse& response, LossReason reason);
  bool HandledAsPoison(const HttpResponse& response);
  void Hold(const HttpResponse& response);
  void WaitFor(std::chrono::milliseconds delay, const HttpResponse& response);
  std::chrono::milliseconds OwnOrAsked(const HttpResponse& response);

  enum class Keep { kDeadLetter, kNo };
  void Refuse(const HttpResponse& response, LossReason reason, Keep keep);
  void PieceDone();
  void FinishFront();
  void WriteDeadLetter(const Batch& batch);

  Context context_;
  const std::string tenant_;
  Backoff backoff_;
  Backoff hold_backoff_;
  std::deque<Batch> queue_;
  std::size_t queued_bytes_ = 0;
  std::optional<LaneFront> front_;
  State state_ = State::kIdle;
  bool holding_ = false;
  bool wait_is_asked_for_ = false;  // By Retry-After: not cut short.
  bool host_was_down_ = false;      // That is why it waits.
  int64_t wake_ns_ = 0;
  int64_t cool_until_ns_ = 0;  // One stream per request until then.
  std::optional<int64_t> drain_deadline_ns_;
  std::string last_error_;
};

}  // namespace agent::loki
