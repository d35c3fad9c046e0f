#include "outputs/loki/loki_encoder.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/outputs/batch_maker.h"
#include "tests/support/push_decoder.h"

namespace agent {
namespace {

const Labels kLabels{{"app", "web"}, {"level", "info"}};

uint64_t Dropped(BatchMaker& maker, LossReason reason, const std::string& tenant = "") {
  return maker.counters->ForTenant(tenant).dropped[static_cast<std::size_t>(reason)].entries;
}
uint64_t Mutated(BatchMaker& maker, LossReason reason) {
  return maker.counters->ForTenant("").mutated[static_cast<std::size_t>(reason)].entries;
}

std::vector<PushedEntry> Decoded(const Batch& batch) {
  auto entries = DecodePush(BodyOf(batch));
  REQUIRE(entries.has_value());
  return *entries;
}

TEST_CASE("loki encoder: what is decoded is what was added", "[loki]") {
  BatchMaker maker;
  maker.Add(kLabels, "hello", 1'700'000'000'123'456'789);
  maker.Add(kLabels, "", 1'700'000'001'000'000'000);
  maker.Add(kLabels, "\xff raw \x01", -1, {{"trace", "abc"}, {"empty", ""}});
  maker.Add(kLabels, std::string(70000, 'x'), 0);

  const Batch batch = maker.Take();

  const auto entries = Decoded(batch);
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].labels == R"({app="web", level="info"})");
  CHECK(entries[0].line == "hello");
  CHECK(entries[0].timestamp_ns == 1'700'000'000'123'456'789);
  CHECK(entries[1].line.empty());
  CHECK(entries[1].timestamp_ns == 1'700'000'001'000'000'000);
  CHECK(entries[2].line == "\xff raw \x01");
  CHECK(entries[2].timestamp_ns == -1);
  REQUIRE(entries[2].metadata.size() == 2);
  CHECK(entries[2].metadata[0] == std::pair<std::string, std::string>("trace", "abc"));
  CHECK(entries[2].metadata[1] == std::pair<std::string, std::string>("empty", ""));
  CHECK(entries[3].line.size() == 70000);
  CHECK(entries[3].timestamp_ns == 0);
}

TEST_CASE("loki encoder: the wire bytes are those of the format", "[loki]") {
  BatchMaker maker;
  maker.Add({{"a", "1"}}, "hi", 2'000'000'005);
  const Batch batch = maker.Take();

  // 11 bytes of literal after the length: too short to compress.
  const std::string raw =
      std::string("\x0a\x15\x0a\x07{a=\"1\"}\x12\x0a\x0a\x04\x08\x02\x10\x05\x12\x02hi", 23);
  const std::string want = std::string("\x17\x58", 2) + raw;
  CHECK(std::string(BodyOf(batch)) == want);
  CHECK(batch.raw_size == 23);
}

TEST_CASE("loki encoder: streams are grouped, each in order, the largest last", "[loki]") {
  BatchMaker maker;
  maker.Add({{"s", "big"}}, std::string(100, 'b'), 1);
  maker.Add({{"s", "small"}}, "s1", 2);
  maker.Add({{"s", "big"}}, "b2", 3);
  maker.Add({{"s", "small"}}, "s2", 4);
  maker.Add({{"s", "small"}}, "s3", 5);

  const Batch batch = maker.Take();

  const auto entries = Decoded(batch);
  REQUIRE(entries.size() == 5);
  CHECK(entries[0].line == "s1");
  CHECK(entries[1].line == "s2");
  CHECK(entries[2].line == "s3");
  CHECK(entries[4].line == "b2");
  // Origins stand in the same order.
  CHECK(batch.origins[0].offset == 101);
  CHECK(batch.origins[1].offset == 107);
  CHECK(batch.origins[3].offset == 0);
  CHECK(batch.origins[4].offset == 104);
}

TEST_CASE("loki encoder: tenants get batches of their own", "[loki]") {
  LokiOptions options;
  options.tenant_id = "default";
  BatchMaker maker(options);
  maker.Add({{"a", "1"}, {"__tenant_id__", "t2"}}, "two");
  maker.Add({{"a", "1"}}, "one");

  maker.encoder.Flush(INT64_MAX);

  REQUIRE(maker.batches.size() == 2);
  CHECK(maker.batches[0].tenant == "default");
  CHECK(maker.batches[1].tenant == "t2");
  CHECK(Decoded(maker.batches[1])[0].labels == R"({a="1"})");
}

TEST_CASE("loki encoder: labels are merged, quoted and repaired as Loki needs them", "[loki]") {
  struct Case {
    const char* name;
    Labels labels;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"external underneath", {{"a", "own"}}, R"({a="own", env="x"})"},
      {"quoted", {{"a", "q\"\\\n"}}, R"({a="q\"\\\n", env="x"})"},
      {"empty value kept", {{"a", ""}, {"b", "1"}}, R"({a="", b="1", env="x"})"},
      {"reserved names kept", {{"a", "1"}, {"__x", "2"}}, R"({__x="2", a="1", env="x"})"},
      {"bad name", {{"a.b-c", "1"}, {"1st", "2"}}, R"({_1st="2", a="0", a_b_c="1", env="x"})"},
      {"collision keeps the first", {{"a.b", "1"}, {"a_b", "2"}}, R"({a="0", a_b="1", env="x"})"},
  }));
  INFO(c.name);
  LokiOptions options;
  options.external_labels = {{"a", "0"}, {"env", "x"}};
  BatchMaker maker(options);

  maker.Add(c.labels, "x");

  CHECK(Decoded(maker.Take())[0].labels == c.want);
}

