// `buffer` of an output: the disk buffer that it spills to.

#include <cstdint>
#include <filesystem>
#include <string>

#include "agent/config/sections.h"

namespace agent {
namespace {

// Less would not hold a few batches.
constexpr uint64_t kMinSizeBytes = uint64_t{1} << 20U;

// Under its own name, or another shipper's. One of the two at most.
std::string EitherKey(FieldReader& fields, const char* key, const char* alias) {
  if (fields.Has(key) && fields.Has(alias)) {
    fields.Node(alias);  // Known, all the same.
    fields.Error(alias, std::string("is another name of ") + key + ": give one of the two");
    return key;
  }
  return fields.Has(alias) ? alias : key;
}

BufferWhenFull ReadWhenFull(FieldReader& fields) {
  const std::string key = EitherKey(fields, "when_full", "on_full");
  const std::string text = fields.Choice(key, "block", {"block", "drop_oldest", "drop_newest"});
  if (text == "drop_oldest") return BufferWhenFull::kDropOldest;
  return text == "drop_newest" ? BufferWhenFull::kDropNewest : BufferWhenFull::kBlock;
}

BufferSync ReadSync(FieldReader& fields) {
  const std::string text = fields.Choice("sync", "interval", {"interval", "always", "never"});
  if (text == "always") return BufferSync::kAlways;
  return text == "never" ? BufferSync::kNever : BufferSync::kInterval;
}

}  // namespace

std::string NormalFolder(const std::string& path) {
  std::string folder = std::filesystem::path(path).lexically_normal().string();
  while (folder.size() > 1 && folder.ends_with('/'))
    folder.pop_back();
  return folder;
}

BufferConfig ReadBuffer(FieldReader& parent) {
  BufferConfig buffer;
  const ConfigNode* const node = parent.Node("buffer");
  if (node == nullptr || node->is_null()) return buffer;
  FieldReader fields(*node, parent.PathOf("buffer"), parent.problems());
  const std::string type = fields.Choice("type", "disk", {"disk", "none"});
  buffer.type = type == "none" ? BufferType::kNone : BufferType::kDisk;
  buffer.path = fields.String("path");
  const std::string size = EitherKey(fields, "max_size", "max_bytes");
  buffer.max_size_bytes = fields.Size(size, buffer.max_size_bytes);
  if (buffer.max_size_bytes < kMinSizeBytes) {
    fields.Error(size, "must be 1MiB or more", "type: none for no buffer");
  }
  buffer.when_full = ReadWhenFull(fields);
  buffer.sync = ReadSync(fields);
  const ConfigNode* const min_free = fields.Node("min_free");
  if (min_free != nullptr && !min_free->is_null()) {
    buffer.min_free_bytes = fields.Size("min_free", 0);
  }
  fields.Finish();
  return buffer;
}

}  // namespace agent
