#include "outputs/logstash/lumberjack_encoder.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/utf8.h"
#include "tests/outputs/logstash/event_bed.h"

namespace agent::logstash {
namespace {

using Bed = EventBed;

}  // namespace

TEST_CASE("lumberjack encoder: an event says where it is from", "[lumberjack]") {
  Bed bed;
  bed.options.index = "shop";
  bed.options.pipeline = GENERATE("", "p1");
  bed.options.with_ids = GENERATE(true, false);
  const Batch batch = bed.MakeBatch(2);

  const auto events = Bed::Events(batch.body);

  REQUIRE(events.size() == 2);
  CHECK(events[0].starts_with(R"({"@metadata":{"beat":"shop","type":"_doc","version":"1.0.0")"));
  CHECK(Bed::Text(events[0], "/@metadata/pipeline") ==
        (bed.options.pipeline.empty() ? "(none)" : "p1"));
  const std::string id = Bed::Text(events[0], "/@metadata/_id");
  CHECK((id.size() == 22) == bed.options.with_ids);
  if (bed.options.with_ids) CHECK(id != Bed::Text(events[1], "/@metadata/_id"));
  CHECK(Bed::Text(events[1], "/message") == "1");
  CHECK(Bed::Text(events[1], "/@timestamp") == "1970-01-01T00:00:00.000000000Z");
}

TEST_CASE("lumberjack encoder: windows have so many events and bytes at most", "[lumberjack]") {
  Bed bed;
  bed.options.compression_level = GENERATE(0, 3, 9);
  bed.options.window_entries = 7;
  bed.options.window_bytes = 4096;
  for (int i = 0; i < 100; ++i)
    bed.Add(std::string(static_cast<std::size_t>(i) * 20, 'x'));
  bed.encoder().Flush(INT64_MAX);

  std::size_t entries = 0;
  for (const Batch& batch : bed.batches) {
    CHECK(batch.entries() <= 7);
    CHECK((batch.raw_size <= 4096 || batch.entries() == 1));
    // Numbered from 1, or they would not be read.
    CHECK(Bed::Events(batch.body).size() == batch.entries());
    const auto list = FrameList::Parse(batch.body, batch.raw_size);
    CHECK((list.ok() && list->size() == batch.entries()));
    entries += batch.entries();
  }
  CHECK(entries == 100);
}

TEST_CASE("lumberjack encoder: what is larger than a window goes alone", "[lumberjack]") {
  Bed bed;
  bed.options.window_bytes = 1024;
  bed.Add("a");
  bed.Add(std::string(5000, 'x'));
  bed.Add("b");
  bed.encoder().Flush(INT64_MAX);

  REQUIRE(bed.batches.size() == 3);
  CHECK(Bed::Messages(bed.batches[1].body) == std::vector<std::string>{std::string(5000, 'x')});
}

TEST_CASE("lumberjack encoder: any bytes are valid JSON", "[lumberjack]") {
  Bed bed;
  std::string all;
  for (int i = 0; i < 256; ++i)
    all += static_cast<char>(i);
  bed.Add(all);
  bed.Add("\xED\xA0\x80 \xF5 \xC0\x80");
  bed.encoder().Flush(INT64_MAX);

  const auto events = Bed::Events(bed.batches[0].body);

  REQUIRE(events.size() == 2);
  for (const std::string& event : events) {
    CHECK(IsValidUtf8(event));
    CHECK(Bed::Text(event, "/message") != "(no JSON)");
  }
}

TEST_CASE("lumberjack encoder: names that Logstash does not get along with are changed",
          "[lumberjack]") {
  Bed bed;
  Labels labels;
  for (const char* name : {"line", "host", "tags", "beat", "app"})
    labels.Set(name, name);
  bed.options.document.add = {{"a[0]", "x"}, {"@metadata.beat", "y"}, {"@version", "z"}};
  bed.Add("the line", labels);
  bed.encoder().Flush(INT64_MAX);

  const std::string event = Bed::Events(bed.batches[0].body).at(0);

  INFO(event);
  CHECK(Bed::Text(event, "/line_") == "line");
  CHECK(Bed::Text(event, "/host/name") == "host");
  CHECK(Bed::Text(event, "/tags_") == "tags");
  CHECK(Bed::Text(event, "/beat_") == "beat");
  CHECK(Bed::Text(event, "/app") == "app");
  CHECK(Bed::Text(event, "/a_0_") == "x");
  CHECK(Bed::Text(event, "/@metadata/beat") == "log-agent");
  CHECK(Bed::Text(event, "/_metadata/beat") == "y");
  CHECK(Bed::Text(event, "/@version_") == "z");
}

TEST_CASE("lumberjack encoder: tags are an array, also of none of a document's own",
          "[lumberjack]") {
  Bed bed;
  bed.options.document.layout = DocumentLayout::kEcs;
  bed.options.document.tags = {"a", "b"};
  const Batch batch = bed.MakeBatch(1);
  CHECK(Bed::Text(Bed::Events(batch.body).at(0), "/tags/1") == "b");
}

TEST_CASE("lumberjack encoder: a document of which all is removed is an event", "[lumberjack]") {
  Bed bed;
  bed.options.document.remove = {"@timestamp", "message", "log"};
  const Batch batch = bed.MakeBatch(2);

  const auto events = Bed::Events(batch.body);

  REQUIRE(events.size() == 2);
  CHECK(Bed::Text(events[0], "/@metadata/beat") == "log-agent");
  CHECK(Bed::Text(events[0], "/message") == "(none)");
}

}  // namespace agent::logstash
