#include "outputs/batch.h"

#include <memory>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/outputs/batch_maker.h"

namespace agent {
namespace {

const Labels kLabels{{"job", "a"}};

TEST_CASE("batch: settling moves the position and balances the ledger", "[batch]") {
  BatchMaker maker;
  maker.Add(kLabels, "one");
  maker.Add(kLabels, "second");
  Batch batch = maker.Take();
  CHECK(maker.source->settled(0) == 0);
  CHECK(maker.source->Balance(0).in_flight == 11);

  batch.Settle();

  CHECK(maker.source->settled(0) == 11);
  CHECK(maker.source->Balance(0).settled == 11);
  CHECK(maker.source->Balance(0).in_flight == 0);
  CHECK(maker.budget.used() == 0);
}

TEST_CASE("batch: refused entries count as dropped, and the position still moves", "[batch]") {
  BatchMaker maker;
  maker.Add(kLabels, "one");
  maker.Add(kLabels, "second");
  Batch batch = maker.Take();

  batch.Settle({false, true});

  CHECK(maker.source->settled(0) == 11);
  CHECK(maker.source->Balance(0).settled == 4);
  CHECK(maker.source->Balance(0).dropped == 7);
}

TEST_CASE("batch: abandoned bytes stay unsettled for good", "[batch]") {
  BatchMaker maker;
  maker.Add(kLabels, "one");
  Batch batch = maker.Take();

  batch.Abandon();

  CHECK(maker.source->settled(0) == 0);
  CHECK(maker.source->Balance(0).in_flight == 4);
  CHECK_FALSE(maker.source->idle());
  CHECK(maker.budget.used() == 0);
}

TEST_CASE("batch: a held line settles with the entry that it became part of", "[batch]") {
  BatchMaker maker;
  auto held = std::make_shared<HeldBytes>(maker.source, 0, 10);
  maker.source->Advance({.end = 30, .read_bytes = 30, .dropped_bytes = 0, .lines = 2});
  const std::vector<std::shared_ptr<HeldBytes>> holds = {held};
  held.reset();
  {
    Entry entry;
    entry.labels = maker.sets.Intern(kLabels);
    entry.line = "joined";
    entry.offset = 10;
    entry.source_bytes = 20;
    entry.holds = holds;
    maker.encoder.Add(entry, 1);
  }
  Batch batch = maker.Take();
  REQUIRE(batch.holds.size() == 1);

  SECTION("settled") {
    batch.Settle();
    CHECK(maker.source->Balance(0).settled == 30);
    CHECK(maker.source->settled(0) == 0);  // `holds` above still has it.
  }
  SECTION("abandoned") {
    batch.Abandon();
    CHECK(maker.source->Balance(0).in_flight == 30);
  }
}

}  // namespace
}  // namespace agent
