#include "agent/runtime/worker.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "base/check.h"

namespace agent {
namespace {

// What is read at once: large enough that the cost of a system call vanishes, small enough that the
// block and what is made of it stay in the second-level cache.
constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
// What is told of a line when somebody watches is many times its length; and what is over a rate
// limit waits in memory, each line by itself.
constexpr std::size_t kSmallBlockBytes = std::size_t{16} << 10;
// A source's turn: then the next one reads, so that a loud one cannot starve a quiet one.
constexpr int kBlocksPerTurn = 4;
// Label sets of one worker may take this much before those that are not in use are forgotten.
constexpr std::size_t kMaxLabelSetBytes = std::size_t{4} << 20;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

}  // namespace

Worker::Worker(Dependencies dependencies)
    : dependencies_(std::move(dependencies)), open_memory_(dependencies_.budget.Reserve(0)) {}

Worker::~Worker() {
  if (thread_.joinable()) thread_.join();
}

void Worker::AddJob(WorkerJob job) {
  jobs_.push_back(std::move(job));
}

void Worker::AddEncoder(std::unique_ptr<Encoder> encoder) {
  encoders_.push_back(std::move(encoder));
}

void Worker::Start() {
  thread_ = std::thread([this] { Run(); });
  ::pthread_setname_np(thread_.native_handle(), "worker");
}

// --- From the loop.

void Worker::AddSource(std::shared_ptr<Source> source) {
  const std::lock_guard<std::mutex> lock(mutex_);
  commands_.emplace_back([this, source = std::move(source)] {
    const auto job = std::find_if(jobs_.begin(), jobs_.end(), [&](const WorkerJob& candidate) {
      return candidate.name == source->job();
    });
    CHECK(job != jobs_.end());
    auto reading = std::make_shared<Reading>();
    reading->source = source;
    reading->job = &*job;
    source->progress()->CountInto(job->ledger);
    HoldLabels(*reading);
    readings_[source.get()] = reading;
    Queue(reading);
  });
  WakeUp();
}

void Worker::WakeSource(const Source* source) {
  const std::lock_guard<std::mutex> lock(mutex_);
  commands_.emplace_back([this, source] {
    const auto at = readings_.find(source);
    if (at != readings_.end()) Queue(at->second);
  });
  WakeUp();
}

void Worker::RemoveSource(const Source* source) {
  const std::lock_guard<std::mutex> lock(mutex_);
  commands_.emplace_back([this, source] {
    const auto at = readings_.find(source);
    if (at == readings_.end()) return;
    const std::shared_ptr<Reading> reading = at->second;
    EndSource(reading);
    QueueSuccessors();
  });
  WakeUp();
}

void Worker::Finish(std::function<void()> done) {
  const std::lock_guard<std::mutex> lock(mutex_);
  finishing_ = true;
  commands_.emplace_back([this, done = std::move(done)] { finish_ = done; });
  WakeUp();
}

void Worker::WakeUp() {
  if (woken_ns_.load() == 0) woken_ns_.store(dependencies_.clock.MonotonicNanos());
  work_.notify_one();
}

int64_t Worker::busy_since_ns() const {
  const int64_t turn_began = turn_began_ns_.load();
  if (turn_began == kAtRest) return 0;
  return turn_began != 0 ? turn_began : woken_ns_.load();
}

void Worker::Notify() {
  const std::lock_guard<std::mutex> lock(mutex_);
  notified_ = true;
  WakeUp();
}

// --- The worker's thread.

void Worker::HoldLabels(Reading& reading) {
  const auto hold = [this, &reading](const Labels& labels) {
    const LabelSetId id = label_sets_.Intern(labels);
    label_sets_.Pin(id);
    if (reading.job->label_guard != nullptr) {
      reading.counted_labels.push_back(reading.job->label_guard->Hold(labels));
    }
    return id;
  };
  const Source& source = *reading.source;
  reading.labels = hold(source.labels());
  const ContainerStreams* const streams = source.streams();
  if (streams == nullptr) return;
  reading.streams.emplace();
  reading.streams->lineage = source.lineage();
  if (streams->out) reading.streams->out = hold(*streams->out);
  if (streams->err) reading.streams->err = hold(*streams->err);
}

void Worker::LetGoOfLabels(Reading& reading) {
  label_sets_.Unpin(reading.labels);
  if (reading.streams) {
    for (const auto& labels : {reading.streams->out, reading.streams->err}) {
      if (labels) label_sets_.Unpin(*labels);
    }
  }
  reading.counted_labels.clear();
}

void Worker::Run() {
  while (!finish_) {
    WaitForWork();
    turn_began_ns_.store(dependencies_.clock.MonotonicNanos());
    RunCommands();
    if (finish_) break;
    // When the budget is used up nothing more is read; open batches must go out, or nothing would
    // ever be settled and given back.
    if (dependencies_.budget.full()) {
      FlushEncoders(kNever);
    } else if (!ready_.empty()) {
      ReadNext();
    }
    FlushDue();
  }
  FinishNow();
}

void Worker::ReadNext() {
  const std::shared_ptr<Reading> reading = ready_.front();
  ready_.pop_front();
  reading->queued.store(false);
  if (reading->gone) return;
  if (reading->job->pipeline->full()) {
    HoldBack(reading);
  } else {
    TakeTurn(reading);
  }
}

void Worker::WaitForWork() {
  const bool may_read = !ready_.empty() && !dependencies_.budget.full();
  std::unique_lock<std::mutex> lock(mutex_);
  if (may_read || !commands_.empty() || notified_) {
    notified_ = false;
    return;
  }
  turn_began_ns_.store(0);
  const int64_t deadline = NextDeadline();
  const auto woken = [this] { return !commands_.empty() || notified_; };
  if (deadline == kNever) {
    work_.wait(lock, woken);
  } else {
    const int64_t wait = std::max<int64_t>(0, deadline - dependencies_.clock.MonotonicNanos());
    work_.wait_for(lock, std::chrono::nanoseconds(wait), woken);
  }
  notified_ = false;
}

int64_t Worker::NextDeadline() const {
  int64_t next = kNever;
  for (const auto& encoder : encoders_) {
    next = std::min(next, encoder->NextDeadline().value_or(kNever));
  }
  for (const WorkerJob& job : jobs_) {
    next = std::min(next, job.pipeline->NextDeadline().value_or(kNever));
  }
  return next;
}

void Worker::RunCommands() {
  std::vector<std::function<void()>> commands;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    commands.swap(commands_);
    woken_ns_.store(0);
  }
  for (const auto& command : commands)
    command();
}

