#include "outputs/logstash/window_queue.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "outputs/deflate.h"
#include "tests/outputs/logstash/event_bed.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent::logstash {
namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t kMany = 10'000;

Lines Range(int first, int count) {
  Lines lines;
  for (int i = 0; i < count; ++i)
    lines.push_back(std::to_string(first + i));
  return lines;
}

class Bed : public EventBed {
 public:
  explicit Bed(int level = 3) {
    options.compression_level = level;
    if (level > 0) deflater_.emplace(DeflateFormat::kZlib, level);
  }

  WindowQueue& queue() {
    if (!queue_) {
      queue_.emplace(WindowQueue::Context{.output = "stash",
                                          .window_entries = window_entries,
                                          .window_bytes = window_bytes,
                                          .compressor = deflater_ ? &*deflater_ : nullptr,
                                          .counters = *counters,
                                          .logger = logger_,
                                          .dead_letter = dead_letter_});
    }
    return *queue_;
  }
  // Sends the next window; what it has.
  Lines Take(std::size_t most = kMany) {
    const WindowQueue::Window window = queue().Take(most);
    last_id = window.id;
    Lines lines = Messages(window.body);
    CHECK(lines.size() == window.events);
    return lines;
  }
  // A server that resets whoever sends it the line `poison`, and takes all else. Gives how many
  // windows it took until there is nothing left.
  int SendAll(const std::string& poison) {
    int sent = 0;
    while (!queue().empty() && sent < 1000) {
      const Lines lines = Take();
      ++sent;
      if (std::find(lines.begin(), lines.end(), poison) != lines.end()) {
        queue().Return(last_id, "reset");
      } else {
        accepted.insert(accepted.end(), lines.begin(), lines.end());
        queue().Acked(last_id, static_cast<uint32_t>(lines.size()));
      }
    }
    return sent;
  }
  std::string DeadLetters() const {
    std::string text;
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      std::ifstream in(file.path());
      text.append(std::istreambuf_iterator<char>(in), {});
    }
    return text;
  }
  uint64_t settled() const { return source->settled(0); }

  std::size_t window_entries = 2048;
  std::size_t window_bytes = std::size_t{4} << 20;
  uint64_t last_id = 0;
  Lines accepted;

 private:
  TempDir folder_;
  FakeClock clock_;
  Logger logger_{2, LogLevel::kError, LogFormat::kLogfmt};
  DeadLetter dead_letter_{{folder_.path(), 1 << 20}, clock_, logger_};
  std::optional<Deflater> deflater_;
  std::optional<WindowQueue> queue_;
};

}  // namespace

TEST_CASE("windows: a batch is one, as it was encoded, and settled when all of it is there",
          "[lumberjack]") {
  Bed bed(GENERATE(0, 3, 9));
  bed.queue().Add(bed.MakeBatch(5));
  CHECK(bed.queue().waiting() == 1);

  CHECK(bed.Take() == Range(0, 5));
  CHECK(bed.queue().waiting() == 0);
  bed.queue().Acked(bed.last_id, 4);
  CHECK(bed.settled() == 0);
  bed.queue().Acked(bed.last_id, 1);

  CHECK(bed.settled() == bed.offset);
  CHECK(bed.queue().empty());
  CHECK(bed.counters->sent_entries == 5);
}

TEST_CASE("windows: after a part only the rest is sent again, numbered from 1", "[lumberjack]") {
  Bed bed(GENERATE(0, 3, 9));
  bed.queue().Add(bed.MakeBatch(5));
  bed.Take();
  bed.queue().Acked(bed.last_id, 3);
  bed.queue().Return(bed.last_id, "reset");

  CHECK(bed.Take() == Lines{"3", "4"});
  CHECK(bed.counters->retried_entries == 2);
  bed.queue().Acked(bed.last_id, 2);
  CHECK(bed.settled() == bed.offset);
}

