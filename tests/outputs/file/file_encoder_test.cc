#include "outputs/file/file_encoder.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/outputs/file/file_bed.h"

namespace agent::file {
namespace {

constexpr std::size_t kMaxRaw = std::size_t{1} << 26;

class Bed {
 public:
  Bed() {
    options.path = *EventPattern::Parse("/logs/%{[app]}.log");
    options.format = FileFormat::kRaw;
  }
  FileEncoder& encoder() {
    if (!encoder_) {
      encoder_ = std::make_unique<FileEncoder>(
          options, FileEncoder::Dependencies{0, sets, budget}, counters,
          [this](Batch batch) { batches.push_back(std::move(batch)); });
      encoder_->BeginSource(source);
    }
    return *encoder_;
  }
  void Add(const Labels& labels, const std::string& line, int64_t now_ns = 1) {
    TestEntry entry(sets, labels, line);
    entry.entry.offset = offset;
    encoder().Add(entry.entry, now_ns);
    offset += line.size() + 1;
  }
  std::string Text(const Batch& batch) const {
    return *Decompress({batch.body.data.get(), batch.body.size}, kMaxRaw);
  }

  FileOptions options;
  LabelSets sets;
  MemoryBudget budget{std::size_t{64} << 20};
  std::shared_ptr<OutputCounters> counters = std::make_shared<OutputCounters>();
  std::shared_ptr<SourceProgress> source =
      std::make_shared<SourceProgress>("job", std::vector<uint64_t>{0}, nullptr);
  uint64_t offset = 0;
  std::vector<Batch> batches;

 private:
  std::unique_ptr<FileEncoder> encoder_;
};

std::string Formatted(FileFormat format, const std::string& line,
                      std::vector<Metadata> metadata = {}) {
  FileOptions options;
  options.format = format;
  options.document.layout = DocumentLayout::kFlat;
  LabelSets sets;
  EntryFormat entry_format(options, sets);
  const TestEntry entry(sets, {{"app", "a b"}, {"job", "x"}}, line, std::move(metadata));
  GrowingBuffer to;
  entry_format.Append(to, entry.entry, nullptr);
  return {to.data(), to.size()};
}

}  // namespace

TEST_CASE("file encoder: a batch for each path, compressed by itself", "[file]") {
  Bed bed;
  bed.options.compression =
      GENERATE(FileCompression::kNone, FileCompression::kGzip, FileCompression::kZstd);
  bed.Add({{"app", "a"}}, "1");
  bed.Add({{"app", "b"}}, "2");
  bed.Add({{"app", "a"}}, "3");
  CHECK(bed.encoder().open_bytes() > 0);

  bed.encoder().Flush(INT64_MAX);

  std::map<std::string, std::string> got;
  for (Batch& batch : bed.batches) {
    got[batch.tenant] = bed.Text(batch);
    batch.Settle();
  }
  CHECK(got ==
        std::map<std::string, std::string>{{"/logs/a.log", "1\n3\n"}, {"/logs/b.log", "2\n"}});
  CHECK_FALSE(bed.encoder().NextDeadline());
}

TEST_CASE("file encoder: many paths hold no more than a few batches' bytes", "[file]") {
  Bed bed;
  bed.options.batch_bytes = 1000;
  const std::string line(400, 'x');

  std::size_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    bed.Add({{"app", std::to_string(i)}}, line, i);
    most = std::max(most, bed.encoder().open_bytes());
  }
  bed.encoder().Flush(INT64_MAX);

  CHECK(most < 8000);
  CHECK(bed.batches.size() == 1000);
  for (Batch& batch : bed.batches)
    batch.Settle();
}

TEST_CASE("file encoder: abandoned entries stay unsettled", "[file]") {
  Bed bed;
  bed.Add({{"app", "a"}}, "1");

  bed.encoder().Abandon();

  CHECK(bed.encoder().open_bytes() == 0);
  CHECK(bed.source->settled(0) == 0);
}

TEST_CASE("file format: one line for each entry", "[file]") {
  CHECK(Formatted(FileFormat::kRaw, "x y") == "x y\n");
  CHECK(Formatted(FileFormat::kRaw, "with its own\n") == "with its own\n");
  CHECK(Formatted(FileFormat::kNdjson, "x\ny") ==
        R"({"@timestamp":"2024-05-01T10:00:00.123456789Z","message":"x\ny","app":"a b","job":"x"})"
        "\n");
  CHECK(Formatted(FileFormat::kLogfmt, "x=\"1\"\n2\xff", {{"tr ace=", "t1"}, {"empty", ""}}) ==
        "time=2024-05-01T10:00:00.123456789Z app=\"a b\" job=x tr_ace_=t1 empty=\"\" "
        "line=\"x=\\\"1\\\"\\n2\xEF\xBF\xBD\"\n");
}

TEST_CASE("path namer: values are parts of names and nothing else", "[file]") {
  struct Case {
    std::string value;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"shop", "/logs/shop/x-shop.log"},
      {"..", "/logs/__/x-__.log"},
      {".", "/logs/_/x-_.log"},
      {"../../etc/passwd", "/logs/___.._etc_passwd/x-___.._etc_passwd.log"},
      {"/etc", "/logs/_etc/x-_etc.log"},
      {std::string("a\0b\n", 4), "/logs/a_b_/x-a_b_.log"},
      {".hidden", "/logs/_hidden/x-_hidden.log"},
      {"", "/logs/_/x-_.log"},
      {std::string(300, 'y'),
       "/logs/" + std::string(128, 'y') + "/x-" + std::string(128, 'y') + ".log"},
  }));
  INFO(c.value);
  LabelSets sets;
  PathNamer namer(*EventPattern::Parse("/logs/%{[app]}/x-%{[app]}.log"));

  CHECK(namer.Name(TestEntry(sets, {{"app", c.value}}, "").entry, sets));

  CHECK(namer.path() == c.want);
}

TEST_CASE("path namer: parts that make dots together", "[file]") {
  LabelSets sets;
  PathNamer namer(*EventPattern::Parse("/logs/.%{[a]:.}/%{+yyyy}.log"));
  std::string path = "/a/../b/./c";

  RepairPath(path);

  CHECK(path == "/a/__/b/_/c");
  CHECK(namer.Name(TestEntry(sets, {}, "").entry, sets));
  CHECK(namer.path() == "/logs/._/2024.log");
  CHECK_FALSE(namer.Name(TestEntry(sets, {}, "").entry, sets));
}

}  // namespace agent::file