TEST_CASE("loki encoder: an entry without labels is dropped and counted", "[loki]") {
  BatchMaker maker;
  maker.Add({}, "nobody");
  maker.Add({{"__tenant_id__", "t"}}, "tenant only");
  maker.Add({{"a", ""}}, "no value");
  maker.encoder.Flush(INT64_MAX);

  CHECK(maker.batches.empty());
  CHECK(Dropped(maker, LossReason::kNoLabels) == 2);
  CHECK(Dropped(maker, LossReason::kNoLabels, "t") == 1);
  CHECK(maker.source->Balance(0).in_flight == 0);
  CHECK(maker.source->Balance(0).dropped == maker.offset);
  CHECK(maker.source->settled(0) == maker.offset);
}

TEST_CASE("loki encoder: metadata names without letter or digit are left out", "[loki]") {
  BatchMaker maker;
  maker.Add(kLabels, "x", 1, {{"__", "1"}, {"ok", "2"}, {"", "3"}});

  const auto entries = Decoded(maker.Take());

  REQUIRE(entries[0].metadata.size() == 1);
  CHECK(entries[0].metadata[0].first == "ok");
  CHECK(Mutated(maker, LossReason::kMetadataName) == 1);
}

TEST_CASE("loki encoder: batchsize counts lines and metadata", "[loki]") {
  LokiOptions options;
  options.batchsize_bytes = 100;
  BatchMaker maker(options);
  maker.Add(kLabels, std::string(60, 'a'));
  maker.Add(kLabels, std::string(40, 'b'));
  CHECK(maker.batches.empty());  // Exactly full.

  maker.Add(kLabels, "c");
  REQUIRE(maker.batches.size() == 1);
  CHECK(maker.batches[0].entries() == 2);
  CHECK(maker.batches[0].line_bytes == 100);

  maker.Add(kLabels, std::string(500, 'd'));  // Larger than a batch: alone.
  maker.Add(kLabels, "e");
  REQUIRE(maker.batches.size() == 3);
  CHECK(maker.batches[2].entries() == 1);
  CHECK(maker.batches[2].line_bytes == 500);

  maker.Add(kLabels, std::string(95, 'f'), 1, {{"n", "v"}});  // 95 + 6 of metadata > 99 left.
  CHECK(maker.batches.size() == 4);
}

