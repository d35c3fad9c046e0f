#include "pipeline/block.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// A block over one source, with a slot for each of "a", "b" and the label "app".
struct Fixture {
  Fixture() {
    a = slots.Read("a");
    b = slots.Read("b");
    app = slots.Read("app");
    block = std::make_unique<Block>(slots, sets);
    progress = std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
    block->Reset(sets.Intern({{"app", "web"}}), progress);
    for (const char* line : {"zero", "one", "two"}) {
      block->Add(line, 100 + static_cast<int64_t>(block->size()), block->size() * 5, 5);
    }
  }

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const EntryIndex entry : block->live())
      lines.emplace_back(block->Line(entry));
    return lines;
  }

  SlotTable slots;
  LabelSets sets;
  Slot a = 0;
  Slot b = 0;
  Slot app = 0;
  std::shared_ptr<SourceProgress> progress;
  std::unique_ptr<Block> block;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "block: labels of the source are extracted values from the start",
                 "[block]") {
  CHECK(block->ExtractedText(0, app) == "web");
  CHECK_FALSE(block->Extracted(0, a).present());
}

TEST_CASE_METHOD(Fixture, "block: a value belongs to its entry alone", "[block]") {
  block->SetExtracted(1, a, Value::String("x"));
  block->SetExtracted(2, app, Value());

  CHECK_FALSE(block->Extracted(0, a).present());
  CHECK(block->ExtractedText(1, a) == "x");
  CHECK(block->ExtractedText(1, app) == "web");
  CHECK_FALSE(block->Extracted(2, app).present());
}

TEST_CASE_METHOD(Fixture, "block: text forms of values", "[block]") {
  CHECK(block->Text(Value::Number(1e21)) == "1000000000000000000000");
  CHECK(block->Text(Value::Number(-0.0)) == "-0");
  CHECK(block->Text(Value::Integer(-9223372036854775807 - 1)) == "-9223372036854775808");
  CHECK(block->Text(Value::Integer(9007199254740993)) == "9007199254740993");
  CHECK(block->Text(Value::Number(9007199254740992, "9007199254740993")) == "9007199254740992");
  CHECK(block->Text(Value::Bool(true)) == "true");
  CHECK_FALSE(block->Text(Value::Null()).has_value());
}

TEST_CASE("value: an integer is also a number, rounded to a double", "[block]") {
  CHECK(Value::Integer(9007199254740993).number() == 9007199254740992.0);
  CHECK(Value::Integer(9007199254740993).integer() == 9007199254740993);
  CHECK(Value::Integer(7).usable());
  CHECK_FALSE(Value::Integer(7).is_string());
  CHECK(Value::Bool(true).number() == 1);
  CHECK(Value::Number(-2.5).number() == -2.5);
}

TEST_CASE_METHOD(Fixture, "block: dropped entries are counted and gone after the stage",
                 "[block]") {
  for (const EntryIndex entry : block->live()) {
    if (entry != 1) block->Drop(entry, 2);
  }
  CHECK(block->live().size() == 3);
  block->Compact();

  CHECK(Lines() == std::vector<std::string>{"one"});
  REQUIRE(block->drops().size() == 3);
  CHECK(block->drops()[2].lines == 2);
  CHECK(block->drops()[2].bytes == 10);
}

TEST_CASE_METHOD(Fixture, "block: seeding copies changed labels over extracted values", "[block]") {
  block->SetExtracted(0, app, Value::String("changed"));
  block->SetLabels(1, sets.With(block->LabelsOf(1), "a", "label"));
  block->SeedExtractedFromLabels();

  CHECK(block->ExtractedText(0, app) == "web");
  CHECK(block->ExtractedText(1, a) == "label");
  CHECK_FALSE(block->Extracted(0, a).present());
}

TEST_CASE_METHOD(Fixture, "block: a detached entry comes back whole, in another block", "[block]") {
  block->SetExtracted(1, a, Value::String("kept"));
  // What the number was read from goes with it.
  std::string digits = "9007199254740993";
  block->SetExtracted(1, b, Value::Number(9007199254740992, digits));
  block->AddMetadata(1, "m", "v");
  HeldEntry held = block->Detach(1);
  digits.assign(digits.size(), 'x');
  block->Compact();
  progress->Advance({15, 15, 0, 3});
  CHECK(Lines() == std::vector<std::string>{"zero", "two"});
  CHECK(progress->min_settled() == 5);

  sets.Sweep();
  block->Reset(kEmptyLabelSet, nullptr);
  const EntryIndex entry = block->InsertAtEnd(std::move(held));
  block->Compact();

  CHECK(Lines() == std::vector<std::string>{"one"});
  CHECK(block->ExtractedText(entry, a) == "kept");
  CHECK(block->ExtractedText(entry, b) == "9007199254740992");
  CHECK(block->Extracted(entry, b).text() == "9007199254740993");
  CHECK(block->ExtractedText(entry, app) == "web");
  const Entry view = block->View(entry);
  CHECK(sets.Text(view.labels) == R"({app="web"})");
  CHECK(view.timestamp_ns == 101);
  CHECK(view.source_bytes == 0);
  REQUIRE(view.metadata.size() == 1);
  CHECK(view.metadata[0].value == "v");
  REQUIRE(view.holds.size() == 1);
  CHECK(view.holds[0]->bytes() == 5);
}

