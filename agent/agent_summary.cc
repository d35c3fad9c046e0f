#include "agent/agent_summary.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/agent.h"

namespace agent {
namespace {

// More of them would not be read.
constexpr std::size_t kProblemsShown = 2;
constexpr std::size_t kMaxProblemBytes = 160;

std::string Count(uint64_t count, const std::string& one, const std::string& more) {
  return std::to_string(count) + " " + (count == 1 ? one : more);
}

// Errors come from anywhere: as one line, cut between characters.
std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (text.size() <= kMaxProblemBytes) return text;
  std::size_t end = kMaxProblemBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end) + "…";
}

}  // namespace

std::string SummaryText(const AgentSummary& summary) {
  std::string text = Count(summary.files, "file", "files");
  if (summary.other_sources > 0) {
    text += " and " + Count(summary.other_sources, "other source", "other sources");
  }
  text += " followed, " + Count(summary.sent_entries, "entry", "entries") + " sent";
  for (std::size_t i = 0; i < std::min(summary.problems.size(), kProblemsShown); ++i)
    text += "; " + OneLine(summary.problems[i]);
  if (summary.problems.size() > kProblemsShown) {
    text += "; and " + std::to_string(summary.problems.size() - kProblemsShown) + " more";
  }
  return text;
}

AgentSummary Agent::Summary() const {
  AgentSummary summary;
  if (tailer_ != nullptr) summary.files = tailer_->counters().files_active;
  if (docker_logs_ != nullptr) summary.other_sources = docker_logs_->Status().size();
  for (const auto& receiver : receivers_) {
    for (const ReceiverStatus& source : receiver->Status())
      summary.other_sources += static_cast<uint64_t>(source.error.empty());
  }
  for (const auto& output : generation_->engine().outputs()) {
    summary.sent_entries += output->Totals().sent_entries;
    for (const LaneStatus& lane : output->Status()) {
      if (lane.state == "idle" || lane.state == "sending" || lane.state == "draining") continue;
      std::string problem = output->name() + ": " + lane.state;
      if (!lane.last_error.empty()) problem += ": " + lane.last_error;
      summary.problems.push_back(std::move(problem));
    }
  }
  if (!last_reload_ok_) summary.problems.emplace_back("the new configuration is not used");
  const Readiness readiness = Ready();
  if (!readiness.ready && !stopping_) summary.problems.push_back(readiness.reason);
  return summary;
}

int64_t Agent::busy_since_ns() const {
  int64_t since = 0;
  for (const auto& worker : generation_->engine().workers()) {
    const int64_t busy = worker->busy_since_ns();
    if (busy != 0 && (since == 0 || busy < since)) since = busy;
  }
  return since;
}

}  // namespace agent
