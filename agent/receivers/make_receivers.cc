#include "agent/receivers/make_receivers.h"

#include <string>
#include <utility>

#include "agent/receivers/journal/journal_receiver.h"
#include "agent/receivers/push/push_receiver.h"
#include "agent/receivers/syslog/syslog_receiver.h"
#include "base/check.h"
#include "base/random.h"
#include "discovery/relabel.h"

namespace agent {
namespace {

std::unique_ptr<Relabeling> CompileRelabeling(const ScrapeConfig& job) {
  auto compiled = Relabeling::Compile(job.relabel_configs);
  CHECK(compiled.ok());
  return std::move(*compiled);
}

}  // namespace

std::vector<std::unique_ptr<Receiver>> MakeReceivers(const Config& config,
                                                     const ReceiverDependencies& dependencies) {
  std::vector<std::unique_ptr<Receiver>> receivers;
  for (const ScrapeConfig& job : config.scrape_configs) {
    if (job.journal) {
      receivers.push_back(
          std::make_unique<JournalReceiver>(job, CompileRelabeling(job), dependencies));
    }
    if (job.loki_push_api) {
      receivers.push_back(std::make_unique<PushReceiver>(
          job, CompileRelabeling(job),
          PushReceiver::Dependencies{dependencies.loop, dependencies.clock, dependencies.logger}));
    }
    if (job.syslog) {
      receivers.push_back(std::make_unique<SyslogReceiver>(
          job,
          SyslogReceiver::Dependencies{dependencies.loop, dependencies.clock, dependencies.logger},
          Random::FromSystem(),
          [](const std::string& ip_address) { return LookUpHostNames(ip_address); }));
    }
  }
  return receivers;
}

}  // namespace agent
