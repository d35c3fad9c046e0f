#include "base/source_progress.h"

#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "base/entry.h"

namespace agent {
namespace {

// Two outputs, from the beginning.
std::shared_ptr<SourceProgress> MakeProgress(int* calls = nullptr) {
  return std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0, 0}, [calls] {
    if (calls != nullptr) ++*calls;
  });
}

ProcessedBlock Block(uint64_t end, uint64_t bytes, uint64_t dropped = 0) {
  return {end, bytes, dropped, 1};
}

}  // namespace

TEST_CASE("progress: nothing is settled before the batch is", "[progress]") {
  const auto progress = MakeProgress();
  const auto pin0 = progress->Pin(0, 0);
  const auto pin1 = progress->Pin(1, 0);
  progress->Advance(Block(100, 100));

  CHECK(progress->min_settled() == 0);
  progress->Settle(0, pin0, 100, 0);
  CHECK(progress->settled(0) == 100);
  CHECK(progress->min_settled() == 0);
  progress->Settle(1, pin1, 100, 0);
  CHECK(progress->min_settled() == 100);
  CHECK(progress->idle());
}

TEST_CASE("progress: batches that settle out of order do not move the position past a gap",
          "[progress]") {
  const auto progress = MakeProgress();
  const auto first = progress->Pin(0, 0);
  const auto second = progress->Pin(0, 40);
  progress->Advance(Block(100, 100));

  progress->Settle(0, second, 60, 0);
  CHECK(progress->settled(0) == 0);
  progress->Settle(0, first, 40, 0);
  CHECK(progress->settled(0) == 100);
}

TEST_CASE("progress: a batch closed inside a block settles up to the next one's first entry",
          "[progress]") {
  const auto progress = MakeProgress();
  const auto first = progress->Pin(0, 0);
  const auto second = progress->Pin(0, 40);
  progress->Advance(Block(100, 100));

  progress->Settle(0, first, 40, 0);

  CHECK(progress->settled(0) == 40);
  progress->Settle(0, second, 60, 0);
}

TEST_CASE("progress: a held line keeps the position at its first byte until it settles",
          "[progress]") {
  const auto progress = MakeProgress();
  auto held = std::make_shared<HeldBytes>(progress, 10, 20);
  progress->Advance(Block(100, 100));
  CHECK(progress->min_settled() == 10);

  held->Settle(0, /*delivered=*/true);
  held->Settle(1, /*delivered=*/false);
  held.reset();

  CHECK(progress->min_settled() == 100);
  CHECK(progress->Balance(0).settled == 20);
  CHECK(progress->Balance(1).dropped == 20);
}

TEST_CASE("progress: a held line that nobody delivered stays unsettled for ever", "[progress]") {
  const auto progress = MakeProgress();
  progress->Advance(Block(0, 0));
  SECTION("the stage went away with it") {
    auto held = std::make_shared<HeldBytes>(progress, 10, 20);
    held.reset();
  }
  SECTION("one output delivered it, the other was given up") {
    auto held = std::make_shared<HeldBytes>(progress, 10, 20);
    held->Settle(0, true);
    held->Abandon();
    held.reset();
  }
  progress->Advance(Block(100, 100));
  CHECK(progress->min_settled() == 10);
}

TEST_CASE("progress: lines that are held together settle together", "[progress]") {
  const auto progress = MakeProgress();
  auto held = std::make_shared<HeldBytes>(progress, 10, 20);
  progress->Advance(Block(100, 100));

  CHECK(held->Absorb(progress.get(), 30, 50, 40));
  CHECK_FALSE(held->Absorb(progress.get(), 40, 40, 5));        // Stands before the last one.
  CHECK_FALSE(held->Absorb(MakeProgress().get(), 60, 60, 5));  // Another source's.
  CHECK(held->bytes() == 60);
  CHECK(progress->min_settled() == 10);
  held->Drop();
  held.reset();

  CHECK(progress->min_settled() == 100);
  CHECK(progress->Balance(0).dropped == 60);
}

TEST_CASE("progress: many held lines may go in any order", "[progress]") {
  const auto progress = MakeProgress();
  std::vector<std::shared_ptr<HeldBytes>> held;
  for (const uint64_t offset : {50U, 10U, 30U, 10U})
    held.push_back(std::make_shared<HeldBytes>(progress, offset, 5));
  progress->Advance(Block(100, 100));
  const auto let_go = [&](std::size_t i) {
    held[i]->Drop();
    held[i].reset();
    return progress->min_settled();
  };

  CHECK(let_go(1) == 10);
  CHECK(let_go(0) == 10);
  CHECK(let_go(3) == 30);
  CHECK(let_go(2) == 100);
  CHECK(progress->idle());
}

TEST_CASE("progress: an entry was settled before a restart when all its lines were", "[progress]") {
  const auto progress =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{50, 0}, nullptr);
  Entry entry;
  entry.offset = 20;
  entry.last_offset = 40;
  entry.source_bytes = 30;
  CHECK(SettledBefore(entry, 0, 50));
  CHECK_FALSE(SettledBefore(entry, 1, 0));
  entry.last_offset = 50;  // It has been put together from more lines than before.
  CHECK_FALSE(SettledBefore(entry, 0, 50));

  auto held = std::make_shared<HeldBytes>(progress, 10, 10);
  const std::shared_ptr<HeldBytes> holds[] = {held};
  entry = Entry();
  CHECK_FALSE(SettledBefore(entry, 0, 50));  // It came from nowhere.
  entry.holds = holds;
  CHECK(SettledBefore(entry, 0, 50));
  CHECK_FALSE(SettledBefore(entry, 1, 0));
  CHECK(held->Absorb(progress.get(), 60, 60, 10));
  CHECK_FALSE(SettledBefore(entry, 0, 50));
}

TEST_CASE("progress: the ledger balances at every output", "[progress]") {
  const auto progress = MakeProgress();
  const auto pin0 = progress->Pin(0, 0);
  const auto pin1 = progress->Pin(1, 0);
  progress->Advance(Block(100, 100, /*dropped=*/30));

  CHECK(progress->Balance(0).in_flight == 70);
  progress->Settle(0, pin0, 60, 10);
  progress->Settle(1, pin1, 70, 0);

  const LedgerBalance first = progress->Balance(0);
  CHECK(first.read == 100);
  CHECK(first.settled == 60);
  CHECK(first.dropped == 40);
  CHECK(first.in_flight == 0);
  CHECK(progress->Balance(1).in_flight == 0);
}

TEST_CASE("progress: what an output had before a restart stays settled while others catch up",
          "[progress]") {
  SourceProgress progress("job", {50, 10}, nullptr);

  CHECK(progress.processed_end() == 10);
  CHECK(progress.settled(0) == 50);
  progress.SkipSettled(0, 40);
  progress.Advance(Block(50, 40));

  CHECK(progress.settled(0) == 50);
  CHECK(progress.settled(1) == 50);
}

TEST_CASE("progress: says when a position has moved", "[progress]") {
  int calls = 0;
  const auto progress = MakeProgress(&calls);

  const auto pin0 = progress->Pin(0, 0);
  const auto pin1 = progress->Pin(1, 0);
  progress->Advance(Block(100, 100));
  CHECK(calls == 0);
  progress->Settle(0, pin0, 100, 0);
  progress->Settle(1, pin1, 100, 0);
  CHECK(calls == 2);
  progress->Advance(Block(200, 100, 100));  // All dropped: settled at once.
  CHECK(calls == 3);
}

}  // namespace agent
