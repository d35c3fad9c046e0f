#include "agent/tail/journal.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "agent/tail/positions_file.h"
#include "base/random.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

SourceRecord MakeRecord(uint64_t id, uint64_t offset) {
  SourceRecord record;
  record.key = {id, 0};
  record.identity = {{1, id + 100}, {id * 7, 1024}};
  record.path = "/var/log/" + std::to_string(id) + ".log";
  record.place = record.path + ".1";
  record.job = "job";
  record.labels_hash = 5;
  record.settled = {{"loki", offset}, {"search", offset + 1}};
  return record;
}

Journal LoadFrom(const std::string& path, JournalReport* report = nullptr) {
  JournalReport ignored;
  return Journal::Load(path, report != nullptr ? *report : ignored);
}

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc | std::ios::binary) << text;
}

// As a full disk: files do not grow beyond `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit full{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);  // NOLINT(cert-err33-c): it was this one before.
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_CASE("journal: what was flushed is there again", "[tail][journal]") {
  TempDir dir;
  const std::string path = dir.path() + "/j";
  Journal journal = LoadFrom(path);
  journal.Put(MakeRecord(1, 10));
  journal.Put(MakeRecord(2, 20));
  REQUIRE(journal.Flush().ok());
  journal.SetSettled({1, 0}, {15, 16});
  journal.Forget({2, 0});
  journal.SetWritten("/x", 3);
  journal.SetWritten("/x", 4);
  REQUIRE(journal.Flush().ok());
  journal.SetSettled({1, 0}, {99, 99});  // Not flushed: lost with the process.

  const Journal again = LoadFrom(path);
  REQUIRE(again.state().sources.size() == 1);
  const SourceRecord& record = again.state().sources.at({1, 0});
  CHECK(record.settled[0].second == 15);
  CHECK(record.settled[1].second == 16);
  CHECK(record.place == "/var/log/1.log.1");
  CHECK(record.MinSettled() == 15);
  CHECK(again.state().written.at("/x") == WrittenPosition{4, 3});
}

TEST_CASE("journal: two generations of a source stand side by side", "[tail][journal]") {
  TempDir dir;
  Journal journal = LoadFrom(dir.path() + "/j");
  SourceRecord record = MakeRecord(1, 10);
  journal.Put(record);
  record.key.generation = 1;
  journal.Put(record);
  REQUIRE(journal.Flush().ok());
  CHECK(LoadFrom(dir.path() + "/j").state().sources.size() == 2);
}

TEST_CASE("journal: a torn end is cut off", "[tail][journal]") {
  TempDir dir;
  const std::string path = dir.path() + "/j";
  Journal journal = LoadFrom(path);
  journal.Put(MakeRecord(1, 10));
  REQUIRE(journal.Flush().ok());
  const std::string whole = *ReadWholeFile(path, 1 << 20);
  journal.SetSettled({1, 0}, {50, 50});
  REQUIRE(journal.Flush().ok());
  const std::string longer = *ReadWholeFile(path, 1 << 20);

  for (std::size_t size = whole.size(); size < longer.size(); ++size) {
    WriteText(path, longer.substr(0, size));
    JournalReport report;
    const Journal again = LoadFrom(path, &report);
    CHECK(again.state().sources.at({1, 0}).MinSettled() == 10);
    CHECK(report.torn_bytes == size - whole.size());
  }
}

TEST_CASE("journal: a flipped bit costs one record, and never moves a position ahead",
          "[tail][journal]") {
  TempDir dir;
  const std::string path = dir.path() + "/j";
  Journal journal = LoadFrom(path);
  for (uint64_t id = 1; id <= 3; ++id)
    journal.Put(MakeRecord(id, 10));
  REQUIRE(journal.Flush().ok());
  journal.SetSettled({2, 0}, {20, 20});
  REQUIRE(journal.Flush().ok());
  std::filesystem::remove(path + ".bak");
  const std::string good = *ReadWholeFile(path, 1 << 20);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    WriteText(path, bad);
    JournalReport report;
    const Journal again = LoadFrom(path, &report);
    CHECK(report.damaged_records + report.torn_bytes > 0);
    CHECK(again.state().sources.size() >= 2);
    for (const auto& [key, record] : again.state().sources)
      CHECK(record.MinSettled() <= 20);
  }
}