void Worker::Queue(const std::shared_ptr<Reading>& reading) {
  SourceProgress& progress = *reading->source->progress();
  if (progress.unread_since() == SourceProgress::kAllRead) {
    progress.SetUnreadSince(dependencies_.clock.MonotonicNanos());
  }
  if (!reading->queued.exchange(true)) ready_.push_back(reading);
}

void Worker::HoldBack(const std::shared_ptr<Reading>& reading) {
  reading->queued.store(true);
  held_back_.push_back(reading);
}

void Worker::GoOnWith(const WorkerJob& job) {
  if (held_back_.empty() || job.pipeline->full()) return;
  std::vector<std::shared_ptr<Reading>> readings;
  std::erase_if(held_back_, [&](const std::shared_ptr<Reading>& reading) {
    if (reading->job != &job) return false;
    readings.push_back(reading);
    return true;
  });
  for (const auto& reading : readings) {
    if (reading->gone) {
      EndInput(reading);
    } else {
      ready_.push_back(reading);
    }
  }
}

void Worker::TakeTurn(const std::shared_ptr<Reading>& reading) {
  Source& source = *reading->source;
  if (source.predecessor() != nullptr) {
    behind_predecessor_.push_back(reading);
    return;
  }
  std::shared_ptr<SourceProgress> progress = source.progress();
  const Pipeline& pipeline = *reading->job->pipeline;
  const bool small = pipeline.observer() != nullptr || pipeline.limits_reading();
  for (int i = 0; i < kBlocksPerTurn; ++i) {
    Chunk chunk;
    const ReadStatus status = source.Read(buffer_, small ? kSmallBlockBytes : kBlockBytes, chunk);
    if (status == ReadStatus::kData) {
      ProcessChunk(*reading, chunk);
      if (dependencies_.budget.full() || pipeline.full()) break;
      continue;
    }
    progress->SetUnreadSince(SourceProgress::kAllRead);
    if (status == ReadStatus::kRestarted) {
      progress = source.progress();
      progress->CountInto(reading->job->ledger);
      continue;
    }
    if (status == ReadStatus::kEnded) EndSource(reading);
    QueueSuccessors();
    return;
  }
  progress->SetUnreadSince(dependencies_.clock.MonotonicNanos());
  Queue(reading);
}

