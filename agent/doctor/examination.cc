#include "agent/doctor/examination.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/doctor/send_test.h"
#include "agent/doctor/system.h"

namespace agent::doctor {
namespace {

// Shared by the threads, and by the one that waits for them.
struct Progress {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<bool> done;
  std::size_t left = 0;
};

void SayUnfinished(const Task& task, std::chrono::milliseconds limit, Findings& findings) {
  Group(findings, task.group)
      .Failure(
          "doctor.timeout",
          task.what + ": did not come to an end within " + std::to_string(limit.count() / 1000) +
              " s",
          {"something there hangs, and the agent would with it",
           task.group == "Files" || task.group == "State"
               ? "mount | grep -E 'nfs|cifs|fuse'   # a network file system that does not answer"
               : "agent doctor -timeout 10s …   # if it is only slow"});
}

}  // namespace

bool RunTasks(std::vector<Task> tasks, std::chrono::milliseconds limit,
              const std::shared_ptr<Findings>& findings) {
  const auto progress = std::make_shared<Progress>();
  progress->done.resize(tasks.size());
  progress->left = tasks.size();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    std::thread([progress, findings, run = tasks[i].run, i] {
      run(*findings);
      const std::lock_guard<std::mutex> lock(progress->mutex);
      progress->done[i] = true;
      --progress->left;
      progress->changed.notify_all();
    }).detach();
  }
  std::unique_lock<std::mutex> lock(progress->mutex);
  progress->changed.wait_for(lock, limit, [&progress] { return progress->left == 0; });
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!progress->done[i]) SayUnfinished(tasks[i], limit, *findings);
  }
  return progress->left == 0;
}

void ReportConfig(const LoadedConfig& loaded, const Group& group) {
  const std::string& file = loaded.config.file;
  for (const Problem& problem : loaded.problems.all()) {
    const std::string line = loaded.problems.FormatLine(problem);
    if (problem.severity == Severity::kError) {
      group.Failure("config.error", line, {"the agent does not start", ""});
    } else {
      group.Warning("config.warning", line, {});
    }
  }
  if (loaded.problems.has_errors()) return;
  const Config& config = loaded.config;
  group.Ok("config.loaded", (file.empty() ? std::string("no file") : file) + ": " +
                                Count(config.scrape_configs.size(), "job") + ", " +
                                Count(config.clients.size() + config.outputs.size(), "output"));
  if (config.clients.empty() && config.outputs.empty()) {
    group.Failure(
        "config.outputs", "there is no output",
        {"nothing is delivered", "clients: [{ url: 'http://localhost:3100/loki/api/v1/push' }]"});
  }
  if (config.scrape_configs.empty()) {
    group.Failure("config.jobs", "there is no job", {"nothing is read", "scrape_configs: [ … ]"});
  }
}

std::vector<Task> TasksFor(const std::shared_ptr<const Subject>& subject) {
  std::vector<Task> tasks;
  const auto add = [&](const char* group, const char* what, auto check) {
    tasks.push_back({group, what, [subject, check](Findings& f) { check(*subject, f); }});
  };
  add("Files", "looking at the files", CheckFiles);
  add("State", "looking at the agent's own folders", CheckState);
  add("Resources", "looking at the cgroup", CheckResources);
  add("Clock", "looking at the clock", CheckClock);
  add("Listeners", "trying the ports", CheckListeners);
  add("Journal", "looking at the journal", CheckJournal);
  add("Running agent", "asking the agent", CheckRunning);
  for (const ScrapeConfig& job : subject->config.scrape_configs) {
    for (const DockerSdConfig& docker : job.docker_sd_configs) {
      const DockerSdConfig* const config = &docker;  // In the subject, as is all below.
      tasks.push_back({"Docker", docker.host,
                       [subject, config](Findings& f) { CheckDocker(*subject, *config, f); }});
    }
    for (const KubernetesSdConfig& kubernetes : job.kubernetes_sd_configs) {
      const KubernetesSdConfig* const config = &kubernetes;
      const ScrapeConfig* const its_job = &job;
      tasks.push_back(
          {"Kubernetes", "job " + job.job_name, [subject, its_job, config](Findings& f) {
             CheckKubernetes(*subject, *its_job, *config, f);
           }});
    }
  }
  for (const ClientConfig& client : subject->config.clients) {
    const ClientConfig* const config = &client;
    tasks.push_back({OutputGroup(client), "asking " + OutputName(client),
                     [subject, config](Findings& f) { CheckLoki(*subject, *config, f); }});
  }
  for (const OutputConfig& output : subject->config.outputs) {
    const OutputConfig* const config = &output;
    if (output.elasticsearch) {
      tasks.push_back(
          {"Output " + output.name + " (elasticsearch)", "asking " + output.name,
           [subject, config](Findings& f) { CheckElasticsearch(*subject, *config, f); }});
    } else if (output.logstash) {
      tasks.push_back({"Output " + output.name + " (logstash)", "asking " + output.name,
                       [subject, config](Findings& f) { CheckLogstash(*subject, *config, f); }});
    }
  }
  if (subject->send_test) {
    tasks.push_back(
        {"Test entry", "the test entry", [subject](Findings& f) { SendTestEntries(*subject, f); }});
  }
  return tasks;
}

}  // namespace agent::doctor
