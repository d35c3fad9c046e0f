#include "discovery/kubernetes/object_labels.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

// Objects around the one that is looked at, by name.
struct World {
  std::map<std::string, KubeObject> pods;
  std::map<std::string, KubeObject> services;
  std::map<std::string, KubeObject> nodes;
  std::map<std::string, KubeObject> namespaces;

  KubeSurroundings Around() const {
    const auto in = [](const std::map<std::string, KubeObject>& objects) {
      return [&objects](const std::string&, const std::string& name) {
        const auto found = objects.find(name);
        return found == objects.end() ? nullptr : &found->second;
      };
    };
    return {in(pods), in(services), in(nodes), in(namespaces)};
  }
};

KubeObject Named(std::string name) {
  KubeObject object;
  object.ns = "shop";
  object.name = std::move(name);
  object.uid = "u-1";
  return object;
}

KubePort Port(const char* name, uint32_t number) {
  return {name, number, "TCP", ""};
}

KubeObject Pod() {
  KubeObject object = Named("web-1");
  object.labels = {{"app.kubernetes.io/name", "web"}, {"größe", "1"}};
  object.annotations = {{"a/b-c", "x"}};
  object.controller_kind = "ReplicaSet";
  object.controller_name = "web-6d4cf56db6";
  KubePod pod;
  pod.ip = "10.0.0.7";
  pod.host_ip = "192.168.1.5";
  pod.node = "node-1";
  pod.phase = "Running";
  pod.ready = "true";
  using Role = KubeContainer::Role;
  pod.containers = {
      {Role::kMain, "main", "web:1", "containerd://1", {Port("http", 80), Port("", 443)}},
      {Role::kMain, "side", "side:1", "", {}},
      {Role::kInit, "prepare", "busybox", "containerd://2", {}},
      {Role::kEphemeral, "debug", "busybox", "", {}}};
  object.body = std::move(pod);
  return object;
}

std::vector<KubeTarget> Targets(KubeRole role, const KubeObject& object, const World& world = {},
                                KubeAttach attach = {}) {
  return KubeTargets(role, object, attach, world.Around());
}

std::string Value(const KubeTarget& target, const std::string& name) {
  return std::string(target.labels.Value("__meta_kubernetes_" + name));
}

std::vector<std::string> Addresses(const std::vector<KubeTarget>& targets) {
  std::vector<std::string> addresses;
  for (const KubeTarget& target : targets)
    addresses.emplace_back(target.labels.Value("__address__"));
  return addresses;
}

}  // namespace

TEST_CASE("kubernetes: a pod has a target for each container and port", "[kubernetes]") {
  const auto targets = Targets(KubeRole::kPod, Pod());

  CHECK(Addresses(targets) == std::vector<std::string>{"10.0.0.7:80", "10.0.0.7:443", "10.0.0.7",
                                                       "10.0.0.7", "10.0.0.7"});
  CHECK(targets[2].container == "side");
  CHECK(Value(targets[3], "pod_container_init") == "true");
  CHECK(Value(targets[4], "pod_container_init") == "false");
  const Labels want = {
      {"__address__", "10.0.0.7:80"},
      {"__meta_kubernetes_namespace", "shop"},
      {"__meta_kubernetes_pod_annotation_a_b_c", "x"},
      {"__meta_kubernetes_pod_annotationpresent_a_b_c", "true"},
      {"__meta_kubernetes_pod_container_id", "containerd://1"},
      {"__meta_kubernetes_pod_container_image", "web:1"},
      {"__meta_kubernetes_pod_container_init", "false"},
      {"__meta_kubernetes_pod_container_name", "main"},
      {"__meta_kubernetes_pod_container_port_name", "http"},
      {"__meta_kubernetes_pod_container_port_number", "80"},
      {"__meta_kubernetes_pod_container_port_protocol", "TCP"},
      {"__meta_kubernetes_pod_controller_kind", "ReplicaSet"},
      {"__meta_kubernetes_pod_controller_name", "web-6d4cf56db6"},
      {"__meta_kubernetes_pod_host_ip", "192.168.1.5"},
      {"__meta_kubernetes_pod_ip", "10.0.0.7"},
      {"__meta_kubernetes_pod_label_app_kubernetes_io_name", "web"},
      {"__meta_kubernetes_pod_label_gr__e", "1"},
      {"__meta_kubernetes_pod_labelpresent_app_kubernetes_io_name", "true"},
      {"__meta_kubernetes_pod_labelpresent_gr__e", "true"},
      {"__meta_kubernetes_pod_name", "web-1"},
      {"__meta_kubernetes_pod_node_name", "node-1"},
      {"__meta_kubernetes_pod_phase", "Running"},
      {"__meta_kubernetes_pod_ready", "true"},
      {"__meta_kubernetes_pod_uid", "u-1"},
  };
  CHECK(FormatLabels(targets[0].labels) == FormatLabels(want));
}

