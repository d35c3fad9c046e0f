// How old the oldest byte of a file is that is not settled. A file has no such times, so it is told
// from when it was seen to have grown: to the second where a file is written now and then, and at
// most twice too old while it is written all the time.

#pragma once

#include <cstdint>

namespace agent {

class Backlog {
 public:
  // All below `settled` is settled, of `size` bytes that are to be.
  void Note(uint64_t settled, uint64_t size, int64_t now_ns) {
    if (settled >= size) {
      since_ns_ = 0;
      return;
    }
    if (since_ns_ == 0) {
      since_ns_ = now_ns;
      Mark(size, now_ns);
    } else if (settled >= mark_) {
      since_ns_ = mark_ns_;  // What is not settled was written after that.
      Mark(size, now_ns);
    }
  }
  // It has grown, by how much is not known yet.
  void Grew(int64_t now_ns) {
    if (since_ns_ != 0) return;
    since_ns_ = now_ns;
    Mark(0, now_ns);
  }

  // 0: there is none.
  [[nodiscard]] int64_t since_ns() const { return since_ns_; }

 private:
  void Mark(uint64_t size, int64_t now_ns) {
    mark_ = size;
    mark_ns_ = now_ns;
  }

  int64_t since_ns_ = 0;
  uint64_t mark_ = 0;  // The size at the time of mark_ns_.
  int64_t mark_ns_ = 0;
};

}  // namespace agent
