#include "discovery/kubernetes/kube_access.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "tests/support/temp_dir.h"

namespace agent {
namespace {

std::string Kubeconfig(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: main\n"
         "contexts:\n- name: other\n  context: {cluster: none, user: none}\n"
         "- name: main\n  context: {cluster: c, user: u, namespace: shop}\n"
         "clusters:\n- name: c\n  cluster: " +
         cluster + "\nusers:\n- name: u\n  user: " + user + "\n";
}

KubeEnvironment Environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

}  // namespace

TEST_CASE("kubeconfig: a token, an authority in the text", "[kubernetes]") {
  const auto access = ParseKubeconfig(
      Kubeconfig(
          "{server: 'https://k:6443/', certificate-authority-data: LS0tCg==, tls-server-name: k8s}",
          "{token: secret}"),
      "/etc/kube/config");
  REQUIRE(access.ok());
  CHECK(access->server == "https://k:6443");
  CHECK(access->ns == "shop");
  CHECK(access->from == "/etc/kube/config, context main");
  CHECK(access->http.tls.ca == "---\n");
  CHECK(access->http.tls.server_name == "k8s");
  CHECK(access->http.auth.kind == HttpAuthKind::kCredentials);
  CHECK(access->http.auth.credentials == "secret");
}

TEST_CASE("kubeconfig: files are found from where it stands", "[kubernetes]") {
  const auto access = ParseKubeconfig(
      Kubeconfig(
          "{server: https://k, certificate-authority: ca.crt, insecure-skip-tls-verify: true}",
          "{client-certificate: /abs/c.crt, client-key: keys/c.key, tokenFile: token}"),
      "/etc/kube/config");
  REQUIRE(access.ok());
  CHECK(access->http.tls.ca_file == "/etc/kube/ca.crt");
  CHECK(access->http.tls.cert_file == "/abs/c.crt");
  CHECK(access->http.tls.key_file == "/etc/kube/keys/c.key");
  CHECK(access->http.auth.credentials_file == "/etc/kube/token");
  CHECK(access->http.tls.insecure_skip_verify);
}

TEST_CASE("kubeconfig: a name and a password, a proxy, another's rights", "[kubernetes]") {
  const auto access =
      ParseKubeconfig(Kubeconfig("{server: http://k, proxy-url: http://p:3128}",
                                 "{username: n, password: p, as: a, as-groups: [g, h]}"),
                      "config");
  REQUIRE(access.ok());
  CHECK(access->http.auth.kind == HttpAuthKind::kBasic);
  CHECK(access->http.proxy.proxy_url == "http://p:3128");
  CHECK(access->http.headers.at("Impersonate-User") == "a");
  CHECK(access->http.http_headers.at(0).values == std::vector<std::string>{"g", "h"});
}

TEST_CASE("kubeconfig: what cannot be used is refused by name, without secrets", "[kubernetes]") {
  struct Case {
    std::string text;  // Lives on from one case to the next.
    std::string message;
  };
  const std::string exec = Kubeconfig("{server: https://k}", "{exec: {command: aws}, token: hush}");
  const std::string provider = Kubeconfig("{server: https://k}", "{auth-provider: {name: gcp}}");
  const std::string base64 =
      Kubeconfig("{server: https://k, certificate-authority-data: '*hush*'}", "{}");
  const std::string server = Kubeconfig("{server: ftp://hush}", "{}");
  const std::string broken = "users: [{token: hush\nfoo: [";
  const auto c = GENERATE_COPY(values<Case>({
      {exec, "'exec': the agent runs no programs"},
      {provider, "'auth-provider'"},
      {base64, "certificate-authority-data is not base64"},
      {server, "no http:// or https:// URL"},
      {broken, "this is no YAML"},
      {"", "this is no kubeconfig"},
      {"- 1", "this is no kubeconfig"},
      {"a: 1", "no current-context"},
      {"current-context: x", "no context called 'x'"},
  }));
  INFO(c.text);
  const auto access = ParseKubeconfig(c.text, "config");
  REQUIRE(!access.ok());
  CHECK_THAT(access.error().message, Catch::Contains(c.message));
  CHECK_THAT(access.error().message, !Catch::Contains("hush"));
}

TEST_CASE("kubernetes: in a cluster the service account is used", "[kubernetes]") {
  const TempDir dir;
  KubernetesOptions options;
  options.service_account_path = dir.path();
  CHECK_THAT(FindKubeAccess(options, Environment({})).error().message,
             Catch::Contains("not in a cluster"));
  const auto environment =
      Environment({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}});
  CHECK(!FindKubeAccess(options, environment).ok());  // No token yet.
  std::ofstream(dir.path() + "/token") << "t\n";
  std::ofstream(dir.path() + "/namespace") << "logging";

  const auto access = FindKubeAccess(options, environment);

  REQUIRE(access.ok());
  CHECK(access->server == "https://[fd00::1]:443");
  CHECK(access->ns == "logging");
  CHECK(access->http.auth.credentials_file == dir.path() + "/token");
  CHECK(access->http.tls.ca_file == dir.path() + "/ca.crt");
}

}  // namespace agent