void Worker::QueueSuccessors() {
  for (const auto& waiting : behind_predecessor_)
    Queue(waiting);
  behind_predecessor_.clear();
}

void Worker::EndSource(const std::shared_ptr<Reading>& reading) {
  if (reading->gone) return;
  reading->gone = true;
  std::erase(held_back_, reading);
  reading->source->progress()->SetUnreadSince(SourceProgress::kAllRead);
  if (!reading->source->rereadable()) return EndInput(reading);
  EmitFragments(*reading);
  ReportEnd(*reading);
}

void Worker::EndInput(const std::shared_ptr<Reading>& reading) {
  WorkerJob& job = *reading->job;
  job.pipeline->Flush(FlushReason::kEnd, [&](Block& block) { Encode(job, block, nullptr); });
  // What waits for its time cannot be read again: the end comes after it.
  if (job.pipeline->full()) {
    held_back_.push_back(reading);
  } else {
    ReportEnd(*reading);
  }
}

void Worker::ReportEnd(Reading& reading) {
  LetGoOfLabels(reading);
  dependencies_.on_ended(reading.source);
  readings_.erase(reading.source.get());
}

// A line that a rotation has cut in two goes on in the successor: what is open comes out only when
// the last file of the lineage has ended.
void Worker::EmitFragments(Reading& reading) {
  const uint64_t lineage = reading.source->lineage();
  std::vector<std::shared_ptr<SourceProgress>>& ended = ended_[lineage];
  ended.push_back(reading.source->progress());
  const bool goes_on = std::any_of(readings_.begin(), readings_.end(), [&](const auto& other) {
    return other.second.get() != &reading && other.second->source->lineage() == lineage;
  });
  if (goes_on) return;
  for (const auto& progress : ended) {
    reading.job->pipeline->EndOfSource(
        *progress, [this, &reading](Block& block) { Encode(*reading.job, block, nullptr); });
  }
  ended_.erase(lineage);
}

void Worker::ProcessChunk(Reading& reading, const Chunk& chunk) {
  Pipeline& pipeline = *reading.job->pipeline;
  const std::shared_ptr<SourceProgress>& progress = reading.source->progress();
  Block& block = pipeline.block();
  block.Reset(reading.labels, progress, reading.streams ? &*reading.streams : nullptr);
  if (pipeline.observer() != nullptr) {
    pipeline.observer()->BeginSource(reading.source->name(), chunk.data, chunk.offset);
  }
  const SplitResult split =
      chunk.lines.empty() ? SplitLines(reading, chunk, block) : AddLines(reading, chunk, block);
  pipeline.Run();

  ProcessedBlock processed;
  processed.end = chunk.offset + chunk.data.size();
  processed.read_bytes = chunk.data.size();
  processed.dropped_bytes = split.skipped_bytes;
  processed.lines = split.lines;
  for (const Block::DropCount& drop : block.drops())
    processed.dropped_bytes += drop.bytes;
  processed.dropped_bytes += Encode(*reading.job, block, progress);
  progress->Advance(processed);

  counters_.lines.Add(split.lines);
  counters_.bytes.Add(chunk.data.size());
  AccountMemory();
  label_set_count_.store(label_sets_.size());
  if (label_sets_.memory_bytes() > kMaxLabelSetBytes) SweepLabelSets();
  buffer_.ShrinkTo(std::max(kBlockBytes, std::size_t{1} << 20));
}