TEST_CASE("kubernetes: what stands around a pod is attached when it is asked for", "[kubernetes]") {
  World world;
  world.nodes["node-1"] = Named("node-1");
  world.nodes["node-1"].labels = {{"zone", "a"}};
  world.namespaces["shop"] = Named("shop");
  world.namespaces["shop"].labels = {{"team", "t"}};
  KubeObject pod = Pod();
  pod.labels = {{"pod-template-hash", "6d4cf56db6"}};
  KubeAttach all{
      .node = true, .of_namespace = true, .deployment = true, .job = true, .cronjob = true};

  const auto target = Targets(KubeRole::kPod, pod, world, all)[0];
  CHECK(Value(target, "node_name") == "node-1");
  CHECK(Value(target, "node_label_zone") == "a");
  CHECK(Value(target, "node_labelpresent_zone") == "true");
  CHECK(Value(target, "namespace_label_team") == "t");
  CHECK(Value(target, "pod_deployment_name") == "web");
  CHECK(Value(Targets(KubeRole::kPod, pod, world)[0], "node_name").empty());

  pod.controller_kind = "Job";
  pod.controller_name = "backup-29012345";
  const auto run = Targets(KubeRole::kPod, pod, world, all)[0];
  CHECK(Value(run, "pod_job_name") == "backup-29012345");
  CHECK(Value(run, "pod_cronjob_name") == "backup");
  pod.controller_name = "import-xk2";
  CHECK(Value(Targets(KubeRole::kPod, pod, world, all)[0], "pod_cronjob_name").empty());
}

TEST_CASE("kubernetes: the folder of a static pod has the hash of its manifest", "[kubernetes]") {
  KubeObject pod = Pod();
  CHECK(KubeLogUid(pod) == "u-1");
  pod.annotations = {{"kubernetes.io/config.hash", "abc"}};
  CHECK(KubeLogUid(pod) == "u-1");
  pod.annotations.emplace_back("kubernetes.io/config.mirror", "abc");
  CHECK(KubeLogUid(pod) == "abc");
}

TEST_CASE("kubernetes: a node", "[kubernetes]") {
  KubeObject object = Named("node-1");
  object.ns.clear();
  KubeNode node;
  node.provider_id = "aws:///i-1";
  node.kubelet_port = 10250;
  node.addresses = {{"Hostname", "h"},
                    {"ExternalIP", "1.2.3.4"},
                    {"InternalIP", "fd00::1"},
                    {"InternalIP", "10.0.0.1"}};
  object.body = node;

  const auto targets = Targets(KubeRole::kNode, object);

  CHECK(Addresses(targets) == std::vector<std::string>{"[fd00::1]:10250"});
  CHECK(targets[0].labels.Value("instance") == "node-1");
  CHECK(Value(targets[0], "node_provider_id") == "aws:///i-1");
  CHECK(Value(targets[0], "node_address_InternalIP") == "fd00::1");
  CHECK(Value(targets[0], "node_address_ExternalIP") == "1.2.3.4");
}

