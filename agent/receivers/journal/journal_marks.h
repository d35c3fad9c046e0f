// Which cursor stands for which offset of the source: when all up to the offset is settled, the
// cursor is what to remember.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace agent {

class JournalMarks {
 public:
  // More than this many are thinned out evenly, so that an output that is down costs no memory: a
  // kill then repeats that much more.
  static constexpr std::size_t kMax = 8192;

  // In order; an entry that yields no line ends where the one before it ends.
  void Add(uint64_t end, std::string cursor) {
    Append({end, std::move(cursor)}, marks_);
    if (marks_.size() > kMax) Thin();
  }

  // The cursor of the last entry that is settled, and forgets what is before it. Empty: no further
  // one than the last time.
  std::string Take(uint64_t settled) {
    std::string cursor;
    while (!marks_.empty() && marks_.front().end <= settled) {
      cursor = std::move(marks_.front().cursor);
      marks_.pop_front();
    }
    if (marks_.size() < kMax / 8) spacing_ = 0;
    return cursor;
  }

  [[nodiscard]] std::size_t size() const { return marks_.size(); }

 private:
  struct Mark {
    uint64_t end = 0;
    std::string cursor;
  };

  // Goes over the last one where that is not `spacing_` away from the one before it.
  void Append(Mark mark, std::deque<Mark>& marks) const {
    const std::size_t size = marks.size();
    const bool same = size > 0 && marks.back().end == mark.end;
    if (same || (size > 1 && mark.end - marks[size - 2].end <= spacing_)) {
      marks.back() = std::move(mark);
    } else {
      marks.push_back(std::move(mark));
    }
  }

  void Thin() {
    spacing_ = (marks_.back().end - marks_.front().end) / (kMax / 4);
    std::deque<Mark> kept;
    for (Mark& mark : marks_)
      Append(std::move(mark), kept);
    marks_ = std::move(kept);
  }

  std::deque<Mark> marks_;
  uint64_t spacing_ = 0;
};

}  // namespace agent
