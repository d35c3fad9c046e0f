#include "outputs/elasticsearch/setup_bodies.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "outputs/document/json_text.h"

namespace agent::elasticsearch {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kKeyword = R"({"type":"keyword","ignore_above":1024})";
constexpr std::string_view kText = R"({"type":"text"})";
constexpr std::string_view kSourceSetting = "_source.";

// What the documents have, whatever their lines say.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kFields = {{
    {"@timestamp", R"({"type":"date"})"},
    {"message", kText},
    {"tags", kKeyword},
    {"log.file.path", kKeyword},
    {"log.level", kKeyword},
    {"log.offset", R"({"type":"long"})"},
    {"host.name", kKeyword},
    {"agent.type", kKeyword},
    {"agent.version", kKeyword},
    {"ecs.version", kKeyword},
    {"trace.id", kKeyword},
    {"span.id", kKeyword},
    {"data_stream.type", kKeyword},
    {"data_stream.dataset", kKeyword},
    {"data_stream.namespace", kKeyword},
}};

bool IsJsonLiteral(std::string_view text) {
  if (text == "true" || text == "false") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool leading_zero = text.size() > 1 && text[0] == '0';
  return !text.empty() && text.size() < 19 && !leading_zero &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string Scalar(const std::string& text) {
  return IsJsonLiteral(text) ? text : JsonString(text);
}

// Writes the members of an object one behind the other.
class Members {
 public:
  void Add(std::string_view name, std::string_view json) {
    if (!text_.empty()) text_ += ',';
    text_ += JsonString(name);
    text_ += ':';
    text_ += json;
  }
  [[nodiscard]] std::string Object() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

// Names with dots as a tree: Elasticsearch would make it of them, but not where "a" and "a.b" come
// apart from each other.
class MappingTree {
 public:
  void Put(std::string_view path, std::string json) {
    MappingTree* node = this;
    while (!path.empty()) {
      const std::size_t dot = path.find('.');
      node = &node->children_[std::string(path.substr(0, dot))];
      path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    }
    node->json_ = std::move(json);
  }
  [[nodiscard]] std::string Properties() const {
    Members members;
    for (const auto& [name, child] : children_) {
      const std::string inner =
          child.children_.empty() ? child.json_ : R"({"properties":)" + child.Properties() + "}";
      members.Add(name, inner);
    }
    return members.Object();
  }

 private:
  std::map<std::string, MappingTree, std::less<>> children_;
  std::string json_;
};

std::string Mappings(const TemplateOptions& options) {
  MappingTree tree;
  for (const auto& [name, json] : kFields)
    tree.Put(name, std::string(json));
  for (const TemplateField& field : options.append_fields) {
    Members members;
    for (const auto& [name, value] : field.parameters)
      members.Add(name, Scalar(value));
    tree.Put(field.name, members.Object());
  }
  const std::string strings =
      R"({"match_mapping_type":"string","mapping":)" + std::string(kKeyword) + "}";
  const std::string labels = R"({"path_match":"labels.*","mapping":)" + std::string(kKeyword) + "}";
  Members mappings;
  Members source;
  for (const auto& [name, value] : options.settings) {
    if (name.starts_with(kSourceSetting))
      source.Add(name.substr(kSourceSetting.size()), Scalar(value));
  }
  if (source.Object() != "{}") mappings.Add("_source", source.Object());
  // The first text that looks like a date would make a date of its field, for which others are
  // refused.
  mappings.Add("date_detection", "false");
  mappings.Add("dynamic_templates",
               R"([{"labels":)" + labels + R"(},{"strings":)" + strings + "}]");
  mappings.Add("properties", tree.Properties());
  return mappings.Object();
}

bool Has(const Pairs& pairs, std::string_view name) {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const auto& pair) { return pair.first == name; });
}

std::string Settings(const SetupOptions& options, const Product& product, bool with_policy) {
  Pairs settings;
  const LifecycleOptions& lifecycle = options.lifecycle;
  // On OpenSearch it is the policy that says which indices it is for.
  if (with_policy && !product.opensearch)
    settings.emplace_back("index.lifecycle.name", lifecycle.policy_name);
  if (with_policy && !lifecycle.rollover_alias.empty()) {
    settings.emplace_back(product.opensearch ? "plugins.index_state_management.rollover_alias"
                                             : "index.lifecycle.rollover_alias",
                          lifecycle.rollover_alias);
  }
  Members members;
  for (const auto& [name, value] : settings) {
    if (!Has(options.index_template.settings, name)) members.Add(name, JsonString(value));
  }
  for (const auto& [name, value] : options.index_template.settings) {
    if (!name.starts_with(kSourceSetting)) members.Add(name, JsonString(value));
  }
  return members.Object();
}

// As the API takes it; else it is what stands in that.
bool IsWholePolicy(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  return parser.parse(json).get(root) == simdjson::SUCCESS &&
         root["policy"].error() == simdjson::SUCCESS;
}

}  // namespace

std::string TemplateBody(const SetupOptions& options, const Product& product, bool with_policy) {
  const TemplateOptions& index_template = options.index_template;
  Members inner;
  inner.Add("settings", Settings(options, product, with_policy));
  inner.Add("mappings", Mappings(index_template));
  Members body;
  body.Add("index_patterns", "[" + JsonString(index_template.pattern) + "]");
  body.Add("priority", std::to_string(index_template.priority));
  if (index_template.data_stream) body.Add("data_stream", "{}");
  body.Add("template", inner.Object());
  body.Add("_meta", R"({"description":"documents of log-agent","managed_by":"log-agent"})");
  return body.Object();
}

std::string PolicyBody(const SetupOptions& options, const Product& product) {
  const std::string& own = options.lifecycle.policy;
  if (!own.empty()) {
    return IsWholePolicy(own) ? own : R"({"policy":)" + own + "}";
  }
  if (!product.opensearch) {
    const bool by_shard = product.major > 7 || product.minor >= 13;
    const std::string size = by_shard ? "max_primary_shard_size" : "max_size";
    return R"({"policy":{"phases":{"hot":{"min_age":"0ms","actions":{"rollover":{")" + size +
           R"(":"50gb","max_age":"30d"}}}}}})";
  }
  const std::string size = product.major >= 2 ? "min_primary_shard_size" : "min_size";
  return R"({"policy":{"description":"rolls over by size and age","default_state":"hot",)"
         R"("states":[{"name":"hot","actions":[{"rollover":{")" +
         size + R"(":"50gb","min_index_age":"30d"}}],"transitions":[]}],)" +
         R"("ism_template":[{"index_patterns":[)" + JsonString(options.index_template.pattern) +
         R"(],"priority":)" + std::to_string(options.index_template.priority) + "}]}}";
}

std::string FirstIndexBody(const std::string& alias) {
  return R"({"aliases":{)" + JsonString(alias) + R"(:{"is_write_index":true}}})";
}

}  // namespace agent::elasticsearch
