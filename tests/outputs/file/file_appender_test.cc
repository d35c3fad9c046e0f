#include "outputs/file/file_appender.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "outputs/file/frame_compressor.h"
#include "outputs/file/rotation.h"
#include "tests/outputs/file/file_bed.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent::file {
namespace {

class Bed {
 public:
  Bed() { options.format = FileFormat::kRaw; }

  AppendResult Append(const std::vector<std::string>& texts, bool sync = true) {
    return AppendTo(path, texts, sync);
  }
  AppendResult AppendTo(const std::string& to, const std::vector<std::string>& texts,
                        bool sync = true) {
    if (appender == nullptr) appender = std::make_unique<FileAppender>(options, clock, logger);
    AppendJob job{to, {}, sync};
    for (const std::string& text : texts)
      job.bodies.push_back(ToBytes(text));
    return appender->Append(job);
  }
  std::string Rotated() const {
    std::string all;
    for (const std::string& file : RotatedFiles(path))
      all += ReadAll(file) + "|";
    return all;
  }

  TempDir folder{TempDir::InMemory()};
  std::string path = folder.path() + "/sub/app.log";
  FileOptions options;
  FakeClock clock;
  Logger logger{-1, LogLevel::kError, LogFormat::kLogfmt};
  std::unique_ptr<FileAppender> appender;
};

}  // namespace