TEST_CASE_METHOD(Fixture, "block: an inserted entry stands before the one it was put before",
                 "[block]") {
  HeldEntry zero = block->Detach(0);
  block->InsertBefore(2, std::move(zero));
  block->Compact();

  CHECK(Lines() == std::vector<std::string>{"one", "zero", "two"});
  CHECK(block->ExtractedText(block->live()[1], app) == "web");
}

TEST_CASE_METHOD(Fixture, "block: a subset is worked on alone and takes its place again",
                 "[block]") {
  const std::vector<EntryIndex> subset = {0, 2};
  block->WithSubset(subset, [&] {
    CHECK(Lines() == std::vector<std::string>{"zero", "two"});
    HeldEntry held = block->Detach(0);
    held.line = "early";
    block->InsertBefore(2, std::move(held));
    block->Compact();
  });

  CHECK(Lines() == std::vector<std::string>{"one", "early", "two"});
}

TEST_CASE_METHOD(Fixture, "block: absorbed lines settle with the entry that they are part of",
                 "[block]") {
  block->Absorb(0, 1);
  block->Absorb(0, 2);
  block->Compact();

  CHECK(Lines() == std::vector<std::string>{"zero"});
  const Entry view = block->View(0);
  CHECK(view.source_bytes == 15);
  CHECK(view.offset == 0);
  CHECK(view.last_offset == 10);
  CHECK(view.holds.empty());
  block->Drop(0, 0);
  CHECK(block->drops()[0].bytes == 15);
}

TEST_CASE_METHOD(Fixture, "block: a held entry has one hold for all lines of a source", "[block]") {
  block->Absorb(0, 1);
  HeldEntry held = block->Detach(0);
  block->Absorb(held, 2);
  block->Compact();
  progress->Advance({15, 15, 0, 3});

  CHECK(block->live().empty());
  REQUIRE(held.holds.size() == 1);
  CHECK(held.holds[0]->bytes() == 15);
  CHECK(progress->min_settled() == 0);
}

TEST_CASE_METHOD(Fixture, "block: lines that stand before the held ones have a hold of their own",
                 "[block]") {
  HeldEntry held = block->Detach(1);
  block->Absorb(held, 0);
  progress->Advance({15, 15, 0, 3});

  CHECK(held.holds.size() == 2);
  CHECK(progress->min_settled() == 0);
}

TEST_CASE_METHOD(Fixture, "block: an absorbed entry brings what it had held", "[block]") {
  HeldEntry held = block->Detach(0);
  const EntryIndex back = block->InsertBefore(1, std::move(held));
  block->Absorb(back, 1);
  block->Compact();

  CHECK(Lines() == std::vector<std::string>{"zero", "two"});
  const Entry view = block->View(back);
  CHECK(view.offset == 5);
  CHECK(view.source_bytes == 5);
  REQUIRE(view.holds.size() == 1);
  CHECK(view.holds[0]->bytes() == 5);
  block->Absorb(2, back);
  REQUIRE(block->View(2).holds.size() == 1);
  CHECK(block->View(2).source_bytes == 10);
}

TEST_CASE_METHOD(Fixture, "block: time and values are given to another entry in place of its own",
                 "[block]") {
  block->SetExtracted(0, a, Value::String("first"));
  block->SetExtracted(1, b, Value::Number(2));
  block->SetExtracted(2, app, Value());

  block->CopyValues(0, 1);
  block->SetValues(2, block->CopyValues(0));

  for (const EntryIndex entry : {1U, 2U}) {
    CHECK(block->Timestamp(entry) == block->Timestamp(0));
    CHECK(block->ExtractedText(entry, a) == "first");
    CHECK_FALSE(block->Extracted(entry, b).present());
    CHECK(block->ExtractedText(entry, app) == "web");
  }
}

TEST_CASE_METHOD(Fixture, "block: a held entry that is dropped is counted", "[block]") {
  block->DropHeld(block->Detach(0), 1);
  progress->Advance({15, 15, 0, 3});

  CHECK(block->drops()[1].lines == 1);
  CHECK(block->drops()[1].held_bytes == 5);
  CHECK(progress->Balance(0).dropped == 5);
  CHECK(progress->min_settled() == 15);
}

TEST_CASE_METHOD(Fixture, "block: dropping an entry with held lines drops them in the ledger",
                 "[block]") {
  HeldEntry held = block->Detach(0);
  block->AddHolds(1, std::move(held.holds));
  block->Drop(1, 0);
  block->Compact();
  progress->Advance({15, 15, block->drops()[0].bytes, 3});

  const LedgerBalance balance = progress->Balance(0);
  CHECK(balance.dropped == 10);
  block->Reset(kEmptyLabelSet, nullptr);
  CHECK(progress->min_settled() == 15);
}

}  // namespace agent
