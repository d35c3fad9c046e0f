#include <string>

#include <catch2/catch.hpp>

#include "agent/config/sections.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

struct ReadSection {
  BufferConfig buffer;
  std::string errors;
};

ReadSection Read(const std::string& text) {
  Problems problems("c.yaml", text);
  const ConfigNode node = LoadYaml(text, problems);
  FieldReader fields(node, "clients[0]", problems);
  ReadSection read;
  read.buffer = ReadBuffer(fields);
  fields.Finish();
  read.errors = Report(problems, Severity::kError);
  return read;
}

TEST_CASE("buffer: nothing said is the default of the place", "[config][buffer]") {
  const ReadSection read = Read("{}");

  CHECK(read.errors.empty());
  CHECK(read.buffer == BufferConfig{});
  CHECK(read.buffer.type == BufferType::kDefault);
  CHECK(read.buffer.max_size_bytes == uint64_t{1} << 30U);
}

TEST_CASE("buffer: every key", "[config][buffer]") {
  const ReadSection read = Read(
      "buffer: {type: disk, path: /var/b, max_size: 2GiB, when_full: drop_oldest, sync: always, "
      "min_free: 10MiB}");

  CHECK(read.errors.empty());
  CHECK(read.buffer == BufferConfig{.type = BufferType::kDisk,
                                    .path = "/var/b",
                                    .max_size_bytes = uint64_t{2} << 30U,
                                    .when_full = BufferWhenFull::kDropOldest,
                                    .sync = BufferSync::kAlways,
                                    .min_free_bytes = uint64_t{10} << 20U});
}

TEST_CASE("buffer: a section without a type is a disk buffer; none is none", "[config][buffer]") {
  CHECK(Read("buffer: {max_size: 5MiB}").buffer.type == BufferType::kDisk);
  CHECK(Read("buffer: {type: none}").buffer.type == BufferType::kNone);
  CHECK(Read("buffer: {min_free: 0}").buffer.min_free_bytes == 0);
}

TEST_CASE("buffer: other shippers' names of keys are taken", "[config][buffer]") {
  const ReadSection read = Read("buffer: {max_bytes: 4MiB, on_full: drop_newest}");

  CHECK(read.errors.empty());
  CHECK(read.buffer.max_size_bytes == uint64_t{4} << 20U);
  CHECK(read.buffer.when_full == BufferWhenFull::kDropNewest);
}

TEST_CASE("buffer: what is wrong is told", "[config][buffer]") {
  const auto errors = [](const std::string& text) { return Read(text).errors; };

  CHECK_THAT(errors("buffer: {max_size: 4KiB}"), Catch::Contains("must be 1MiB or more"));
  CHECK_THAT(errors("buffer: {when_full: wait}"), Catch::Contains("clients[0].buffer.when_full"));
  CHECK_THAT(errors("buffer: {type: memory}"), Catch::Contains("clients[0].buffer.type"));
  CHECK_THAT(errors("buffer: {sync: maybe}"), Catch::Contains("clients[0].buffer.sync"));
  CHECK_THAT(errors("buffer: {maxsize: 1GiB}"), Catch::Contains("did you mean 'max_size'"));
  CHECK_THAT(errors("buffer: {max_size: 1GiB, max_bytes: 2GiB}"),
             Catch::Contains("is another name of max_size"));
  CHECK_THAT(errors("buffer: disk"), Catch::Contains("clients[0].buffer"));
}

}  // namespace
}  // namespace agent