TEST_CASE("file appender: makes folders, appends, and says what is on the disk", "[file]") {
  Bed bed;

  const AppendResult first = bed.Append({"1\n", "2\n"}, /*sync=*/false);
  const AppendResult second = bed.Append({"3\n"});
  const AppendResult nothing = bed.Append({});

  CHECK((first.appended == 2 && first.safe == 0 && first.error.empty()));
  CHECK((second.appended == 1 && second.synced && second.safe == 1));
  CHECK((nothing.synced && nothing.error.empty()));
  CHECK(ReadAll(bed.path) == "1\n2\n3\n");
  struct stat info {};
  REQUIRE(::stat(bed.path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
}

TEST_CASE("file appender: continues a file, behind what of it is whole", "[file]") {
  Bed bed;
  std::filesystem::create_directories(bed.folder.path() + "/sub");
  WriteAll(bed.path, "old\nhalf");

  CHECK(bed.Append({"new\n"}).error.empty());

  CHECK(ReadAll(bed.path) == "old\nnew\n");
}

TEST_CASE("file appender: rotates by size, and keeps the newest", "[file]") {
  Bed bed;
  bed.options.rotate_bytes = 10;
  bed.options.keep = 2;

  for (const char* const text : {"aaaa\n", "bbbb\n", "cccc\n", "dddd\n", "eeee\n", "ffff\n"}) {
    CHECK(bed.Append({text}).error.empty());
    bed.clock.Advance(kNanosPerSecond);
  }
  CHECK(bed.Append({"a line that is longer than a file may be\n"}).error.empty());
  CHECK(bed.Append({"g\n"}).error.empty());

  CHECK(ReadAll(bed.path) == "g\n");
  CHECK(bed.Rotated() == "eeee\nffff\n|a line that is longer than a file may be\n|");
}

TEST_CASE("file appender: rotation makes what was before safe", "[file]") {
  Bed bed;
  bed.options.rotate_bytes = 10;

  CHECK(bed.Append({"aaaa\n", "bbbb\n"}, /*sync=*/false).safe == 0);
  const AppendResult result = bed.Append({"cccc\n", "dddd\n"}, /*sync=*/false);

  CHECK(result.synced);  // All before the job, and nothing of it yet.
  CHECK(result.safe == 0);
}

TEST_CASE("file appender: rotates when an interval begins, by the time of writing", "[file]") {
  Bed bed;
  bed.options.rotate_interval = std::chrono::hours(1);
  bed.Append({"1\n"});
  bed.clock.Advance(60 * kNanosPerSecond);
  bed.Append({"2\n"});
  bed.clock.Advance(3600 * kNanosPerSecond);
  bed.Append({"3\n"});
  bed.clock.Advance(-7200 * kNanosPerSecond);  // A clock that was set back rotates nothing.
  bed.Append({"4\n"});

  CHECK(bed.Rotated() == "1\n2\n|");
  CHECK(ReadAll(bed.path) == "3\n4\n");
}

TEST_CASE("file appender: the interval of a file that was there is by its last change", "[file]") {
  Bed bed;
  bed.options.rotate_interval = std::chrono::hours(1);
  std::filesystem::create_directories(bed.folder.path() + "/sub");
  WriteAll(bed.path, "old\n");
  const timespec at{FakeClock::kStart / kNanosPerSecond - 3600, 0};
  const timespec times[2] = {at, at};
  REQUIRE(::utimensat(AT_FDCWD, bed.path.c_str(), times, 0) == 0);

  bed.Append({"new\n"});

  CHECK(bed.Rotated() == "old\n|");
  CHECK(ReadAll(bed.path) == "new\n");
}

TEST_CASE("file appender: notices that a file was moved, removed or cut", "[file]") {
  Bed bed;
  bed.Append({"1\n"});
  std::filesystem::rename(bed.path, bed.path + ".1");
  bed.Append({"2\n"});
  CHECK(ReadAll(bed.path) == "2\n");
  CHECK(ReadAll(bed.path + ".1") == "1\n");

  std::filesystem::remove_all(bed.folder.path() + "/sub");
  bed.Append({"3\n"});
  CHECK(ReadAll(bed.path) == "3\n");

  std::filesystem::resize_file(bed.path, 0);
  bed.Append({"4\n"});
  CHECK(ReadAll(bed.path) == "4\n");

  WriteAll(bed.path, "4\nother\nhalf");
  bed.Append({"5\n"});
  CHECK(ReadAll(bed.path) == "4\nother\n5\n");
}

TEST_CASE("file appender: has no more files open than it may", "[file]") {
  Bed bed;
  bed.options.max_open_files = 2;
  const auto open_files = [] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      count += entry.path().empty() ? 0U : 1U;
    return count;
  };
  const std::size_t before = open_files();

  for (int round = 0; round < 3; ++round) {
    for (const char* const name : {"/a", "/b", "/c", "/d"}) {
      CHECK(bed.AppendTo(bed.folder.path() + name, {"x\n"}).error.empty());
      CHECK(open_files() <= before + 2);
    }
  }
  bed.clock.Advance(31 * kNanosPerSecond);
  bed.appender->Tidy();

  CHECK(open_files() == before);
  CHECK(ReadAll(bed.folder.path() + "/a") == "x\nx\nx\n");
}

TEST_CASE("file appender: says why it cannot write, and does when it can", "[file]") {
  Bed bed;
  WriteAll(bed.folder.path() + "/sub", "a file in place of the folder");
  const AppendResult failed = bed.Append({"1\n"});
  CHECK((failed.appended == 0 && !failed.lost));
  CHECK_THAT(failed.error, Catch::Contains("/sub"));

  std::filesystem::remove(bed.folder.path() + "/sub");
  CHECK(bed.Append({"1\n"}).appended == 1);

  std::filesystem::create_directory(bed.folder.path() + "/folder");
  CHECK_FALSE(bed.AppendTo(bed.folder.path() + "/folder", {"1\n"}).error.empty());
  REQUIRE(::mkfifo((bed.folder.path() + "/fifo").c_str(), 0600) == 0);
  CHECK_THAT(bed.AppendTo(bed.folder.path() + "/fifo", {"1\n"}).error,
             Catch::Contains("not a regular file"));
}

TEST_CASE("file appender: a full disk leaves no half batch", "[file]") {
  const int full = ::open("/dev/full", O_WRONLY);
  if (full < 0) return;
  ::close(full);
  Bed bed;
  bed.Append({"1\n"});
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  // The nearest to a full disk that needs no mount: a file may not grow beyond 10 bytes.
  ::signal(SIGXFSZ, SIG_IGN);  // NOLINT(cert-err33-c)
  const rlimit small{10, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);

  const AppendResult result = bed.Append({"22\n", std::string(20, 'x') + "\n"});

  ::setrlimit(RLIMIT_FSIZE, &before);
  CHECK(result.appended == 1);
  CHECK_FALSE(result.error.empty());
  CHECK(ReadAll(bed.path) == "1\n22\n");
  CHECK(bed.Append({"333\n"}).appended == 1);
  CHECK(ReadAll(bed.path) == "1\n22\n333\n");
}

TEST_CASE("file appender: leaves a file alone that somebody else is writing", "[file]") {
  Bed bed;
  std::filesystem::create_directories(bed.folder.path() + "/sub");
  WriteAll(bed.path, "half");
  const int other = ::open(bed.path.c_str(), O_RDWR);
  REQUIRE(::flock(other, LOCK_EX | LOCK_NB) == 0);

  const AppendResult result = bed.Append({"1\n"});
  ::close(other);

  CHECK_THAT(result.error, Catch::Contains("somebody else"));
  CHECK(ReadAll(bed.path) == "half");
}

TEST_CASE("file appender: a batch that was compressed for another configuration fits in",
          "[file]") {
  Bed bed;
  const Bytes zstd = FrameCodec(FileCompression::kZstd, 0).Compress("1\n");
  CHECK(bed.Append({{zstd.data.get(), zstd.size}, "2\n"}).error.empty());
  CHECK(ReadAll(bed.path) == "1\n2\n");

  bed.appender.reset();
  bed.options.compression = FileCompression::kGzip;
  bed.path += ".gz";
  const Bytes gzip = FrameCodec(FileCompression::kGzip, 0).Compress("3\n");
  CHECK(bed.Append({{zstd.data.get(), zstd.size}, "2\n", {gzip.data.get(), gzip.size}})
            .error.empty());
  CHECK(*Decompress(ReadAll(bed.path), 1000) == "1\n2\n3\n");
}

TEST_CASE("rotation: names sort by time, keep their ending, and replace nothing", "[file]") {
  const TempDir folder;
  const std::string path = folder.path() + "/a.b.ndjson.zst";
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    WriteAll(path, std::to_string(i));
    names.push_back(*RotateAway(path, FakeClock::kStart));
  }
  WriteAll(folder.path() + "/a.b.20260102T030405.000Z.other.zst", "x");
  WriteAll(folder.path() + "/a.b.2026010xT030405.000Z.ndjson.zst", "x");

  CHECK(names[0] == folder.path() + "/a.b.20260102T030405.000Z.ndjson.zst");
  CHECK(names[2] == folder.path() + "/a.b.20260102T030405.002Z.ndjson.zst");
  CHECK(RotatedFiles(path) == names);
  CHECK(RemoveOldest(path, 2).ok());
  CHECK(RotatedFiles(path) == std::vector<std::string>{names[1], names[2]});
  CHECK(ReadAll(names[2]) == "2");
  // A name that has become free is not used again: its file would be the oldest.
  WriteAll(path, "3");
  CHECK(*RotateAway(path, FakeClock::kStart) > names[2]);
}

}  // namespace agent::file
