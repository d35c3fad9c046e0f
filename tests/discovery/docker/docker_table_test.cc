#include "discovery/docker/docker_table.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "discovery/docker/docker_labels.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;

RelabelRule Copy(const std::string& from, const std::string& to) {
  RelabelRule rule;
  rule.source_labels = {from};
  rule.target_label = to;
  return rule;
}

RelabelRule Choose(RelabelAction action, const std::string& label, const std::string& regex) {
  RelabelRule rule;
  rule.action = action;
  rule.source_labels = {label};
  rule.regex = regex;
  return rule;
}

std::shared_ptr<const Relabeling> Compiled(const std::vector<RelabelRule>& rules) {
  auto compiled = Relabeling::Compile(rules);
  REQUIRE(compiled.ok());
  return std::move(*compiled);
}

struct Bed {
  explicit Bed(
      const std::vector<RelabelRule>& rules = {Copy("__meta_docker_container_name", "name"),
                                               Copy("__meta_docker_container_log_stream", "stream"),
                                               Copy("__meta_docker_network_ip", "ip")})
      : table("job", Compiled(rules), options, clock) {
    table.SetRoot(dir.path());
    CHECK(table.Result().targets.empty());
  }

  DockerContainer Container(const std::string& id, const std::string& status = "running") const {
    std::filesystem::create_directories(dir.path() + "/containers/" + id);
    DockerContainer container;
    container.id = id;
    container.name = "/" + id;
    container.network_mode = "front";
    container.log_driver = "json-file";
    container.status = status;
    if (status == "running") container.networks = {{"front", "n1", "10.0.0.1"}};
    return container;
  }
  [[nodiscard]] std::string Log(const std::string& id) const {
    return dir.path() + "/containers/" + id + "/" + id + "-json.log";
  }

  TempDir dir;
  FakeClock clock;
  std::shared_ptr<DockerOptions> options = std::make_shared<DockerOptions>();
  DockerTable table;
};

TEST_CASE("docker table: a container is a target with labels by stream", "[discovery][docker]") {
  Bed bed;
  bed.table.Put(bed.Container("a"));

  CHECK(bed.table.changed());
  const DiscoveryResult result = bed.table.Result();
  REQUIRE(result.targets.size() == 1);
  const Target& target = *result.targets[0];
  CHECK(target.path == bed.Log("a"));
  CHECK_FALSE(target.awaited);
  REQUIRE(target.streams.has_value());
  CHECK(target.streams->out == Labels{{"ip", "10.0.0.1"}, {"name", "/a"}, {"stream", "stdout"}});
  CHECK(target.streams->err == Labels{{"ip", "10.0.0.1"}, {"name", "/a"}, {"stream", "stderr"}});
  CHECK(target.labels == *target.streams->out);
  CHECK_FALSE(bed.table.changed());
}

TEST_CASE("docker table: a container that was only made is awaited", "[discovery][docker]") {
  Bed bed;
  bed.table.Put(bed.Container("a", "created"));
  CHECK(bed.table.Result().targets.at(0)->awaited);

  SECTION("and begins with the labels that it starts with") {
    bed.table.Put(bed.Container("a"));
    const Target target = *bed.table.Result().targets.at(0);
    CHECK_FALSE(target.awaited);
    CHECK(target.labels.Value("ip") == "10.0.0.1");
  }
  SECTION("or with those that are known when it is gone") {
    bed.table.Gone("a");
    CHECK_FALSE(bed.table.Result().targets.at(0)->awaited);
    bed.table.Put(bed.Container("a"));
    CHECK_FALSE(bed.table.changed());
  }
  SECTION("or has ended") {
    bed.table.Ended("a");
    CHECK_FALSE(bed.table.Result().targets.at(0)->awaited);
  }
}

TEST_CASE("docker table: a log stays where it was when its folder is gone", "[discovery][docker]") {
  Bed bed;
  bed.table.Put(bed.Container("a", "created"));
  CHECK(bed.table.Result().targets.at(0)->awaited);
  std::filesystem::remove_all(bed.dir.path() + "/containers/a");

  bed.table.Ended("a");
  const DiscoveryResult result = bed.table.Result();
  REQUIRE(result.targets.size() == 1);
  CHECK(result.targets[0]->path == bed.Log("a"));
  CHECK_FALSE(result.targets[0]->awaited);
}

