#include "discovery/kubernetes/parse.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <simdjson.h>

#include "base/utf8.h"

namespace agent {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// Nothing of Kubernetes is nested deeper by itself.
constexpr std::size_t kMaxDepth = 256;

std::string Cut(std::string_view text) {
  return std::string(text.substr(0, KubeParser::kMaxValueBytes));
}

std::string Text(const object& from, std::string_view key) {
  std::string_view text;
  if (from.at_key(key).get(text) != simdjson::SUCCESS) return {};
  return Cut(text);
}

uint32_t Number(const object& from, std::string_view key) {
  uint64_t number = 0;
  if (from.at_key(key).get(number) != simdjson::SUCCESS || number > UINT32_MAX) return 0;
  return static_cast<uint32_t>(number);
}

// "true", "false", or empty when it is not said.
std::string Flag(const object& from, std::string_view key) {
  bool flag = false;
  if (from.at_key(key).get(flag) != simdjson::SUCCESS) return {};
  return flag ? "true" : "false";
}

std::optional<object> Child(const object& from, std::string_view key) {
  object child;
  if (from.at_key(key).get(child) != simdjson::SUCCESS) return std::nullopt;
  return child;
}

// Calls `take` with each object of a list, up to `limit`.
template <typename Take>
void Each(const object& from, std::string_view key, std::size_t limit, const Take& take) {
  array items;
  if (from.at_key(key).get(items) != simdjson::SUCCESS) return;
  for (const element item : items) {
    object child;
    if (item.get(child) != simdjson::SUCCESS) continue;
    if (limit-- == 0) return;
    take(child);
  }
}

std::vector<std::string> Texts(const object& from, std::string_view key, std::size_t limit) {
  std::vector<std::string> texts;
  array items;
  if (from.at_key(key).get(items) != simdjson::SUCCESS) return texts;
  for (const element item : items) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) continue;
    if (texts.size() == limit) break;
    texts.push_back(Cut(text));
  }
  return texts;
}

KubePairs Pairs(const object& from, std::string_view key) {
  KubePairs pairs;
  const std::optional<object> map = Child(from, key);
  if (!map) return pairs;
  for (const auto field : *map) {
    std::string_view value;
    if (field.value.get(value) != simdjson::SUCCESS) continue;
    if (pairs.size() == KubeParser::kMaxPairs) break;
    pairs.emplace_back(Cut(field.key), Cut(value));
  }
  return pairs;
}

KubePort ReadPort(const object& from, std::string_view number_key) {
  KubePort port;
  port.name = Text(from, "name");
  port.number = Number(from, number_key);
  port.protocol = Text(from, "protocol");
  port.app_protocol = Text(from, "appProtocol");
  return port;
}

std::vector<KubePort> ReadPorts(const object& from, std::string_view number_key) {
  std::vector<KubePort> ports;
  Each(from, "ports", KubeParser::kMaxPorts,
       [&](const object& port) { ports.push_back(ReadPort(port, number_key)); });
  return ports;
}

// --- Pods.

void ReadContainers(const object& spec, std::string_view key, KubeContainer::Role role,
                    KubePod& pod) {
  Each(spec, key, KubeParser::kMaxContainers, [&](const object& from) {
    KubeContainer container;
    container.role = role;
    container.name = Text(from, "name");
    container.image = Text(from, "image");
    container.ports = ReadPorts(from, "containerPort");
    if (!container.name.empty()) pod.containers.push_back(std::move(container));
  });
}

void ReadContainerIds(const object& status, std::string_view key, KubeContainer::Role role,
                      KubePod& pod) {
  Each(status, key, KubeParser::kMaxContainers, [&](const object& from) {
    const std::string name = Text(from, "name");
    for (KubeContainer& container : pod.containers) {
      if (container.role == role && container.name == name)
        container.id = Text(from, "containerID");
    }
  });
}

