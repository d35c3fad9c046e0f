#include <chrono>
#include <string>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"

namespace agent {
namespace {

LoadedConfig LoadSd(const std::string& item, const std::string& more = "") {
  return LoadText(kClients + "scrape_configs:\n- job_name: j\n  kubernetes_sd_configs: [" + item +
                  "]\n" + more);
}

TEST_CASE("kubernetes_sd_configs: every key is read, and written again", "[config][kubernetes]") {
  const LoadedConfig loaded = LoadSd(
      "{role: pod, api_server: 'https://k:6443', bearer_token: hush, tls_config: {ca_file: /ca},"
      " namespaces: {names: [a, b]}, selectors: [{role: pod, label: 'x=y', field: 'a!=b'}],"
      " attach_metadata: {node: true, namespace: true, deployment: true, job: true, cronjob: true},"
      " label_wait: 1m, pod_logs_path: /pods/, log_roots: [/data]}, {role: ingress}");

  REQUIRE(Errors(loaded).empty());
  CHECK(Warnings(loaded).empty());
  const auto& configs = loaded.config.scrape_configs[0].kubernetes_sd_configs;
  REQUIRE(configs.size() == 2);
  const KubernetesSdConfig& pods = configs[0];
  CHECK(pods.role == KubeRole::kPod);
  CHECK(pods.api_server == "https://k:6443");
  CHECK(pods.http.authorization->credentials == "hush");
  CHECK(pods.namespaces == std::vector<std::string>{"a", "b"});
  CHECK(pods.selectors[0].label == "x=y");
  CHECK(pods.selectors[0].field == "a!=b");
  CHECK((pods.attach.node && pods.attach.of_namespace && pods.attach.cronjob));
  CHECK(pods.label_wait == std::chrono::minutes(1));
  CHECK(pods.pod_logs_path == "/pods");
  CHECK(pods.log_roots == std::vector<std::string>{"/data"});
  CHECK(configs[1].role == KubeRole::kIngress);
  CHECK(configs[1].label_wait == std::chrono::seconds(30));
  const std::string printed = EffectiveYaml(loaded.config);
  CHECK_THAT(printed, !Catch::Contains("hush"));
  CHECK(Errors(LoadText(printed)).empty());
}

TEST_CASE("kubernetes_sd_configs: what is wrong is told", "[config][kubernetes]") {
  struct Case {
    const char* item;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"{}", "role: "},
      {"{role: pods}", "unknown role 'pods'"},
      {"{role: pod, rol: x}", "did you mean 'role'"},
      {"null", "empty or null section in kubernetes_sd_configs"},
      {"{role: pod, api_server: k}", "a URL starts with http"},
      {"{role: pod, api_server: 'http://k', kubeconfig_file: /k}", "together with api_server"},
      {"{role: pod, bearer_token: x}", "for api_server alone"},
      {"{role: pod, kubeconfig_file: /k, namespaces: {own_namespace: true}}", "own_namespace"},
      {"{role: pod, selectors: [{role: node}]}", "asks for no objects of role node"},
      {"{role: endpoints, selectors: [{role: pod}, {role: pod}]}", "role pod already"},
      {"{role: pod, namespaces: {names: ['']}}", "must not be empty"},
      {"{role: pod, pod_logs_path: pods}", "absolute path"},
      {"{role: pod, log_roots: [data]}", "absolute paths"},
      {"{role: pod, label_wait: soon}", "label_wait"},
      {"{role: pod, attach_metadata: {nodes: true}}", "did you mean 'node'"},
  }));
  INFO(c.item);
  CHECK_THAT(Errors(LoadSd(c.item)), Catch::Contains(c.want));
}

TEST_CASE("kubernetes_sd_configs: keys for logs say nothing to other roles",
          "[config][kubernetes]") {
  CHECK_THAT(Warnings(LoadSd("{role: node, label_wait: 1s}")), Catch::Contains("has no effect"));
}

}  // namespace
}  // namespace agent