TEST_CASE("docker table: a log that is held is read although its folder is gone",
          "[discovery][docker]") {
  Bed bed;
  const std::string held = bed.Log("a");
  bed.options->is_held = [&held](const std::string& path) { return path == held; };
  const DockerContainer container = bed.Container("a", "exited");
  DockerContainer unknown = bed.Container("b");
  std::filesystem::remove_all(bed.dir.path() + "/containers");

  SECTION("inspected when it had ended") {
    bed.table.Put(container);
    CHECK(bed.table.Result().targets.at(0)->path == held);
  }
  SECTION("never inspected: it has what its event has told, for a while") {
    DockerContainer told;
    told.id = "a";
    told.name = "/told";
    CHECK(bed.table.PutVanished(told));
    const Target target = *bed.table.Result().targets.at(0);
    CHECK(target.path == held);
    CHECK(target.labels == Labels{{"name", "/told"}, {"stream", "stdout"}});
    CHECK_FALSE(target.awaited);
    bed.clock.Advance(16 * kSecond);
    bed.table.Expire();
    CHECK(bed.table.Result().targets.empty());
    CHECK_FALSE(bed.table.Has("a"));
  }
  SECTION("not when it is not held, or known") {
    CHECK_FALSE(bed.table.PutVanished(unknown));
    bed.table.Put(container);
    CHECK_FALSE(bed.table.PutVanished(container));
  }
  CHECK(bed.table.Result().log_folders == std::vector<std::string>{bed.dir.path() + "/containers"});
}

TEST_CASE("docker table: the end of a container does not change its labels",
          "[discovery][docker]") {
  Bed bed;
  bed.table.Put(bed.Container("a"));
  const auto running = bed.table.Result().targets.at(0);

  bed.table.Ended("a");
  bed.table.Put(bed.Container("a", "exited"));
  CHECK(bed.table.Result().targets.at(0) == running);
}

TEST_CASE("docker table: ended and gone containers are let go of in time", "[discovery][docker]") {
  Bed bed;
  bed.table.Put(bed.Container("gone"));
  bed.table.Put(bed.Container("ended"));
  DockerContainer old = bed.Container("old", "exited");
  old.finished_ns = bed.clock.WallNanos() - 3601 * kSecond;
  bed.table.Put(old);
  CHECK(bed.table.Result().targets.size() == 2);

  bed.table.Gone("gone");
  bed.table.Ended("ended");
  CHECK(bed.table.expires());
  bed.clock.Advance(15 * kSecond);
  bed.table.Expire();
  CHECK(bed.table.Result().targets.size() == 2);
  bed.clock.Advance(kSecond);
  bed.table.Expire();
  CHECK(bed.table.changed());
  CHECK(bed.table.Result().targets.size() == 1);
  CHECK_FALSE(bed.table.Has("gone"));

  bed.clock.Advance(3600 * kSecond);
  bed.table.Expire();
  CHECK(bed.table.Result().targets.empty());
  CHECK_FALSE(bed.table.expires());
  bed.table.Put(bed.Container("ended"));  // Started again.
  CHECK(bed.table.Result().targets.size() == 1);
}

TEST_CASE("docker table: the list tells what to look at, and what is gone", "[discovery][docker]") {
  Bed bed;
  using Ids = std::vector<std::string>;
  CHECK(bed.table.Keep({{"a", 1}, {"b", 1}}) == Ids{"a", "b"});
  bed.table.Put(bed.Container("a"));
  bed.table.Put(bed.Container("b"));
  CHECK(bed.table.Keep({{"a", 1}, {"b", 2}}) == Ids{"b"});
  CHECK(bed.table.Keep({{"a", 1}}).empty());
  CHECK_FALSE(bed.table.IsRunning("b"));
  CHECK(bed.table.IsRunning("a"));
  bed.table.ForgetListed();
  CHECK(bed.table.Keep({{"a", 1}}) == Ids{"a"});
}

TEST_CASE("docker table: relabelling keeps streams and ports one by one", "[discovery][docker]") {
  Bed bed({Choose(RelabelAction::kDrop, "__meta_docker_container_log_stream", "stderr"),
           Choose(RelabelAction::kKeep, "__meta_docker_port_private", "443"),
           Copy("__meta_docker_port_private", "port")});
  DockerContainer container = bed.Container("a");
  container.ports = {{80, 0, {}}, {443, 8443, "0.0.0.0"}};
  bed.table.Put(container);
  const Target target = *bed.table.Result().targets.at(0);
  CHECK(target.streams->out == Labels{{"port", "443"}});
  CHECK_FALSE(target.streams->err.has_value());

  bed.table.Put(bed.Container("b"));
  const DiscoveryResult result = bed.table.Result();
  REQUIRE(result.dropped.size() == 1);
  CHECK(result.dropped[0]->reason == "dropped");
  CHECK(result.dropped[0]->detail == "relabel_configs[1] (action keep)");
}

