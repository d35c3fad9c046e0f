#include "tests/docs/observed_keys.h"

#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "agent/config/environment.h"
#include "agent/config/loader.h"
#include "agent/pipeline_test/test_file.h"
#include "agent/stage_check.h"
#include "base/check.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "discovery/target_groups_text.h"
#include "pipeline/registry.h"

namespace agent {
namespace {

// Bodies of stages whose keys are not all asked for of an empty one.
struct StageBody {
  std::string_view name;
  std::string_view body;
};
constexpr std::array kBodies = std::to_array<StageBody>({
    {"labelallow", "[a]"},
    {"labeldrop", "[a]"},
    {"metrics", "{NAME: {type: Counter, config: {}}}"},
    {"metrics", "{NAME: {type: Gauge, config: {}}}"},
    {"metrics", "{NAME: {type: Histogram, config: {}}}"},
    {"remove", "[a]"},
});

std::string ReadText(const std::string& name) {
  std::ifstream file(std::string(AGENT_SOURCE_DIR) + "/tests/docs/" + name);
  CHECK(file.is_open());
  return {std::istreambuf_iterator<char>(file), {}};
}

// "clients[0].url" as "clients[].url".
std::string WithoutNumbers(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool in_brackets = out.ends_with('[');
    if (!(in_brackets && c >= '0' && c <= '9')) out += c;
  }
  return out;
}

}  // namespace

KeyRecorder::KeyRecorder(ObservedKeys& keys, std::string prefix)
    : keys_(keys), prefix_(std::move(prefix)) {}

void KeyRecorder::Asked(const FieldQuery& query) {
  std::string path = WithoutNumbers(query.path);
  // Of a list alone, as stages are checked here.
  if (path.starts_with("[].")) path.erase(0, 3);
  // The one client is read as one of several.
  if (path == "client") path = "clients[]";
  if (!prefix_.empty()) path = prefix_ + (path.empty() || path[0] == '[' ? "" : ".") + path;
  path += (path.empty() ? "" : ".") + std::string(query.key);
  ObservedKey key{query.kind, query.required, query.default_value, query.min, query.max, {}};
  for (const std::string_view choice : query.choices)
    key.choices.emplace_back(choice);
  keys_[path].push_back(std::move(key));
}

void ObserveConfiguration(const std::string& text, ObservedKeys& keys) {
  KeyRecorder recorder(keys);
  const ScopedFieldObserver observe(recorder);
  const LoadedConfig loaded = LoadConfigText("", text, Flags(), nullptr, ProcessEnvironment());
}

void ObserveStage(std::string_view name, std::string_view body, ObservedKeys& keys) {
  const std::string text = "- " + std::string(name) + ": " + std::string(body);
  Problems problems("", text);
  const ConfigNode stages = LoadYaml(text, problems);
  CHECK(!problems.has_errors());
  KeyRecorder recorder(keys);
  const ScopedFieldObserver observe(recorder);
  CheckStages(stages, "", "job", problems);
}

void ObserveTestFile(const std::string& text, ObservedKeys& keys) {
  KeyRecorder recorder(keys, "tests-file");
  const ScopedFieldObserver observe(recorder);
  const PipelineTestFile file = ParsePipelineTests("", text, ProcessEnvironment());
}

void ObserveTargetFile(const std::string& text, ObservedKeys& keys) {
  KeyRecorder recorder(keys, "targets-file");
  const ScopedFieldObserver observe(recorder);
  const auto groups = ParseTargetGroups("x.yml", text);
}

ObservedKeys ObserveEverything() {
  ObservedKeys keys;
  ObserveConfiguration(ReadText("every_section.yaml"), keys);
  for (const StageEntry& stage : AllStages())
    ObserveStage(stage.name, "{}", keys);
  for (const StageBody& stage : kBodies)
    ObserveStage(stage.name, stage.body, keys);
  ObserveTestFile(ReadText("every_test.yaml"), keys);
  ObserveTargetFile("- {}\n", keys);
  return keys;
}

}  // namespace agent
