#include "outputs/elasticsearch/bulk_encoder.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "outputs/elasticsearch/bulk_body.h"

namespace agent::elasticsearch {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class Bed {
 public:
  Bed() {
    options.index = *EventPattern::Parse("i");
    options.document.layout = DocumentLayout::kFlat;
  }

  BulkEncoder& encoder() {
    if (!encoder_) {
      encoder_ = std::make_unique<BulkEncoder>(
          options, BulkEncoder::Dependencies{0, 1, sets, budget}, counters,
          [this](Batch batch) { batches.push_back(std::move(batch)); });
      encoder_->BeginSource(source);
    }
    return *encoder_;
  }
  void Add(const std::string& line, int64_t now_ns = 1, const Labels& labels = {}) {
    padded_ = line + std::string(64, '\0');
    Entry entry;
    entry.line = std::string_view(padded_).substr(0, line.size());
    entry.labels = sets.Intern(labels);
    entry.offset = offset;
    entry.source_bytes = static_cast<uint32_t>(line.size() + 1);
    encoder().Add(entry, now_ns);
    offset += entry.source_bytes;
  }
  BulkBody Body(const Batch& batch) const {
    auto body = BulkBody::Parse(batch.body, batch.raw_size, options.compression_level > 0);
    REQUIRE(body.ok());
    return std::move(*body);
  }

  ElasticsearchOptions options;
  LabelSets sets;
  MemoryBudget budget{std::size_t{64} << 20};
  std::shared_ptr<OutputCounters> counters = std::make_shared<OutputCounters>();
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  std::vector<Batch> batches;

 private:
  std::string padded_;
  std::unique_ptr<BulkEncoder> encoder_;
};

}  // namespace

TEST_CASE("bulk encoder: a request never has more than was allowed, as it is written", "[es]") {
  Bed bed;
  bed.options.batch_bytes = 4096;
  bed.options.compression_level = GENERATE(0, 1);
  for (int i = 0; i < 100; ++i)
    bed.Add(std::string(100, '\x01'));  // Six times as long in JSON.
  bed.encoder().Flush(INT64_MAX);

  CHECK(bed.batches.size() > 1);
  std::size_t entries = 0;
  for (const Batch& batch : bed.batches) {
    CHECK(batch.raw_size <= 4096);
    CHECK(bed.Body(batch).size() == batch.entries());
    entries += batch.entries();
  }
  CHECK(entries == 100);
}

TEST_CASE("bulk encoder: what is larger than a request goes alone", "[es]") {
  Bed bed;
  bed.options.batch_bytes = 1024;
  bed.Add("a");
  bed.Add(std::string(5000, 'x'));
  bed.Add("b");
  bed.encoder().Flush(INT64_MAX);

  REQUIRE(bed.batches.size() == 3);
  for (const Batch& batch : bed.batches)
    CHECK(batch.entries() == 1);
}

TEST_CASE("bulk encoder: closes by number of entries and by age", "[es]") {
  Bed bed;
  bed.options.batch_entries = 2;
  for (int i = 0; i < 5; ++i)
    bed.Add("x", kSecond);
  CHECK(bed.batches.size() == 2);
  CHECK(bed.encoder().NextDeadline() == 2 * kSecond);
  bed.encoder().Flush(2 * kSecond - 1);
  CHECK(bed.batches.size() == 2);
  bed.encoder().Flush(2 * kSecond);
  CHECK(bed.batches.size() == 3);
  CHECK_FALSE(bed.encoder().NextDeadline());
  CHECK(bed.encoder().open_bytes() == 0);
}

TEST_CASE("bulk encoder: an entry without an index is marked, and stands in its place", "[es]") {
  Bed bed;
  bed.options.index = *EventPattern::Parse("l-%{[app]}");
  bed.Add("a", 1, {{"app", "x"}});
  bed.Add("b");
  bed.Add("c", 1, {{"app", "X"}});
  bed.encoder().Flush(INT64_MAX);

  REQUIRE(bed.batches.size() == 1);
  CHECK(bed.batches[0].unsendable == std::vector<uint32_t>{1});
  const BulkBody body = bed.Body(bed.batches[0]);
  CHECK(ActionValue(body.At(0).action, "_index") == "l-x");
  CHECK(ActionValue(body.At(2).action, "_index") == "l-x");
  CHECK(ActionValue(body.At(0).action, "_id").size() == 22);
}

TEST_CASE("bulk encoder: actions are what the target takes", "[es]") {
  Bed bed;
  bed.options.id_mode = DocumentIdMode::kNone;
  const bool creates = GENERATE(false, true);
  bed.options.creates = creates;
  bed.options.require_alias = true;
  bed.Add("a");
  bed.encoder().Flush(INT64_MAX);

  const BulkBody body = bed.Body(bed.batches.at(0));
  const std::string action = creates ? "create" : "index";
  CHECK(body.At(0).action == "{\"" + action + R"(":{"_index":"i","require_alias":true}})" + "\n");
}

TEST_CASE("bulk encoder: what is abandoned stays unsettled", "[es]") {
  Bed bed;
  bed.Add("a");
  bed.source->Advance({.end = 2, .read_bytes = 2, .dropped_bytes = 0, .lines = 1});
  bed.encoder().Abandon();
  bed.encoder().Flush(INT64_MAX);

  CHECK(bed.batches.empty());
  CHECK(bed.source->settled(0) == 0);
}

}  // namespace agent::elasticsearch
