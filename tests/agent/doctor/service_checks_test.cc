#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/doctor/become_user.h"
#include "agent/doctor/examination.h"
#include "tests/agent/doctor/doctor_bed.h"
#include "tests/agent/doctor/socket_bed.h"
#include "tests/support/temp_dir.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using std::chrono::milliseconds;
using Strings = std::vector<std::string>;

Subject Listening(uint16_t port, const std::string& address = "127.0.0.1") {
  Subject subject = SubjectOf({});
  subject.config.server.http_listen_address = address;
  subject.config.server.http_listen_port = port;
  return subject;
}

Strings LogstashAt(uint16_t port, Findings& findings) {
  Subject subject = SubjectOf({});
  OutputConfig output;
  output.name = "stash";
  output.logstash = LogstashConfig();
  output.logstash->hosts = {"127.0.0.1:" + std::to_string(port)};
  CheckLogstash(subject, output, findings);
  return Complaints(findings);
}

Strings DockerAt(const Subject& subject, const std::string& socket, Findings& findings) {
  DockerSdConfig docker;
  docker.host = "unix://" + socket;
  CheckDocker(subject, docker, findings);
  return Complaints(findings);
}

}  // namespace

TEST_CASE("doctor listeners: a port that is free", "[doctor]") {
  uint16_t port = 0;
  BoundSocket(port).Reset();
  Findings findings;

  CheckListeners(Listening(port), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{}));
}

TEST_CASE("doctor listeners: a port that another program has", "[doctor]") {
  const AnsweringServer other("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  Findings findings;

  CheckListeners(Listening(other.port()), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure listeners.taken"}));
  CHECK_THAT(FindingOf(findings, "listeners.taken").fix, Contains("ss -ltnp"));
}

TEST_CASE("doctor listeners: a Promtail that still runs is called by its name", "[doctor]") {
  const std::string body = "# x\npromtail_build_info{version=\"3.6\"} 1\n";
  const AnsweringServer other("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                              "\r\n\r\n" + body);
  Findings findings;

  CheckListeners(Listening(other.port()), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure listeners.promtail"}));
}

TEST_CASE("doctor listeners: an address that this machine does not have", "[doctor]") {
  Findings findings;

  CheckListeners(Listening(9080, "192.0.2.1"), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure listeners.address"}));
}

TEST_CASE("doctor Logstash: an input that waits for events", "[doctor]") {
  const SilentServer server;
  Findings findings;

  CHECK_THAT(LogstashAt(server.port(), findings), Equals(Strings{}));
  CHECK_THAT(FindingOf(findings, "logstash.protocol").text, Contains("takes an empty window"));
}

TEST_CASE("doctor Logstash: others that are there in its place", "[doctor]") {
  struct Case {
    std::string answer;
    const char* want;
    const char* text;
  };
  const auto c = GENERATE(values<Case>({
      {"HTTP/1.1 400 Bad Request\r\n\r\n", "failure logstash.protocol", "speaks HTTP"},
      {"\x15\x03\x01", "failure logstash.protocol", "wants TLS"},
      {"220 mail\r\n", "failure logstash.protocol", "does not speak lumberjack"},
      {"", "failure logstash.closed", "closes the connection"},
  }));
  INFO(c.text);
  const AnsweringServer server(c.answer);
  Findings findings;

  CHECK_THAT(LogstashAt(server.port(), findings), Equals(Strings{c.want}));
  CHECK_THAT(FindingOf(findings, std::string(c.want).substr(8)).text, Contains(c.text));
}

TEST_CASE("doctor Docker: a socket that is not there", "[doctor]") {
  const TempDir dir;
  Findings findings;

  CHECK_THAT(DockerAt(SubjectOf({}), dir.path() + "/docker.sock", findings),
             Equals(Strings{"failure docker.socket"}));
  CHECK(FindingOf(findings, "docker.socket").fix == "systemctl start docker");
}

TEST_CASE("doctor Docker: a socket of a group that one is not in", "[doctor]") {
  const TempDir dir;
  ::chmod(dir.path().c_str(), 0755);
  const std::string path = dir.path() + "/docker.sock";
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  if (::chown(path.c_str(), 0, 4) != 0) return;  // Only root can make such a socket.
  ::chmod(path.c_str(), 0660);
  Subject subject = SubjectOf({});
  subject.config.scrape_configs.emplace_back().docker_sd_configs.emplace_back().host =
      "unix://" + path;
  Findings findings;

  RunAsNobody(
      subject,
      [](const Subject& its, Findings& to) {
        CheckDocker(its, its.config.scrape_configs[0].docker_sd_configs[0], to);
      },
      findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure docker.permission"}));
  CHECK_THAT(FindingOf(findings, "docker.permission").fix, Contains("usermod -aG adm nobody"));
}

TEST_CASE("doctor Kubernetes: outside of a cluster, and without a kubeconfig", "[doctor]") {
  ScrapeConfig job;
  job.job_name = "pods";
  Findings findings;

  CheckKubernetes(SubjectOf({}), job, KubernetesSdConfig(), findings);

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure kubernetes.access"}));
}

TEST_CASE("doctor journal: a folder that is not there, and an empty one", "[doctor]") {
  const TempDir dir;
  Subject subject = SubjectOf({});
  ScrapeConfig& job = subject.config.scrape_configs.emplace_back();
  job.job_name = "journal";
  job.journal = JournalConfig();
  job.journal->path = dir.path() + "/none";
  Findings none;
  Findings empty;

  CheckJournal(subject, none);
  job.journal->path = dir.path();
  CheckJournal(subject, empty);

  CHECK_THAT(Complaints(none), Equals(Strings{"failure journal.folder"}));
  CHECK_THAT(Complaints(empty), Equals(Strings{"warning journal.empty"}));
}

TEST_CASE("doctor journal: a folder for a group alone", "[doctor]") {
  const TempDir dir;
  ::chmod(dir.path().c_str(), 0750);
  Subject subject = SubjectOf({});
  ScrapeConfig& job = subject.config.scrape_configs.emplace_back();
  job.journal = JournalConfig();
  job.journal->path = dir.path();
  Findings findings;

  RunAsNobody(subject, CheckJournal, findings);

  if (::geteuid() != 0) return;
  CHECK_THAT(FindingOf(findings, "journal.permission").fix,
             Contains("usermod -aG systemd-journal nobody"));
}

TEST_CASE("doctor: a check that hangs is given up, and what it had found is kept", "[doctor]") {
  const auto findings = std::make_shared<Findings>();
  // It outlives the test: nothing of the test's may be used in it.
  const Task hangs{"Files", "the files", [](Findings& to) {
                     Group(to, "Files").Ok("files.one", "found before");
                     for (;;)
                       ::pause();
                   }};
  const Task ends{"Clock", "the clock",
                  [](Findings& to) { Group(to, "Clock").Ok("clock.x", "well"); }};

  const bool all = RunTasks({hangs, ends}, milliseconds(200), findings);

  CHECK_FALSE(all);
  CHECK_THAT(Complaints(*findings), Equals(Strings{"failure doctor.timeout"}));
  CHECK(FindingOf(*findings, "files.one").text == "found before");
  CHECK(FindingOf(*findings, "clock.x").text == "well");
}

TEST_CASE("doctor: -user is taken out of what the program is started anew with", "[doctor]") {
  const std::vector<const char*> arguments = {"-user", "a", "-config.file=x", "--user=b",
                                              "-strict"};

  CHECK_THAT(WithoutUser(arguments), Equals(Strings{"-config.file=x", "-strict"}));
}

}  // namespace agent::doctor
