#include "discovery/docker/docker.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxLooking = 8;
// What changes within this time is reported together.
constexpr milliseconds kReportGap{20};
constexpr milliseconds kMinBackoff{500};
constexpr milliseconds kMaxBackoff{300'000};
constexpr milliseconds kExpire{5'000};
// Containers that were made and not looked at yet.
constexpr std::size_t kMaxCreated = 512;

// Health checks alone make events every few seconds.
std::string EventFilters() {
  return DockerFilters(
      {{"type", {"container", "network"}},
       {"event", {"create", "start", "die", "destroy", "rename", "connect", "disconnect"}}});
}

// Whether the daemon would let it pass, as far as that can be told from its labels; false when the
// filters ask for something else.
bool PassesLabelFilters(
    const std::vector<std::pair<std::string, std::vector<std::string>>>& filters,
    const DockerContainer& container) {
  const auto has = [&container](const std::string& wanted) {
    const std::size_t equals = wanted.find('=');
    return std::any_of(container.labels.begin(), container.labels.end(), [&](const auto& label) {
      return equals == std::string::npos ? label.first == wanted
                                         : label.first + "=" + label.second == wanted;
    });
  };
  return std::all_of(filters.begin(), filters.end(), [&has](const auto& filter) {
    return filter.first == "label" && std::all_of(filter.second.begin(), filter.second.end(), has);
  });
}

}  // namespace

DockerDiscoverer::DockerDiscoverer(std::string job, DockerOptions options,
                                   std::shared_ptr<const Relabeling> relabeling, Random random,
                                   const Dependencies& dependencies)
    : job_(std::move(job)),
      options_(std::make_shared<DockerOptions>(std::move(options))),
      loop_(dependencies.loop),
      clock_(dependencies.clock),
      logger_(dependencies.logger),
      table_(job_, std::move(relabeling), options_, clock_),
      client_(loop_, clock_, logger_, *options_),
      // No longer than the refresh: that is how soon a container is known at the latest.
      backoff_(kMinBackoff, std::clamp(options_->refresh_interval, kMinBackoff, kMaxBackoff),
               random),
      events_timer_(loop_),
      refresh_timer_(loop_),
      retry_timer_(loop_),
      report_timer_(loop_),
      expire_timer_(loop_) {}

void DockerDiscoverer::Start(std::function<void(DiscoveryResult)> changed) {
  changed_ = std::move(changed);
  running_ = true;
  Connect();
}

void DockerDiscoverer::Stop() {
  running_ = false;
  if (events_id_) client_.Cancel(*std::exchange(events_id_, std::nullopt));
  for (Timer* timer :
       {&events_timer_, &refresh_timer_, &retry_timer_, &report_timer_, &expire_timer_})
    timer->Stop();
}

std::vector<std::string> DockerDiscoverer::Problems() const {
  if (problem_.empty()) return {};
  return {problem_};
}

void DockerDiscoverer::CollectMetrics(MetricSink& sink) const {
  sink.Add("agent_discovery_failures_total", {job_, "docker"}, static_cast<double>(failures_));
}

// --- The daemon.

void DockerDiscoverer::Connect() {
  if (!running_) return;
  if (events_refused_) {
    Refresh();
    return;
  }
  event_lines_ = DockerLines();
  DockerClient::Stream stream;
  // From within libcurl: what follows waits for the loop's next turn.
  stream.begun = [this] {
    connected_ = true;
    events_timer_.StartOnce(milliseconds(0), [this] { HandleEvents(); });
  };
  stream.data = [this](std::string_view data) {
    event_lines_.Add(data, [this](std::string_view line) {
      Result<DockerEvent> event = ParseDockerEvent(line);
      if (event.ok()) events_.push_back(std::move(*event));
    });
    events_timer_.StartOnce(milliseconds(0), [this] { HandleEvents(); });
  };
  stream.end = [this](const Error& error) { EventsEnded(error); };
  events_id_ = client_.Follow("/events?filters=" + UrlEncoded(EventFilters()), std::move(stream));
}

void DockerDiscoverer::EventsEnded(const Error& error) {
  events_id_.reset();
  if (!running_) return;
  const bool refused = error.code == ErrorCode::kPermission && error.message.starts_with("403");
  if (refused && !connected_) {
    events_refused_ = true;
    logger_.Warn("discovery", "Docker's events are refused: containers are found by the list alone",
                 {{"job", job_},
                  {"host", options_->host},
                  {"error", error.message},
                  {"hint", "a container that ends within refresh_interval may be missed"}});
    Refresh();
    return;
  }
  Failed("events", error);
}

void DockerDiscoverer::Failed(std::string_view what, const Error& error) {
  if (!running_) return;
  ++failures_;
  problem_ = "Docker at " + options_->host + ": " + error.message;
  const bool denied = error.code == ErrorCode::kPermission;
  logger_.WriteLimited(
      LogLevel::kWarn, "docker " + options_->host + " " + job_, "discovery",
      "Docker does not answer: new containers are not found, the known ones are read on",
      {{"job", job_},
       {"host", options_->host},
       {"request", what},
       {"error", error.message},
       {"hint", denied ? "let the agent's user read the socket: group docker, or root"
                       : "is the daemon running, and its socket mounted?"}});
  connected_ = false;
  refreshing_ = false;
  if (events_id_) client_.Cancel(*std::exchange(events_id_, std::nullopt));
  events_.clear();
  to_look_at_.clear();
  waiting_.clear();
  table_.ForgetListed();
  refresh_timer_.Stop();
  retry_timer_.StartOnce(backoff_.Next(), [this] { Connect(); });
}

void DockerDiscoverer::Refresh() {
  if (!running_ || refreshing_) return;
  refreshing_ = true;
  if (root_known_) {
    AskForNetworks();
    return;
  }
  client_.Get("/info", [this](Result<std::string> answer) {
    if (!running_ || !refreshing_) return;
    if (answer.ok()) {
      const Result<std::string> root = ParseDockerRoot(*answer);
      if (root.ok()) table_.SetRoot(*root);
    } else if (answer.error().code == ErrorCode::kUnavailable) {
      Failed("info", answer.error());
      return;
    }
    // Refused by a proxy: then it is where it usually is.
    root_known_ = true;
    AskForNetworks();
  });
}

void DockerDiscoverer::AskForNetworks() {
  client_.Get("/networks", [this](Result<std::string> answer) {
    if (!running_ || !refreshing_) return;
    if (answer.ok()) {
      Result<DockerNetworks> networks = ParseDockerNetworks(*answer);
      if (networks.ok()) table_.SetNetworks(std::move(*networks));
    } else if (answer.error().code == ErrorCode::kUnavailable) {
      Failed("networks", answer.error());
      return;
    }
    AskForList();
  });
}

void DockerDiscoverer::AskForList() {
  std::string path = "/containers/json?all=1";
  if (!options_->filters.empty())
    path += "&filters=" + UrlEncoded(DockerFilters(options_->filters));
  client_.Get(path, [this](Result<std::string> answer) {
    if (!running_ || !refreshing_) return;
    Result<std::vector<DockerListed>> listed =
        answer.ok() ? ParseDockerList(*answer) : std::move(answer).error();
    if (!listed.ok()) {
      Failed("containers", listed.error());
      return;
    }
    Listed(*listed);
  });
}

void DockerDiscoverer::Listed(const std::vector<DockerListed>& listed) {
  refreshing_ = false;
  listed_once_ = true;
  if (!problem_.empty()) {
    logger_.Info("discovery", "Docker answers again",
                 {{"job", job_}, {"host", options_->host}, {"containers", listed.size()}});
  }
  problem_.clear();
  backoff_.Reset();
  for (const std::string& id : table_.Keep(listed))
    Look(id);
  table_.Expire();
  Report();
  refresh_timer_.StartOnce(options_->refresh_interval, [this] { Refresh(); });
}

// --- Events.

void DockerDiscoverer::HandleEvents() {
  if (!running_) return;
  if (connected_ && !listed_once_) Refresh();
  if (connected_ && !problem_.empty()) Refresh();
  while (!events_.empty()) {
    const DockerEvent event = std::move(events_.front());
    events_.pop_front();
    Handle(event);
  }
  Report();
}

void DockerDiscoverer::Handle(const DockerEvent& event) {
  const std::string& id = event.container_id;
  if (id.empty()) return;
  if (event.type == "network") {
    // At the start and at the end of a container it says nothing that others do not say.
    if (event.action == "connect" && table_.IsRunning(id)) Look(id);
    return;
  }
  if (event.action == "destroy") {
    table_.Gone(id);
    ExpireLater();
  } else if (event.action == "die") {
    if (!table_.Has(id)) Look(id);
    table_.Ended(id);
  } else {
    if (event.action == "create") Remember(event);
    Look(id);
  }
}

void DockerDiscoverer::Remember(const DockerEvent& event) {
  if (created_.size() >= kMaxCreated) created_.clear();
  DockerContainer& container = created_[event.container_id];
  container.id = event.container_id;
  container.name = event.name;
  container.labels = event.labels;
}

void DockerDiscoverer::Vanished(const std::string& id) {
  auto created = created_.extract(id);
  const bool wanted = !created.empty() && PassesLabelFilters(options_->filters, created.mapped());
  if (!wanted || !table_.PutVanished(std::move(created.mapped()))) table_.Gone(id);
  ExpireLater();
}

// --- Single containers.

void DockerDiscoverer::Look(const std::string& id) {
  if (waiting_.insert(id).second) to_look_at_.push_back(id);
  LookAtNext();
}

void DockerDiscoverer::LookAtNext() {
  for (auto at = to_look_at_.begin(); at != to_look_at_.end() && looking_.size() < kMaxLooking;) {
    // What has been asked may be older than what has happened: it is asked again afterwards.
    if (looking_.contains(*at)) {
      ++at;
      continue;
    }
    const std::string id = std::move(*at);
    at = to_look_at_.erase(at);
    waiting_.erase(id);
    looking_.insert(id);
    if (options_->filters.empty() || table_.Has(id)) {
      Inspect(id);
    } else {
      AskForOne(id);
    }
  }
}

void DockerDiscoverer::AskForOne(const std::string& id) {
  auto filters = options_->filters;
  filters.push_back({"id", {id}});
  const std::string path = "/containers/json?all=1&filters=" + UrlEncoded(DockerFilters(filters));
  client_.Get(path, [this, id](const Result<std::string>& answer) {
    if (!running_) return;
    const Result<std::vector<DockerListed>> listed =
        answer.ok() ? ParseDockerList(*answer) : Result<std::vector<DockerListed>>(answer.error());
    if (listed.ok() && !listed->empty()) {
      Inspect(id);
      return;
    }
    if (listed.ok()) Vanished(id);  // Or it does not pass.
    LookedAt(id);
    if (!listed.ok()) Failed("containers", listed.error());
  });
}

void DockerDiscoverer::Inspect(const std::string& id) {
  client_.Get("/containers/" + UrlEncoded(id) + "/json",
              [this, id](const Result<std::string>& answer) {
                if (!running_) return;
                const bool gone = !answer.ok() && answer.error().code == ErrorCode::kNotFound;
                if (gone) Vanished(id);
                if (answer.ok()) {
                  created_.erase(id);
                  Result<DockerContainer> container = ParseDockerContainer(*answer);
                  if (container.ok()) table_.Put(std::move(*container));
                }
                LookedAt(id);
                if (answer.ok()) return;
                if (!gone) Failed("container", answer.error());
                Report();
              });
}

void DockerDiscoverer::LookedAt(const std::string& id) {
  looking_.erase(id);
  LookAtNext();
  Report();
}

// --- Reports.

void DockerDiscoverer::Report() {
  if (!table_.changed() || report_timer_.active()) return;
  // At the start all containers together: one by one, each would have the others' files let go of.
  if (!listed_once_) return;
  const int64_t since = clock_.MonotonicNanos() - reported_ns_;
  const bool late = since >= std::chrono::nanoseconds(kReportGap).count();
  report_timer_.StartOnce(late ? milliseconds(0) : kReportGap, [this] { ReportNow(); });
}

void DockerDiscoverer::ReportNow() {
  if (!running_ || !table_.changed()) return;
  reported_ns_ = clock_.MonotonicNanos();
  changed_(table_.Result());
  ExpireLater();
}

void DockerDiscoverer::ExpireLater() {
  if (expire_timer_.active() || !table_.expires()) return;
  expire_timer_.StartOnce(kExpire, [this] {
    table_.Expire();
    Report();
    ExpireLater();
  });
}

}  // namespace agent
