// A Docker daemon: its socket, how it keeps logs, and which containers' logs can be read how.

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/doctor/access.h"
#include "agent/doctor/fetch.h"
#include "agent/doctor/subject.h"
#include "agent/runtime/docker_options.h"
#include "base/unique_fd.h"
#include "discovery/docker/docker_client.h"
#include "discovery/docker/docker_objects.h"

namespace agent::doctor {
namespace {

constexpr std::size_t kMaxInspected = 500;
// Of which the daemon can read back what it has written, without a cache of its own.
constexpr std::array<const char*, 3> kReadable = {"json-file", "local", "journald"};

class DockerCheck {
 public:
  DockerCheck(const Subject& subject, const DockerSdConfig& config, const Group& group)
      : subject_(subject), config_(config), group_(group), options_(ToDockerOptions(config)) {}

  void Run() {
    if (!options_.http.unix_socket.empty()) {
      if (!CheckSocket(options_.http.unix_socket)) return;
    } else if (!CheckCredentialFiles(options_.http, subject_.system, group_) ||
               !ReachUrl(options_.base_url, options_.http, subject_.timeout, group_)) {
      return;
    }
    std::string list = "/containers/json?all=1";
    if (!options_.filters.empty())
      list += "&filters=" + UrlEncoded(DockerFilters(options_.filters));
    const std::vector<HttpResponse> answers =
        FetchAll(options_.http, {Get("/version"), Get("/info"), Get(list)}, subject_.timeout);
    if (!SayVersion(answers[0])) return;
    SayInfo(answers[1]);
    if (answers[2].status != 200) {
      group_.Failure(
          "docker.list", config_.host + ": containers are not shown: " + AnswerText(answers[2]),
          {"no container is found", "a socket proxy must allow GET /containers and /events"});
      return;
    }
    const Result<std::vector<DockerListed>> listed = ParseDockerList(answers[2].body);
    if (listed.ok()) LookAt(*listed);
  }

 private:
  HttpRequest Get(const std::string& path) const { return GetRequest(options_.base_url + path); }

  std::string SocketFix(const Refusal& refusal, const std::string& path) const {
    const bool container = subject_.system.container;
    if (refusal.error == ENOENT) {
      return container ? "docker run -v " + Quoted(path) + ":" + Quoted(path) + ":ro …"
                       : "systemctl start docker";
    }
    if (refusal.error == EACCES && S_ISSOCK(refusal.info.st_mode) && container) {
      return "docker run --group-add " + std::to_string(refusal.info.st_gid) +
             " …   # group_add in Compose";
    }
    return AccessFix(refusal, Want::kWrite, subject_.system);
  }