TEST_CASE("journal: an unusable one gives way to the previous one", "[tail][journal]") {
  const std::string garbage = GENERATE("", "garbage", std::string(5000, '\0'));
  TempDir dir;
  const std::string path = dir.path() + "/j";
  {
    Journal journal = LoadFrom(path);
    journal.Put(MakeRecord(1, 10));
    REQUIRE(journal.Flush().ok());
    REQUIRE(journal.Rewrite().ok());
  }
  WriteText(path, garbage);
  JournalReport report;
  const Journal again = LoadFrom(path, &report);
  CHECK(report.used_previous);
  CHECK(again.state().sources.size() == 1);
}

TEST_CASE("journal: a rewrite keeps what came while it was on its way", "[tail][journal]") {
  TempDir dir;
  const std::string path = dir.path() + "/j";
  Journal journal = LoadFrom(path);
  journal.Put(MakeRecord(1, 10));
  REQUIRE(journal.Flush().ok());
  const std::string content = journal.BeginRewrite();
  journal.SetSettled({1, 0}, {30, 30});
  REQUIRE(journal.Flush().ok());
  journal.Put(MakeRecord(2, 5));
  CHECK(LoadFrom(path).state().sources.at({1, 0}).MinSettled() == 30);

  REQUIRE(journal.FinishRewrite(Journal::WriteRewrite(path, content)).ok());
  const Journal again = LoadFrom(path);
  CHECK(again.state().sources.at({1, 0}).MinSettled() == 30);
  CHECK(again.state().sources.size() == 2);
}

TEST_CASE("journal: a rewrite has what could not be appended meanwhile", "[tail][journal]") {
  TempDir dir;
  const std::string path = dir.path() + "/j";
  Journal journal = LoadFrom(path);
  journal.Put(MakeRecord(1, 10));
  REQUIRE(journal.Flush().ok());
  const std::string content = journal.BeginRewrite();
  journal.Put(MakeRecord(2, 5));
  {
    const FileSizeLimit full(journal.file_bytes());
    CHECK(!journal.Flush().ok());
  }

  REQUIRE(journal.FinishRewrite(Journal::WriteRewrite(path, content)).ok());

  CHECK(LoadFrom(path).state().sources.size() == 2);
}

TEST_CASE("journal: grows, and is rewritten small", "[tail][journal]") {
  TempDir dir;
  Journal journal = LoadFrom(dir.path() + "/j");
  journal.Put(MakeRecord(1, 0));
  REQUIRE(journal.Flush().ok());
  uint64_t offset = 0;
  while (!journal.WantsRewrite()) {
    ++offset;
    journal.SetSettled({1, 0}, {offset, offset});
    REQUIRE(journal.Flush().ok());
    REQUIRE(offset < 100'000);
  }
  REQUIRE(journal.Rewrite().ok());
  CHECK(journal.file_bytes() < 1000);
  CHECK(LoadFrom(dir.path() + "/j").state().sources.at({1, 0}).MinSettled() == offset);
}

TEST_CASE("journal: a failed write is made good later", "[tail][journal]") {
  TempDir dir;
  const std::string path = dir.path() + "/sub/j";
  Journal journal = LoadFrom(path);
  journal.Put(MakeRecord(1, 10));
  CHECK(!journal.Flush().ok());
  CHECK(journal.dirty());
  std::filesystem::create_directory(dir.path() + "/sub");
  CHECK(journal.Flush().ok());
  CHECK(LoadFrom(path).state().sources.size() == 1);
}

}  // namespace
}  // namespace agent
