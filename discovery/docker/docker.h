// `docker_sd_configs`: the containers of a Docker daemon as targets. Its events tell of a container
// in the moment in which it is made; the list, read at the start and every `refresh_interval`, of
// everything that they did not tell.

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "discovery/discoverer.h"
#include "discovery/docker/docker_client.h"
#include "discovery/docker/docker_objects.h"
#include "discovery/docker/docker_options.h"
#include "discovery/docker/docker_table.h"
#include "discovery/relabel.h"

namespace agent {

// Loop thread.
class DockerDiscoverer final : public Discoverer {
 public:
  struct Dependencies {
    Loop& loop;
    const Clock& clock;
    Logger& logger;
  };
  DockerDiscoverer(std::string job, DockerOptions options,
                   std::shared_ptr<const Relabeling> relabeling, Random random,
                   const Dependencies& dependencies);

  void Start(std::function<void(DiscoveryResult)> changed) override;
  void Stop() override;
  [[nodiscard]] std::vector<std::string> Problems() const override;
  void CollectMetrics(MetricSink& sink) const override;

 private:
  // --- The daemon. It is asked for events first and for everything there is then, so that nothing
  // is missed in between.
  void Connect();
  void EventsEnded(const Error& error);
  // Everything is asked for again, after a while.
  void Failed(std::string_view what, const Error& error);
  void Refresh();
  void AskForNetworks();
  void AskForList();
  void Listed(const std::vector<DockerListed>& listed);

  // --- Events.
  void HandleEvents();
  void Handle(const DockerEvent& event);
  void Remember(const DockerEvent& event);

  // --- Single containers.
  void Look(const std::string& id);
  void LookAtNext();
  // Whether the daemon's filters let it pass, for one that is not known.
  void AskForOne(const std::string& id);
  void Inspect(const std::string& id);
  void LookedAt(const std::string& id);
  // It was gone when it was looked at: a target all the same if its log is held, with what its
  // first event has told.
  void Vanished(const std::string& id);

  void Report();
  void ReportNow();
  void ExpireLater();

  const std::string job_;
  const std::shared_ptr<const DockerOptions> options_;
  Loop& loop_;
  const Clock& clock_;
  Logger& logger_;
  DockerTable table_;
  DockerClient client_;
  Backoff backoff_;
  std::function<void(DiscoveryResult)> changed_;

  bool running_ = false;
  bool connected_ = false;
  bool events_refused_ = false;  // By a proxy that lets other requests pass.
  bool refreshing_ = false;
  bool root_known_ = false;
  bool listed_once_ = false;
  std::optional<DockerClient::Id> events_id_;
  DockerLines event_lines_;
  std::deque<DockerEvent> events_;
  std::deque<std::string> to_look_at_;
  std::set<std::string> waiting_;                   // In to_look_at_.
  std::set<std::string> looking_;                   // Asked for.
  std::map<std::string, DockerContainer> created_;  // By events, and not looked at yet.
  std::string problem_;  // Why the daemon cannot be asked; empty when it can.
  uint64_t failures_ = 0;
  int64_t reported_ns_ = 0;

  Timer events_timer_;
  Timer refresh_timer_;
  Timer retry_timer_;
  Timer report_timer_;
  Timer expire_timer_;
};

}  // namespace agent
