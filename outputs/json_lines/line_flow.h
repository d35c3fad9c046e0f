// What is on its way over one connection that acknowledges nothing. Lines are kept until they may
// be taken for delivered, so that they can be sent again when the connection is lost. Decides, and
// touches no socket.
//
// The peer's TCP says how many bytes it has taken. What it has taken may still be lost with the
// program behind it, so it is kept for a while longer; and that time only runs while the peer takes
// what it is sent, or what a stuck program has never read would be given up.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "outputs/json_lines/line_batch.h"

namespace agent::json_lines {

// Loop thread. All times are monotonic.
class LineFlow {
 public:
  struct Options {
    std::size_t replay_bytes = 0;  // More than this is not written before some is committed.
    std::chrono::nanoseconds commit_delay{0};
    bool commit_by_close = false;  // Nothing is committed but by OnClosedInOrder().
  };
  explicit LineFlow(const Options& options) : options_(options) {}
  LineFlow(const LineFlow&) = delete;
  LineFlow& operator=(const LineFlow&) = delete;
  ~LineFlow() { Abandon(); }

  // Whether one more batch may be added.
  [[nodiscard]] bool HasRoom() const { return items_.empty() || bytes_ < options_.replay_bytes; }
  void Add(LineBatch batch);

  // What to write next; empty: nothing. Good until anything else is called.
  [[nodiscard]] std::string_view ToWrite() const;
  // The first `bytes` of ToWrite() are the operating system's.
  void OnWritten(std::size_t bytes, int64_t now_ns);
  // `bytes` of what was written have not been taken by the peer's TCP yet, or fewer.
  void OnUnacknowledged(std::size_t bytes, int64_t now_ns);
  // Finishes what is due. True when anything was.
  bool Commit(int64_t now_ns);
  // We have closed our side, and the peer has closed its own after that: it has read everything.
  void OnClosedInOrder();

  // The connection is gone. Gives what must be sent again, in order, from the oldest line on that
  // is not committed. `again`: how many lines of it had been written.
  std::deque<LineBatch> TakeBack(uint64_t& again);
  void Abandon();

  // Nothing waits and nothing is uncommitted.
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] bool all_written() const { return next_ == items_.size(); }
  // Since when the peer's TCP has taken nothing although there is something; 0: there is not.
  [[nodiscard]] int64_t stalled_since() const;
  [[nodiscard]] std::size_t batches() const { return items_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  // Of its oldest batch; 0: there is none.
  [[nodiscard]] int64_t oldest_ns() const {
    return items_.empty() ? 0 : items_.front().batch.batch().created_ns;
  }
  // Anything has been committed on this connection.
  [[nodiscard]] bool has_committed() const { return has_committed_; }

 private:
  struct Item {
    LineBatch batch;
    uint64_t begin = 0;  // Where its rest begins in what this connection carries.
    [[nodiscard]] uint64_t end() const { return begin + batch.rest().size(); }
  };
  // The peer's TCP had taken everything up to `end` then.
  struct Mark {
    uint64_t end = 0;
    int64_t since_ns = 0;
  };

  void FinishFront();

  const Options options_;
  std::deque<Item> items_;
  std::size_t next_ = 0;   // Of items_: the first that is not wholly written.
  std::size_t bytes_ = 0;  // Of all items.
  uint64_t end_ = 0;       // Of what was added.
  uint64_t written_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t committed_ = 0;
  std::deque<Mark> marks_;
  int64_t progress_ns_ = 0;  // When something was taken last, or first waited for.
  bool has_committed_ = false;
};

}  // namespace agent::json_lines
