// Docker and Kubernetes, as a server tells of them.

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/agent/doctor/doctor_bed.h"
#include "tests/support/scriptable_sink.h"
#include "tests/support/temp_dir.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using Strings = std::vector<std::string>;

SinkAnswer Answer(int status, const std::string& body) {
  SinkAnswer answer;
  answer.status = status;
  answer.body = body;
  return answer;
}

constexpr const char* kReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

// With what is asked for: this machine is called "test".
constexpr const char* kPods = "/api/v1/pods?limit=1&fieldSelector=spec.nodeName%3Dtest";
constexpr const char* kList = "/containers/json?all=1";

// An API server that knows one pod of this node.
void MakeCluster(ScriptableSink& server, const std::string& allowed) {
  server.SetRoute("/version", Answer(200, R"({"gitVersion":"v1.34.0"})"));
  server.SetRoute(kReviews, Answer(201, R"({"status":{"allowed":)" + allowed + "}}"));
  server.SetRoute(kPods, Answer(200, R"({"items":[{"metadata":{"name":"a"}}]})"));
}

Strings KubernetesAt(const ScriptableSink& server, Findings& findings) {
  ScrapeConfig job;
  job.job_name = "pods";
  KubernetesSdConfig config;
  config.api_server = server.Url("");
  CheckKubernetes(SubjectOf({}), job, config, findings);
  return Complaints(findings);
}

std::string Container(const std::string& driver, const std::string& log) {
  return R"({"Id":"a","Name":"/web","Config":{"Labels":{},"Tty":false},"HostConfig":{"LogConfig":{"Type":")" +
         driver + R"("},"NetworkMode":"none"},"State":{"Status":"running"},"LogPath":")" + log +
         R"(","NetworkSettings":{"Networks":{},"Ports":{}}})";
}

void MakeDaemon(ScriptableSink& server, const std::string& driver, const std::string& container) {
  server.SetRoute("/version", Answer(200, R"({"Version":"28.1"})"));
  server.SetRoute("/info", Answer(200, R"({"LoggingDriver":")" + driver + "\"}"));
  server.SetRoute(kList, Answer(200, R"([{"Id":"a","Status":"Up 2 minutes"}])"));
  server.SetRoute("/containers/a/json", Answer(200, container));
}

DockerSdConfig DaemonOf(const ScriptableSink& server) {
  DockerSdConfig config;
  config.host = "tcp://127.0.0.1:" + std::to_string(server.port());
  return config;
}

}  // namespace

TEST_CASE("doctor Kubernetes: what is needed may be seen", "[doctor]") {
  ScriptableSink server;
  MakeCluster(server, "true");
  Findings findings;

  CHECK_THAT(KubernetesAt(server, findings), Equals(Strings{}));
  CHECK_THAT(FindingOf(findings, "kubernetes.version").text, Contains("v1.34.0"));
  CHECK(FindingOf(findings, "kubernetes.rights").text == "job pods: may list and watch pods");
}

TEST_CASE("doctor Kubernetes: rights that are missing, with the call that gives them", "[doctor]") {
  ScriptableSink server;
  MakeCluster(server, "false");
  Findings findings;

  CHECK_THAT(KubernetesAt(server, findings), Equals(Strings{"failure kubernetes.rights"}));
  CHECK_THAT(FindingOf(findings, "kubernetes.rights").text, Contains("may not list,watch pods"));
  CHECK_THAT(
      FindingOf(findings, "kubernetes.rights").fix,
      Contains("kubectl create clusterrole log-agent --verb=get,list,watch --resource=pods"));
}

TEST_CASE("doctor Kubernetes: a token that is known no more", "[doctor]") {
  ScriptableSink server;
  server.SetRoute("/version", Answer(401, R"({"message":"Unauthorized"})"));
  Findings findings;

  CHECK_THAT(KubernetesAt(server, findings), Equals(Strings{"failure kubernetes.token"}));
}

TEST_CASE("doctor Kubernetes: a node that nobody knows", "[doctor]") {
  ScriptableSink server;
  MakeCluster(server, "true");
  server.SetRoute(kPods, Answer(200, R"({"items":[]})"));
  Findings findings;

  CHECK_THAT(KubernetesAt(server, findings), Equals(Strings{"warning kubernetes.node"}));
  CHECK_THAT(FindingOf(findings, "kubernetes.node").fix, Contains("spec.nodeName"));
}

TEST_CASE("doctor Docker: logs in files that can be read", "[doctor]") {
  const TempDir dir;
  WriteFile(dir.path() + "/a-json.log", "{}\n");
  ScriptableSink server;
  MakeDaemon(server, "json-file", Container("json-file", dir.path() + "/a-json.log"));
  Findings findings;

  CheckDocker(SubjectOf({}), DaemonOf(server), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{}));
  CHECK_THAT(FindingOf(findings, "docker.containers").text,
             Contains("1 container found, logs of 1 in files that can be read"));
}

TEST_CASE("doctor Docker: logs in files that are not here", "[doctor]") {
  ScriptableSink server;
  MakeDaemon(server, "json-file",
             Container("json-file", "/var/lib/docker/containers/none/a-json.log"));
  Subject subject = SubjectOf({});
  subject.system.container = true;
  Findings findings;

  CheckDocker(subject, DaemonOf(server), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{"note docker.files"}));
  CHECK_THAT(FindingOf(findings, "docker.files").fix,
             Contains("-v /var/lib/docker/containers:/var/lib/docker/containers:ro"));
}

TEST_CASE("doctor Docker: drivers whose logs cannot be read", "[doctor]") {
  struct Case {
    const char* daemon;
    const char* container;
    Strings want;
  };
  const auto c = GENERATE(values<Case>({
      {"json-file", "none", {"warning docker.driver"}},
      {"json-file", "syslog", {"warning docker.driver"}},
      {"json-file", "journald", {}},
      {"local", "local", {"note docker.driver"}},
      {"none", "local", {"warning docker.driver"}},
  }));
  INFO(c.daemon << " " << c.container);
  ScriptableSink server;
  MakeDaemon(server, c.daemon, Container(c.container, ""));
  Findings findings;

  CheckDocker(SubjectOf({}), DaemonOf(server), findings);

  CHECK_THAT(Complaints(findings), Equals(c.want));
}

TEST_CASE("doctor Docker: a proxy that does not let the list through", "[doctor]") {
  ScriptableSink server;
  MakeDaemon(server, "json-file", "");
  server.SetRoute(kList, Answer(403, "Forbidden"));
  Findings findings;

  CheckDocker(SubjectOf({}), DaemonOf(server), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure docker.list"}));
}

}  // namespace agent::doctor