  bool CheckSocket(const std::string& path) {
    const std::string nothing = "no container is found";
    if (const std::optional<Refusal> refusal = WhyRefused(path, Want::kWrite)) {
      const std::string fix = SocketFix(*refusal, path);
      group_.Failure(refusal->error == EACCES ? "docker.permission" : "docker.socket",
                     refusal->Text(path), {nothing, fix});
      return false;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return true;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
      return true;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's is safe for known numbers.
    const std::string error = std::strerror(errno);
    group_.Failure(
        "docker.socket", path + ": " + error,
        {nothing, errno == ECONNREFUSED ? "systemctl start docker   # nobody listens at the socket"
                                        : "systemctl status docker"});
    return false;
  }

  bool SayVersion(const HttpResponse& answer) {
    if (answer.status == 200) {
      const ConfigNode version = ParseAnswer(answer.body);
      group_.Ok("docker.version", config_.host + ": version " + TextAt(version, {"Version"}));
      return true;
    }
    group_.Failure(
        "docker.answer", config_.host + ": " + AnswerText(answer),
        {"no container is found",
         answer.status == 403
             ? "a socket proxy must allow GET /version, /info, /containers, /networks and /events"
             : "systemctl restart docker   # it takes the connection and does not answer"});
    return false;
  }

  void SayInfo(const HttpResponse& answer) {
    if (answer.status != 200) return;
    const ConfigNode info = ParseAnswer(answer.body);
    const std::string driver = TextAt(info, {"LoggingDriver"});
    if (driver == "none") {
      group_.Warning("docker.driver",
                     config_.host + ": by default, logs of containers are not kept (driver none)",
                     {"they cannot be read",
                      "/etc/docker/daemon.json: {\"log-driver\": \"json-file\"}, then systemctl "
                      "restart docker, and containers made anew"});
    } else if (!driver.empty() && driver != "json-file") {
      group_.Note(
          "docker.driver",
          config_.host + ": the default log driver is " + driver + ": read through the daemon",
          {"json-file is read from its files, which costs less, and loses nothing of containers "
           "that are removed",
           "/etc/docker/daemon.json: {\"log-driver\": \"json-file\", \"log-opts\": {\"max-size\": "
           "\"50m\"}}"});
    } else if (!driver.empty()) {
      group_.Ok("docker.driver", config_.host + ": the default log driver is json-file");
    }
  }

  void LookAt(const std::vector<DockerListed>& listed) {
    std::vector<HttpRequest> requests;
    for (const DockerListed& container : listed) {
      if (requests.size() < kMaxInspected)
        requests.push_back(Get("/containers/" + container.id + "/json"));
    }
    struct Seen {
      std::size_t count = 0;
      std::string first;
    };
    std::map<std::string, Seen> by_driver;
    std::map<std::string, std::pair<Seen, Refusal>> hidden;
    std::size_t from_files = 0;
    for (const HttpResponse& answer :
         FetchAll(options_.http, std::move(requests), subject_.timeout)) {
      const Result<DockerContainer> container = ParseDockerContainer(answer.body);
      if (answer.status != 200 || !container.ok()) continue;
      const std::string name = container->name.substr(container->name.starts_with('/') ? 1 : 0);
      Seen& seen = by_driver[container->log_driver];
      if (seen.count++ == 0) seen.first = name;
      if (container->log_driver != "json-file" || container->log_path.empty()) continue;
      const std::string path = config_.log_path_prefix + container->log_path;
      const std::optional<Refusal> refusal = WhyRefused(path, Want::kRead);
      if (!refusal) {
        ++from_files;
        continue;
      }
      auto& [its, why] = hidden[refusal->place];
      if (its.count++ == 0) its.first = path;
      why = *refusal;
    }
    for (const auto& [driver, seen] : by_driver)
      SayDriver(driver, seen.count, seen.first);
    for (const auto& [place, what] : hidden) {
      group_.Note("docker.files",
                  "logs of " + Count(what.first.count, "container") +
                      " are read through the daemon: " + what.second.Text(what.first.first),
                  {"from files it costs less, and nothing of containers that are removed is lost",
                   AccessFix(what.second, Want::kRead, subject_.system)});
    }
    group_.Ok("docker.containers", Count(listed.size(), "container") + " found" +
                                       (from_files > 0 ? ", logs of " + std::to_string(from_files) +
                                                             " in files that can be read"
                                                       : ""));
    if (listed.empty()) {
      group_.Note(
          "docker.none",
          "no container" + std::string(options_.filters.empty() ? "" : " passes the filters"));
    }
  }

  void SayDriver(const std::string& driver, std::size_t count, const std::string& first) {
    const std::string who = first + (count > 1 ? " and " + Count(count - 1, "more container") : "");
    if (driver == "none") {
      group_.Warning("docker.driver",
                     who + (count > 1 ? " keep" : " keeps") + " no logs (driver none)",
                     {"they cannot be read",
                      "docker run --log-driver json-file   # logging.driver in Compose"});
    } else if (std::find(kReadable.begin(), kReadable.end(), driver) == kReadable.end()) {
      group_.Warning("docker.driver", who + (count > 1 ? " log" : " logs") + " by driver " + driver,
                     {"only what the daemon has in its cache can be read, nothing where "
                      "`cache-disabled` is set",
                      "docker run --log-driver json-file   # logging.driver in Compose"});
    }
  }

  const Subject& subject_;
  const DockerSdConfig& config_;
  const Group& group_;
  const DockerOptions options_;
};

}  // namespace

void CheckDocker(const Subject& subject, const DockerSdConfig& config, Findings& findings) {
  const Group group(findings, "Docker");
  DockerCheck(subject, config, group).Run();
}

}  // namespace agent::doctor
