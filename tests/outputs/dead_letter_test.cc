#include "outputs/dead_letter.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

std::string AllText(const std::string& folder) {
  std::string all;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    all += text.str();
  }
  return all;
}

struct Bench {
  TempDir folder;
  FakeClock clock;
  UniqueFd null{::open("/dev/null", O_WRONLY)};
  Logger logger{null.get(), LogLevel::kError, LogFormat::kLogfmt};
};

DeadLetterEntry Entry(std::string_view line) {
  DeadLetterEntry entry;
  entry.reason = "refused";
  entry.output = "loki";
  entry.labels = R"({a="1"})";
  entry.line = line;
  entry.job = "j";
  entry.offset = 42;
  return entry;
}

TEST_CASE("dead letter: an entry is one line of JSON with all that is known", "[dead_letter]") {
  Bench bench;
  DeadLetter dead({bench.folder.path() + "/d", 1 << 20}, bench.clock, bench.logger);
  CHECK_FALSE(std::filesystem::exists(bench.folder.path() + "/d"));
  DeadLetterEntry entry = Entry("a \"quoted\"\nline\t");
  entry.tenant = "t";
  entry.timestamp_ns = 1'500'000'000;
  entry.metadata = {{"trace", "x"}};

  CHECK(dead.Append({&entry, 1}));

  CHECK(AllText(bench.folder.path() + "/d") ==
        R"({"time":"2026-01-02T03:04:05.000000000Z","reason":"refused","output":"loki",)"
        R"("tenant":"t","labels":"{a=\"1\"}","timestamp":"1970-01-01T00:00:01.500000000Z",)"
        R"("line":"a \"quoted\"\nline\u0009","structured_metadata":{"trace":"x"},)"
        R"("job":"j","offset":42})"
        "\n");
  CHECK(dead.written_entries() == 1);
}

TEST_CASE("dead letter: bytes that are not text are kept as base64", "[dead_letter]") {
  Bench bench;
  DeadLetter dead({bench.folder.path(), 1 << 20}, bench.clock, bench.logger);
  const DeadLetterEntry entry = Entry("\xff\xfe");

  CHECK(dead.Append({&entry, 1}));

  CHECK(AllText(bench.folder.path()).find(R"("line_base64":"//4=")") != std::string::npos);
}

TEST_CASE("dead letter: stays within its size by removing the oldest", "[dead_letter]") {
  Bench bench;
  const std::string filler(1000, 'x');
  for (int run = 0; run < 2; ++run) {  // Also over a restart.
    DeadLetter dead({bench.folder.path(), 20'000}, bench.clock, bench.logger);
    for (int i = 0; i < 60; ++i) {
      const std::string line = std::to_string(run) + ":" + std::to_string(i) + ":" + filler;
      const DeadLetterEntry entry = Entry(line);
      CHECK(dead.Append({&entry, 1}));
      CHECK(dead.size_bytes() <= 20'000);
    }
    CHECK(dead.removed_files() > 0);
  }
  const std::string text = AllText(bench.folder.path());
  CHECK(text.size() <= 20'000);
  CHECK(text.find("1:59:") != std::string::npos);
  CHECK(text.find("0:59:") == std::string::npos);
}

TEST_CASE("dead letter: when it cannot write it says so and goes on", "[dead_letter]") {
  Bench bench;
  std::ofstream(bench.folder.path() + "/file") << "not a folder";
  DeadLetter dead({bench.folder.path() + "/file/d", 1 << 20}, bench.clock, bench.logger);
  const DeadLetterEntry entry = Entry("x");

  CHECK_FALSE(dead.Append({&entry, 1}));
  CHECK_FALSE(dead.Append({&entry, 1}));

  CHECK(dead.lost_entries() == 2);
}

TEST_CASE("dead letter: a full disk loses entries, not the agent", "[dead_letter]") {
  Bench bench;
  DeadLetter dead({bench.folder.path(), 1 << 20}, bench.clock, bench.logger);
  const std::string line(5000, 'x');
  const DeadLetterEntry entry = Entry(line);
  // What a file may grow to stands in for the size of the disk.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const bool full = dead.Append({&entry, 1});
  ::setrlimit(RLIMIT_FSIZE, &before);

  CHECK_FALSE(full);
  CHECK(dead.Append({&entry, 1}));  // There is room again: a new file, which has no torn line.
  CHECK(dead.lost_entries() == 1);
  CHECK(dead.written_entries() == 1);
}

TEST_CASE("dead letter: without a path entries are only counted", "[dead_letter]") {
  Bench bench;
  DeadLetter dead({"", 1 << 20}, bench.clock, bench.logger);
  const DeadLetterEntry entry = Entry("x");
  CHECK_FALSE(dead.Append({&entry, 1}));
  CHECK(dead.lost_entries() == 1);
}

}  // namespace
}  // namespace agent
