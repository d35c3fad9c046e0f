// What is examined: a configuration on a machine. Shared by all checks and never changed, so that a
// check that hangs may keep it.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "agent/doctor/finding.h"
#include "agent/doctor/system.h"
#include "discovery/target.h"

namespace agent::doctor {

// A `__path__` with how its files are read.
struct FilePattern {
  std::string job;
  std::string path;
  std::string exclude;
  std::vector<std::string> roots;  // As in Target.
  std::string compression;         // "gz", …; empty: not compressed.
  std::string encoding;
  bool awaits = false;  // That nothing matches now means nothing: pods come and go.
};

// What the configuration alone tells, without a daemon or a server.
struct KnownTargets {
  struct Job {
    std::string name;
    std::vector<std::shared_ptr<const Target>> targets;
    std::vector<std::shared_ptr<const DroppedTarget>> dropped;
    std::vector<std::string> problems;  // Of files of targets.
    bool elsewhere = false;             // It has targets that are not among these.
  };
  std::vector<Job> jobs;
  std::vector<FilePattern> patterns;
};

struct Subject {
  Config config;
  System system;
  KnownTargets targets;
  std::string host;
  std::chrono::milliseconds timeout{3'000};  // Of one step over the network.
  bool send_test = false;
};

// Targets of `static_configs` and `file_sd_configs`, relabelled; folders of pods. Reads files.
KnownTargets FindTargets(const Config& config, const std::string& host);

// Its name, or where it is when it was given none; and "Output NAME (loki)".
std::string OutputName(const ClientConfig& client);
std::string OutputGroup(const ClientConfig& client);

// --- The checks. Each may wait for as long as the network or a file system lets it.

using Shared = std::shared_ptr<const Subject>;

// Files, and what the number of them asks of the system: permissions, kinds, inotify, descriptors.
void CheckFiles(const Subject& subject, Findings& findings);
// Folders of the agent's own: positions, buffers, dead letter, file outputs; locks; free space.
void CheckState(const Subject& subject, Findings& findings);
// Memory and processor time that the cgroup gives.
void CheckResources(const Subject& subject, Findings& findings);
// The machine's clock and time zone.
void CheckClock(const Subject& subject, Findings& findings);
// Ports to listen on.
void CheckListeners(const Subject& subject, Findings& findings);
void CheckJournal(const Subject& subject, Findings& findings);
// One item of `docker_sd_configs` and `kubernetes_sd_configs`.
void CheckDocker(const Subject& subject, const DockerSdConfig& config, Findings& findings);
void CheckKubernetes(const Subject& subject, const ScrapeConfig& job,
                     const KubernetesSdConfig& config, Findings& findings);
// Receivers.
void CheckLoki(const Subject& subject, const ClientConfig& client, Findings& findings);
void CheckElasticsearch(const Subject& subject, const OutputConfig& output, Findings& findings);
void CheckLogstash(const Subject& subject, const OutputConfig& output, Findings& findings);
// What an agent says that runs with this configuration.
void CheckRunning(const Subject& subject, Findings& findings);

}  // namespace agent::doctor