KubePod ReadPod(const object& from) {
  using Role = KubeContainer::Role;
  KubePod pod;
  if (const auto spec = Child(from, "spec")) {
    pod.node = Text(*spec, "nodeName");
    ReadContainers(*spec, "containers", Role::kMain, pod);
    ReadContainers(*spec, "initContainers", Role::kInit, pod);
    ReadContainers(*spec, "ephemeralContainers", Role::kEphemeral, pod);
  }
  if (const auto status = Child(from, "status")) {
    pod.ip = Text(*status, "podIP");
    pod.host_ip = Text(*status, "hostIP");
    pod.phase = Text(*status, "phase");
    ReadContainerIds(*status, "containerStatuses", Role::kMain, pod);
    ReadContainerIds(*status, "initContainerStatuses", Role::kInit, pod);
    ReadContainerIds(*status, "ephemeralContainerStatuses", Role::kEphemeral, pod);
    Each(*status, "conditions", KubeParser::kMaxPairs, [&](const object& condition) {
      if (Text(condition, "type") != "Ready") return;
      pod.ready = Text(condition, "status");
      for (char& c : pod.ready)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    });
  }
  return pod;
}

// --- The others.

KubeNode ReadNode(const object& from) {
  KubeNode node;
  if (const auto spec = Child(from, "spec")) node.provider_id = Text(*spec, "providerID");
  const auto status = Child(from, "status");
  if (!status) return node;
  Each(*status, "addresses", KubeParser::kMaxPairs, [&](const object& address) {
    node.addresses.emplace_back(Text(address, "type"), Text(address, "address"));
  });
  if (const auto endpoints = Child(*status, "daemonEndpoints")) {
    if (const auto kubelet = Child(*endpoints, "kubeletEndpoint"))
      node.kubelet_port = Number(*kubelet, "Port");
  }
  return node;
}

KubeService ReadService(const object& from) {
  KubeService service;
  const auto spec = Child(from, "spec");
  if (!spec) return service;
  service.type = Text(*spec, "type");
  service.cluster_ip = Text(*spec, "clusterIP");
  service.external_name = Text(*spec, "externalName");
  service.ports = ReadPorts(*spec, "port");
  return service;
}

void ReadTarget(const object& from, KubeEndpoint& endpoint) {
  const auto target = Child(from, "targetRef");
  if (!target) return;
  endpoint.target_kind = Text(*target, "kind");
  endpoint.target_name = Text(*target, "name");
  endpoint.target_namespace = Text(*target, "namespace");
}

KubeEndpoints ReadEndpoints(const object& from) {
  KubeEndpoints endpoints;
  Each(from, "subsets", KubeParser::kMaxPorts, [&](const object& item) {
    KubeEndpointSubset subset;
    subset.ports = ReadPorts(item, "port");
    const auto read = [&](std::string_view key, std::string_view ready) {
      Each(item, key, KubeParser::kMaxEndpoints, [&](const object& address) {
        KubeEndpoint endpoint;
        endpoint.addresses = {Text(address, "ip")};
        endpoint.ready = ready;
        endpoint.hostname = Text(address, "hostname");
        endpoint.node = Text(address, "nodeName");
        ReadTarget(address, endpoint);
        subset.endpoints.push_back(std::move(endpoint));
      });
    };
    read("addresses", "true");
    read("notReadyAddresses", "false");
    endpoints.subsets.push_back(std::move(subset));
  });
  return endpoints;
}

