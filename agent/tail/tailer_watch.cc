// When the tailer looks: events, scans, and polling where there are no events.

#include <algorithm>
#include <utility>

#include "agent/tail/glob.h"
#include "agent/tail/tailer.h"
#include "base/background.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

// What happens within this time is found by one scan.
constexpr milliseconds kScanDelay{20};
constexpr milliseconds kMinScanGap{100};
// Scans for events take a tenth of the time at most.
constexpr int64_t kScanShare = 10;

}  // namespace

void Tailer::OnModified(const std::string& path) {
  for (FollowedFile* const file : files_.FindByPlace(path)) {
    file->event_in_scan = scan_number_;
    file->backlog.Grew(clock_.MonotonicNanos());
    if (file->state == FileState::kFinished || file->state == FileState::kUndecided) {
      RequestScan();
    } else {
      Wake(*file);
    }
  }
}

void Tailer::RequestScan() {
  if (!running_ || finishing_all_) return;
  if (scanning_) {
    scan_again_ = true;
    return;
  }
  if (rescan_due_) return;
  rescan_due_ = true;
  const auto cost =
      milliseconds(kScanShare * static_cast<int64_t>(counters_.last_scan_ns) / kNanosPerMilli);
  scan_timer_.StartOnce(scan_number_ == 0 ? kScanDelay : std::max({kScanDelay, kMinScanGap, cost}),
                        [this] { StartScan(); });
}

void Tailer::ScheduleScan(milliseconds delay) {
  if (scanning_) {
    scan_again_ = scan_again_ || delay.count() == 0;
    return;
  }
  rescan_due_ = delay.count() == 0;
  scan_timer_.StartOnce(delay, [this] { StartScan(); });
}

void Tailer::StartScan() {
  if (scanning_ || !running_ || finishing_all_) return;
  scanning_ = true;
  scan_begun_ns_ = clock_.WallNanos();
  rescan_due_ = false;
  auto known = std::make_shared<KnownFiles>(files_.Keys());
  auto result = std::make_shared<ScanResult>();
  const auto took = std::make_shared<int64_t>(0);
  RunInBackground(
      loop_,
      [patterns = groups_.patterns(), known, result, took, &clock = clock_] {
        const int64_t begin = clock.MonotonicNanos();
        *result = RunScan(*patterns, *known);
        *took = clock.MonotonicNanos() - begin;
      },
      [weak = std::weak_ptr<Tailer*>(alive_), result, took, version = targets_version_] {
        const auto alive = weak.lock();
        if (!alive) return;
        Tailer& self = **alive;
        self.scanning_ = false;
        const bool again = std::exchange(self.scan_again_, false);
        if (!self.running_ || self.finishing_all_) return;
        self.counters_.last_scan_ns = static_cast<uint64_t>(*took);
        // A scan for other targets says nothing about these.
        if (version == self.targets_version_) self.ApplyScan(std::move(*result));
        self.RunDirty();
        if (version != self.targets_version_) {
          self.ScheduleScan(milliseconds(0));
        } else {
          self.ScheduleScan(self.options_.sync_period);
          if (again) self.RequestScan();
        }
      });
}

void Tailer::ScanNow() {
  scan_begun_ns_ = clock_.WallNanos();
  const int64_t begin = clock_.MonotonicNanos();
  ScanResult result = RunScan(*groups_.patterns(), files_.Keys());
  counters_.last_scan_ns = static_cast<uint64_t>(clock_.MonotonicNanos() - begin);
  running_ = true;
  ApplyScan(std::move(result));
  RunDirty();
}

void Tailer::StartPolling() {
  if (watcher_.polled().empty() || poll_timer_.active() || polling_) return;
  poll_timer_.StartOnce(poll_interval_, [this] { PollSilentFiles(); });
}

std::vector<Tailer::Polled> Tailer::FilesToPoll() const {
  std::vector<Polled> polled;
  for (const auto& [number, file] : files_.all()) {
    const std::string& place = file->target.empty() ? file->place : file->target;
    if (file->source == nullptr || place.empty()) continue;
    if (!watcher_.polled().contains(std::string(DirName(place)))) continue;
    polled.push_back({number, place, file->size_bytes, file->modified_ns, false});
  }
  return polled;
}

void Tailer::PollSilentFiles() {
  if (watcher_.polled().empty() || polling_ || !running_) return;
  polling_ = true;
  auto polled = std::make_shared<std::vector<Polled>>(FilesToPoll());
  RunInBackground(
      loop_,
      [polled] {
        for (Polled& one : *polled) {
          const Result<FileStat> info = StatPath(one.place);
          if (!info.ok()) continue;
          one.changed = info->size_bytes != one.size_bytes || info->modified_ns != one.modified_ns;
          one.size_bytes = info->size_bytes;
          one.modified_ns = info->modified_ns;
        }
      },
      [weak = std::weak_ptr<Tailer*>(alive_), polled] {
        if (const auto alive = weak.lock()) (*alive)->ApplyPolled(*polled);
      });
}

void Tailer::ApplyPolled(const std::vector<Polled>& polled) {
  polling_ = false;
  bool any = false;
  for (const Polled& one : polled) {
    FollowedFile* const file = files_.Find(one.number);
    if (file == nullptr || !one.changed) continue;
    any = true;
    file->size_bytes = one.size_bytes;
    file->modified_ns = one.modified_ns;
    file->backlog.Grew(clock_.MonotonicNanos());
    Wake(*file);
  }
  poll_interval_ = any ? options_.min_poll : std::min(poll_interval_ * 2, options_.max_poll);
  if (running_) StartPolling();
}

}  // namespace agent
