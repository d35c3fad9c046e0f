#include "discovery/file_sd.h"

#include <algorithm>
#include <utility>

#include "base/background.h"
#include "discovery/target_builder.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

// Writers need a moment between the first byte and the last.
constexpr milliseconds kSettle{100};

}  // namespace

// What one reading found.
struct FileSdDiscoverer::Outcome {
  bool changed = false;
  DiscoveryResult result;  // When changed.
  std::vector<TargetFiles::Problem> problems;
  std::vector<TargetFiles::Problem> remarks;
  std::vector<std::string> directories;
  std::set<std::string> places;
  std::size_t files = 0;
};

struct FileSdDiscoverer::Reader {
  Reader(const std::vector<std::string>& paths, const std::string& job,
         std::shared_ptr<const Relabeling> rules, const std::string& host)
      : files(paths), relabeling(std::move(rules)), builder(job, *relabeling, host) {}

  void Read(Outcome& outcome) {
    outcome.changed = files.Read();
    outcome.problems = files.problems();
    outcome.remarks = files.remarks();
    outcome.directories = files.Directories();
    outcome.places = files.places();
    outcome.files = files.files();
    if (!outcome.changed) return;
    files.ForEachTarget([this](const Labels& labels) { builder.Add(labels); });
    outcome.result = builder.Take();
  }

  TargetFiles files;
  const std::shared_ptr<const Relabeling> relabeling;
  TargetBuilder builder;
};

FileSdDiscoverer::FileSdDiscoverer(Dependencies dependencies, std::string job,
                                   FileSdOptions options,
                                   std::shared_ptr<const Relabeling> relabeling,
                                   const std::string& host)
    : loop_(dependencies.loop),
      logger_(dependencies.logger),
      job_(std::move(job)),
      options_(std::move(options)),
      timer_(loop_),
      reader_(std::make_shared<Reader>(options_.files, job_, std::move(relabeling), host)),
      alive_(std::make_shared<FileSdDiscoverer*>(this)) {}

FileSdDiscoverer::~FileSdDiscoverer() = default;

void FileSdDiscoverer::Start(std::function<void(DiscoveryResult)> changed) {
  changed_ = std::move(changed);
  watcher_ = std::make_unique<Watcher>(
      loop_, logger_, "discovery",
      Watcher::Callbacks{[this](const std::string& path) { OnModified(path); },
                         [this] { ReadSoon(); }});
  StartReading();
}

void FileSdDiscoverer::Stop() {
  changed_ = nullptr;
  watcher_.reset();
  timer_.Stop();
}

void FileSdDiscoverer::OnModified(const std::string& path) {
  const auto means = [&path](const std::string& pattern) {
    return MatchesFilePattern(pattern, path);
  };
  const bool ours =
      places_.contains(path) || std::any_of(options_.files.begin(), options_.files.end(), means);
  if (ours) ReadSoon();
}

void FileSdDiscoverer::ReadSoon() {
  if (!changed_) return;
  if (reading_) {
    again_ = true;
    return;
  }
  if (std::exchange(due_, true)) return;
  timer_.StartOnce(kSettle, [this] { StartReading(); });
}

void FileSdDiscoverer::StartReading() {
  reading_ = true;
  due_ = false;
  auto outcome = std::make_shared<Outcome>();
  RunInBackground(
      loop_, [outcome, reader = reader_] { reader->Read(*outcome); },
      [weak = std::weak_ptr<FileSdDiscoverer*>(alive_), outcome] {
        if (const auto alive = weak.lock()) (*alive)->Finish(*outcome);
      });
}

void FileSdDiscoverer::Finish(Outcome& outcome) {
  reading_ = false;
  if (!changed_) return;
  Report(outcome);
  problems_ = std::move(outcome.problems);
  places_ = std::move(outcome.places);
  file_count_ = outcome.files;
  watcher_->SetDirectories(outcome.directories);
  const bool watches_more = directories_ != outcome.directories;
  directories_ = std::move(outcome.directories);
  if (watches_more || std::exchange(again_, false)) {
    ReadSoon();  // What happened between the reading and the watch was not told.
  } else {
    timer_.StartOnce(options_.refresh_interval, [this] { StartReading(); });
  }
  if (outcome.changed) changed_(std::move(outcome.result));
}

void FileSdDiscoverer::Report(const Outcome& outcome) {
  failures_ += outcome.problems.size();
  for (const TargetFiles::Problem& problem : outcome.problems) {
    logger_.WriteLimited(LogLevel::kError, "file_sd " + job_ + " " + problem.path, "discovery",
                         "file of targets cannot be used: its targets stay as they were",
                         {{"job", job_}, {"path", problem.path}, {"error", problem.message}});
  }
  if (!outcome.changed) return;
  for (const TargetFiles::Problem& remark : outcome.remarks) {
    logger_.Warn("discovery", "file of targets gives none",
                 {{"job", job_}, {"path", remark.path}, {"reason", remark.message}});
  }
  logger_.Info("discovery", "targets from files",
               {{"job", job_},
                {"files", outcome.files},
                {"targets", outcome.result.targets.size()},
                {"dropped", outcome.result.dropped.size()}});
}

std::vector<std::string> FileSdDiscoverer::Problems() const {
  std::vector<std::string> all;
  for (const TargetFiles::Problem& problem : problems_)
    all.push_back(problem.message);
  return all;
}

void FileSdDiscoverer::CollectMetrics(MetricSink& sink) const {
  sink.Add("agent_discovery_failures_total", {job_, "file"}, static_cast<double>(failures_));
  sink.Add("agent_file_sd_files", {job_}, static_cast<double>(file_count_));
}

}  // namespace agent
