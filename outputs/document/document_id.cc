#include "outputs/document/document_id.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdint>

namespace agent {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct Position {
  uint64_t source = 0;
  uint64_t generation = 0;
  uint64_t offset = 0;
};

Position PositionIn(const SourceProgress& source, uint64_t offset, uint64_t salt) {
  const SourceIdentity& identity = source.identity();
  const bool named = identity.id != 0;
  // Two sources without an id are told apart by where they live.
  const uint64_t own = named ? identity.id : salt ^ reinterpret_cast<uintptr_t>(&source);
  return {own, identity.generation, offset};
}

DocumentId ToText(XXH128_hash_t hash) {
  DocumentId id;
  uint64_t low = hash.low64;
  uint64_t high = hash.high64;
  for (char& c : id.text) {
    c = kAlphabet[low & 63];
    low = (low >> 6) | (high << 58);
    high >>= 6;
  }
  return id;
}

}  // namespace

DocumentId MakeDocumentId(const Entry& entry, const SourceProgress* source, uint64_t salt) {
  std::array<Position, 2> ends;
  const bool own = entry.source_bytes > 0 && source != nullptr;
  if (own) {
    ends[0] = PositionIn(*source, entry.offset, salt);
    ends[1] =
        PositionIn(*source, std::max(entry.offset, entry.last_offset) + entry.source_bytes, salt);
  }
  if (!entry.holds.empty()) {
    const HeldBytes& first = *entry.holds.front();
    const HeldBytes& last = *entry.holds.back();
    ends[0] = PositionIn(first.progress(), first.offset(), salt);
    if (!own) ends[1] = PositionIn(last.progress(), last.offset() + last.bytes(), salt);
  }
  return ToText(XXH3_128bits(ends.data(), sizeof(ends)));
}

}  // namespace agent
