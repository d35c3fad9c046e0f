#include "agent/config/setup_section.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "base/read_file.h"
#include "outputs/elasticsearch/index_chooser.h"
#include "outputs/elasticsearch/product.h"

namespace agent {
namespace {

constexpr std::string_view kPrefix = "setup.";
constexpr std::string_view kDefaultAlias = "log-agent";
constexpr std::string_view kDefaultPattern = "{now/d}-000001";

// A part of `setup`, whose keys may stand in several maps under several prefixes:
// `setup: {template: {name: }}`, `setup: {template.name: }`, `setup.template: {name: }`,
// `setup.template.name: `.
class Part {
 public:
  struct Place {
    FieldReader* fields;
    std::string prefix;
  };
  struct Key {
    FieldReader& fields;
    std::string name;  // With its prefix.
  };

  void Add(FieldReader* fields, std::string prefix) {
    places_.push_back({fields, std::move(prefix)});
  }

  // Where the key is; where it would be when it is nowhere.
  Key At(std::string_view key) {
    const Place* found = nullptr;
    for (const Place& place : places_) {
      const std::string name = place.prefix + std::string(key);
      if (!place.fields->Has(name)) continue;
      if (found != nullptr) {
        place.fields->Node(name);
        place.fields->Error(name, "is given twice", "keep one of the spellings");
      } else {
        found = &place;
      }
    }
    if (found == nullptr) found = &places_.back();
    return {*found->fields, found->prefix + std::string(key)};
  }
  bool Has(std::string_view key) {
    const Key at = At(key);
    return at.fields.Has(at.name);
  }
  std::string String(std::string_view key, std::string_view default_value = {}) {
    const Key at = At(key);
    return at.fields.String(at.name, default_value);
  }
  bool Bool(std::string_view key, bool default_value) {
    const Key at = At(key);
    return at.fields.Bool(at.name, default_value);
  }
  void Error(std::string_view key, std::string message, std::string hint = {}) {
    const Key at = At(key);
    at.fields.Node(at.name);
    at.fields.Error(at.name, std::move(message), std::move(hint));
  }
  [[nodiscard]] const std::vector<Place>& places() const { return places_; }

 private:
  std::vector<Place> places_;
};

// The maps that there are, and the two parts in them.
class Sections {
 public:
  explicit Sections(FieldReader& root) : root_(root) {
    for (const auto& [key, value] : root.node().pairs())
      given_ = given_ || key.text() == "setup" || key.text().starts_with(kPrefix);
    FieldReader* const setup = Open(root, "setup");
    for (auto [part, name] : {std::pair(&index_template, "template"), std::pair(&ilm, "ilm")}) {
      const std::string word = name;
      part->Add(&root, "setup." + word + ".");
      AddMap(*part, root, "setup." + word);
      if (setup == nullptr) continue;
      part->Add(setup, word + ".");
      AddMap(*part, *setup, word);
    }
    WarnOfKibana();
  }

  [[nodiscard]] bool given() const { return given_; }
  void Finish() {
    for (const auto& map : maps_)
      map->Finish();
  }

  Part index_template;
  Part ilm;

 private:
  FieldReader* Open(FieldReader& parent, const std::string& key) {
    const ConfigNode* const node = parent.Node(key);
    if (node == nullptr) return nullptr;
    maps_.push_back(std::make_unique<FieldReader>(*node, parent.PathOf(key), parent.problems()));
    return maps_.back().get();
  }
  void AddMap(Part& part, FieldReader& parent, const std::string& key) {
    if (FieldReader* const map = Open(parent, key)) part.Add(map, "");
  }
  // What Filebeat's configurations have beside it.
  void WarnOfKibana() {
    for (const auto& [key, value] : root_.node().pairs()) {
      if (!key.text().starts_with("setup.kibana") && !key.text().starts_with("setup.dashboards"))
        continue;
      root_.Node(key.text());
      root_.Warning(key.text(), "has no effect: no dashboards are made");
    }
  }

