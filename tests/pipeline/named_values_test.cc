// Extracted values whose names are not known when the pipeline is built.

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "pipeline/block.h"

// Comes last: it has a CHECK of its own.
// clang-format off
#include <catch2/catch.hpp>
// clang-format on

namespace agent {
namespace {

using Texts = std::map<std::string, std::string>;

// A block with two entries of a source with the labels app and pod; "a" and "app" have a slot.
struct Fixture {
  explicit Fixture(bool everything) {
    if (everything) slots.ReadEverything();
    a = slots.Read("a");
    slots.Read("app");
    block = std::make_unique<Block>(slots, sets);
    Reset();
  }

  void Reset() {
    block->Reset(sets.Intern({{"app", "web"}, {"pod", "p"}}), nullptr);
    block->Add("zero", 1, 0, 5);
    block->Add("one", 1, 5, 4);
  }
  Texts All(EntryIndex entry) const {
    Texts all;
    block->ForEachExtracted(entry, [&](std::string_view name, const Value& value) {
      const bool added = all.emplace(name, block->Text(value).value_or("null")).second;
      CHECK(added);
    });
    return all;
  }

  SlotTable slots;
  LabelSets sets;
  Slot a = 0;
  std::unique_ptr<Block> block;
};

}  // namespace

TEST_CASE("named values: a name with a slot is that slot", "[block]") {
  Fixture fixture(GENERATE(false, true));
  Block& block = *fixture.block;

  CHECK_FALSE(block.HasExtracted(0, "a"));
  CHECK(block.HasExtracted(0, "app"));
  block.SetExtracted(0, "a", Value::String("x"));

  CHECK(block.HasExtracted(0, "a"));
  CHECK_FALSE(block.HasExtracted(1, "a"));
  CHECK(block.ExtractedText(0, fixture.a) == "x");
}

TEST_CASE("named values: a slot that nobody reads is not filled", "[block]") {
  Fixture fixture(/*everything=*/false);
  const Slot unread = fixture.slots.Write("unread");
  fixture.Reset();

  fixture.block->SetExtracted(0, "unread", Value::String("x"));

  CHECK_FALSE(fixture.block->Extracted(0, unread).present());
}

TEST_CASE("named values: a name without a slot is kept only when everything is read", "[block]") {
  Fixture pruned(/*everything=*/false);
  pruned.block->SetExtracted(0, "new", Value::String("x"));
  CHECK_FALSE(pruned.block->HasExtracted(0, "new"));
  CHECK_FALSE(pruned.block->HasExtracted(0, "pod"));

  Fixture whole(/*everything=*/true);
  Block& block = *whole.block;
  block.SetExtracted(0, "new", Value::String("x"));
  block.SetExtracted(0, "other", Value::Null());
  block.SetExtracted(0, "new", Value::String("y"));

  CHECK(block.HasExtracted(0, "new"));
  CHECK(block.HasExtracted(0, "other"));
  CHECK_FALSE(block.HasExtracted(1, "new"));
  CHECK(block.HasExtracted(1, "pod"));
  CHECK(whole.All(0) == Texts{{"app", "web"}, {"new", "y"}, {"other", "null"}, {"pod", "p"}});
  CHECK(whole.All(1) == Texts{{"app", "web"}, {"pod", "p"}});
}

TEST_CASE("named values: one with the name of a label hides it", "[block]") {
  Fixture fixture(/*everything=*/true);

  fixture.block->SetExtracted(0, "pod", Value::String("other"));

  CHECK(fixture.All(0) == Texts{{"app", "web"}, {"pod", "other"}});
}

TEST_CASE("named values: labels become extracted values again, new ones as well", "[block]") {
  Fixture fixture(/*everything=*/true);
  Block& block = *fixture.block;
  block.SetExtracted(0, "pod", Value::String("other"));
  block.SetLabels(1, fixture.sets.With(block.LabelsOf(1), "site", "ams"));

  block.SeedExtractedFromLabels();

  CHECK(fixture.All(0) == Texts{{"app", "web"}, {"pod", "p"}});
  CHECK(fixture.All(1) == Texts{{"app", "web"}, {"pod", "p"}, {"site", "ams"}});
  CHECK(block.HasExtracted(1, "site"));
  CHECK_FALSE(block.HasExtracted(0, "site"));
}

TEST_CASE("named values: go with an entry that is held, into a block of another source",
          "[block]") {
  Fixture fixture(/*everything=*/true);
  Block& block = *fixture.block;
  block.SetExtracted(0, "new", Value::String("x"));
  block.SetExtracted(0, "number", Value::Number(2));
  HeldEntry held = block.Detach(0);
  block.Reset(fixture.sets.Intern({{"foreign", "f"}}), nullptr);
  block.Add("foreign", 1, 0, 8);

  const EntryIndex back = block.InsertAtEnd(std::move(held));

  CHECK(fixture.All(back) == Texts{{"app", "web"}, {"new", "x"}, {"number", "2"}, {"pod", "p"}});
  CHECK(fixture.All(0) == Texts{{"foreign", "f"}});
  CHECK_FALSE(block.HasExtracted(back, "foreign"));
}

TEST_CASE("named values: are gone with the next block", "[block]") {
  Fixture fixture(/*everything=*/true);
  fixture.block->SetExtracted(0, "new", Value::String("x"));

  fixture.Reset();

  CHECK_FALSE(fixture.block->HasExtracted(0, "new"));
  CHECK(fixture.All(0) == Texts{{"app", "web"}, {"pod", "p"}});
}

TEST_CASE("slots: who reads a name with the suffix reads its stem, before and after", "[slots]") {
  SlotTable slots;
  const Slot unread = slots.Write("unread");
  const Slot early = slots.Write("early");
  slots.Read("early_extracted");

  CHECK_FALSE(slots.IsRead(early));
  slots.ReadStems("_extracted");
  const Slot twice = slots.Read("late_extracted_extracted");
  slots.Read("_extracted");
  slots.Read("unrelated");

  CHECK(slots.IsRead(early));
  CHECK(slots.IsRead(twice));
  REQUIRE(slots.Find("late"));
  CHECK(slots.IsRead(*slots.Find("late")));
  CHECK(slots.IsRead(*slots.Find("late_extracted")));
  CHECK_FALSE(slots.IsRead(unread));
  CHECK_FALSE(slots.Find(""));
}

}  // namespace agent
