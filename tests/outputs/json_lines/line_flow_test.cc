#include "outputs/json_lines/line_flow.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/outputs/json_lines/line_bed.h"

namespace agent::json_lines {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;
constexpr int64_t kTenth = kNanosPerSecond / 10;

LineFlow::Options WithDelay(int64_t delay_ns = kSecond) {
  return {.replay_bytes = std::size_t{1} << 20,
          .commit_delay = std::chrono::nanoseconds(delay_ns),
          .commit_by_close = false};
}

// Writes all that there is; gives how much it was.
std::size_t WriteAll(LineFlow& flow, int64_t now_ns) {
  std::size_t size = 0;
  while (!flow.ToWrite().empty()) {
    const std::size_t part = std::min<std::size_t>(flow.ToWrite().size(), 7);
    flow.OnWritten(part, now_ns);
    size += part;
  }
  return size;
}

std::size_t CountLines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("line flow: commits what the peer's TCP has had for the delay", "[json_lines]") {
  LineBed bed;
  LineFlow flow(WithDelay());
  flow.Add(bed.Lines({"a", "b"}));
  WriteAll(flow, 0);
  CHECK(flow.all_written());
  flow.OnUnacknowledged(0, kTenth);

  CHECK_FALSE(flow.Commit(kTenth + kSecond - 1));
  CHECK(bed.settled() == 0);
  CHECK(flow.Commit(kTenth + kSecond));
  CHECK(flow.empty());
  CHECK(bed.settled() == bed.offset);
  CHECK(bed.counters->sent_entries == 2);
}

TEST_CASE("line flow: what the peer's TCP has not taken is never committed", "[json_lines]") {
  LineBed bed;
  LineFlow flow(WithDelay());
  flow.Add(bed.Lines({"a"}));
  flow.Add(bed.Lines({"b"}));
  WriteAll(flow, 0);
  flow.OnUnacknowledged(1, 0);  // The newline of the last line is missing.

  for (int64_t now = 0; now < 100 * kSecond; now += kSecond)
    flow.Commit(now);
  CHECK(flow.batches() == 1);
  CHECK(bed.settled() == 2);

  uint64_t again = 0;
  std::deque<LineBatch> back = flow.TakeBack(again);
  REQUIRE(back.size() == 1);
  CHECK(again == 1);
  CHECK(CountLines(back[0].rest()) == 1);
  back[0].Abandon();
}

TEST_CASE("line flow: after a loss everything uncommitted is sent again, by whole lines",
          "[json_lines]") {
  LineBed bed;
  LineFlow flow(WithDelay());
  flow.Add(bed.Lines({"a", "b", "c"}));
  flow.Add(bed.Lines({"d"}));
  const std::size_t line = flow.ToWrite().size() / 3;
  flow.OnWritten(2 * line + 5, 0);
  flow.OnUnacknowledged(5 + line / 2, 0);  // One and a half have been taken.
  flow.Commit(2 * kSecond);

  uint64_t again = 0;
  std::deque<LineBatch> back = flow.TakeBack(again);
  CHECK(flow.empty());
  REQUIRE(back.size() == 2);
  CHECK(CountLines(back[0].rest()) == 2);
  CHECK(back[0].rest().starts_with("{"));
  CHECK(again == 1);

  LineFlow next(WithDelay());
  for (LineBatch& batch : back)
    next.Add(std::move(batch));
  CHECK(WriteAll(next, 0) == 3 * line);
  next.OnUnacknowledged(0, 0);
  CHECK(next.Commit(kSecond));
  CHECK(bed.settled() == bed.offset);
  CHECK(bed.counters->sent_entries == 4);
}

TEST_CASE("line flow: a peer that is stuck does not get older data committed", "[json_lines]") {
  LineBed bed;
  LineFlow flow(WithDelay());
  flow.Add(bed.Lines({"a"}));
  WriteAll(flow, 0);
  flow.OnUnacknowledged(0, 0);
  flow.Add(bed.Lines({"b"}));
  WriteAll(flow, kTenth);
  for (int64_t now = kTenth; now < 20 * kSecond; now += kTenth) {
    flow.OnUnacknowledged(10, now);
    flow.Commit(now);
  }
  CHECK(bed.settled() == 0);
  CHECK(flow.stalled_since() > 0);

  flow.OnUnacknowledged(0, 20 * kSecond);
  CHECK(flow.Commit(21 * kSecond));
  CHECK(flow.empty());
  CHECK(flow.stalled_since() == 0);
}

TEST_CASE("line flow: since when the peer takes nothing", "[json_lines]") {
  LineBed bed;
  LineFlow flow(WithDelay());
  CHECK(flow.stalled_since() == 0);
  flow.Add(bed.Lines({"a"}));
  CHECK(flow.stalled_since() == 0);
  WriteAll(flow, 5 * kSecond);
  CHECK(flow.stalled_since() == 5 * kSecond);
  flow.OnUnacknowledged(3, 6 * kSecond);
  CHECK(flow.stalled_since() == 6 * kSecond);
  flow.OnUnacknowledged(3, 9 * kSecond);
  CHECK(flow.stalled_since() == 6 * kSecond);
}

TEST_CASE("line flow: takes no more than what may be sent again", "[json_lines]") {
  LineBed bed;
  LineFlow::Options options = WithDelay();
  options.replay_bytes = 100;
  LineFlow flow(options);
  flow.Add(bed.Lines({std::string(200, 'x')}));
  CHECK_FALSE(flow.HasRoom());
  WriteAll(flow, 0);
  flow.OnUnacknowledged(0, 0);
  CHECK_FALSE(flow.HasRoom());
  flow.Commit(kSecond);
  CHECK(flow.HasRoom());
}

TEST_CASE("line flow: with commits by close, nothing else commits", "[json_lines]") {
  LineBed bed;
  LineFlow::Options options = WithDelay();
  options.commit_by_close = true;
  LineFlow flow(options);
  flow.Add(bed.Lines({"a"}));
  flow.Add(bed.Lines({"b"}));
  flow.OnWritten(flow.ToWrite().size(), 0);
  flow.OnUnacknowledged(0, 0);
  CHECK_FALSE(flow.Commit(1000 * kSecond));

  flow.OnClosedInOrder();  // Of the first batch alone: the second was not written.
  CHECK(bed.settled() == 2);
  uint64_t again = 0;
  std::deque<LineBatch> back = flow.TakeBack(again);
  REQUIRE(back.size() == 1);
  CHECK(again == 0);
  back[0].Abandon();
}

TEST_CASE("line flow: what is abandoned stays unsettled", "[json_lines]") {
  LineBed bed;
  {
    LineFlow flow(WithDelay());
    flow.Add(bed.Lines({"a"}));
    WriteAll(flow, 0);
    flow.OnUnacknowledged(0, 0);
  }
  CHECK(bed.settled() == 0);
}

}  // namespace agent::json_lines