  FieldReader& root_;
  std::vector<std::unique_ptr<FieldReader>> maps_;
  bool given_ = false;
};

// Nested maps as names with dots.
void Flatten(const ConfigNode& node, const std::string& name, FieldReader& fields,
             const std::string& key, StringPairs& into) {
  if (node.is_scalar()) {
    into.emplace_back(name, node.text());
  } else if (node.is_map()) {
    for (const auto& [inner, value] : node.pairs())
      Flatten(value, name.empty() ? inner.text() : name + "." + inner.text(), fields, key, into);
  } else if (node.is_sequence()) {
    fields.Error(key, "settings are texts, numbers, true or false", "\"a, b\" for a list");
  }
}

StringPairs ReadSettings(Part& part) {
  StringPairs settings;
  for (const Part::Place& place : part.places()) {
    const std::string name = place.prefix + "settings";
    if (const ConfigNode* const node = place.fields->Node(name))
      Flatten(*node, "", *place.fields, name, settings);
    const std::string dotted = name + ".";
    for (const auto& [key, value] : place.fields->node().pairs()) {
      if (!key.text().starts_with(dotted)) continue;
      place.fields->Node(key.text());
      Flatten(value, key.text().substr(dotted.size()), *place.fields, key.text(), settings);
    }
  }
  return settings;
}

std::vector<TemplateField> ReadFields(Part& part) {
  std::vector<TemplateField> all;
  const Part::Key at = part.At("append_fields");
  at.fields.List(at.name, [&](const ConfigNode& item, const std::string& path) {
    FieldReader entry(item, path, at.fields.problems());
    TemplateField field;
    field.name = entry.RequiredString("name");
    field.parameters.emplace_back("type", entry.RequiredString("type"));
    for (const auto& [key, value] : item.pairs()) {
      if (key.text() == "name" || key.text() == "type") continue;
      field.parameters.emplace_back(key.text(), entry.String(key.text()));
    }
    entry.Finish();
    all.push_back(std::move(field));
  });
  return all;
}

TemplateOptions ReadTemplate(Part& part, bool data_stream) {
  TemplateOptions options;
  options.enabled = part.Bool("enabled", true);
  options.name = part.String("name");
  options.pattern = part.String("pattern");
  const Part::Key priority = part.At("priority");
  options.priority =
      static_cast<uint32_t>(priority.fields.Int(priority.name, options.priority, 0, 1'000'000'000));
  options.data_stream = part.Bool("data_stream", data_stream);
  options.overwrite = part.Bool("overwrite", false);
  options.settings = ReadSettings(part);
  options.append_fields = ReadFields(part);
  return options;
}

bool IsJsonObject(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  return parser.parse(text).get_object().get(object) == simdjson::SUCCESS;
}

void ReadPolicyFile(Part& part, ElasticsearchSetup& setup) {
  setup.policy_file = part.String("policy_file");
  if (setup.policy_file.empty()) return;
  auto text = ReadSmallFile(setup.policy_file);
  if (!text) return part.Error("policy_file", text.error().message);
  if (!IsJsonObject(*text)) {
    return part.Error("policy_file", "'" + setup.policy_file + "' is not a JSON object",
                      R"(such as {"phases": {"hot": …}})");
  }
  setup.lifecycle.policy = std::move(*text);
}

void CheckAlias(Part& part, const std::string& alias) {
  std::string valid = alias;
  const bool changed = elasticsearch::MakeIndexName(valid);
  if (alias.find("%{") != std::string::npos) {
    part.Error("rollover_alias", "has no values of entries in it", "one alias for one output");
  } else if (changed || valid != alias) {
    part.Error("rollover_alias", "'" + alias + "' cannot be a name", "such as " + valid);
  }
}

LifecycleOptions ReadLifecycle(Part& part) {
  LifecycleOptions options;
  const Part::Key enabled = part.At("enabled");
  const std::string mode = enabled.fields.Choice(enabled.name, "auto", {"auto", "true", "false"});
  options.mode = mode == "true"   ? LifecycleMode::kOn
                 : mode == "auto" ? LifecycleMode::kAuto
                                  : LifecycleMode::kOff;
  options.policy_name = part.String("policy_name");
  options.rollover_alias = part.String("rollover_alias");
  if (!options.rollover_alias.empty()) CheckAlias(part, options.rollover_alias);
  options.pattern = part.String("pattern", kDefaultPattern);
  const char last = options.pattern.empty() ? ' ' : options.pattern.back();
  if (last < '0' || last > '9')
    part.Error("pattern", "must end with a number to count up from", "{now/d}-000001");
  options.check_exists = part.Bool("check_exists", true);
  options.overwrite = part.Bool("overwrite", false);
  return options;
}

// Which of data stream, alias and plain index it is, and what does not go together.
void Resolve(FieldReader& fields, Sections& sections, ElasticsearchConfig& config) {
  TemplateOptions& index_template = config.setup->index_template;
  LifecycleOptions& lifecycle = config.setup->lifecycle;
  std::string& alias = lifecycle.rollover_alias;
  const bool stream = index_template.data_stream;
  if (config.data_stream && !stream) {
    sections.index_template.Error("data_stream", "contradicts data_stream of the output");
  }
  if (stream && !alias.empty()) {
    sections.ilm.Error("rollover_alias", "a data stream rolls over without an alias",
                       "leave it out, or data_stream");
  }
  if (lifecycle.mode == LifecycleMode::kOff) {
    if (!alias.empty()) sections.ilm.Error("rollover_alias", "has no effect with enabled: false");
    return;
  }
  if (!stream && alias.empty() && lifecycle.mode == LifecycleMode::kAuto)
    lifecycle.mode = LifecycleMode::kOff;  // Nothing that could roll over.
  if (!stream && alias.empty() && lifecycle.mode == LifecycleMode::kOn) {
    if (fields.Has("index")) {
      sections.ilm.Error("rollover_alias", "missing: an index with a policy needs an alias",
                         "rollover_alias: logs in place of index, or data_stream: true");
    }
    alias = kDefaultAlias;
  }
  if (alias.empty()) return;
  const bool other_index = fields.Has("index") && config.index != alias;
  if (other_index || !config.indices.empty()) {
    fields.Error(other_index ? "index" : "indices",
                 "with setup.ilm.rollover_alias all documents go to the alias",
                 "leave it out, or the alias");
  }
  config.index = alias;
  config.require_alias = true;
}

// What the names of indices begin with; nothing when that is a value.
std::string StemOf(const ElasticsearchConfig& config) {
  if (!config.setup->lifecycle.rollover_alias.empty())
    return config.setup->lifecycle.rollover_alias;
  if (config.data_stream) return config.data_stream->type + "-" + config.data_stream->dataset;
  std::string stem = config.index.substr(0, config.index.find("%{"));
  elasticsearch::MakeIndexName(stem);
  while (stem.ends_with('-') || stem.ends_with('.') || stem.ends_with('_'))
    stem.pop_back();
  return config.index.starts_with("%{") ? "" : stem;
}

void NameThings(Sections& sections, ElasticsearchConfig& config) {
  TemplateOptions& index_template = config.setup->index_template;
  LifecycleOptions& lifecycle = config.setup->lifecycle;
  const std::string stem = StemOf(config);
  const bool exact = lifecycle.rollover_alias.empty() && !config.data_stream &&
                     config.index.find("%{") == std::string::npos;
  if (index_template.name.empty()) index_template.name = stem;
  if (index_template.pattern.empty() && !stem.empty())
    index_template.pattern = exact ? stem : stem + "-*";
  if (index_template.pattern.empty())
    sections.index_template.Error("pattern", "missing: the index begins with a value", "logs-*");
  if (index_template.name.empty())
    sections.index_template.Error("name", "missing: the index begins with a value", "logs");
  if (lifecycle.policy_name.empty()) lifecycle.policy_name = index_template.name;
}

}  // namespace

void ReadSetup(FieldReader& fields, ElasticsearchConfig& config) {
  Sections sections(fields);
  const std::string version = fields.String("version");
  if (!version.empty() && !elasticsearch::IsProduct(version)) {
    fields.Error("version", "'" + version + "' is no version",
                 "7, 8, 9, opensearch or \"opensearch 2\"");
  }
  if (!sections.given()) return;
  config.setup.emplace();
  config.setup->version = version;
  config.setup->index_template =
      ReadTemplate(sections.index_template, config.data_stream.has_value());
  config.setup->lifecycle = ReadLifecycle(sections.ilm);
  ReadPolicyFile(sections.ilm, *config.setup);
  Resolve(fields, sections, config);
  NameThings(sections, config);
  sections.Finish();
}

}  // namespace agent