TEST_CASE("loki encoder: a request stays below what Loki's parts can hand on", "[loki]") {
  LokiOptions options;
  options.batchsize_bytes = std::size_t{100} << 20;
  BatchMaker maker(options);
  for (int i = 0; i < 60; ++i)
    maker.Add({{"a", std::to_string(i % 7)}}, std::string(100'000, 'a'));
  maker.encoder.Flush(INT64_MAX);

  REQUIRE(maker.batches.size() == 2);
  for (const Batch& batch : maker.batches)
    CHECK(batch.raw_size <= LokiEncoder::kMaxRawBytes);
}

TEST_CASE("loki encoder: batchwait counts from the first entry", "[loki]") {
  LokiOptions options;
  options.batchwait = std::chrono::milliseconds(1000);
  BatchMaker maker(options);
  CHECK_FALSE(maker.encoder.NextDeadline().has_value());
  maker.Add(kLabels, "x", 1, {}, /*now_ns=*/5'000'000'000);
  maker.Add(kLabels, "y", 1, {}, /*now_ns=*/5'900'000'000);

  CHECK(maker.encoder.NextDeadline() == 6'000'000'000);
  CHECK(maker.encoder.open_bytes() > 0);
  maker.encoder.Flush(5'999'999'999);
  CHECK(maker.batches.empty());
  maker.encoder.Flush(6'000'000'000);
  REQUIRE(maker.batches.size() == 1);
  CHECK(maker.batches[0].created_ns == 5'000'000'000);
  CHECK_FALSE(maker.encoder.NextDeadline().has_value());
  CHECK(maker.encoder.open_bytes() == 0);
}

TEST_CASE("loki encoder: long lines are dropped or cut", "[loki]") {
  LokiOptions options;
  options.max_line_size_bytes = 4;
  options.max_line_size_truncate = GENERATE(false, true);
  BatchMaker maker(options);

  maker.Add(kLabels, "1234");
  maker.Add(kLabels, "12345");

  const auto entries = Decoded(maker.Take());
  const auto reason = static_cast<std::size_t>(LossReason::kLineTooLong);
  if (options.max_line_size_truncate) {
    REQUIRE(entries.size() == 2);
    CHECK(entries[1].line == "1234");
    CHECK(maker.counters->ForTenant("").mutated[reason].bytes == 1);
  } else {
    REQUIRE(entries.size() == 1);
    CHECK(maker.counters->ForTenant("").dropped[reason].bytes == 5);
    CHECK(maker.source->Balance(0).dropped == 6);
  }
}

TEST_CASE("loki encoder: a stream too many loses that entry and no other", "[loki]") {
  LokiOptions options;
  options.max_streams = 2;
  BatchMaker maker(options);
  for (const char* stream : {"1", "2", "3", "1"})
    maker.Add({{"s", stream}}, stream);

  CHECK(Decoded(maker.Take()).size() == 3);
  CHECK(Dropped(maker, LossReason::kStreamLimited) == 1);

  maker.Add({{"s", "3"}}, "3");  // The next batch has room again.
  CHECK(Decoded(maker.Take()).size() == 1);
}

TEST_CASE("loki encoder: entries settled before a restart are skipped", "[loki]") {
  BatchMaker maker;
  maker.source = std::make_shared<SourceProgress>("job", std::vector<uint64_t>{4}, nullptr);
  maker.encoder.BeginSource(maker.source);
  maker.offset = 0;
  auto add = [&](uint64_t offset, std::string_view line) {
    Entry entry;
    entry.labels = maker.sets.Intern(kLabels);
    entry.line = line;
    entry.offset = offset;
    entry.source_bytes = 4;
    maker.encoder.Add(entry, 1);
  };
  add(0, "old");
  add(4, "new");
  maker.source->Advance({.end = 8, .read_bytes = 8, .dropped_bytes = 0, .lines = 2});

  Batch batch = maker.Take();

  CHECK(Decoded(batch).size() == 1);
  CHECK(maker.source->Balance(0).settled == 4);
  batch.Settle();
  CHECK(maker.source->Balance(0).in_flight == 0);
  CHECK(maker.source->settled(0) == 8);
}

TEST_CASE("loki encoder: each source has one pin in a batch", "[loki]") {
  BatchMaker maker;
  auto other = std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  maker.Add(kLabels, "a1");
  maker.encoder.BeginSource(other);
  {
    Entry entry;
    entry.labels = maker.sets.Intern(kLabels);
    entry.line = "b1";
    entry.source_bytes = 3;
    maker.encoder.Add(entry, 1);
    other->Advance({.end = 3, .read_bytes = 3, .dropped_bytes = 0, .lines = 1});
  }
  maker.encoder.BeginSource(maker.source);
  maker.Add(kLabels, "a2");

  Batch batch = maker.Take();

  REQUIRE(batch.pins.size() == 2);
  CHECK(batch.origins[0].pin == 0);
  CHECK(batch.origins[1].pin == 1);
  CHECK(batch.origins[2].pin == 0);
  batch.Settle();
  CHECK(other->Balance(0).settled == 3);
  CHECK(maker.source->Balance(0).settled == 6);
}

TEST_CASE("loki encoder: swept label sets are forgotten", "[loki]") {
  BatchMaker maker;
  maker.Add({{"a", "1"}}, "one");
  maker.encoder.Flush(INT64_MAX);
  maker.sets.Sweep();
  maker.Add({{"b", "2"}}, "two");  // Gets the number that {a="1"} had.

  CHECK(Decoded(maker.Take())[0].labels == R"({b="2"})");
}

TEST_CASE("loki encoder: ten thousand streams take the memory of one", "[loki]") {
  BatchMaker maker;
  for (int i = 0; i < 10'000; ++i)
    maker.Add({{"s", std::to_string(i)}}, "x", i);

  CHECK(maker.encoder.open_bytes() < (std::size_t{2} << 20));
  const auto entries = Decoded(maker.Take());
  REQUIRE(entries.size() == 10'000);
}

TEST_CASE("loki encoder: abandoned entries stay unsettled", "[loki]") {
  BatchMaker maker;
  maker.Add(kLabels, "x");
  maker.encoder.Abandon();
  maker.encoder.Flush(INT64_MAX);

  CHECK(maker.batches.empty());
  CHECK(maker.source->settled(0) == 0);
}

}  // namespace
}  // namespace agent
