#include "outputs/buffer/buffered_output.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "outputs/buffer/buffer_folder.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{200};
// How long the end waits for the disk.
constexpr milliseconds kFlushDeadline{2000};
constexpr milliseconds kLockRetry{50};
constexpr int kLockTries = 12'000;
// Past so many lanes, idle ones are taken down before another is made.
constexpr std::size_t kMaxIdleLanes = 64;

constexpr std::size_t kLargestSegment = std::size_t{16} << 20;

bool InTrouble(const LaneStatus& lane) {
  return lane.state == "retrying" || lane.state == "holding";
}

}  // namespace

struct BufferedOutput::DiskRoot {
  UniqueFd lock;
  BufferQuota quota;
  std::unique_ptr<Timer> retry;
  int tries = 0;
};

BufferedOutput::BufferedOutput(std::unique_ptr<Output> inner, BufferedOptions options,
                               const Dependencies& dependencies)
    : options_(std::move(options)),
      dependencies_(dependencies),
      inner_(std::move(inner)),
      tick_timer_(dependencies.loop),
      flush_timer_(dependencies.loop),
      alive_(std::make_shared<BufferedOutput*>(this)) {
  if (!options_.folder.empty()) OpenFolder();
}

BufferedOutput::~BufferedOutput() {
  alive_.reset();
  for (Batch& batch : early_)
    batch.Abandon();
  inner_.reset();  // Tells what it abandons.
  lanes_.clear();
  if (disk_ == nullptr) return;
  disk_->Post([root = std::move(disk_root_)]() mutable { root->retry.reset(); });
  disk_->Stop();
}

// --- The folder.

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a step on each of two threads, and
// back.
void BufferedOutput::OpenFolder() {
  opening_ = true;
  disk_ = std::make_unique<DiskThread>();
  disk_root_ = std::make_shared<DiskRoot>();
  disk_root_->quota = {options_.folder, options_.max_bytes, options_.min_free_bytes, 0};
  const auto tell = [&loop = dependencies_.loop, weak = std::weak_ptr<BufferedOutput*>(alive_)](
                        std::function<void(BufferedOutput&)> what) {
    loop.Post([weak, what = std::move(what)] {
      if (const auto output = weak.lock()) what(**output);
    });
  };
  const auto open = [tell, folder = options_.folder](DiskRoot& root) {
    int64_t holder = 0;
    Result<UniqueFd> lock = LockFolder(folder, holder);
    if (!lock.ok()) {
      // After a reload the output before this one may still be ending.
      const bool ours = lock.error().code == ErrorCode::kUnavailable && holder == ::getpid();
      if (ours && ++root.tries < kLockTries) return false;
      tell([error = lock.error()](BufferedOutput& output) { output.FolderFailed(error); });
      return true;
    }
    root.lock = std::move(*lock);
    std::vector<std::string> tenants;
    for (const std::string& lane : LaneFolders(folder)) {
      const std::string tenant = lane == folder ? std::string() : TenantIn(lane);
      const bool is_lane = LaneFolder(folder, tenant) == lane;
      if (is_lane && IsInUse(lane)) tenants.push_back(tenant);
    }
    tell([tenants](BufferedOutput& output) { output.FolderOpened(tenants); });
    return true;
  };
  disk_->Post([&loop = disk_->loop(), root = std::weak_ptr<DiskRoot>(disk_root_), open] {
    const auto here = root.lock();
    if (here == nullptr || open(*here)) return;
    here->retry = std::make_unique<Timer>(loop);
    here->retry->StartRepeating(kLockRetry, [root, open] {
      const auto again = root.lock();
      if (again != nullptr && open(*again)) again->retry->Stop();
    });
  });
}

void BufferedOutput::FolderOpened(const std::vector<std::string>& tenants) {
  opening_ = false;
  for (const std::string& tenant : tenants)
    MakeLane(tenant);
  if (!tenants.empty()) tick_timer_.StartRepeating(kTick, [this] { Tick(); });
  std::vector<Batch> early;
  early.swap(early_);
  for (Batch& batch : early)
    Enqueue(std::move(batch));
}

