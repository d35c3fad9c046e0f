// An agent whose answers a test sets.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/http/state.h"

namespace agent {

class FakeView final : public AgentView {
 public:
  [[nodiscard]] AgentInfo Info() const override { return info; }
  [[nodiscard]] Readiness Ready() const override { return readiness; }
  [[nodiscard]] std::vector<JobStatus> Jobs(std::string_view only) const override {
    std::vector<JobStatus> shown = jobs;
    std::erase_if(shown, [&](const auto& job) { return !only.empty() && job.name != only; });
    return shown;
  }
  [[nodiscard]] std::vector<std::string> JobNames() const override {
    std::vector<std::string> names;
    for (const JobStatus& job : jobs)
      names.push_back(job.name);
    return names;
  }
  [[nodiscard]] std::vector<OutputView> Outputs() const override { return outputs; }
  [[nodiscard]] std::vector<LedgerRow> Ledger() const override { return ledger; }
  [[nodiscard]] std::string ConfigText() const override { return config_text; }
  void CollectMetrics(Exposition& page) override { page.Add("agent_open_files", {}, 7); }
  void Reload(std::function<void(Status)> done) override {
    ++reloads;
    if (reload_later) {
      reload_done = std::move(done);
    } else {
      done(reload_result);
    }
  }

  AgentInfo info{.version = "0.1.0",
                 .hostname = "node-1",
                 .config_file = "/etc/agent/agent.yaml",
                 .uptime_seconds = 7260,
                 .config_age_seconds = 90};
  Readiness readiness{.ready = true, .reason = ""};
  std::vector<JobStatus> jobs;
  std::vector<OutputView> outputs;
  std::vector<LedgerRow> ledger;
  std::string config_text = "clients: []\n";
  Status reload_result;
  bool reload_later = false;  // Keeps `done` until the test calls it.
  std::function<void(Status)> reload_done;
  int reloads = 0;
};

}  // namespace agent
