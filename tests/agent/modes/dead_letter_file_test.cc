#include "agent/modes/dead_letter_file.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "base/log.h"
#include "outputs/dead_letter.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

struct Bed {
  std::string Write(const DeadLetterEntry& entry) {
    REQUIRE(dead.Append({&entry, 1}));
    for (const auto& file : std::filesystem::directory_iterator(folder.path()))
      path = file.path().string();
    return path;
  }

  TempDir folder;
  FakeClock clock;
  Logger logger{-1, LogLevel::kError, LogFormat::kLogfmt};
  DeadLetter dead{{folder.path(), 1 << 20}, clock, logger};
  std::string path;
};

}  // namespace

TEST_CASE("dead letter file: an entry comes back as it was", "[replay]") {
  Bed bed;
  DeadLetterEntry entry;
  entry.reason = "no";
  entry.output = "main";
  entry.tenant = "team";
  entry.labels = R"({app="a \"b\"", env="prod"})";
  entry.timestamp_ns = 1714557600123456789;
  entry.line = "bad \xff\n\"line\"";
  entry.metadata = {{"trace", "t1"}, {"raw", "\xfe"}, {"name_base64", "aGk="}};
  entry.job = "j";
  entry.source = "/var/log/x";
  entry.offset = 42;
  auto file = DeadLetterFile::Open(bed.Write(entry));
  REQUIRE(file.ok());

  const auto line = (*file)->Next();
  REQUIRE(line);
  const auto record = ParseDeadLetterLine(*line);

  REQUIRE(record.ok());
  CHECK(record->output == "main");
  CHECK(record->tenant == "team");
  CHECK(record->labels == Labels{{"app", "a \"b\""}, {"env", "prod"}});
  CHECK(record->timestamp_ns == entry.timestamp_ns);
  CHECK(record->line == entry.line);
  REQUIRE(record->metadata.size() == 3);
  CHECK(record->metadata[0] == std::pair<std::string, std::string>("trace", "t1"));
  CHECK(record->metadata[1] == std::pair<std::string, std::string>("raw", "\xfe"));
  CHECK(record->metadata[2] == std::pair<std::string, std::string>("name_base64", "aGk="));
  CHECK((record->job == "j" && record->source == "/var/log/x" && record->offset == 42));
  CHECK_FALSE((*file)->Next());
}

TEST_CASE("dead letter file: a document comes back byte for byte", "[replay]") {
  Bed bed;
  DeadLetterEntry entry;
  entry.output = "search";
  entry.document = R"({"a":1.50,"b":{"c":"}"}})";
  entry.index = "logs";
  entry.id = "id-1";
  entry.status = 400;
  auto file = DeadLetterFile::Open(bed.Write(entry));

  const auto record = ParseDeadLetterLine(*(*file)->Next());

  REQUIRE(record.ok());
  CHECK(record->document == entry.document);
  CHECK((record->index == "logs" && record->id == "id-1"));
}

TEST_CASE("dead letter file: says what is wrong with a line", "[replay]") {
  struct Case {
    const char* line;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"", "not a JSON object"},
      {"[1]", "not a JSON object"},
      {R"({"output":"x","line":"y)", "not a JSON object"},
      {R"({"output":"x","line":7})", "damaged JSON at 'line'"},
      {R"({"line":"y"})", "'output' is missing"},
      {R"({"output":"x"})", "neither 'line' nor 'document'"},
      {R"({"output":"x","line":"y","timestamp":"yesterday"})", "is no timestamp"},
      {R"({"output":"x","line":"y","timestamp":"2024-05-01T10:00:00.000000000Z","labels":"{a"})",
       "labels"},
      {R"({"output":"x","document":7})", "'document'"},
      {R"({"output":"x","document":{}} {})", "behind the JSON object"},
  }));
  INFO(c.line);

  const auto record = ParseDeadLetterLine(c.line);

  REQUIRE_FALSE(record.ok());
  CHECK_THAT(record.error().message, Catch::Contains(c.want));
}

TEST_CASE("dead letter file: is removed, unless it has grown", "[replay]") {
  Bed bed;
  DeadLetterEntry entry;
  entry.output = "main";
  entry.line = "1";
  const std::string path = bed.Write(entry);
  auto file = DeadLetterFile::Open(path);
  while ((*file)->Next()) {
  }
  bed.Write(entry);

  CHECK_FALSE((*file)->Remove().ok());
  CHECK(std::filesystem::exists(path));

  auto again = DeadLetterFile::Open(path);
  while ((*again)->Next()) {
  }
  CHECK((*again)->Remove().ok());
  CHECK(std::filesystem::is_empty(bed.folder.path()));

  // Who was writing to it goes on in a file that is there.
  const std::string next = bed.Write(entry);
  CHECK(std::filesystem::file_size(next) > 0);
  CHECK(std::distance(std::filesystem::directory_iterator(bed.folder.path()), {}) == 1);
}

}  // namespace agent
