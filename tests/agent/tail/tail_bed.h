// A tailer on real files, turned by hand: scans, reads and time happen when the test says so.

#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/tail/tailer.h"
#include "base/check.h"
#include "base/unique_fd.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace agent {

// True when the command succeeds.
inline bool Shell(const std::string& command) {
  return std::system(command.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): one thread.
}

struct ReadLine {
  std::string filename;
  std::string line;  // With its newline, if it has one.
  uint64_t offset = 0;

  bool operator==(const ReadLine&) const = default;
};

// Reads sources on the calling thread, in the way a worker does, and delivers what it reads: at
// once, or when the test says so.
class FakeHost final : public SourceHost {
 public:
  explicit FakeHost(std::size_t block_bytes = 65536) : block_bytes_(block_bytes) {}

  void Start(std::shared_ptr<Source> source) override { sources_.push_back(std::move(source)); }
  void Wake(const std::shared_ptr<Source>& /*source*/) override { ++wakes; }
  void Stop(const std::shared_ptr<Source>& source) override {
    std::erase(sources_, source);
    stopped_.push_back(source);
  }

  // Lets every source read until it has nothing more; at most `max_chunks` chunks in all. Returns
  // how many chunks there were.
  std::size_t Read(std::size_t max_chunks = SIZE_MAX) {
    std::size_t chunks = 0;
    bool any = true;
    while (any && chunks < max_chunks) {
      any = false;
      for (std::size_t i = 0; i < sources_.size() && chunks < max_chunks; ++i) {
        const std::shared_ptr<Source> source = sources_[i];
        if (source->predecessor() != nullptr) continue;
        any = ReadOne(source, chunks) || any;
      }
      std::erase_if(sources_, [this](const auto& source) {
        return std::find(ended_.begin(), ended_.end(), source) != ended_.end();
      });
    }
    return chunks;
  }

  std::vector<std::shared_ptr<Source>> TakeEnded() {
    for (auto& source : stopped_)
      ended_.push_back(std::move(source));
    stopped_.clear();
    return std::exchange(ended_, {});
  }

  // What is held back is delivered now.
  void SettleAll() {
    for (auto& deliver : std::exchange(held_, {}))
      deliver();
  }

  [[nodiscard]] const std::vector<std::shared_ptr<Source>>& sources() const { return sources_; }

  std::vector<ReadLine> lines;
  bool hold = false;  // Nothing settles until SettleAll().
  std::size_t wakes = 0;

 private:
  bool ReadOne(const std::shared_ptr<Source>& source, std::size_t& chunks) {
    Chunk chunk;
    const ReadStatus status = source->Read(buffer_, block_bytes_, chunk);
    if (status == ReadStatus::kRestarted) return true;
    if (status == ReadStatus::kEnded) ended_.push_back(source);
    if (status != ReadStatus::kData) return false;
    ++chunks;
    Deliver(*source, chunk);
    return true;
  }

  void Deliver(const Source& source, const Chunk& chunk) {
    const std::shared_ptr<SourceProgress>& progress = source.progress();
    std::string_view rest = chunk.data;
    ProcessedBlock block{chunk.offset + rest.size(), rest.size(), 0, 0};
    while (!rest.empty()) {
      const std::size_t newline = rest.find('\n');
      const std::size_t length = newline == std::string_view::npos ? rest.size() : newline + 1;
      lines.push_back({std::string(source.labels().Value("filename")),
                       std::string(rest.substr(0, length)),
                       chunk.offset + chunk.data.size() - rest.size()});
      rest.remove_prefix(length);
      ++block.lines;
    }
    std::vector<std::function<void()>> settle;
    for (std::size_t output = 0; output < progress->outputs(); ++output) {
      const auto pin = progress->Pin(output, chunk.offset);
      settle.emplace_back([progress, output, pin, bytes = chunk.data.size()] {
        progress->Settle(output, pin, bytes, 0);
      });
    }
    progress->Advance(block);
    for (auto& one : settle) {
      if (hold) {
        held_.push_back(std::move(one));
      } else {
        one();
      }
    }
  }

  const std::size_t block_bytes_;
  BlockBuffer buffer_;
  std::vector<std::shared_ptr<Source>> sources_;
  std::vector<std::shared_ptr<Source>> stopped_;
  std::vector<std::shared_ptr<Source>> ended_;
  std::vector<std::function<void()>> held_;
};

class TailBed {
 public:
  explicit TailBed(TailerOptions options = {},
                   const std::filesystem::path& parent = std::filesystem::temp_directory_path())
      : dir_(parent), options_(options) {
    targets_ = {MakeTarget("job", "app.log")};
    Begin();
  }
  TailBed(const TailBed&) = delete;
  TailBed& operator=(const TailBed&) = delete;
  ~TailBed() = default;

