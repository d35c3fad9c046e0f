#include "agent/receivers/journal/journal_receiver.h"

#include <utility>

#include <uv.h>

#include "agent/receivers/journal/journal_source.h"
#include "base/random.h"

namespace agent {
namespace {

// A journal that cannot be opened is tried again at each tick; one that is followed is looked at
// every few ticks, whatever its descriptor says.
constexpr std::chrono::seconds kTick(2);
constexpr int kTicksPerLook = 5;

Labels VisibleOf(const Labels& labels) {
  Labels visible;
  for (const Label& label : labels) {
    if (!label.name.starts_with("__")) visible.Set(label.name, label.value);
  }
  return visible;
}

}  // namespace

JournalReceiver::JournalReceiver(const ScrapeConfig& job,
                                 std::shared_ptr<const Relabeling> relabeling,
                                 const ReceiverDependencies& dependencies)
    : job_(job),
      relabeling_(std::move(relabeling)),
      dependencies_(dependencies),
      name_(job.journal->path.empty() ? "journal" : "journal " + job.journal->path),
      labels_(VisibleOf(job.journal->labels)),
      tick_(dependencies.loop) {}

JournalReceiver::~JournalReceiver() {
  if (bell_ != nullptr) bell_->Close();
}

void JournalReceiver::Start(SourceHost& host, std::size_t outputs) {
  host_ = &host;
  // Batches on their way ring it when this may be gone: hence shared.
  bell_ = std::make_shared<DirtyFiles>(dependencies_.loop, [this] { OnRing(); });
  const std::function<void()> ring = [bell = bell_] { bell->Mark(0); };
  link_ = std::make_shared<JournalLink>(ring);
  progress_ =
      std::make_shared<SourceProgress>(job_.job_name, std::vector<uint64_t>(outputs, 0), ring);
  const JournalConfig& config = *job_.journal;
  JournalSource::Init init;
  init.name = name_;
  init.job = job_.job_name;
  init.labels = labels_;
  init.path = config.path;
  init.matches = config.matches;
  init.max_age = config.max_age;
  init.skips_older = config.max_age_given;
  init.json = config.json;
  init.cursor = dependencies_.positions.Cursor(CursorKey());
  init.lineage = Random::FromSystem().Next() | 1U;
  init.progress = progress_;
  init.link = link_;
  source_ = std::make_shared<JournalSource>(
      std::move(init), JournalLabels(config.labels, job_.relabel_configs, relabeling_),
      dependencies_.clock, dependencies_.logger);
  host_->Start(source_);
  tick_.StartRepeating(kTick, [this] { OnTick(); });
}

void JournalReceiver::Stop() {
  tick_.Stop();
  watcher_.reset();
  watched_.Reset();
  host_ = nullptr;
}

void JournalReceiver::Drained() {
  NoteSettled();
  source_ = nullptr;
}

void JournalReceiver::OnEnded(const std::shared_ptr<Source>& source) {
  if (source == source_) source_ = nullptr;
}

void JournalReceiver::OnRing() {
  bell_->Take();  // So that it rings again.
  NoteSettled();
  if (host_ == nullptr) return;
  if (std::optional<UniqueFd> watch = link_->TakeWatch()) {
    watcher_.reset();
    watched_ = std::move(*watch);
    if (watched_.valid())
      watcher_ = std::make_unique<FdWatcher>(dependencies_.loop, watched_.get());
  }
  if (link_->TakeIdle()) Watch();
}

// Once: the descriptor stays readable until the worker has read all there is, and then it says so.
void JournalReceiver::Watch() {
  if (watcher_ == nullptr) return;
  watcher_->Start(UV_READABLE, [this](int /*status*/, int /*events*/) {
    watcher_->Stop();
    if (source_ != nullptr) host_->Wake(source_);
  });
}

void JournalReceiver::OnTick() {
  ticks_ = (ticks_ + 1) % kTicksPerLook;
  if (source_ == nullptr || (ticks_ != 0 && watcher_ != nullptr)) return;
  host_->Wake(source_);
}

void JournalReceiver::NoteSettled() {
  if (link_ == nullptr) return;
  const std::string cursor = link_->TakeCursor(progress_->min_settled());
  if (cursor.empty()) return;
  dependencies_.positions.SetCursor(CursorKey(), cursor);
  dependencies_.positions.Commit();
}

std::vector<ReceiverStatus> JournalReceiver::Status() const {
  ReceiverStatus status;
  status.job = job_.job_name;
  status.source = name_;
  status.labels = labels_;
  if (link_ != nullptr) {
    const JournalLink::Condition condition = link_->condition();
    status.received_bytes = link_->bytes.value();
    status.state = condition.state;
    status.error = condition.error;
    status.progress = progress_;
  }
  return {status};
}

void JournalReceiver::CollectMetrics(MetricSink& sink) const {
  if (link_ == nullptr) return;
  const auto count = [&sink](std::string_view reason, const Counter& counter) {
    sink.Add("promtail_journal_target_parsing_errors_total", {reason},
             static_cast<double>(counter.value()));
  };
  sink.Add("promtail_journal_target_lines_total", {}, static_cast<double>(link_->lines.value()));
  count("no_message", link_->no_message);
  count("empty_labels", link_->empty_labels);
  count("damaged", link_->damaged);
  count("too_long", link_->too_long);
}

}  // namespace agent
