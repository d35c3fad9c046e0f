// What an API server sends, kubeconfigs and names of folders from hostile bytes: no crash, labels
// that can be labels, and nothing in a path that leads out of it.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/labels.h"
#include "discovery/kubernetes/kube_access.h"
#include "discovery/kubernetes/object_labels.h"
#include "discovery/kubernetes/parse.h"
#include "discovery/kubernetes/pod_folders.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

struct Way {
  agent::KubeKind kind;
  agent::KubeRole role;
};
constexpr Way kWays[] = {
    {agent::KubeKind::kPod, agent::KubeRole::kPod},
    {agent::KubeKind::kNode, agent::KubeRole::kNode},
    {agent::KubeKind::kService, agent::KubeRole::kService},
    {agent::KubeKind::kEndpoints, agent::KubeRole::kEndpoints},
    {agent::KubeKind::kEndpointSlice, agent::KubeRole::kEndpointSlice},
    {agent::KubeKind::kIngress, agent::KubeRole::kIngress},
};

void CheckTargets(agent::KubeRole role, const agent::KubeObject& object) {
  const auto itself = [&object](const std::string&, const std::string&) { return &object; };
  const auto nothing = [](const std::string&, const std::string&) -> const agent::KubeObject* {
    return nullptr;
  };
  const bool is_pod = role == agent::KubeRole::kPod;
  const agent::KubeSurroundings around{is_pod ? agent::KubeSurroundings::Find(itself) : nothing,
                                       itself, itself, itself};
  const agent::KubeAttach attach{
      .node = true, .of_namespace = true, .deployment = true, .job = true, .cronjob = true};
  for (const agent::KubeTarget& target : agent::KubeTargets(role, object, attach, around)) {
    for (const agent::Label& label : target.labels)
      Require(agent::IsValidLabelName(label.name));
  }
  if (is_pod) (void)agent::KubeLogUid(object);
}

void FuzzServer(const Way& way, std::string_view text) {
  agent::KubeParser parser;
  if (const auto page = parser.ParseList(way.kind, text)) {
    for (const agent::KubeObject& object : page->objects)
      CheckTargets(way.role, object);
  }
  agent::KubeLines lines;
  const std::size_t middle = text.size() / 2;
  for (const std::string_view piece : {text.substr(0, middle), text.substr(middle)}) {
    (void)lines.Feed(piece, [&](std::string_view line) {
      const auto event = parser.ParseEvent(way.kind, line);
      const bool has_object = event.ok() && (event->type == agent::KubeEventType::kAdded ||
                                             event->type == agent::KubeEventType::kModified);
      if (has_object) CheckTargets(way.role, event->object);
      return true;
    });
  }
  (void)parser.StatusMessage(text);
}

void FuzzFolder(std::string_view text) {
  const auto folder = agent::ParsePodFolder(text);
  if (!folder) return;
  Require(agent::PodFolderName(folder->ns, folder->pod, folder->uid) == text);
  Require(text.find_first_of("/*?[{\\\n") == std::string_view::npos);
  Require(text != "." && text != "..");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are what a server sends.
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t choice = data[0] % 8;
  if (choice < 6) {
    FuzzServer(kWays[choice], text);
  } else if (choice == 6) {
    if (const auto access = agent::ParseKubeconfig(std::string(text), "/etc/kube/config"))
      Require(access->server.starts_with("http"));
  } else {
    FuzzFolder(text);
  }
  return 0;
}
