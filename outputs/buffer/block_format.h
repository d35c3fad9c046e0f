// What stands in a segment of a disk buffer: a header, then blocks, each a batch as it was encoded
// for its output. All numbers are little-endian; headers and payloads have checksums of their own,
// so that damage is found, and costs one block.
//
//   segment header (64 bytes)  magic, version, byte order mark, hash of the output's name, first
//                              id, created, kind of the output, checksum
//   block header (56 bytes)    magic, stored size, raw size, codec, id, entries, number in the
//                              segment, created, checksum of the payload, checksum of the header
//   payload                    tenant, sizes, jobs, origins, body; zstd where that makes it smaller

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "base/result.h"
#include "outputs/batch.h"

namespace agent {

constexpr std::size_t kSegmentHeaderBytes = 64;
constexpr std::size_t kBlockHeaderBytes = 56;
constexpr std::size_t kMaxKindBytes = 16;

// A batch on its way to the disk or back.
struct StoredBatch {
  uint64_t id = 0;
  int64_t created_wall_ns = 0;  // When its first entry came.
  std::string tenant;
  std::size_t raw_size = 0;
  std::size_t line_bytes = 0;
  Bytes body;
  std::vector<std::string> jobs;
  std::vector<EntryOrigin> origins;  // `pin` is an index into `jobs`.
  std::vector<uint32_t> unsendable;  // As in Batch.
  MemoryBudget::Reservation memory;
};

struct SegmentHeader {
  std::string kind;  // "loki", …: who can read the bodies.
  uint64_t output_hash = 0;
  uint64_t first_id = 0;
  int64_t created_wall_ns = 0;
};

struct BlockHeader {
  uint32_t stored_size = 0;  // Of the payload in the file.
  uint32_t raw_size = 0;     // Of the payload.
  bool compressed = false;
  uint64_t id = 0;
  uint32_t entries = 0;
  uint32_t number = 0;  // 0, 1, 2, … in the segment: what is missing can be counted.
  int64_t created_wall_ns = 0;
  uint64_t payload_hash = 0;

  [[nodiscard]] std::size_t size() const { return kBlockHeaderBytes + stored_size; }
};

std::string EncodeSegmentHeader(const SegmentHeader& header);
// Nothing for what is none, is damaged, or of another version.
std::optional<SegmentHeader> ParseSegmentHeader(std::string_view bytes);

// Nothing for what is none or is damaged.
std::optional<BlockHeader> ParseBlockHeader(std::string_view bytes);
// How every block begins.
std::string_view BlockMagic();
// What a header says of its payload.
uint64_t PayloadHash(std::string_view payload);
bool PayloadIsWhole(const BlockHeader& header, std::string_view payload);

// Any one thread. Keeps memory from one block to the next.
class BlockCodec {
 public:
  BlockCodec();
  BlockCodec(const BlockCodec&) = delete;
  BlockCodec& operator=(const BlockCodec&) = delete;
  ~BlockCodec();

  // Header and payload; valid until the next call.
  std::string_view Encode(const StoredBatch& batch, uint32_t number);
  // `payload` as it stands in the file. Fails for what is damaged, or is not what Encode() makes.
  Result<StoredBatch> Decode(const BlockHeader& header, std::string_view payload);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace agent
