// `file` and `stdout` of an output.

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/config/sections.h"
#include "outputs/event_pattern.h"

namespace agent {
namespace {

constexpr uint64_t kMinBatchBytes = uint64_t{1} << 10U;
constexpr uint64_t kMaxBatchBytes = uint64_t{16} << 20U;
constexpr uint64_t kMinRotateBytes = uint64_t{1} << 10U;
constexpr uint32_t kMaxMode = 0777;
constexpr std::size_t kAccountBytes = 16384;  // Of what the system says about one.

std::optional<uint32_t> Number(const std::string& text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

std::optional<uint32_t> UserId(const std::string& name) {
  std::array<char, kAccountBytes> space{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name.c_str(), &entry, space.data(), space.size(), &found) == 0 && found != nullptr)
    return found->pw_uid;
  return Number(name);
}

std::optional<uint32_t> GroupId(const std::string& name) {
  std::array<char, kAccountBytes> space{};
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, space.data(), space.size(), &found) == 0 && found != nullptr)
    return found->gr_gid;
  return Number(name);
}

void ReadOwner(FieldReader& fields, FileConfig& config) {
  config.owner = fields.String("owner");
  if (config.owner.empty()) return;
  const std::size_t colon = config.owner.find(':');
  const std::string user = config.owner.substr(0, colon);
  const std::string group = colon == std::string::npos ? "" : config.owner.substr(colon + 1);
  if (!user.empty()) config.user_id = UserId(user);
  if (!user.empty() && !config.user_id)
    fields.Error("owner", "there is no user '" + user + "'", "owner: USER:GROUP");
  if (!group.empty()) config.group_id = GroupId(group);
  if (!group.empty() && !config.group_id)
    fields.Error("owner", "there is no group '" + group + "'", "owner: USER:GROUP");
}

void ReadMode(FieldReader& fields, FileConfig& config) {
  const std::string text = fields.String("mode");
  if (text.empty()) return;
  uint32_t mode = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, mode, 8);
  if (parsed.ec != std::errc() || parsed.ptr != end || mode > kMaxMode) {
    return fields.Error("mode", "expected octal digits up to 0777, got '" + text + "'",
                        "mode: \"0640\"");
  }
  config.mode = mode;
}

void ReadPath(FieldReader& fields, FileConfig& config) {
  config.path = fields.RequiredString("path");
  const auto pattern = EventPattern::Parse(config.path);
  if (!pattern.ok()) fields.Error("path", pattern.error().message);
  const std::string around = "/" + config.path + "/";
  if (around.find("/../") != std::string::npos)
    fields.Error("path", "must not have '..' in it", "write the folder that is meant");
  if (config.path.ends_with('/'))
    fields.Error("path", "is a folder", "put a name behind it: …/%{+yyyy-MM-dd}.ndjson");
}

void ReadFormat(FieldReader& fields, FileConfig& config) {
  config.format = fields.Choice("format", config.format, {"ndjson", "logfmt", "raw"});
  if (fields.Has("document") && config.format != "ndjson") {
    fields.Node("document");
    fields.Error("document", "only ndjson has documents", "format: ndjson");
  } else {
    config.document = ReadDocument(fields);
  }
  config.batch_wait = fields.Duration("batch_wait", config.batch_wait);
}

void ReadCompression(FieldReader& fields, FileConfig& config) {
  std::string_view usual = "none";
  if (config.path.ends_with(".gz")) usual = "gzip";
  if (config.path.ends_with(".zst")) usual = "zstd";
  config.compression = fields.Choice("compression", usual, {"none", "gzip", "zstd"});
  const int64_t highest = config.compression == "zstd" ? 19 : 9;
  config.compression_level = static_cast<uint32_t>(fields.Int("compression_level", 0, 1, highest));
  if (config.compression == "none" && config.compression_level > 0)
    fields.Error("compression_level", "nothing is compressed", "compression: gzip or zstd");
}

void ReadRotation(FieldReader& fields, FileConfig& config) {
  config.rotate_bytes = fields.Size("rotate_size", 0);
  if (config.rotate_bytes > 0 && config.rotate_bytes < kMinRotateBytes)
    fields.Error("rotate_size", "must be 1KiB or more");
  const std::string interval = NameUsed(fields, {"rotate_interval", "max_age"});
  config.rotate_interval = fields.PrometheusDuration(interval, config.rotate_interval);
  if (config.rotate_interval.count() > 0 && config.rotate_interval < std::chrono::seconds(1))
    fields.Error(interval, "must be 1s or more");
  config.keep = static_cast<uint64_t>(fields.Int("keep", 0, 0, 1'000'000));
  if (config.keep > 0 && config.rotate_bytes == 0 && config.rotate_interval.count() == 0) {
    fields.Error("keep", "nothing is rotated", "add rotate_size or rotate_interval");
  }
}

void ReadBackoff(FieldReader& parent, FileConfig& config) {
  const ConfigNode* const node = parent.Node("backoff");
  if (node == nullptr || node->is_null()) return;
  FieldReader fields(*node, parent.PathOf("backoff"), parent.problems());
  config.min_backoff = fields.Duration("min_period", config.min_backoff);
  config.max_backoff = fields.Duration("max_period", config.max_backoff);
  if (config.min_backoff.count() == 0) fields.Error("min_period", "must be more than 0");
  if (config.max_backoff < config.min_backoff)
    fields.Error("max_period", "max_period is below min_period");
  fields.Finish();
}

}  // namespace

FileConfig ReadFile(FieldReader& parent) {
  FileConfig config;
  FieldReader fields(*parent.Node("file"), parent.PathOf("file"), parent.problems());
  ReadPath(fields, config);
  ReadFormat(fields, config);
  ReadCompression(fields, config);
  ReadRotation(fields, config);
  config.sync = fields.Choice("sync", config.sync, {"interval", "always", "never"});
  ReadMode(fields, config);
  ReadOwner(fields, config);
  config.max_open_files = static_cast<uint64_t>(
      fields.Int("max_open_files", static_cast<int64_t>(config.max_open_files), 1, 10'000));
  config.batch_bytes = fields.Size("batch_max_size", config.batch_bytes);
  if (config.batch_bytes < kMinBatchBytes || config.batch_bytes > kMaxBatchBytes)
    fields.Error("batch_max_size", "must be between 1KiB and 16MiB");
  ReadBackoff(fields, config);
  fields.Finish();
  return config;
}

FileConfig ReadStdout(FieldReader& parent) {
  FileConfig config;
  config.sync = "never";
  config.batch_bytes = uint64_t{64} << 10U;
  config.batch_wait = std::chrono::milliseconds(100);
  FieldReader fields(*parent.Node("stdout"), parent.PathOf("stdout"), parent.problems());
  ReadFormat(fields, config);
  fields.Finish();
  return config;
}

}  // namespace agent