TEST_CASE("kubernetes: a service has a target for each port", "[kubernetes]") {
  KubeObject object = Named("web");
  object.body = KubeService{"ClusterIP", "10.1.0.1", "", {Port("http", 80), Port("https", 443)}};

  const auto targets = Targets(KubeRole::kService, object);

  CHECK(Addresses(targets) == std::vector<std::string>{"web.shop.svc:80", "web.shop.svc:443"});
  CHECK(Value(targets[1], "service_port_name") == "https");
  CHECK(Value(targets[1], "service_cluster_ip") == "10.1.0.1");
  object.body = KubeService{"ExternalName", "", "example.com", {Port("", 80)}};
  CHECK(Value(Targets(KubeRole::kService, object)[0], "service_external_name") == "example.com");
}

TEST_CASE("kubernetes: endpoints, with their service and pods", "[kubernetes]") {
  World world;
  world.pods["web-1"] = Pod();
  world.services["web"] = Named("web");
  world.services["web"].labels = {{"tier", "front"}};
  KubeObject object = Named("web");
  KubeEndpoint ready{.addresses = {"10.0.0.7"},
                     .ready = "true",
                     .serving = {},
                     .terminating = {},
                     .hostname = {},
                     .node = "node-1",
                     .zone = {},
                     .target_kind = "Pod",
                     .target_name = "web-1",
                     .target_namespace = "shop",
                     .topology = {}};
  KubeEndpoint other = ready;
  other.addresses = {"10.0.0.8"};
  other.ready = "false";
  other.target_kind.clear();
  other.target_name.clear();
  object.body = KubeEndpoints{"", {{{ready, other}, {Port("http", 80)}}}};

  const auto targets = Targets(KubeRole::kEndpoints, object, world);

  // The pod's other port comes last.
  CHECK(Addresses(targets) ==
        std::vector<std::string>{"10.0.0.7:80", "10.0.0.8:80", "10.0.0.7:443"});
  CHECK(Value(targets[0], "endpoint_ready") == "true");
  CHECK(Value(targets[0], "endpoint_node_name") == "node-1");
  CHECK(Value(targets[0], "pod_name") == "web-1");
  CHECK(Value(targets[0], "pod_container_name") == "main");
  CHECK(Value(targets[0], "service_label_tier") == "front");
  CHECK(Value(targets[0], "endpoints_name") == "web");
  CHECK(Value(targets[1], "endpoint_ready") == "false");
  CHECK(Value(targets[1], "pod_name").empty());

  object.labels = {{"kubernetes.io/service-name", "web"}};
  std::get<KubeEndpoints>(object.body).address_type = "IPv4";
  const auto slice = Targets(KubeRole::kEndpointSlice, object, world);
  REQUIRE(slice.size() == 3);
  CHECK(Value(slice[0], "endpointslice_address_type") == "IPv4");
  CHECK(Value(slice[0], "endpointslice_port") == "80");
  CHECK(Value(slice[0], "endpointslice_endpoint_conditions_ready") == "true");
  CHECK(Value(slice[0], "service_name") == "web");
  CHECK(Value(slice[0], "pod_uid") == "u-1");
}

TEST_CASE("kubernetes: an ingress has a target for each path", "[kubernetes]") {
  KubeObject object = Named("web");
  object.body = KubeIngress{
      "nginx", {"*.example.com"}, {{"a.example.com", {"/", "/api"}}, {"b.c.example.com", {}}}};

  const auto targets = Targets(KubeRole::kIngress, object);

  REQUIRE(targets.size() == 3);
  CHECK(Value(targets[1], "ingress_path") == "/api");
  CHECK(Value(targets[1], "ingress_scheme") == "https");
  CHECK(Value(targets[1], "ingress_class_name") == "nginx");
  CHECK(Value(targets[2], "ingress_path") == "/");
  CHECK(Value(targets[2], "ingress_scheme") == "http");
}

TEST_CASE("kubernetes: any text makes a label's name", "[kubernetes]") {
  CHECK(KubeLabelName("p_", "a.b/c-d") == "p_a_b_c_d");
  CHECK(KubeLabelName("p_", "ä€x") == "p___x");
  CHECK(KubeLabelName("p_", "\xff\xfe\n") == "p____");
  CHECK(IsValidLabelName(KubeLabelName("p_", std::string("\0\"{}", 4))));
}

}  // namespace agent
