#include "outputs/file/file_output.h"

#include <algorithm>
#include <utility>

#include "outputs/file/file_encoder.h"

namespace agent {
namespace {

using file::AppendJob;
using file::AppendResult;
using std::chrono::milliseconds;

constexpr milliseconds kSyncInterval{500};
constexpr milliseconds kTidyInterval{10'000};
// With so much not on the disk, it is not put off any longer.
constexpr std::size_t kSyncBytes = std::size_t{4} << 20;
constexpr std::size_t kJobBytes = std::size_t{4} << 20;
// Past so many lanes, idle ones are forgotten before another is made.
constexpr std::size_t kMaxIdleLanes = 64;

}  // namespace

FileOutput::FileOutput(FileOptions options, std::string kind, const MakeAppender& make_appender,
                       const Dependencies& dependencies, Random random, std::size_t output_index)
    : options_(std::move(options)),
      kind_(std::move(kind)),
      output_index_(output_index),
      dependencies_(dependencies),
      random_(random),
      counters_(std::make_shared<OutputCounters>()),
      sync_timer_(dependencies.loop),
      tidy_timer_(dependencies.loop),
      drain_timer_(dependencies.loop),
      alive_(std::make_shared<FileOutput*>(this)),
      appender_(make_appender(options_)) {
  tidy_timer_.StartRepeating(
      kTidyInterval, [this] { disk_.Post([appender = appender_.get()] { appender->Tidy(); }); });
}

FileOutput::~FileOutput() {
  alive_.reset();
  for (const auto& [path, lane] : lanes_)
    AbandonLane(*lane);
  appender_->Interrupt();
  disk_.Stop();
}

std::vector<std::string> FileOutput::WantedFields() const {
  std::vector<std::string> names = options_.path.references();
  for (const DocumentField& field : options_.document.fields)
    names.push_back(field.name);
  return names;
}

std::unique_ptr<Encoder> FileOutput::MakeEncoder(LabelSets& sets, BatchSink sink) {
  return std::make_unique<file::FileEncoder>(
      options_, file::FileEncoder::Dependencies{output_index_, sets, dependencies_.budget},
      counters_, std::move(sink));
}

bool FileOutput::idle() const {
  return unsettled_ == 0;
}

// --- Batches.

void FileOutput::Enqueue(Batch batch) {
  const std::string path = batch.tenant;
  Lane& lane = LaneOf(path);
  lane.queue.push_back(std::move(batch));
  ++unsettled_;
  Pump(path, lane);
}

FileOutput::Lane& FileOutput::LaneOf(const std::string& path) {
  const auto found = lanes_.find(path);
  if (found != lanes_.end()) return *found->second;
  if (lanes_.size() >= kMaxIdleLanes) ForgetIdleLanes();
  auto& lane = lanes_[path];
  lane = std::make_unique<Lane>(dependencies_.loop, options_, Random(random_.Next()));
  return *lane;
}

void FileOutput::ForgetIdleLanes() {
  std::erase_if(lanes_,
                [](const auto& item) { return item.second->queue.empty() && !item.second->busy; });
}

// Gives the thread what there is to do, one job at a time for each lane.
void FileOutput::Pump(const std::string& path, Lane& lane) {
  if (lane.busy || lane.waiting) return;
  AppendJob job;
  job.path = path;
  std::size_t bytes = 0;
  for (std::size_t i = lane.written; i < lane.queue.size() && bytes < kJobBytes; ++i) {
    job.bodies.push_back(lane.queue[i].body);
    bytes += lane.queue[i].body.size;
  }
  const bool enough = lane.written_bytes + bytes >= kSyncBytes;
  job.sync =
      options_.sync == FileSync::kAlways || (options_.sync == FileSync::kInterval &&
                                             (lane.sync_due || enough || drain_deadline_ns_ != 0));
  if (job.bodies.empty() && (!job.sync || lane.written == 0)) return;
  lane.busy = true;
  lane.sync_due = false;
  counters_->requests.fetch_add(1, std::memory_order_relaxed);
  disk_.Post([appender = appender_.get(), job = std::move(job), &loop = dependencies_.loop,
              weak = std::weak_ptr<FileOutput*>(alive_)] {
    AppendResult result = appender->Append(job);
    loop.Post([weak, path = job.path, result = std::move(result)] {
      if (const auto output = weak.lock()) (*output)->OnResult(path, result);
    });
  });
}

void FileOutput::OnResult(const std::string& path, const AppendResult& result) {
  const auto found = lanes_.find(path);
  if (found == lanes_.end()) return;
  Lane& lane = *found->second;
  lane.busy = false;
  if (std::exchange(lane.given_up, false)) return Pump(path, lane);
  if (result.lost) {
    lane.written = 0;
    lane.written_bytes = 0;
  }
  std::size_t safe = result.synced ? lane.written + result.safe : 0;
  for (std::size_t i = 0; i < result.appended; ++i)
    lane.written_bytes += lane.queue[lane.written + i].body.size;
  lane.written += result.appended;
  if (options_.sync == FileSync::kNever) safe = lane.written;
  std::vector<Batch> done;
  TakeSafe(lane, safe, done);
  lane.closed = result.closed;
  lane.last_error = result.error;
  if (result.error.empty()) {
    lane.attempts = 0;
    lane.backoff.Reset();
    if (lane.written > 0 && !sync_timer_.active()) {
      sync_timer_.StartOnce(kSyncInterval, [this] { SyncAll(); });
    }
    Pump(path, lane);
  } else {
    Wait(path, lane);
  }
  Settle(std::move(done));
}

void FileOutput::TakeSafe(Lane& lane, std::size_t count, std::vector<Batch>& done) {
  for (std::size_t i = 0; i < count; ++i) {
    lane.written_bytes -= lane.queue.front().body.size;
    done.push_back(std::move(lane.queue.front()));
    lane.queue.pop_front();
  }
  lane.written -= count;
}

// Last, for it may bring the next batches.
void FileOutput::Settle(std::vector<Batch> done) {
  for (Batch& batch : done) {
    counters_->sent_entries.fetch_add(batch.entries(), std::memory_order_relaxed);
    counters_->sent_bytes.fetch_add(batch.body.size, std::memory_order_relaxed);
    --unsettled_;
    batch.Settle();
  }
  if (drained_ && idle()) drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
}

void FileOutput::SyncAll() {
  for (const auto& [path, lane] : lanes_) {
    if (lane->written == 0) continue;
    lane->sync_due = true;
    Pump(path, *lane);
  }
}

// --- Trouble.

void FileOutput::Wait(const std::string& path, Lane& lane) {
  ++lane.attempts;
  counters_->failed_requests.fetch_add(1, std::memory_order_relaxed);
  if (lane.written < lane.queue.size()) {
    counters_->retried_entries.fetch_add(lane.queue[lane.written].entries(),
                                         std::memory_order_relaxed);
  }
  const milliseconds delay = lane.backoff.Next();
  lane.wake_ns = dependencies_.clock.MonotonicNanos() + std::chrono::nanoseconds(delay).count();
  Report(path, lane, delay);
  if (drain_deadline_ns_ != 0 && (lane.wake_ns > drain_deadline_ns_ || lane.closed)) {
    return AbandonLane(lane);
  }
  lane.waiting = true;
  lane.wait.StartOnce(delay, [this, path, &lane] {
    lane.waiting = false;
    Pump(path, lane);
  });
}

void FileOutput::Report(const std::string& path, const Lane& lane, milliseconds delay) {
  if (lane.closed) {
    return dependencies_.logger.WriteLimited(
        LogLevel::kError, "file_closed:" + options_.name, kind_,
        "nobody reads any more: entries are kept, and sent after a restart",
        {{"output", options_.name}, {"error", lane.last_error}});
  }
  dependencies_.logger.WriteLimited(LogLevel::kWarn, "file_retry:" + options_.name, kind_,
                                    "entries not written yet, will retry",
                                    {{"output", options_.name},
                                     {"path", path},
                                     {"error", lane.last_error},
                                     {"wait_ms", delay.count()}});
}

void FileOutput::AbandonLane(Lane& lane) {
  std::deque<Batch> queue;
  queue.swap(lane.queue);
  lane.written = 0;
  lane.written_bytes = 0;
  lane.waiting = false;
  lane.given_up = lane.busy;
  lane.wait.Stop();
  unsettled_ -= queue.size();
  for (Batch& batch : queue)
    batch.Abandon();
}

// --- The end.

void FileOutput::Drain(milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  const int64_t now = dependencies_.clock.MonotonicNanos();
  drain_deadline_ns_ = now + std::chrono::nanoseconds(deadline).count();
  drain_timer_.StartOnce(deadline, [this] { AbandonAll(); });
  for (const auto& [path, lane] : lanes_) {
    if (lane->waiting && (lane->closed || lane->wake_ns > drain_deadline_ns_)) {
      AbandonLane(*lane);
    } else {
      Pump(path, *lane);
    }
  }
  if (idle()) drain_timer_.StartOnce(milliseconds(0), [this] { EndDrain(); });
}

void FileOutput::AbandonAll() {
  for (const auto& [path, lane] : lanes_)
    AbandonLane(*lane);
  EndDrain();
}

void FileOutput::EndDrain() {
  drain_timer_.Stop();
  sync_timer_.Stop();
  drain_deadline_ns_ = 0;
  const std::function<void()> done = std::exchange(drained_, nullptr);
  if (done) done();
}

// --- What it shows.

std::vector<LaneStatus> FileOutput::Status() const {
  std::vector<LaneStatus> all;
  for (const auto& [path, lane] : lanes_) {
    LaneStatus& status = all.emplace_back();
    status.tenant = path;
    status.queued_batches = lane->queue.size();
    for (const Batch& batch : lane->queue)
      status.queued_bytes += batch.body.size;
    if (!lane->queue.empty()) status.oldest_ns = lane->queue.front().created_ns;
    status.state = lane->queue.empty() ? "idle" : "sending";
    if (!lane->last_error.empty()) status.state = lane->closed ? "holding" : "retrying";
    status.last_error = lane->last_error;
    status.attempts = lane->attempts;
  }
  if (all.empty()) all.emplace_back().state = "idle";
  return all;
}

void FileOutput::CollectMetrics(MetricSink& sink) const {
  counters_->Collect(options_.name, sink);
}

}  // namespace agent
