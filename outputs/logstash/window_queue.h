// What is to be sent to Logstash, in order: batches, cut into windows, until all of their events
// are acknowledged. A window that comes back goes to where it was. Sends nothing itself.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "outputs/batch.h"
#include "outputs/compressor.h"
#include "outputs/dead_letter.h"
#include "outputs/logstash/frames.h"
#include "outputs/output_counters.h"

namespace agent::logstash {

// Loop thread.
class WindowQueue {
 public:
  // What is passed by reference outlives it.
  struct Context {
    std::string output;  // Its name.
    std::size_t window_entries = 0;
    std::size_t window_bytes = 0;      // Uncompressed.
    Compressor* compressor = nullptr;  // Of windows that are a part of a batch; null: none.
    OutputCounters& counters;
    Logger& logger;
    DeadLetter& dead_letter;
  };
  explicit WindowQueue(Context context) : context_(std::move(context)) {}
  WindowQueue(const WindowQueue&) = delete;
  WindowQueue& operator=(const WindowQueue&) = delete;
  ~WindowQueue() { Abandon(); }

  void Add(Batch batch);

  struct Window {
    uint64_t id = 0;
    uint32_t events = 0;
    Bytes body;
  };
  // The next to be sent, of so many events at most. There must be one.
  Window Take(std::size_t max_events);
  // The first `events` of what is left of a window that was taken.
  void Acked(uint64_t id, uint32_t events);
  // What is left of it is to be sent again. `reason`: why, when it may be the window's own fault;
  // one that fails again and again is made smaller, and at last, when others pass, a single event
  // that does goes to the dead letter.
  void Return(uint64_t id, const std::string& reason = {});
  // All that is left stays unsettled. What was taken must not come back.
  void Abandon();

  // Windows that wait to be sent.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] bool empty() const { return parcels_.empty(); }
  [[nodiscard]] std::size_t batches() const { return parcels_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] int64_t oldest_ns() const;
  // How often the first that waits has failed.
  [[nodiscard]] uint32_t attempts() const;

 private:
  // A batch, until all of it is settled.
  struct Parcel {
    Batch batch;
    std::size_t left = 0;  // Events.
    std::optional<FrameList> apart;
    std::map<uint32_t, std::string> refused;  // Why, by event.
  };
  // Events of a batch that follow one another.
  struct Piece {
    uint64_t parcel = 0;
    uint32_t first = 0;
    uint32_t count = 0;
    bool again = false;  // It has been sent before.
    uint32_t failures = 0;
    uint64_t accepted_before = 0;  // Acknowledgements, at its first failure.
  };
  using Key = std::pair<uint64_t, uint32_t>;  // Parcel and first event: the order.

  void Put(Piece piece);
  Piece TakeNext();
  bool TakeApart(Parcel& parcel);
  [[nodiscard]] uint32_t CountThatFits(Parcel& parcel, const Piece& piece, std::size_t max_events);
  void Fail(Piece& piece, const std::string& reason);
  void Refuse(const Piece& piece, const std::string& reason);
  void EventsDone(uint64_t number, std::size_t events);  // Of a parcel.
  void WriteDeadLetter(const Parcel& parcel);

  const Context context_;
  std::map<uint64_t, Parcel> parcels_;  // By number.
  std::map<Key, Piece> waiting_;
  std::map<uint64_t, Piece> taken_;  // By the window's id.
  uint64_t next_parcel_ = 1;
  uint64_t next_window_ = 1;
  uint64_t accepted_ = 0;  // Acknowledgements of anything.
  bool let_by_ = false;    // One that fails always lets the one behind it go first.
  std::size_t bytes_ = 0;
};

}  // namespace agent::logstash