  static std::vector<std::shared_ptr<const Target>> Shared(const std::vector<Target>& targets) {
    std::vector<std::shared_ptr<const Target>> shared;
    shared.reserve(targets.size());
    for (const Target& target : targets)
      shared.push_back(std::make_shared<Target>(target));
    return shared;
  }
  Target MakeTarget(const std::string& job, const std::string& glob, Labels labels = {}) const {
    labels.Set("job", job);
    return {job, {}, labels, Path(glob), ""};
  }
  void SetTargets(std::vector<Target> targets) {
    targets_ = std::move(targets);
    tailer_->SetTargets(Shared(targets_));
  }
  void SetGlob(const std::string& glob) { SetTargets({MakeTarget("job", glob)}); }

  // --- The files.

  [[nodiscard]] std::string Path(const std::string& name) const {
    return dir_.path() + "/logs/" + name;
  }
  void Append(const std::string& name, std::string_view text) const {
    std::ofstream(Path(name), std::ios::app | std::ios::binary) << text;
  }
  void Replace(const std::string& name, std::string_view text) const {
    std::ofstream(Path(name), std::ios::trunc | std::ios::binary) << text;
  }
  void Rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(Path(from), Path(to));
  }
  void Copy(const std::string& from, const std::string& to) const {
    std::filesystem::copy_file(Path(from), Path(to));
  }
  // Makes it look written a second earlier than it was.
  void Age(const std::string& name) const {
    const auto written = std::filesystem::last_write_time(Path(name));
    std::filesystem::last_write_time(Path(name), written - std::chrono::seconds(1));
  }
  void Remove(const std::string& name) const { std::filesystem::remove(Path(name)); }

  // --- The agent.

  void Begin() {
    std::filesystem::create_directories(dir_.path() + "/logs");
    host_ = std::make_unique<FakeHost>(block_bytes_);
    PositionStoreOptions store_options;
    store_options.filename = PositionsPath();
    auto store = PositionStore::Open(store_options, clock_, logger_);
    CHECK(store.ok());
    store_ = std::move(store).value();
    tailer_ =
        std::make_unique<Tailer>(Tailer::Dependencies{loop_, clock_, logger_, *store_, *host_},
                                 Random(seed_++), outputs_, options_);
    tailer_->SetTargets(Shared(targets_));
  }
  // As after kill -9: nothing is written any more.
  void Crash() {
    tailer_.reset();
    store_.reset();
    for (ReadLine& line : host_->lines)
      all_lines_.push_back(std::move(line));
    host_.reset();
  }
  void Restart() {
    Crash();
    Begin();
  }
  void StopAndRestart() {
    tailer_->Pause();
    EndSources();
    store_->SavePositions(tailer_->Positions());
    tailer_->Stop();
    Restart();
  }

  void Scan() {
    tailer_->ScanNow();
    EndSources();
  }
  // Reads everything there is, with what the tailer has to say about it in between.
  void Read() {
    for (int round = 0; round < 20; ++round) {
      const std::size_t chunks = host_->Read();
      const bool ended = EndSources();
      tailer_->RunDirty();
      if (chunks == 0 && !ended && round > 2) break;
    }
  }
  void ScanAndRead() {
    Scan();
    Read();
  }
  void Pass(std::chrono::seconds time) {
    clock_.Advance(std::chrono::nanoseconds(time).count());
    tailer_->Housekeep();
  }
  bool EndSources() {
    bool any = false;
    for (const auto& source : host_->TakeEnded()) {
      tailer_->OnEnded(source);
      any = true;
    }
    return any;
  }

  // --- What came out, of all runs.

  [[nodiscard]] std::vector<ReadLine> lines() const {
    std::vector<ReadLine> all = all_lines_;
    if (host_ != nullptr) all.insert(all.end(), host_->lines.begin(), host_->lines.end());
    return all;
  }
  [[nodiscard]] std::string text() const {
    std::string text;
    for (const ReadLine& line : lines())
      text += line.line;
    return text;
  }
  [[nodiscard]] std::string PositionsPath() const { return dir_.path() + "/positions.yaml"; }
  [[nodiscard]] std::string dir() const { return dir_.path(); }
  [[nodiscard]] FileStatus StatusOf(const std::string& place) const {
    for (const FileStatus& status : tailer_->Status()) {
      if (status.place == Path(place)) return status;
    }
    return {};
  }

  Tailer& tailer() { return *tailer_; }
  FakeHost& host() { return *host_; }
  PositionStore& store() { return *store_; }
  FakeClock& clock() { return clock_; }
  Loop& loop() { return loop_; }
  Logger& logger() { return logger_; }
  void SetBlockBytes(std::size_t bytes) { block_bytes_ = bytes; }
  void SetOutputs(std::vector<std::string> outputs) { outputs_ = std::move(outputs); }

 private:
  TempDir dir_;
  FakeClock clock_;
  UniqueFd null_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  Logger logger_{null_.get(), LogLevel::kDebug, LogFormat::kLogfmt};
  Loop loop_;
  TailerOptions options_;
  std::vector<std::string> outputs_ = {"loki"};
  std::vector<Target> targets_;
  uint64_t seed_ = 1;
  std::size_t block_bytes_ = 65536;
  std::unique_ptr<FakeHost> host_;
  std::unique_ptr<PositionStore> store_;
  std::unique_ptr<Tailer> tailer_;
  std::vector<ReadLine> all_lines_;
};

}  // namespace agent
