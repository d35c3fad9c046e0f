// Anything may stand in a segment of a disk buffer: it is read without harm, and what is read is a
// batch that can be written again. A payload with a header that fits gets past the checksums.

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "outputs/buffer/block_format.h"
#include "outputs/buffer/buffer_store.h"
#include "outputs/buffer/segment_file.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace {

using namespace agent;  // NOLINT(google-build-using-namespace): a program of one file.

StoredBatch WithBody(std::string_view body) {
  StoredBatch batch;
  batch.id = 1;
  batch.body.size = body.size();
  batch.body.data = std::make_unique_for_overwrite<char[]>(body.size());
  std::memcpy(batch.body.data.get(), body.data(), body.size());
  batch.origins.resize(body.size() % 5);
  return batch;
}

// The bytes as payload of a block whose checksums are right.
void ReadAsPayload(BlockCodec& codec, std::string_view bytes) {
  const std::string like(codec.Encode(WithBody(bytes), 0));
  auto header = ParseBlockHeader(like);
  CHECK(header.has_value());
  auto whole = codec.Decode(*header, std::string_view(like).substr(kBlockHeaderBytes));
  CHECK(whole.ok());
  CHECK(std::string_view(whole->body.data.get(), whole->body.size) == bytes);
  if (bytes.empty()) return;
  header->entries = static_cast<uint8_t>(bytes[0]);
  for (const bool compressed : {false, true}) {
    header->compressed = compressed;
    header->stored_size = static_cast<uint32_t>(bytes.size());
    header->raw_size = compressed ? 1000 : header->stored_size;
    header->payload_hash = PayloadHash(bytes);
    auto batch = codec.Decode(*header, bytes);
    if (batch.ok()) CHECK(ParseBlockHeader(codec.Encode(*batch, 1)).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const TempDir folder(TempDir::InMemory());
  static const UniqueFd null(::open("/dev/null", O_WRONLY));
  static Logger logger(null.get(), LogLevel::kError, LogFormat::kLogfmt);
  static const FakeClock clock;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  BlockCodec codec;
  ReadAsPayload(codec, bytes);

  // Behind a block that is whole, and in front of one.
  std::string text =
      EncodeSegmentHeader({.kind = "loki", .output_hash = 0, .first_id = 1, .created_wall_ns = 0});
  text += codec.Encode(WithBody("before"), 0);
  text += bytes;
  StoredBatch last = WithBody("after");
  last.id = 9;
  text += codec.Encode(last, 2);
  const std::string path = folder.path() + "/" + SegmentName(1);
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
  CHECK(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  BufferQuota quota{folder.path(), uint64_t{1} << 30, 0, 0};
  auto store = BufferStore::Open({.folder = folder.path(), .output = "out", .kind = "loki"}, quota,
                                 clock, logger);
  CHECK(store.ok());
  bool first = false;
  bool behind = false;
  while (auto batch = (*store)->ReadNext()) {
    first = first || batch->id == 1;
    behind = behind || batch->id == 9;
    (*store)->Settle(batch->id);
  }
  CHECK(first);
  CHECK(behind || !bytes.empty());
  CHECK((*store)->Stats().batches == 0);
  store->reset();
  for (const std::string& left : ListSegments(folder.path()))
    ::unlink(left.c_str());
  ::unlink((folder.path() + "/cursor").c_str());
  return 0;
}