uint64_t Worker::Encode(const WorkerJob& job, Block& block,
                        const std::shared_ptr<SourceProgress>& progress) {
  std::size_t entries = block.live().size();
  uint64_t dropped = 0;
  if (dependencies_.limiter != nullptr) dropped = ApplyRateLimit(block, entries);
  if (job.label_guard != nullptr) job.label_guard->Apply(block, entries);
  if (job.pipeline->observer() != nullptr) job.pipeline->observer()->EndBlock(block, entries);

  const int64_t now = dependencies_.clock.MonotonicNanos();
  for (const std::size_t output : job.outputs) {
    Encoder& encoder = *encoders_[output];
    // Without one, every line of the entries is held: they bring their own sources.
    if (progress != nullptr) encoder.BeginSource(progress);
    for (std::size_t i = 0; i < entries; ++i)
      encoder.Add(block.View(block.live()[i]), now);
  }
  block.Release();
  return dropped;
}

uint64_t Worker::ApplyRateLimit(Block& block, std::size_t& entries) {
  std::size_t allowed = dependencies_.limiter->Take(entries);
  while (!dependencies_.limiter_drops && allowed < entries) {
    // Waiting holds back this worker's reading: that is what was asked for. At a stop the rest of
    // the block passes.
    std::unique_lock<std::mutex> lock(mutex_);
    const auto wait = std::chrono::nanoseconds(dependencies_.limiter->NanosUntilOne());
    turn_began_ns_.store(kAtRest);
    const bool stopping = work_.wait_for(lock, wait, [this] { return finishing_; });
    turn_began_ns_.store(dependencies_.clock.MonotonicNanos());
    if (stopping) return 0;
    lock.unlock();
    allowed += dependencies_.limiter->Take(entries - allowed);
  }
  uint64_t dropped = 0;
  for (std::size_t i = allowed; i < entries; ++i) {
    const Entry entry = block.View(block.live()[i]);
    dropped += entry.source_bytes;
    for (const auto& held : entry.holds)
      held->Drop();
  }
  counters_.rate_limited_lines.Add(entries - allowed);
  entries = allowed;
  return dropped;
}

void Worker::FlushDue() {
  const int64_t now = dependencies_.clock.MonotonicNanos();
  for (const WorkerJob& job : jobs_) {
    const std::optional<int64_t> deadline = job.pipeline->NextDeadline();
    if (!deadline || *deadline > now) continue;
    job.pipeline->Flush(FlushReason::kDeadline, [&](Block& block) { Encode(job, block, nullptr); });
    GoOnWith(job);
  }
  FlushEncoders(now);
}

void Worker::FlushEncoders(int64_t now_ns) {
  for (const auto& encoder : encoders_)
    encoder->Flush(now_ns);
  AccountMemory();
}

void Worker::AccountMemory() {
  std::size_t bytes = buffer_.capacity();
  for (const auto& encoder : encoders_)
    bytes += encoder->open_bytes();
  open_memory_.Resize(bytes);
}

void Worker::SweepLabelSets() {
  FlushEncoders(kNever);
  const std::string label = label_sets_.MostVaryingLabel();
  const std::size_t before = label_sets_.size();
  label_sets_.Sweep();
  counters_.label_sweeps.Add();
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "label sets " + label, "pipeline",
      "too many label sets: those not in use were forgotten, which costs time",
      {{"label", label},
       {"label_sets", before},
       {"hint",
        "do not make a label of a value that is different on every line; use "
        "structured_metadata"}});
}

void Worker::ReadRest(const std::shared_ptr<Reading>& reading) {
  Chunk chunk;
  while (!reading->gone &&
         reading->source->Read(buffer_, kBlockBytes, chunk) == ReadStatus::kData) {
    ProcessChunk(*reading, chunk);
    chunk = {};
  }
}

void Worker::FinishNow() {
  // Files are read again from the settled position; what cannot be read again comes out now.
  for (const auto& [source, reading] : readings_) {
    if (source->rereadable()) continue;
    if (source->received()) ReadRest(reading);
    const WorkerJob& job = *reading->job;
    job.pipeline->Flush(FlushReason::kStop, [&](Block& block) { Encode(job, block, nullptr); });
  }
  for (const WorkerJob& job : jobs_)
    job.pipeline->Abandon();
  FlushEncoders(kNever);
  readings_.clear();
  ready_.clear();
  behind_predecessor_.clear();
  held_back_.clear();
  turn_began_ns_.store(kAtRest);
  finish_();
}

}  // namespace agent
