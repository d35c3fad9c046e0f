// What an Elasticsearch output makes in its receiver before documents come: an index template, a
// lifecycle policy, an alias.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace agent {

// A field of the documents that the template is to know.
struct TemplateField {
  std::string name;  // "status", "http.status".
  std::vector<std::pair<std::string, std::string>>
      parameters;  // Of its mapping: "type" and others.

  bool operator==(const TemplateField&) const = default;
};

struct TemplateOptions {
  bool enabled = true;
  std::string name;
  std::string pattern;  // Of names of indices, with "*".
  uint32_t priority = 200;
  bool data_stream = false;
  bool overwrite = false;
  // Flat names: "index.number_of_shards"; "_source.enabled" goes to the mapping.
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<TemplateField> append_fields;

  bool operator==(const TemplateOptions&) const = default;
};

enum class LifecycleMode : uint8_t {
  kOff,
  kAuto,  // Where the receiver has policies.
  kOn,
};

struct LifecycleOptions {
  LifecycleMode mode = LifecycleMode::kOff;
  std::string policy_name;
  std::string policy;          // JSON; empty: our own.
  std::string rollover_alias;  // Documents go to it; empty: none.
  std::string pattern;         // Of the first index behind the alias: "{now/d}-000001".
  bool check_exists = true;    // Else the policy is believed to be there, or overwritten.
  bool overwrite = false;

  bool operator==(const LifecycleOptions&) const = default;
};

struct SetupOptions {
  std::string version;  // "8", "7.17", "opensearch", "opensearch 2"; empty: the receiver is asked.
  TemplateOptions index_template;
  LifecycleOptions lifecycle;

  bool operator==(const SetupOptions&) const = default;
};

}  // namespace agent
