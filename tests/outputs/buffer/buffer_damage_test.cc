// A buffer whose end was torn, or that was damaged, anywhere: it opens, gives what is whole, in
// order, and takes more.

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "outputs/buffer/buffer_folder.h"
#include "tests/outputs/buffer/store_bed.h"

namespace agent {
namespace {

constexpr uint64_t kBatches = 4;

// The bytes of a segment with four batches, and where each begins.
struct SmallSegment {
  SmallSegment() {
    for (uint64_t id = 1; id <= kBatches; ++id) {
      bed.Append(id, "body " + std::to_string(id), 2);
      ends.push_back(std::filesystem::file_size(bed.Segments()[0]));
    }
    path = bed.Segments()[0];
    bed.store.reset();
    bytes = FileText(path);
  }
  // The ids whose blocks end at or before `offset`, and those that begin behind it.
  [[nodiscard]] Ids Before(std::size_t offset) const {
    Ids ids;
    for (uint64_t id = 1; id <= kBatches; ++id)
      if (ends[id - 1] <= offset) ids.push_back(id);
    return ids;
  }
  [[nodiscard]] Ids Without(std::size_t offset) const {
    Ids ids;
    uint64_t begin = kSegmentHeaderBytes;
    for (uint64_t id = 1; id <= kBatches; ++id) {
      if (offset < begin || offset >= ends[id - 1]) ids.push_back(id);
      begin = ends[id - 1];
    }
    return ids;
  }

  StoreBed bed;
  std::string path;
  std::string bytes;
  std::vector<uint64_t> ends;
};

TEST_CASE("buffer damage: torn at any byte, it gives what is whole and goes on", "[buffer]") {
  SmallSegment small;
  for (std::size_t size = 0; size < small.bytes.size(); ++size) {
    INFO("cut at " << size);
    WriteFile(small.path, std::string_view(small.bytes).substr(0, size));
    std::filesystem::remove(small.bed.options.folder + "/cursor");

    small.bed.Open();

    const Ids want = small.Before(size);
    CHECK(small.bed.ReadAll() == want);
    const uint64_t next = small.bed.store->next_id();
    CHECK(next == want.size() + 1);
    small.bed.Append(next, "more");
    CHECK(small.bed.ReadAll() == Ids{next});
    for (uint64_t id = 1; id <= next; ++id)
      small.bed.store->Settle(id);
    CHECK(small.bed.Segments().empty());
    CHECK(small.bed.quota.used_bytes == 0);
    small.bed.store.reset();
  }
}

TEST_CASE("buffer damage: a bit flipped anywhere costs one batch at most", "[buffer]") {
  SmallSegment small;
  const bool last = GENERATE(true, false);
  for (std::size_t at = 0; at < small.bytes.size(); ++at) {
    INFO("flipped at " << at << (last ? ", the last segment" : ", in the middle"));
    for (const auto& file : std::filesystem::directory_iterator(small.bed.options.folder))
      std::filesystem::remove(file.path());
    std::string damaged = small.bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    WriteFile(small.path, damaged);
    if (!last) {
      small.bed.Open();
      small.bed.Append(10);
      small.bed.store.reset();
      WriteFile(small.path, damaged);
    }

    small.bed.Open();

    Ids want = small.Without(at);
    if (!last) want.push_back(10);
    CHECK(small.bed.ReadAll() == want);
    const std::size_t lost = kBatches + (last ? 0 : 1) - want.size();
    const StoreCounters& counters = small.bed.store->counters();
    // The damaged end of the newest segment is a torn write: it is cut off, and not kept.
    const bool torn = last && at >= small.ends[kBatches - 2];
    CHECK(counters.corrupt_batches == (torn ? 0 : lost));
    CHECK((counters.corrupt_bytes > 0) == (lost > 0));
    CHECK(small.bed.CorruptFiles() == (torn ? 0 : lost));
    for (const uint64_t id : want)
      small.bed.store->Settle(id);
    CHECK(small.bed.Segments().empty());
    small.bed.store.reset();
  }
}

TEST_CASE("buffer damage: what looks like a block inside a body is not taken for one", "[buffer]") {
  StoreBed bed;
  bed.Append(1, "first");
  bed.Append(2, std::string(BlockMagic()) + "no block");
  bed.Append(3, "third");
  const std::string path = bed.Segments()[0];
  bed.store.reset();
  std::string bytes = FileText(path);
  bytes[bytes.find("no block") - BlockMagic().size() - 40] ^= 1;  // In the header in front of it.
  WriteFile(path, bytes);

  bed.Open();

  CHECK(bed.ReadAll() == Ids{1, 3});
}

TEST_CASE("buffer damage: garbage instead of everything is no reason not to start", "[buffer]") {
  StoreBed bed;
  bed.Append(3);
  const std::string path = bed.Segments()[0];
  bed.store.reset();
  for (const std::string& garbage :
       {std::string(), std::string(10, 'x'), std::string(9999, '\xB1')}) {
    WriteFile(path, garbage);
    WriteFile(bed.options.folder + "/cursor", garbage);

    bed.Open();

    CHECK(bed.ReadAll().empty());
    const uint64_t id = bed.store->next_id();
    bed.Append(id);
    CHECK(bed.ReadAll() == Ids{id});
    bed.store->Settle(id);
    CHECK(bed.Segments().empty());
    bed.store.reset();
  }
}

TEST_CASE("buffer damage: a summary names it and changes nothing", "[buffer]") {
  SmallSegment small;
  std::string damaged = small.bytes;
  damaged[small.ends[0] + kBlockHeaderBytes + 3] ^= 1;
  WriteFile(small.path, damaged);

  const FolderSummary summary = Summarize(small.bed.options.folder, /*check_payloads=*/true);

  CHECK(summary.batches == kBatches - 1);
  CHECK(summary.entries == 2 * (kBatches - 1));
  CHECK(summary.damaged_bytes == small.ends[1] - small.ends[0]);
  CHECK(FileText(small.path) == damaged);
}

}  // namespace
}  // namespace agent
