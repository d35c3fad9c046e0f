#include "agent/doctor/elasticsearch_facts.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "agent/doctor/fetch.h"
#include "agent/doctor/loki_limits.h"
#include "agent/doctor/system.h"
#include "agent/http/json_writer.h"

namespace agent::doctor {
namespace {

// What was set, or the default.
std::string Setting(const ConfigNode& settings, const std::string& name) {
  for (const char* const level : {"transient", "persistent", "defaults"}) {
    if (const ConfigNode* const found = FindPath(settings, {level, name})) return found->text();
  }
  return "";
}

uint64_t NumberAt(const ConfigNode& node, const std::vector<std::string>& keys) {
  return std::strtoull(TextAt(node, keys).c_str(), nullptr, 10);
}

void AddPattern(const std::string& name, std::vector<std::string>& patterns) {
  std::string pattern;
  for (std::size_t at = 0; at < name.size();) {
    if (name.compare(at, 2, "%{") == 0) {
      const std::size_t end = name.find('}', at);
      if (!pattern.ends_with('*')) pattern += '*';
      at = end == std::string::npos ? name.size() : end + 1;
    } else {
      pattern += name[at++];
    }
  }
  if (pattern.empty() || std::find(patterns.begin(), patterns.end(), pattern) != patterns.end())
    return;
  patterns.push_back(pattern);
}

// Bytes that must be free of `total` by a watermark: "85%" of it used, or so much free.
uint64_t MustBeFree(const std::string& watermark, uint64_t total) {
  if (watermark.ends_with('%')) {
    const double used = std::strtod(watermark.c_str(), nullptr);
    return static_cast<uint64_t>(static_cast<double>(total) * std::max(0.0, 100 - used) / 100);
  }
  return ParseGoSize(watermark).value_or(0);
}

}  // namespace

std::vector<std::string> IndexPatterns(const ElasticsearchConfig& config) {
  std::vector<std::string> patterns;
  if (config.data_stream) {
    AddPattern(config.data_stream->type + "-" + config.data_stream->dataset + "-" +
                   config.data_stream->name_space,
               patterns);
    return patterns;
  }
  AddPattern(config.index, patterns);
  for (const ConditionalIndexConfig& index : config.indices)
    AddPattern(index.index, patterns);
  AddPattern(config.index_fallback, patterns);
  return patterns;
}

std::string PrivilegesBody(const ElasticsearchConfig& config,
                           const std::vector<std::string>& indices) {
  JsonWriter json;
  json.BeginObject().Key("index").BeginArray().BeginObject().Key("names").BeginArray();
  for (const std::string& index : indices)
    json.String(index);
  json.EndArray().Key("privileges").BeginArray().String("create_doc");
  if (!config.data_stream && config.id_mode == "none") json.String("index");
  json.String("auto_configure").EndArray().EndObject().EndArray();
  json.Key("cluster").BeginArray();
  if (config.setup) json.String("manage_index_templates");
  json.EndArray().EndObject();
  return json.Take();
}

void ReportHealth(const ConfigNode& health, const ConfigNode& settings, const Group& group) {
  const std::string status = TextAt(health, {"status"});
  if (status.empty()) return;
  const uint64_t nodes = NumberAt(health, {"number_of_data_nodes"});
  const std::string text = "cluster " + TextAt(health, {"cluster_name"}) + " is " + status + ", " +
                           Count(nodes, "data node");
  if (status == "red") {
    group.Failure("elasticsearch.health", text,
                  {"documents of the indices that are not whole are refused, and tried again",
                   "GET _cluster/allocation/explain"});
  } else if (status == "yellow") {
    group.Note("elasticsearch.health", text,
               {"copies of some shards are nowhere: on one node that is how it is",
                nodes > 1 ? "GET _cluster/allocation/explain" : "index.number_of_replicas: 0"});
  } else {
    group.Ok("elasticsearch.health", text);
  }
  const uint64_t per_node =
      std::strtoull(Setting(settings, "cluster.max_shards_per_node").c_str(), nullptr, 10);
  const uint64_t shards = NumberAt(health, {"active_shards"});
  if (per_node > 0 && shards * 10 > per_node * nodes * 9) {
    group.Warning("elasticsearch.shards",
                  std::to_string(shards) + " of at most " + std::to_string(per_node * nodes) +
                      " shards are there",
                  {"then no new index can be made, and its documents are refused",
                   "delete old indices, fewer a day (a data stream, an alias with rollover)"});
  }
}

void ReportPrivileges(const ConfigNode& answer, const Group& group) {
  if (!answer.is_map()) return;
  const std::string all = TextAt(answer, {"has_all_requested"});
  const std::string user = TextAt(answer, {"username"});
  if (all == "true") {
    group.Ok("elasticsearch.privileges", "user " + user + " may store documents");
    return;
  }
  if (all.empty()) return;
  const ConfigNode* const indices = answer.Find("index");
  for (const auto& [name, rights] :
       indices == nullptr ? std::vector<ConfigNode::Pair>() : indices->pairs()) {
    std::string missing;
    for (const auto& [right, has] : rights.pairs()) {
      if (has.text() != "true") AddWord(missing, right.text());
    }
    if (missing.empty()) continue;
    const bool stores = missing.find("create_doc") != std::string::npos ||
                        missing.find("index") != std::string::npos;
    const std::string text = "user " + user + " has no right to " + missing + " at " + name.text();
    const Advice advice{
        stores ? "documents are refused; batches are held"
               : "documents for indices that are not there yet are refused",
        "POST /_security/role/log-agent {\"indices\": [{\"names\": [\"" + name.text() +
            "\"], \"privileges\": [\"create_doc\", \"index\", \"auto_configure\"]}]}"};
    group.Failure("elasticsearch.privileges", text, advice);
  }
  if (TextAt(answer, {"cluster", "manage_index_templates"}) == "false") {
    group.Warning("elasticsearch.privileges",
                  "user " + user + " may not make index templates, as `setup` wants to",
                  {"documents are stored without them",
                   "agent setup -config.file FILE, with a user that may"});
  }
}

void ReportDisks(const ConfigNode& stats, const ConfigNode& settings, const Group& group) {
  const ConfigNode* const nodes = stats.Find("nodes");
  if (nodes == nullptr ||
      Setting(settings, "cluster.routing.allocation.disk.threshold_enabled") == "false")
    return;
  const std::string prefix = "cluster.routing.allocation.disk.watermark.";
  bool good = true;
  for (const auto& [id, node] : nodes->pairs()) {
    const uint64_t total = NumberAt(node, {"fs", "total", "total_in_bytes"});
    const uint64_t free = NumberAt(node, {"fs", "total", "available_in_bytes"});
    if (total == 0) continue;
    const std::string text =
        "node " + TextAt(node, {"name"}) + " has " + Bytes(free) + " of " + Bytes(total) + " free";
    const std::string fix = "delete old indices, or give it room; GET _cat/allocation?v";
    if (free < MustBeFree(Setting(settings, prefix + "flood_stage"), total)) {
      group.Failure("elasticsearch.disk", text + ": its flood stage is reached",
                    {"its indices are made read-only, and documents are refused", fix});
      good = false;
    } else if (free < MustBeFree(Setting(settings, prefix + "low"), total)) {
      group.Warning("elasticsearch.disk", text + ": a watermark is reached",
                    {"no new shards go there, then it becomes read-only", fix});
      good = false;
    }
  }
  if (good && !nodes->pairs().empty())
    group.Ok("elasticsearch.disk", "disks are below the watermarks");
}

void ReportBlocks(const ConfigNode& indices, const Group& group) {
  for (const auto& [index, value] : indices.pairs()) {
    const ConfigNode* const settings = value.Find("settings");
    if (settings == nullptr) continue;
    for (const auto& [name, set] : settings->pairs()) {
      if (!name.text().starts_with("index.blocks.") || set.text() != "true") continue;
      const std::string block = name.text().substr(13);
      if (block == "read" || block == "metadata") continue;
      group.Failure("elasticsearch.block", "index " + index.text() + " is blocked: " + block,
                    {"its documents are refused; with read_only_allow_delete the disk was full",
                     "PUT " + index.text() + "/_settings {\"index.blocks." + block + "\": null}"});
    }
  }
}

void ReportAutoCreate(const ConfigNode& settings, const ElasticsearchConfig& config,
                      const std::vector<std::string>& patterns, const ConfigNode& indices,
                      const Group& group) {
  const std::string value = Setting(settings, "action.auto_create_index");
  if (value != "false" || config.require_alias) return;
  group.Warning("elasticsearch.auto_create",
                "indices are not made by themselves (action.auto_create_index: false); " +
                    std::to_string(indices.pairs().size()) + " there fit " + patterns.front(),
                {"documents for an index that is not there are refused",
                 "PUT _cluster/settings {\"persistent\": {\"action.auto_create_index\": \"" +
                     patterns.front() + "\"}}"});
}

}  // namespace agent::doctor
