// `filebeat.autodiscover`: providers with hints, and templates with conditions.

#include <array>
#include <cctype>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {
namespace {

using enum FindingKind;

constexpr std::string_view kDockerLabel = "__meta_docker_container_label_";
constexpr std::string_view kPodLabel = "__meta_kubernetes_pod_label_";
constexpr std::string_view kPodAnnotation = "__meta_kubernetes_pod_annotation_";

struct MetaField {
  std::string_view field;  // With a '.' at its end: names below it.
  std::string_view label;
};
constexpr std::array kMetaFields = std::to_array<MetaField>({
    {"docker.container.name", "__meta_docker_container_name"},
    {"docker.container.id", "__meta_docker_container_id"},
    {"docker.container.labels.", kDockerLabel},
    {"container.name", "__meta_docker_container_name"},
    {"container.labels.", kDockerLabel},
    {"kubernetes.namespace", "__meta_kubernetes_namespace"},
    {"kubernetes.pod.name", "__meta_kubernetes_pod_name"},
    {"kubernetes.node.name", "__meta_kubernetes_pod_node_name"},
    {"kubernetes.container.name", "__meta_kubernetes_pod_container_name"},
    {"kubernetes.container.image", "__meta_kubernetes_pod_container_image"},
    {"kubernetes.labels.", kPodLabel},
    {"kubernetes.annotations.", kPodAnnotation},
});

// Empty where there is none.
std::string MetaLabel(const std::string& field) {
  for (const MetaField& known : kMetaFields) {
    if (field == known.field) return std::string(known.label);
    if (known.field.ends_with('.') && field.starts_with(known.field)) {
      std::string name = field.substr(known.field.size());
      std::replace_if(
          name.begin(), name.end(),
          [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
      return std::string(known.label) + name;
    }
  }
  return "";
}

std::string ToExpression(const std::string& op, const std::string& label, const std::string& text) {
  // The daemon's names begin with a slash.
  const std::string begin = label == "__meta_docker_container_name" ? "/?" : "";
  if (op == "equals") return begin + QuoteExpression(text);
  if (op == "contains") return ".*" + QuoteExpression(text) + ".*";
  return ".*(?:" + text + ").*";
}

// A condition of a template as rules of relabelling. False when there is none like it.
bool AddConditionRules(const BeatNode& condition, Job& job, std::string_view action) {
  bool known = true;
  for (const BeatNode& node : condition.below()) {
    const std::string& op = node.name();
    if (op == "and") {
      for (const BeatNode& item : node.items())
        known = action == "keep" && AddConditionRules(item, job, action) && known;
    } else if (op == "not") {
      const bool one = node.below().size() == 1 && node.below().front().below().size() == 1;
      known = one && action == "keep" && AddConditionRules(node, job, "drop") && known;
    } else if (op == "equals" || op == "contains" || op == "regexp") {
      node.ForEachLeaf([&](const std::string& field, const BeatNode& leaf) {
        const std::string label = MetaLabel(field);
        known = known && !label.empty();
        if (label.empty()) return;
        job.AddRelabel(YamlOut::Map({{"source_labels", YamlOut::Texts({label})},
                                     {"regex", YamlOut::Text(ToExpression(op, label, leaf.text()))},
                                     {"action", YamlOut::Word(action)}}));
      });
    } else {
      known = false;
    }
  }
  condition.UseAll();
  return known;
}

bool Start(Beat& beat, const BeatNode& provider, Job& job) {
  const std::string type = provider.Text("type");
  if (type == "docker") {
    ReadDockerContainers(job);
    const std::string host = provider.Text("host");
    if (!host.empty()) job.source.items().front().Put("host", YamlOut::Text(host));
  } else if (type == "kubernetes") {
    ReadKubernetesPods(job);
    const std::string config = provider.Text("kube_config");
    if (!config.empty()) {
      job.source.items().front().Put("kubeconfig_file", YamlOut::Text(config));
    }
    const std::string space = provider.Text("namespace");
    if (!space.empty()) {
      job.source.items().front().Put("namespaces",
                                     YamlOut::Map({{"names", YamlOut::Texts({space})}}));
    }
  } else {
    provider.UseAll();
    beat.Say(kNoEquivalent, provider, "there is no provider like " + type);
    return false;
  }
  for (const char* key : {"node", "scope", "cleanup_timeout", "resource", "add_resource_metadata",
                          "labels.dedot", "annotations.dedot", "hints.enabled", "ssl"}) {
    if (const BeatNode* const node = provider.Find(key)) {
      node->UseAll();
      if (std::string_view(key) != "hints.enabled" && std::string_view(key) != "node") {
        beat.Say(kNoEffect, *node, "is not needed to find containers");
      }
    }
  }
  return true;
}

// What an input of a template or of hints says of its lines.
void ConvertConfig(Beat& beat, const BeatNode& config, Job& job) {
  for (const char* key : {"type", "paths", "id", "enabled", "containers", "format", "stream",
                          "prospector", "close", "symlinks", "file_identity"}) {
    config.UseAll(key);
  }
  ConvertLines(beat, config, job);
  ConvertEvent(beat, config, job);
}

void ConvertHints(Beat& beat, const BeatNode& provider) {
  Job job;
  const std::string type = provider.Text("type");
  if (!Start(beat, provider, job)) return;
  job.name = UnusedJobName(beat, type);
  const std::string enabled =
      std::string(type == "docker" ? kDockerLabel : kPodAnnotation) + "co_elastic_logs_enabled";
  const BeatNode* const defaults = provider.Find("hints.default_config");
  const bool by_default = defaults == nullptr || defaults->Bool("enabled", true);
  job.AddRelabel(YamlOut::Map({{"source_labels", YamlOut::Texts({enabled})},
                               {"regex", YamlOut::Text(by_default ? "false" : "true")},
                               {"action", YamlOut::Word(by_default ? "drop" : "keep")}}));
  beat.Say(kNoEquivalent, provider,
           "of hints co.elastic.logs/enabled is respected; others (json, multiline, processors, "
           "…) are not: give what has them a job of its own");
  job.constants.push_back({"input.type", "container", ""});
  if (defaults != nullptr) {
    ConvertConfig(beat, *defaults, job);
  } else {
    ConvertEvent(beat, provider, job);
  }
  beat.jobs.push_back(std::move(job));
}

void ConvertTemplate(Beat& beat, const BeatNode& provider, const BeatNode& entry) {
  const BeatNode* const configs = entry.Find("config");
  if (configs == nullptr) return;
  for (const BeatNode& config : configs->items()) {
    if (const BeatNode* const module = config.Find("module")) {
      config.UseAll();
      beat.Say(kNoEquivalent, *module, "there are no modules: write the stages that parse it");
      continue;
    }
    Job job;
    if (!Start(beat, provider, job)) return;
    job.name = UnusedJobName(beat, provider.Text("type"));
    const BeatNode* const condition = entry.Find("condition");
    if (condition != nullptr && !AddConditionRules(*condition, job, "keep")) {
      // Without it everything would be read.
      config.UseAll();
      beat.Say(kNoEquivalent, *condition, "cannot be said by relabel_configs: the job is left out");
      continue;
    }
    job.constants.push_back({"input.type", config.Text("type", "container"), ""});
    ConvertConfig(beat, config, job);
    beat.jobs.push_back(std::move(job));
  }
}

}  // namespace

void ConvertAutodiscover(Beat& beat) {
  const BeatNode* const providers = beat.root.Find("filebeat.autodiscover.providers");
  if (providers == nullptr) return;
  for (const BeatNode& provider : providers->items()) {
    const BeatNode* const templates = provider.Find("templates");
    if (templates != nullptr) {
      for (const BeatNode& entry : templates->items())
        ConvertTemplate(beat, provider, entry);
    }
    if (provider.Bool("hints.enabled", false)) ConvertHints(beat, provider);
  }
}

}  // namespace agent::convert
