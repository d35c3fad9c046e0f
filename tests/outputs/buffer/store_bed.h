// A disk buffer's store in a folder of its own, and batches for it.

#pragma once

#include <fcntl.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/unique_fd.h"
#include "outputs/buffer/buffer_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent {

inline StoredBatch MakeStored(uint64_t id, const std::string& body, std::size_t entries = 1) {
  StoredBatch batch;
  batch.id = id;
  batch.created_wall_ns = static_cast<int64_t>(id) * kNanosPerSecond;
  batch.tenant = "tenant";
  batch.raw_size = body.size() * 2;
  batch.line_bytes = body.size();
  batch.body.size = body.size();
  batch.body.data = std::make_unique_for_overwrite<char[]>(body.size());
  std::memcpy(batch.body.data.get(), body.data(), body.size());
  batch.jobs = {"job"};
  for (std::size_t i = 0; i < entries; ++i) {
    batch.origins.push_back(
        {.pin = 0, .source_bytes = static_cast<uint32_t>(10 + i), .offset = 1000 * id + 7 * i});
  }
  return batch;
}

inline std::string BodyText(const StoredBatch& batch) {
  return {batch.body.data.get(), batch.body.size};
}

inline std::string FileText(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline void WriteFile(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

struct StoreBed {
  StoreBed()
      : folder(TempDir::InMemory()),
        null(::open("/dev/null", O_WRONLY)),
        logger(null.get(), LogLevel::kError, LogFormat::kLogfmt),
        quota{folder.path(), uint64_t{1} << 30, 0, 0},
        options{.folder = folder.path() + "/buffer", .output = "out", .kind = "loki"} {
    Open();
  }

  void Open() {
    store.reset();
    auto opened = BufferStore::Open(options, quota, clock, logger);
    REQUIRE(opened.ok());
    store = std::move(*opened);
  }
  void Append(uint64_t id, const std::string& body = "body", std::size_t entries = 1) {
    REQUIRE(store->Append(MakeStored(id, body, entries), /*already_sent=*/false).ok());
  }
  // Ids of everything that can be read now.
  std::vector<uint64_t> ReadAll() const {
    std::vector<uint64_t> ids;
    while (const auto batch = store->ReadNext())
      ids.push_back(batch->id);
    return ids;
  }
  [[nodiscard]] std::vector<std::string> Segments() const { return ListSegments(options.folder); }
  [[nodiscard]] std::size_t CorruptFiles() const {
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(options.folder))
      count += file.path().extension() == ".corrupt" ? 1U : 0U;
    return count;
  }

  TempDir folder;
  FakeClock clock;
  UniqueFd null;
  Logger logger;
  BufferQuota quota;
  StoreOptions options;
  std::unique_ptr<BufferStore> store;
};

using Ids = std::vector<uint64_t>;

}  // namespace agent
