// `loki_push_api`: a server that takes what others push.

#include <optional>
#include <string>

#include "agent/config/sections.h"

namespace agent {
namespace {

// What a request may take in memory beside the budget is a few times its size.
constexpr uint64_t kLargeBodyBytes = uint64_t{16} << 20U;

}  // namespace

std::optional<LokiPushConfig> ReadLokiPush(FieldReader& fields) {
  const ConfigNode* node = fields.Node("loki_push_api");
  if (node == nullptr || node->is_null()) return std::nullopt;
  FieldReader entry(*node, fields.PathOf("loki_push_api"), fields.problems());
  LokiPushConfig config;
  const ConfigNode* server = entry.Node("server");
  if (server != nullptr && !server->is_null()) {
    config.server = ReadServer(*server, entry.PathOf("server"), fields.problems());
  } else {
    UsePromtailsAddress(config.server);
  }
  config.labels = ReadLabels(entry, "labels");
  config.use_incoming_timestamp = entry.Bool("use_incoming_timestamp", false);
  config.use_incoming_tenant = entry.Bool("use_incoming_tenant", false);
  config.max_body_bytes = entry.Size("max_send_msg_size", config.max_body_bytes);
  if (config.max_body_bytes == 0) {
    entry.Error("max_send_msg_size", "must be more than 0", "such as 4MiB");
  } else if (config.max_body_bytes > kLargeBodyBytes) {
    entry.Warning("max_send_msg_size",
                  "a request this large takes several times its size in memory, beside "
                  "limits_config.memory_budget",
                  "4MiB, the default, is what Loki takes by default");
  }
  entry.Finish();
  return config;
}

}  // namespace agent
