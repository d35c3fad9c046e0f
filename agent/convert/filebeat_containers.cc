// Inputs that read containers: through a Docker daemon or the API of Kubernetes where metadata is
// asked for, else as files.

#include <algorithm>
#include <array>
#include <span>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {
namespace {

using enum FindingKind;

struct MetaLabel {
  std::string_view source;
  std::string_view regex;  // Empty: as it is.
  std::string_view label;
  std::string_view path;  // Empty: Beats' name for it is known.
};

constexpr std::array kDocker = std::to_array<MetaLabel>({
    {"__meta_docker_container_name", "/(.*)", "container_name", ""},
    {"__meta_docker_container_id", "", "container_id", ""},
    {"__meta_docker_container_log_stream", "", "stream", ""},
});

constexpr std::array kKubernetes = std::to_array<MetaLabel>({
    {"__meta_kubernetes_namespace", "", "namespace", ""},
    {"__meta_kubernetes_pod_name", "", "pod", ""},
    {"__meta_kubernetes_pod_uid", "", "pod_uid", ""},
    {"__meta_kubernetes_pod_node_name", "", "node_name", ""},
    {"__meta_kubernetes_pod_container_name", "", "container", ""},
    {"__meta_kubernetes_pod_container_image", "", "image", ""},
    {"__meta_kubernetes_pod_container_id", ".*://(.*)", "container_id", ""},
    {"__meta_kubernetes_pod_container_id", "(.*)://.*", "container_runtime", "container.runtime"},
    {"__meta_kubernetes_pod_deployment_name", "", "deployment", "kubernetes.deployment.name"},
    {"__meta_kubernetes_pod_ip", "", "pod_ip", "kubernetes.pod.ip"},
});

void AddRules(Job& job, std::span<const MetaLabel> labels) {
  for (const MetaLabel& label : labels) {
    YamlOut rule = YamlOut::Map({{"source_labels", YamlOut::Texts({std::string(label.source)})}});
    if (!label.regex.empty()) rule.Put("regex", YamlOut::Text(label.regex));
    rule.Put("target_label", YamlOut::Text(label.label));
    job.AddRelabel(std::move(rule));
    job.AddLabelPath(std::string(label.label), std::string(label.path));
  }
}

std::string GlobToExpression(std::string_view glob) {
  std::string expression;
  for (const char c : glob) {
    if (c == '*') {
      expression += ".*";
    } else if (c == '?') {
      expression += '.';
    } else {
      expression += QuoteExpression({&c, 1});
    }
  }
  return expression;
}

void Keep(Job& job, std::vector<std::string> sources, const std::string& expression,
          std::string_view action = "keep") {
  YamlOut rule = YamlOut::Map({{"source_labels", YamlOut::Texts(sources)}});
  if (sources.size() > 1) rule.Put("separator", YamlOut::Text("_"));
  rule.Put("regex", YamlOut::Text(expression));
  rule.Put("action", YamlOut::Word(action));
  job.AddRelabel(std::move(rule));
}

const std::vector<std::string> kPartsOfName = {"__meta_kubernetes_pod_name",
                                               "__meta_kubernetes_namespace",
                                               "__meta_kubernetes_pod_container_name"};

// POD_NAMESPACE_CONTAINER-ID.log: what of it a pattern names.
bool KeepByLogName(Job& job, std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (!path.starts_with("/var/log/containers/") || !name.ends_with(".log")) return false;
  name.remove_suffix(std::string_view(".log").size());
  if (name == "*" || name == "*-*" || name == "*${data.kubernetes.container.id}") return true;
  std::vector<std::string_view> parts;
  while (parts.size() < 4) {
    const std::size_t end = std::min(name.find('_'), name.size());
    parts.push_back(name.substr(0, end));
    if (end == name.size()) break;
    name.remove_prefix(end + 1);
  }
  if (parts.size() != kPartsOfName.size()) return false;
  if (parts[2].ends_with("-*")) parts[2].remove_suffix(2);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != "*") Keep(job, {kPartsOfName[i]}, GlobToExpression(parts[i]));
  }
  return true;
}

// Of files that were left out by name; the names here are others.
void DropByLogName(Beat& beat, const BeatNode& input, Job& job) {
  const BeatNode* const node = input.Find("exclude_files");
  if (node == nullptr) return;
  for (std::string expression : input.Texts("exclude_files")) {
    if (expression.ends_with("gz$")) continue;
    for (const std::string_view end : {"\\.log$", ".log$", "$"}) {
      if (!expression.ends_with(end)) continue;
      expression.resize(expression.size() - end.size());
      break;
    }
    const bool anchored = expression.starts_with('^');
    if (anchored) expression.erase(0, 1);
    Keep(job, kPartsOfName, (anchored ? "(?:" : ".*(?:") + expression + ").*", "drop");
  }
  beat.Say(kDiffers, *node, "is compared with POD_NAMESPACE_CONTAINER, before the log is opened");
}

bool IsAllOfDocker(std::string_view path) {
  return path.starts_with("/var/lib/docker/containers/*/") && path.ends_with("log");
}

