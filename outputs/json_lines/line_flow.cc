#include "outputs/json_lines/line_flow.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace agent::json_lines {

void LineFlow::Add(LineBatch batch) {
  const std::size_t size = batch.rest().size();
  items_.push_back({std::move(batch), end_});
  bytes_ += size;
  end_ += size;
}

std::string_view LineFlow::ToWrite() const {
  if (next_ == items_.size()) return {};
  const Item& item = items_[next_];
  return item.batch.rest().substr(written_ - item.begin);
}

void LineFlow::OnWritten(std::size_t bytes, int64_t now_ns) {
  if (bytes == 0) return;
  CHECK(written_ + bytes <= end_);
  if (written_ == acknowledged_) progress_ns_ = now_ns;
  written_ += bytes;
  while (next_ < items_.size() && items_[next_].end() <= written_)
    ++next_;
}

void LineFlow::OnUnacknowledged(std::size_t bytes, int64_t now_ns) {
  const uint64_t taken = written_ - std::min<uint64_t>(bytes, written_);
  if (taken > acknowledged_) {
    acknowledged_ = taken;
    progress_ns_ = now_ns;
    marks_.push_back({taken, now_ns});
  } else if (acknowledged_ < written_) {
    // It takes nothing: what it took last may lie there unread.
    for (Mark& mark : marks_)
      mark.since_ns = now_ns;
  }
}

bool LineFlow::Commit(int64_t now_ns) {
  if (options_.commit_by_close) return false;
  const int64_t before = now_ns - options_.commit_delay.count();
  while (!marks_.empty() && marks_.front().since_ns <= before) {
    committed_ = marks_.front().end;
    marks_.pop_front();
  }
  bool any = false;
  while (!items_.empty() && items_.front().end() <= committed_ && next_ > 0) {
    FinishFront();
    any = true;
  }
  return any;
}

void LineFlow::FinishFront() {
  bytes_ -= items_.front().batch.rest().size();
  items_.front().batch.Finish();
  items_.pop_front();
  --next_;
  has_committed_ = true;
}

void LineFlow::OnClosedInOrder() {
  while (next_ > 0)
    FinishFront();
  committed_ = written_;
}

std::deque<LineBatch> LineFlow::TakeBack(uint64_t& again) {
  again = 0;
  std::deque<LineBatch> back;
  for (Item& item : items_) {
    const uint64_t end = item.end();
    if (committed_ > item.begin) item.batch.Skip(static_cast<std::size_t>(committed_ - item.begin));
    const std::string_view rest = item.batch.rest();
    const uint64_t begin = end - rest.size();
    if (written_ > begin) {
      const std::string_view written = rest.substr(0, static_cast<std::size_t>(written_ - begin));
      again += static_cast<uint64_t>(std::count(written.begin(), written.end(), '\n'));
    }
    back.push_back(std::move(item.batch));
  }
  items_.clear();
  next_ = 0;
  bytes_ = 0;
  return back;
}

void LineFlow::Abandon() {
  for (Item& item : items_)
    item.batch.Abandon();
  items_.clear();
  next_ = 0;
  bytes_ = 0;
}

int64_t LineFlow::stalled_since() const {
  return acknowledged_ < written_ ? progress_ns_ : 0;
}

}  // namespace agent::json_lines