KubeEndpoints ReadEndpointSlice(const object& from) {
  KubeEndpoints slice;
  slice.address_type = Text(from, "addressType");
  KubeEndpointSubset subset;
  subset.ports = ReadPorts(from, "port");
  Each(from, "endpoints", KubeParser::kMaxEndpoints, [&](const object& item) {
    KubeEndpoint endpoint;
    endpoint.addresses = Texts(item, "addresses", KubeParser::kMaxPorts);
    endpoint.hostname = Text(item, "hostname");
    endpoint.node = Text(item, "nodeName");
    endpoint.zone = Text(item, "zone");
    endpoint.topology = Pairs(item, "deprecatedTopology");
    if (const auto conditions = Child(item, "conditions")) {
      endpoint.ready = Flag(*conditions, "ready");
      endpoint.serving = Flag(*conditions, "serving");
      endpoint.terminating = Flag(*conditions, "terminating");
    }
    ReadTarget(item, endpoint);
    subset.endpoints.push_back(std::move(endpoint));
  });
  slice.subsets.push_back(std::move(subset));
  return slice;
}

KubeIngress ReadIngress(const object& from) {
  KubeIngress ingress;
  const auto spec = Child(from, "spec");
  if (!spec) return ingress;
  std::string_view class_name;
  if (spec->at_key("ingressClassName").get(class_name) == simdjson::SUCCESS)
    ingress.class_name = Cut(class_name);
  Each(*spec, "tls", KubeParser::kMaxPorts, [&](const object& tls) {
    for (std::string& host : Texts(tls, "hosts", KubeParser::kMaxPorts))
      ingress.tls_hosts.push_back(std::move(host));
  });
  Each(*spec, "rules", KubeParser::kMaxPorts, [&](const object& item) {
    KubeIngressRule rule;
    rule.host = Text(item, "host");
    if (const auto http = Child(item, "http")) {
      Each(*http, "paths", KubeParser::kMaxPorts,
           [&](const object& path) { rule.paths.push_back(Text(path, "path")); });
    }
    ingress.rules.push_back(std::move(rule));
  });
  return ingress;
}

void ReadOwner(const object& meta, KubeObject& into) {
  Each(meta, "ownerReferences", KubeParser::kMaxPairs, [&](const object& owner) {
    if (Flag(owner, "controller") != "true" || !into.controller_kind.empty()) return;
    into.controller_kind = Text(owner, "kind");
    into.controller_name = Text(owner, "name");
  });
}

// Nothing when it has no name: it cannot be told from others.
std::optional<KubeObject> ReadObject(KubeKind kind, const object& from) {
  const auto meta = Child(from, "metadata");
  if (!meta) return std::nullopt;
  KubeObject read;
  read.name = Text(*meta, "name");
  if (read.name.empty()) return std::nullopt;
  read.ns = Text(*meta, "namespace");
  read.uid = Text(*meta, "uid");
  read.resource_version = Text(*meta, "resourceVersion");
  read.labels = Pairs(*meta, "labels");
  read.annotations = Pairs(*meta, "annotations");
  ReadOwner(*meta, read);
  switch (kind) {
    case KubeKind::kPod:
      read.body = ReadPod(from);
      break;
    case KubeKind::kNode:
      read.body = ReadNode(from);
      break;
    case KubeKind::kNamespace:
      read.body = KubeNamespace{};
      break;
    case KubeKind::kService:
      read.body = ReadService(from);
      break;
    case KubeKind::kEndpoints:
      read.body = ReadEndpoints(from);
      break;
    case KubeKind::kEndpointSlice:
      read.body = ReadEndpointSlice(from);
      break;
    case KubeKind::kIngress:
      read.body = ReadIngress(from);
      break;
  }
  return read;
}

std::optional<KubeEventType> EventType(std::string_view text) {
  if (text == "ADDED") return KubeEventType::kAdded;
  if (text == "MODIFIED") return KubeEventType::kModified;
  if (text == "DELETED") return KubeEventType::kDeleted;
  if (text == "BOOKMARK") return KubeEventType::kBookmark;
  if (text == "ERROR") return KubeEventType::kError;
  return std::nullopt;
}

}  // namespace

const std::string* KubeObject::Annotation(std::string_view key) const {
  const auto found = std::find_if(annotations.begin(), annotations.end(),
                                  [key](const auto& pair) { return pair.first == key; });
  return found == annotations.end() ? nullptr : &found->second;
}

