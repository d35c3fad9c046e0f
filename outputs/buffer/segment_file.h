// A segment of a disk buffer, for reading: from block to block, and over damage to the next block
// that is whole.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "outputs/buffer/block_format.h"

namespace agent {

// "0000000000000001.seg" for the id of its first batch.
std::string SegmentName(uint64_t first_id);
// Paths of the segments in a folder, the oldest first; none when it cannot be read.
std::vector<std::string> ListSegments(const std::string& folder);

// Any one thread.
class SegmentFile {
 public:
  static Result<SegmentFile> Open(const std::string& path);

  // In the file at this moment; another may be appending.
  [[nodiscard]] uint64_t FileSize() const;
  [[nodiscard]] std::optional<SegmentHeader> Header() const;
  // Nothing when what is at `offset` is no header, or its payload does not end before `end`.
  [[nodiscard]] std::optional<BlockHeader> HeaderAt(uint64_t offset, uint64_t end) const;
  // The payload of a block, as it is stored; short when the file is. Valid until the next call.
  std::string_view Payload(uint64_t offset, const BlockHeader& header);
  // Where the next block begins that is whole, at `from` or behind it; nothing: there is none
  // before `end`.
  std::optional<uint64_t> FindWhole(uint64_t from, uint64_t end);

  // What a walk over the blocks meets.
  struct Visit {
    uint64_t offset = 0;
    uint64_t size = 0;
    std::optional<BlockHeader> header;  // Nothing: damage, up to the next block or the end.
  };
  // From the first block to the end of the file. `check_payloads`: reads everything; otherwise a
  // block is believed by its header. Returns where the last whole block ends.
  uint64_t Walk(bool check_payloads, const std::function<void(const Visit&)>& visit);

 private:
  [[nodiscard]] bool IsWhole(uint64_t offset, const BlockHeader& header);

  UniqueFd fd_;
  std::string buffer_;
};

}  // namespace agent