bool IsPods(std::string_view path) {
  return path.starts_with("/var/log/containers/") || path.starts_with("/var/log/pods/");
}

void KeepStream(const BeatNode& input, Job& job) {
  const std::string stream = input.Text("stream", input.Text("containers.stream", "all"));
  if (stream != "stdout" && stream != "stderr") return;
  if (job.source_key == "docker_sd_configs") {
    return Keep(job, {"__meta_docker_container_log_stream"}, stream);
  }
  job.AddStage("match",
               YamlOut::Map({{"selector", YamlOut::Text("{stream!=" + GoQuoted(stream) + '}')},
                             {"action", YamlOut::Word("drop")}}));
}

void ReadFiles(Beat& beat, const BeatNode& input, Job& job, const std::vector<std::string>& paths) {
  job.source_key = "static_configs";
  job.source = YamlOut::List();
  const std::string exclude = ExcludedFiles(beat, input, job);
  bool of_docker = false;
  for (const std::string& path : paths) {
    of_docker = of_docker || path.find("docker") != std::string::npos;
    YamlOut labels = YamlOut::Map({{"__path__", YamlOut::Text(path)}});
    if (!exclude.empty()) labels.Put("__path_exclude__", YamlOut::Text(exclude));
    job.source.Add(
        YamlOut::Map({{"targets", YamlOut::Texts({"localhost"})}, {"labels", std::move(labels)}}));
  }
  UnwrapContainerLines(job);
  if (of_docker) {
    beat.Say(kDiffers, input,
             "lines of more than 16 KiB, which Docker cuts, are not joined when its files are read "
             "by path: docker_sd_configs does so");
  }
}

std::vector<std::string> PathsOf(const BeatNode& input) {
  std::vector<std::string> paths = input.Texts("paths");
  // The old input `docker`.
  if (const BeatNode* const ids = input.Find("containers.ids")) {
    const std::string folder = input.Text("containers.path", "/var/lib/docker/containers");
    for (const std::string& id : input.Texts("containers.ids"))
      paths.push_back(folder + '/' + id + "/*.log");
    ids->Use();
  }
  return paths;
}

}  // namespace

void ReadDockerContainers(Job& job) {
  job.source_key = "docker_sd_configs";
  job.label_home = LabelHome::kStage;
  job.source = YamlOut::List();
  job.source.Add(YamlOut::Map({{"host", YamlOut::Text("unix:///var/run/docker.sock")}}));
  AddRules(job, kDocker);
  job.AddRelabel(YamlOut::Map({{"action", YamlOut::Word("labelmap")},
                               {"regex", YamlOut::Text("__meta_docker_container_label_(.+)")},
                               {"replacement", YamlOut::Text("container_label_$1")}}));
}

void ReadKubernetesPods(Job& job) {
  job.source_key = "kubernetes_sd_configs";
  job.label_home = LabelHome::kStage;
  job.source = YamlOut::List();
  job.source.Add(
      YamlOut::Map({{"role", YamlOut::Text("pod")},
                    {"attach_metadata", YamlOut::Map({{"deployment", YamlOut::Bool(true)}})}}));
  AddRules(job, kKubernetes);
  job.AddRelabel(YamlOut::Map({{"action", YamlOut::Word("labelmap")},
                               {"regex", YamlOut::Text("__meta_kubernetes_pod_label_(.+)")},
                               {"replacement", YamlOut::Text("pod_label_$1")}}));
  UnwrapContainerLines(job);
}

void ConvertContainerInput(Beat& beat, const BeatNode& input, Job& job) {
  for (const char* key : {"format", "combine_partial", "containers.format", "cri", "partial"})
    input.UseAll(key);
  const std::vector<std::string> paths = PathsOf(input);
  const bool docker = std::all_of(paths.begin(), paths.end(), IsAllOfDocker);
  const bool pods = std::all_of(paths.begin(), paths.end(), IsPods);
  if (!paths.empty() && docker && HasProcessor(beat, input, "add_docker_metadata")) {
    ReadDockerContainers(job);
    beat.Say(kDiffers, input,
             "containers are found through the Docker daemon (/var/run/docker.sock must be "
             "readable). Their labels are labels.container_label_NAME; the image's name is not "
             "known");
    job.source.items().front().Comment("The daemon is asked for names and labels, and never told.");
  } else if (!paths.empty() && pods && HasProcessor(beat, input, "add_kubernetes_metadata")) {
    ReadKubernetesPods(job);
    beat.Say(kDiffers, input,
             "pods are found through the API (NODE_NAME must name the node), their logs under "
             "/var/log/pods, and log.file.path says so. Labels of pods are labels.pod_label_NAME");
    for (const std::string& path : paths) {
      if (!KeepByLogName(job, path) && !path.starts_with("/var/log/pods/*")) {
        beat.Say(kNoEquivalent, input, "all pods are read: the pattern " + path + " is not known");
      }
    }
    DropByLogName(beat, input, job);
  } else {
    ReadFiles(beat, input, job, paths);
  }
  KeepStream(input, job);
}

}  // namespace agent::convert