struct KubeParser::State {
  simdjson::dom::parser parser;
  std::string repaired;

  Result<object> Parse(std::string_view json) {
    element root;
    simdjson::error_code error = parser.parse(json.data(), json.size()).get(root);
    if (error == simdjson::UTF8_ERROR) {
      // As Go reads it: a bad byte is a U+FFFD.
      repaired.clear();
      AppendSanitized(json, repaired);
      error = parser.parse(repaired.data(), repaired.size()).get(root);
    }
    object top;
    if (error == simdjson::SUCCESS) error = root.get(top);
    if (error != simdjson::SUCCESS)
      return Error{ErrorCode::kInvalid, std::string(simdjson::error_message(error))};
    return top;
  }
};

KubeParser::KubeParser() : state_(std::make_unique<State>()) {
  // Fails only for want of memory; parsing then says so.
  const simdjson::error_code allocated = state_->parser.allocate(4096, kMaxDepth);
  static_cast<void>(allocated);
}

KubeParser::~KubeParser() = default;

Result<KubeListPage> KubeParser::ParseList(KubeKind kind, std::string_view json) {
  Result<object> top = state_->Parse(json);
  if (!top) return std::move(top).error().Wrap("the answer is no list");
  KubeListPage page;
  if (const auto meta = Child(*top, "metadata")) {
    page.resource_version = Text(*meta, "resourceVersion");
    page.next = Text(*meta, "continue");
  }
  const auto items = top->at_key("items");
  array list;
  if (items.get(list) != simdjson::SUCCESS) {
    // Go writes a list of nothing as null.
    if (items.error() == simdjson::SUCCESS && items.value_unsafe().is_null()) return page;
    return Error{ErrorCode::kInvalid, "the answer is no list: it has no items"};
  }
  for (const element item : list) {
    object from;
    std::optional<KubeObject> read;
    if (item.get(from) == simdjson::SUCCESS) read = ReadObject(kind, from);
    if (read) {
      page.objects.push_back(std::move(*read));
    } else {
      ++page.ignored;
    }
  }
  return page;
}

Result<KubeEvent> KubeParser::ParseEvent(KubeKind kind, std::string_view json) {
  Result<object> top = state_->Parse(json);
  if (!top) return std::move(top).error().Wrap("the event cannot be read");
  const auto type = EventType(Text(*top, "type"));
  const auto from = Child(*top, "object");
  if (!type || !from) return Error{ErrorCode::kInvalid, "the event is of no known type"};
  KubeEvent event;
  event.type = *type;
  if (*type == KubeEventType::kError) {
    event.code = static_cast<int>(Number(*from, "code"));
    event.message = Text(*from, "message");
    return event;
  }
  if (*type == KubeEventType::kBookmark) {
    if (const auto meta = Child(*from, "metadata"))
      event.object.resource_version = Text(*meta, "resourceVersion");
    return event;
  }
  std::optional<KubeObject> read = ReadObject(kind, *from);
  if (!read) return Error{ErrorCode::kInvalid, "the event's object has no name"};
  event.object = std::move(*read);
  return event;
}

std::string KubeParser::StatusMessage(std::string_view json) {
  Result<object> top = state_->Parse(json);
  return top ? Text(*top, "message") : std::string();
}

bool KubeLines::Feed(std::string_view bytes, const std::function<bool(std::string_view)>& line) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    if (rest_.size() + piece.size() > kMaxLineBytes) return false;
    if (newline == std::string_view::npos) {
      rest_.append(piece);
      return true;
    }
    bytes.remove_prefix(newline + 1);
    bool goes_on = true;
    if (rest_.empty()) {
      goes_on = piece.empty() || line(piece);
    } else {
      const std::string whole = std::move(rest_).append(piece);
      rest_.clear();
      goes_on = line(whole);
    }
    if (!goes_on) return false;
  }
  return true;
}

}  // namespace agent