void BufferedOutput::FolderFailed(const Error& error) {
  dependencies_.logger.Error("buffer", "an output runs without its disk buffer",
                             {{"output", name()},
                              {"folder", options_.folder},
                              {"error", error.message},
                              {"hint", "make the folder writable, then reload or restart"}});
  ++counters_.write_failures;
  disk_root_.reset();
  disk_.reset();
  FolderOpened({});
}

// --- Batches.

void BufferedOutput::Enqueue(Batch batch) {
  if (opening_) return early_.push_back(std::move(batch));
  BufferLane& lane = LaneOf(batch.tenant);
  lane.Enqueue(std::move(batch));
  if (!tick_timer_.active()) tick_timer_.StartRepeating(kTick, [this] { Tick(); });
}

BufferLane& BufferedOutput::LaneOf(const std::string& tenant) {
  const auto found = lanes_.find(tenant);
  if (found != lanes_.end()) return *found->second;
  if (lanes_.size() >= kMaxIdleLanes) RemoveIdleLanes();
  return MakeLane(tenant);
}

BufferLane& BufferedOutput::MakeLane(const std::string& tenant) {
  BufferLane::Context context{.loop = dependencies_.loop,
                              .budget = dependencies_.budget,
                              .clock = dependencies_.clock,
                              .logger = dependencies_.logger,
                              .inner = *inner_,
                              .keeper = *this,
                              .counters = counters_,
                              .output_index = options_.output_index,
                              .required = options_.required,
                              .disk = disk_.get(),
                              .make_disk_lane = nullptr,
                              .window_bytes = nullptr,
                              .flushed = [this] { OneFlushed(); }};
  // Many tenants share what is meant for one.
  context.window_bytes = [this] {
    return options_.window_bytes / std::max<std::size_t>(1, lanes_.size());
  };
  if (disk_ != nullptr) {
    const bool may_block = options_.required || options_.when_full != WhenFull::kBlock;
    const StoreOptions store{
        .folder = LaneFolder(options_.folder, tenant),
        .output = name(),
        .kind = options_.kind,
        .segment_bytes = std::min<std::size_t>(kLargestSegment, options_.max_bytes / 8),
        .remove_when_empty = !tenant.empty()};
    context.make_disk_lane = [this, store, may_block, root = disk_root_,
                              &disk_loop = disk_->loop()](auto tell, auto status) {
      return std::make_unique<DiskLane>(
          DiskLane::Context{.disk_loop = disk_loop,
                            .quota = root->quota,
                            .counters = counters_,
                            .clock = dependencies_.clock,
                            .logger = dependencies_.logger,
                            .when_full = may_block ? options_.when_full : WhenFull::kDropNewest,
                            .sync = options_.sync,
                            .tell = std::move(tell)},
          store, std::move(status));
    };
  }
  auto& lane = lanes_[tenant];
  lane = std::make_unique<BufferLane>(std::move(context), tenant);
  return *lane;
}

void BufferedOutput::RemoveIdleLanes() {
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    // That of no tenant has no folder of its own, which would go with it.
    const bool goes = !at->first.empty() && at->second->idle();
    at = goes ? lanes_.erase(at) : std::next(at);
  }
}

void BufferedOutput::OnSettled(const Batch& batch, const std::vector<bool>& refused) {
  const auto lane = lanes_.find(batch.tenant);
  if (lane != lanes_.end()) lane->second->OnSettled(batch, refused);
}

void BufferedOutput::OnAbandoned(const Batch& batch) {
  const auto lane = lanes_.find(batch.tenant);
  if (lane != lanes_.end()) lane->second->OnAbandoned(batch);
}