TEST_CASE("docker table: a log that is no file here is read through the daemon",
          "[discovery][docker]") {
  Bed bed;
  DockerContainer local = bed.Container("a");
  local.log_driver = "local";
  local.tty = true;
  bed.table.Put(local);
  DockerContainer elsewhere = bed.Container("b", "created");
  elsewhere.log_path = "/not/here/b-json.log";
  bed.table.Put(elsewhere);

  const DiscoveryResult result = bed.table.Result();
  CHECK(result.targets.empty());
  REQUIRE(result.containers.size() == 2);
  const ContainerLog& log = *result.containers[0];
  CHECK(log.container_id == "a");
  CHECK(log.daemon == bed.options);
  CHECK(log.tty);
  CHECK(log.running);
  CHECK(log.target.path == "docker:a");
  CHECK(log.target.streams->err->Value("stream") == "stderr");
  CHECK(result.containers[1]->target.awaited);

  bed.table.Put(local);
  CHECK_FALSE(bed.table.changed());
  bed.table.Ended("a");
  CHECK_FALSE(bed.table.Result().containers[0]->running);
}

TEST_CASE("docker table: paths of the daemon are found under the prefix", "[discovery][docker]") {
  TempDir host;
  std::filesystem::create_directories(host.path() + "/var/lib/docker/containers/a");
  FakeClock clock;
  auto options = std::make_shared<DockerOptions>();
  options->log_path_prefix = host.path();
  DockerTable table("job", Compiled({}), options, clock);
  DockerContainer container;
  container.id = "a";
  container.log_driver = "json-file";
  container.log_path = "/var/lib/docker/containers/a/a-json.log";
  table.Put(container);
  CHECK(table.Result().targets.at(0)->path == host.path() + container.log_path);
}

TEST_CASE("docker labels: every network and port", "[discovery][docker]") {
  DockerNetworks networks;
  networks["n1"] = {"n1", "front", "local", false, true, {{"net.label", "x"}}};
  DockerContainer container;
  container.id = "id";
  container.name = "/web";
  container.network_mode = "front";
  container.labels = {{"com.docker.compose.service", "web"}, {"\xc3\xa4/-", "odd"}};
  container.networks = {{"back", "n2", "10.1.0.1"}, {"front", "n1", "fd00::1"}};
  container.ports = {{80, 8080, "0.0.0.0"}};
  DockerOptions options;
  const auto nobody = [](std::string_view) { return nullptr; };

  CHECK(DockerLabels(container, networks, options, nobody).size() == 1);
  options.match_first_network = false;
  const auto sets = DockerLabels(container, networks, options, nobody);
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].Value("__meta_docker_network_name") == "back");
  CHECK(sets[1] == Labels{{"__address__", "[fd00::1]:80"},
                          {"__meta_docker_container_id", "id"},
                          {"__meta_docker_container_label____", "odd"},
                          {"__meta_docker_container_label_com_docker_compose_service", "web"},
                          {"__meta_docker_container_name", "/web"},
                          {"__meta_docker_container_network_mode", "front"},
                          {"__meta_docker_network_id", "n1"},
                          {"__meta_docker_network_ingress", "true"},
                          {"__meta_docker_network_internal", "false"},
                          {"__meta_docker_network_ip", "fd00::1"},
                          {"__meta_docker_network_label_net_label", "x"},
                          {"__meta_docker_network_name", "front"},
                          {"__meta_docker_network_scope", "local"},
                          {"__meta_docker_port_private", "80"},
                          {"__meta_docker_port_public", "8080"},
                          {"__meta_docker_port_public_ip", "0.0.0.0"}});
}

TEST_CASE("docker labels: without a port, in the host's network, in another's, in none",
          "[discovery][docker]") {
  DockerOptions options;
  options.port = 9000;
  options.host_networking_host = "node1";
  DockerContainer other;
  other.id = "other";
  other.networks = {{"front", "n1", "10.0.0.9"}};
  const auto find = [&other](std::string_view name) { return name == "other" ? &other : nullptr; };
  DockerContainer container;
  container.id = "id";
  const auto address = [&] {
    const auto sets = DockerLabels(container, {}, options, find);
    REQUIRE(sets.size() == 1);
    return std::string(sets[0].Value("__address__"));
  };

  CHECK(address().empty());
  container.network_mode = "container:other";
  CHECK(address() == "10.0.0.9:9000");
  container.network_mode = "container:nobody";
  CHECK(address().empty());
  container.network_mode = "host";
  container.networks = {{"host", "h", ""}};
  CHECK(address() == "node1");
}

}  // namespace
}  // namespace agent
