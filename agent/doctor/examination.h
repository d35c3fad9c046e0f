// All checks at once, each with a time limit.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/config/loader.h"
#include "agent/doctor/finding.h"
#include "agent/doctor/subject.h"

namespace agent::doctor {

struct Task {
  std::string group;  // For what is said of one that does not end.
  std::string what;   // "files", "receiver loki".
  std::function<void(Findings&)> run;
};

// Runs each on a thread of its own. One that is not done within `limit` is left to itself, with
// what it has found, and reported. True when all have ended; if not, the process must not run
// destructors of what they use (_exit).
bool RunTasks(std::vector<Task> tasks, std::chrono::milliseconds limit,
              const std::shared_ptr<Findings>& findings);

// What the loader says of a configuration.
void ReportConfig(const LoadedConfig& loaded, const Group& group);

// The checks that this configuration asks for.
std::vector<Task> TasksFor(const std::shared_ptr<const Subject>& subject);

}  // namespace agent::doctor