void BufferedOutput::Tick() {
  std::map<std::string, bool> trouble;
  for (const LaneStatus& lane : inner_->Status())
    trouble[lane.tenant] = InTrouble(lane);
  for (const auto& [tenant, lane] : lanes_) {
    const auto found = trouble.find(tenant);
    lane->Tick(found != trouble.end() && found->second);
  }
  if (idle()) tick_timer_.Stop();
}

bool BufferedOutput::idle() const {
  return !opening_ && inner_->idle() &&
         std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& item) { return item.second->idle(); });
}

// --- The end.

void BufferedOutput::Drain(milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  tick_timer_.Stop();
  for (Batch& batch : early_)
    batch.Abandon();
  early_.clear();
  for (const auto& [tenant, lane] : lanes_)
    lane->BeginDrain();
  inner_->Drain(deadline, [this] { FinishDrain(); });
}

void BufferedOutput::FinishDrain() {
  flushing_ = lanes_.size() + 1;  // One more, so that it is not over before all have been asked.
  flush_timer_.StartOnce(kFlushDeadline, [this] {
    dependencies_.logger.Warn("buffer", "the disk takes too long: what is not on it is read again",
                              {{"output", name()}});
    flushing_ = 1;
    OneFlushed();
  });
  for (const auto& [tenant, lane] : lanes_)
    lane->FinishDrain();
  OneFlushed();
}

void BufferedOutput::OneFlushed() {
  if (flushing_ == 0 || --flushing_ > 0) return;
  flush_timer_.Stop();
  const std::function<void()> done = std::exchange(drained_, nullptr);
  if (done) done();
}

// --- What it shows.

std::vector<LaneStatus> BufferedOutput::Status() const {
  std::vector<LaneStatus> all = inner_->Status();
  for (const auto& [tenant, lane] : lanes_) {
    const std::string& of = lane->tenant();
    const auto found = std::find_if(
        all.begin(), all.end(), [&of](const LaneStatus& status) { return status.tenant == of; });
    lane->AddStatus(found != all.end() ? *found : all.emplace_back());
  }
  return all;
}

void BufferedOutput::CollectMetrics(MetricSink& sink) const {
  inner_->CollectMetrics(sink);
  const auto count = [&](std::string_view metric, uint64_t value) {
    sink.Add(metric, {name()}, static_cast<double>(value));
  };
  const auto dropped = [&](std::string_view reason, uint64_t value) {
    sink.Add("agent_buffer_dropped_entries_total", {name(), reason}, static_cast<double>(value));
  };
  dropped("not_required", counters_.dropped_optional);
  if (options_.folder.empty()) return;
  dropped("oldest", counters_.dropped_oldest);
  dropped("newest", counters_.dropped_newest);
  count("agent_buffer_spooled_entries_total", counters_.spooled_entries);
  count("agent_buffer_drained_entries_total", counters_.drained_entries);
  count("agent_buffer_refused_entries_total", counters_.refused_entries);
  count("agent_buffer_corrupt_batches_total", counters_.corrupt_batches);
  count("agent_buffer_corrupt_bytes_total", counters_.corrupt_bytes);
  count("agent_buffer_write_failures_total", counters_.write_failures);
  const int64_t now = dependencies_.clock.WallNanos();
  for (const auto& [tenant, lane] : lanes_) {
    const DiskLaneStatus::Values disk = lane->disk_status();
    const int64_t since = disk.stats.oldest_wall_ns;
    const double age =
        since == 0 ? 0 : static_cast<double>(std::max<int64_t>(0, now - since)) / kNanosPerSecond;
    sink.Add("agent_buffer_bytes", {name(), tenant}, static_cast<double>(disk.stats.bytes));
    sink.Add("agent_buffer_batches", {name(), tenant}, static_cast<double>(disk.stats.batches));
    sink.Add("agent_buffer_entries", {name(), tenant}, static_cast<double>(disk.stats.entries));
    sink.Add("agent_buffer_oldest_seconds", {name(), tenant}, age);
    sink.Add("agent_buffer_full", {name(), tenant}, disk.full ? 1 : 0);
  }
}

}  // namespace agent