TEST_CASE("windows: those that come back go before those that wait, in order", "[lumberjack]") {
  Bed bed;
  for (std::size_t i = 0; i < 4; ++i)
    bed.queue().Add(bed.MakeBatch(2, 2 * i));
  bed.Take();
  const uint64_t first = bed.last_id;
  bed.Take();
  const uint64_t second = bed.last_id;
  bed.queue().Return(second);
  bed.queue().Return(first);

  Lines all;
  while (bed.queue().waiting() > 0) {
    const Lines some = bed.Take();
    all.insert(all.end(), some.begin(), some.end());
  }

  CHECK(all == Range(0, 8));
}

TEST_CASE("windows: not more events than are asked for", "[lumberjack]") {
  Bed bed(GENERATE(0, 3));
  bed.queue().Add(bed.MakeBatch(10));

  CHECK(bed.Take(4) == Range(0, 4));
  const uint64_t first = bed.last_id;
  CHECK(bed.Take(4) == Range(4, 4));
  bed.queue().Acked(bed.last_id, 4);
  bed.queue().Return(first);
  CHECK(bed.Take(3) == Range(0, 3));
  CHECK(bed.Take(3) == Range(3, 1));
  CHECK(bed.Take(3) == Range(8, 2));
  CHECK(bed.queue().waiting() == 0);
}

TEST_CASE("windows: a batch of an earlier configuration is cut to what is allowed now",
          "[lumberjack]") {
  Bed bed;
  const bool by_bytes = GENERATE(true, false);
  Batch batch = bed.MakeBatch(100);
  if (by_bytes) {
    bed.window_bytes = batch.raw_size / 4;
  } else {
    bed.window_entries = 30;
  }
  bed.queue().Add(std::move(batch));

  bed.SendAll("");

  CHECK(bed.accepted == Range(0, 100));
  CHECK(bed.settled() == bed.offset);
}

TEST_CASE("windows: an event that always fails goes to the dead letter, alone", "[lumberjack]") {
  Bed bed(GENERATE(0, 3));
  const int poison = GENERATE(0, 1, 9, 15);
  bed.queue().Add(bed.MakeBatch(16));
  bed.queue().Add(bed.MakeBatch(1, 16));

  const int sent = bed.SendAll(std::to_string(poison));

  INFO(sent);
  CHECK(sent < 60);
  CHECK(sent > 20);
  CHECK(bed.queue().empty());
  CHECK(bed.accepted.size() == 16);
  CHECK(bed.settled() == bed.offset);
  const std::string dead = bed.DeadLetters();
  CHECK(std::count(dead.begin(), dead.end(), '\n') == 1);
  CHECK(dead.find("\"message\":\"" + std::to_string(poison) + "\"") != std::string::npos);
  CHECK(bed.counters->dead_lettered == 1);
}

TEST_CASE("windows: while nothing passes, nothing is given up", "[lumberjack]") {
  Bed bed;
  bed.queue().Add(bed.MakeBatch(4));
  bed.queue().Add(bed.MakeBatch(2, 4));
  for (int i = 0; i < 500; ++i) {
    bed.Take();
    bed.queue().Return(bed.last_id, "reset");
  }

  bed.SendAll("");

  CHECK(bed.accepted.size() == 6);
  CHECK(bed.DeadLetters().empty());
  CHECK(bed.settled() == bed.offset);
}

TEST_CASE("windows: a single event with nobody behind it waits", "[lumberjack]") {
  Bed bed;
  bed.queue().Add(bed.MakeBatch(1));
  for (int i = 0; i < 50; ++i) {
    CHECK(bed.Take() == Lines{"0"});
    bed.queue().Return(bed.last_id, "reset");
  }

  CHECK_FALSE(bed.queue().empty());
  CHECK(bed.DeadLetters().empty());
}

TEST_CASE("windows: abandoned, nothing is settled", "[lumberjack]") {
  Bed bed;
  bed.queue().Add(bed.MakeBatch(4));
  bed.queue().Add(bed.MakeBatch(4));
  bed.Take();
  bed.queue().Acked(bed.last_id, 2);

  bed.queue().Abandon();

  CHECK(bed.queue().empty());
  CHECK(bed.queue().bytes() == 0);
  CHECK(bed.settled() == 0);
}

}  // namespace agent::logstash
