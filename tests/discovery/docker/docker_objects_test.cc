#include "discovery/docker/docker_objects.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "discovery/docker/docker_client.h"

namespace agent {
namespace {

TEST_CASE("docker: a container as inspection shows it", "[discovery][docker]") {
  const auto container = ParseDockerContainer(R"({
    "Id": "c9c4", "Name": "/web", "LogPath": "/d/c9c4/c9c4-json.log",
    "State": {"Status": "exited", "FinishedAt": "2026-11-21T16:24:23.5Z"},
    "HostConfig": {"NetworkMode": "front", "LogConfig": {"Type": "json-file", "Config": {}}},
    "Config": {"Tty": true, "Labels": {"z": "1", "a.b/c": "x\ny", "number": 7}},
    "NetworkSettings": {
      "Ports": {"8080/tcp": null, "53/udp": null, "99999/tcp": null, "x/tcp": [],
                "443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8443"}, {"HostIp": "::", "HostPort": "8443"}]},
      "Networks": {"front": {"NetworkID": "n1", "IPAddress": "10.0.0.2"}, "back": {"NetworkID": "n2", "IPAddress": ""}}
    }})");

  REQUIRE(container.ok());
  CHECK(container->id == "c9c4");
  CHECK(container->name == "/web");
  CHECK(container->network_mode == "front");
  CHECK(container->log_driver == "json-file");
  CHECK(container->log_path == "/d/c9c4/c9c4-json.log");
  CHECK(container->status == "exited");
  CHECK(container->tty);
  CHECK(container->finished_ns == 1795278263 * kNanosPerSecond);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(container->labels == Pairs{{"a.b/c", "x\ny"}, {"z", "1"}});
  REQUIRE(container->networks.size() == 2);
  CHECK(container->networks[0].name == "back");
  CHECK(container->networks[1].ip == "10.0.0.2");
  REQUIRE(container->ports.size() == 3);
  CHECK(container->ports[0].private_port == 443);
  CHECK(container->ports[0].public_port == 8443);
  CHECK(container->ports[0].public_ip == "0.0.0.0");
  CHECK(container->ports[1].public_ip == "::");
  CHECK(container->ports[2].private_port == 8080);
  CHECK(container->ports[2].public_port == 0);
}

TEST_CASE("docker: what is missing or of another kind is left out", "[discovery][docker]") {
  for (const char* json : {R"({"Id": "x"})",
                           R"({"Id": "x", "Name": 7, "State": [], "HostConfig": null, "Config": 1,
                               "NetworkSettings": "no"})",
                           R"({"Id": "x", "NetworkSettings": {"Ports": null, "Networks": null},
                               "Config": {"Labels": null}, "State": {"FinishedAt": "0001-01-01T00:00:00Z"}})"}) {
    const auto container = ParseDockerContainer(json);
    REQUIRE(container.ok());
    CHECK(container->id == "x");
    CHECK(container->labels.empty());
    CHECK(container->networks.empty());
    CHECK(container->finished_ns == 0);
  }
  for (const char* json : {"", "{", "[]", "null", "{}", R"({"Id": 7})", "<html>"})
    CHECK_FALSE(ParseDockerContainer(json).ok());
}

TEST_CASE("docker: a row of the list changes its fingerprint with what matters",
          "[discovery][docker]") {
  const auto fingerprint = [](const std::string& rest) {
    const auto listed = ParseDockerList(R"([{"Id": "a", "Status": "Up 3 minutes", )" + rest + "}]");
    REQUIRE(listed.ok());
    return listed->at(0).fingerprint;
  };
  const uint64_t before = fingerprint(R"("Names": ["/a"], "State": "running", "Ports": [])");

  CHECK(before == fingerprint(R"("Names": ["/a"], "State": "running", "Ports": [], "SizeRw": 7)"));
  CHECK(before != fingerprint(R"("Names": ["/b"], "State": "running", "Ports": [])"));
  CHECK(before != fingerprint(R"("Names": ["/a"], "State": "exited", "Ports": [])"));
  CHECK(before !=
        fingerprint(R"("Names": ["/a"], "State": "running", "Ports": [{"PrivatePort": 1}])"));
  CHECK_FALSE(ParseDockerList("{}").ok());
  CHECK(ParseDockerList(R"([7, {}, {"Id": "a"}])")->size() == 1);
}

TEST_CASE("docker: networks, events, the daemon's folder", "[discovery][docker]") {
  const auto networks = ParseDockerNetworks(
      R"([{"Id": "n1", "Name": "front", "Scope": "swarm", "Internal": true, "Ingress": false,
           "Labels": {"a": "b"}}, 7])");
  REQUIRE(networks.ok());
  CHECK(networks->at("n1").name == "front");
  CHECK(networks->at("n1").scope == "swarm");
  CHECK(networks->at("n1").internal);
  CHECK_FALSE(networks->at("n1").ingress);
  CHECK(networks->at("n1").labels.at(0).second == "b");

  const auto start = ParseDockerEvent(
      R"({"Type": "container", "Action": "start", "Actor": {"ID": "c1", "Attributes": {"container": "no"}}})");
  CHECK(start->action == "start");
  CHECK(start->container_id == "c1");
  const auto create = ParseDockerEvent(
      R"({"Type": "container", "Action": "create", "Actor": {"ID": "c1",
          "Attributes": {"name": "web", "image": "nginx", "team": "a", "env": "x"}}})");
  CHECK(create->name == "/web");
  CHECK(create->labels ==
        std::vector<std::pair<std::string, std::string>>{{"env", "x"}, {"team", "a"}});
  const auto connect = ParseDockerEvent(
      R"({"Type": "network", "Action": "connect", "Actor": {"ID": "n1", "Attributes": {"container": "c2"}}})");
  CHECK(connect->container_id == "c2");
  CHECK(ParseDockerEvent("{}")->container_id.empty());
  CHECK_FALSE(ParseDockerEvent("x").ok());

  CHECK(*ParseDockerRoot(R"({"DockerRootDir": "/data/docker"})") == "/data/docker");
  CHECK(ParseDockerRoot("{}")->empty());
}

TEST_CASE("docker: a stream is cut at its line ends, wherever its pieces end",
          "[discovery][docker]") {
  DockerLines lines;
  std::vector<std::string> got;
  const auto add = [&](std::string_view data) {
    lines.Add(data, [&](std::string_view line) { got.emplace_back(line); });
  };
  add("one\ntw");
  add("");
  add("o\n\nthree");
  CHECK(got == std::vector<std::string>{"one", "two"});
  add("\n");
  add(std::string(DockerLines::kMaxLineBytes, 'x'));
  add("too long\nfour\n");
  CHECK(got == std::vector<std::string>{"one", "two", "three", "four"});
}

TEST_CASE("docker: filters are one object, whatever is in them", "[discovery][docker]") {
  CHECK(DockerFilters({}) == "{}");
  CHECK(DockerFilters({{"label", {"b", "a=\"x\"\n"}}, {"id", {}}, {"label", {"b", "c"}}}) ==
        R"({"id":{},"label":{"a=\"x\"\u000a":true,"b":true,"c":true}})");
  CHECK(UrlEncoded("a/b {\"\xc3\xa4~") == "a%2Fb%20%7B%22%C3%A4~");
}

}  // namespace
}  // namespace agent
