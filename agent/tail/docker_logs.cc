#include "agent/tail/docker_logs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <utility>

#include "discovery/docker/docker_options.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMinBackoff{500};
constexpr milliseconds kMaxBackoff{30'000};
// What of all logs together may wait for the workers, and of one at least.
constexpr std::size_t kMaxWaitingBytes = std::size_t{4} << 20;
constexpr std::size_t kMinWaitingBytes = std::size_t{16} << 10;
constexpr std::size_t kMaxWaitingOfOne = std::size_t{256} << 10;

std::string KeyOf(const ContainerLog& log) {
  return log.target.job + '\n' + log.container_id;
}

// Ours, beside Promtail's key, which has whole seconds and belongs to all jobs.
std::string DetailKey(const ContainerLog& log) {
  return "journal-docker-" + log.container_id + "-" + log.target.job;
}
std::string CursorKey(const ContainerLog& log) {
  return "cursor-" + log.container_id;
}

std::string SinceText(int64_t nanos) {
  if (nanos == 0) return "0";
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%lld.%09lld",
                static_cast<long long>(nanos / kNanosPerSecond),
                static_cast<long long>(nanos % kNanosPerSecond));
  return text.data();
}

}  // namespace

DockerLogs::DockerLogs(const Dependencies& dependencies, Random random, std::size_t outputs)
    : loop_(dependencies.loop),
      clock_(dependencies.clock),
      logger_(dependencies.logger),
      positions_(dependencies.positions),
      host_(&dependencies.host),
      random_(random),
      outputs_(outputs),
      dirty_(std::make_shared<DirtyFiles>(loop_, [this] { RunDirty(); })) {}

DockerLogs::~DockerLogs() {
  dirty_->Close();
}

void DockerLogs::Set(const std::vector<std::shared_ptr<const ContainerLog>>& logs) {
  std::map<std::string, std::shared_ptr<const ContainerLog>> wanted;
  for (const auto& log : logs) {
    if (!log->target.awaited) wanted.emplace(KeyOf(*log), log);
  }
  for (auto& [key, log] : logs_) {
    const auto found = wanted.find(key);
    if (found == wanted.end()) {
      log->next = nullptr;
      Leave(*log);
      continue;
    }
    const std::shared_ptr<const ContainerLog> now = found->second;
    wanted.erase(found);
    const bool same_labels = *now->target.streams == *log->wanted->target.streams;
    if (!same_labels || log->leaving) {
      // The new one goes on where this one has settled.
      log->next = now;
      Leave(*log);
      continue;
    }
    const bool started = now->running && !log->wanted->running;
    log->wanted = now;
    if (started) log->read_whole = false;
    if (!log->stream && !log->read_whole && !log->retry.active()) Follow(*log);
  }
  for (const auto& [key, log] : wanted)
    Begin(key, log);
}

DockerClient& DockerLogs::ClientOf(const std::shared_ptr<const DockerOptions>& daemon) {
  std::unique_ptr<DockerClient>& client = clients_[daemon];
  if (client == nullptr) {
    client = std::make_unique<DockerClient>(loop_, clock_, logger_, *daemon);
  }
  return *client;
}

DockerCursor DockerLogs::StoredCursor(const ContainerLog& wanted) const {
  const DockerCursor detail = DockerCursor::Parse(positions_.Cursor(DetailKey(wanted)));
  const DockerCursor seconds = DockerCursor::Parse(positions_.Cursor(CursorKey(wanted)));
  // Promtail, or the log's file when that could be read, has come further meanwhile.
  return seconds.Seconds() > detail.Seconds() ? seconds : detail;
}

void DockerLogs::Begin(const std::string& key, std::shared_ptr<const ContainerLog> wanted) {
  auto log = std::make_unique<Log>(loop_, Backoff(kMinBackoff, kMaxBackoff, random_));
  random_.Next();
  log->number = next_number_++;
  log->settled = StoredCursor(*wanted);
  log->received = log->settled;
  log->progress = std::make_shared<SourceProgress>(
      wanted->target.job, std::vector<uint64_t>(outputs_, 0),
      [dirty = dirty_, number = log->number] { dirty->Mark(number); },
      SourceIdentity{wanted->target.path, 0, 0});
  DockerLogSource::Init init;
  init.name = wanted->target.path;
  init.job = wanted->target.job;
  init.labels = wanted->target.labels;
  init.streams = *wanted->target.streams;
  init.lineage = random_.Next() | 1U;
  init.progress = log->progress;
  init.drained = [dirty = dirty_, number = log->number] { dirty->Mark(number); };
  log->source = std::make_shared<DockerLogSource>(std::move(init));
  log->wanted = std::move(wanted);
  Log& begun = *log;
  logs_[key] = std::move(log);
  host_->Start(begun.source);
  Follow(begun);
}

void DockerLogs::Leave(Log& log) {
  if (log.leaving) return;
  log.leaving = true;
  CloseStream(log);
  if (log.source == nullptr) return;
  log.source->End();
  host_->Wake(log.source);
}

void DockerLogs::CloseStream(Log& log) {
  log.retry.Stop();
  if (log.stream) ClientOf(log.wanted->daemon).Cancel(*std::exchange(log.stream, std::nullopt));
  log.paused = false;
}

void DockerLogs::Follow(Log& log) {
  if (!running_ || log.leaving) return;
  log.frames = DockerFrames(log.wanted->tty);
  log.skip = DockerSkip(log.received);
  DockerClient::Stream stream;
  stream.begun = [&log] {
    log.error.clear();
    log.backoff.Reset();
  };
  stream.data = [this, &log](std::string_view data) { OnData(log, data); };
  stream.end = [this, &log](const Error& error) { OnStreamEnd(log, error); };
  log.stream = ClientOf(log.wanted->daemon)
                   .Follow("/containers/" + UrlEncoded(log.wanted->container_id) +
                               "/logs?follow=1&stdout=1&stderr=1&timestamps=1&since=" +
                               SinceText(log.received.SinceNanos()),
                           std::move(stream));
}

void DockerLogs::OnEntry(Log& log, const DockerLogEntry& entry) {
  const std::optional<int64_t> time = time_.Parse(entry.time);
  if (!time) {
    ++parsing_errors_;
  } else if (log.skip.IsPassed(entry.err, *time)) {
    return;
  }
  ++entries_;
  const std::size_t before = log.lines.size();
  AppendAsJsonFile(entry, log.lines);
  log.received_bytes += log.lines.size() - before;
  if (!time) return;
  log.received.Pass(entry.err, *time);
  log.marks.push_back({log.received_bytes, *time, entry.err});
}

void DockerLogs::OnData(Log& log, std::string_view data) {
  log.lines.clear();
  log.frames.Add(data, [this, &log](const DockerLogEntry& entry) { OnEntry(log, entry); });
  if (log.frames.broken() && !log.retry.active()) {
    ++parsing_errors_;
    // Not here: this is called from within libcurl.
    log.retry.StartOnce(log.backoff.Next(), [this, &log] {
      CloseStream(log);
      Follow(log);
    });
    logger_.WriteLimited(LogLevel::kWarn, "docker frames " + log.wanted->container_id, "tail",
                         "a container's log is out of step: it is asked for again",
                         {{"container", log.wanted->container_id}});
  }
  if (log.lines.empty() || log.source == nullptr) return;
  const std::size_t waiting = log.source->Add(log.lines);
  host_->Wake(log.source);
  if (waiting < Limit() || log.paused) return;
  log.paused = true;
  ClientOf(log.wanted->daemon).Pause(*log.stream);
}

void DockerLogs::OnStreamEnd(Log& log, const Error& error) {
  log.stream.reset();
  log.paused = false;
  if (!running_ || log.leaving || log.source == nullptr) return;
  log.lines.clear();
  log.frames.Finish([this, &log](const DockerLogEntry& entry) { OnEntry(log, entry); });
  if (!log.lines.empty()) {
    log.source->Add(log.lines);
    host_->Wake(log.source);
  }
  const bool at_end = error.code == ErrorCode::kIo;
  log.read_whole = error.code == ErrorCode::kNotFound || (at_end && !log.wanted->running);
  if (log.read_whole) return;
  if (!at_end) {
    log.error = error.message;
    logger_.WriteLimited(
        LogLevel::kWarn, "docker log " + log.wanted->container_id, "tail",
        "a container's log cannot be read: it is tried again",
        {{"container", log.wanted->container_id},
         {"error", error.message},
         {"hint", "some log drivers cannot be read back: use json-file or local"}});
  }
  log.retry.StartOnce(log.backoff.Next(), [this, &log] { Follow(log); });
}

std::size_t DockerLogs::Limit() const {
  const std::size_t share = kMaxWaitingBytes / std::max<std::size_t>(1, logs_.size());
  return std::clamp(share, kMinWaitingBytes, kMaxWaitingOfOne);
}

DockerLogs::Log* DockerLogs::Find(uint64_t number) {
  const auto at = std::find_if(logs_.begin(), logs_.end(), [number](const auto& item) {
    return item.second->number == number;
  });
  return at == logs_.end() ? nullptr : at->second.get();
}

void DockerLogs::RunDirty() {
  for (const uint64_t number : dirty_->Take()) {
    Log* const log = Find(number);
    if (log == nullptr) continue;
    NoteSettled(*log);
    if (log->paused && log->stream) {
      log->paused = false;
      ClientOf(log->wanted->daemon).Resume(*log->stream);
    }
    if (log->leaving && log->source == nullptr && log->progress->idle()) {
      Forget(KeyOf(*log->wanted));
    }
  }
  positions_.Commit();
}

void DockerLogs::NoteSettled(Log& log) {
  const uint64_t settled = log.progress->min_settled();
  bool moved = false;
  while (!log.marks.empty() && log.marks.front().end <= settled) {
    log.settled.Pass(log.marks.front().err, log.marks.front().time_ns);
    log.marks.pop_front();
    moved = true;
  }
  if (!moved) return;
  positions_.SetCursor(DetailKey(*log.wanted), log.settled.Text());
  positions_.SetCursor(CursorKey(*log.wanted), std::to_string(log.settled.Seconds()));
}

void DockerLogs::OnEnded(const std::shared_ptr<Source>& source) {
  for (auto& [key, log] : logs_) {
    if (log->source != source) continue;
    log->source = nullptr;
    dirty_->Mark(log->number);
    return;
  }
}

void DockerLogs::Forget(const std::string& key) {
  const auto at = logs_.find(key);
  std::shared_ptr<const ContainerLog> next = at->second->next;
  logs_.erase(at);
  if (next != nullptr && running_) Begin(key, std::move(next));
}

void DockerLogs::Pause() {
  running_ = false;
  for (auto& [key, log] : logs_) {
    CloseStream(*log);
    if (log->source != nullptr) host_->Stop(log->source);
  }
}

void DockerLogs::Resume(SourceHost& host, std::size_t outputs) {
  for (auto& [key, log] : logs_)
    NoteSettled(*log);
  logs_.clear();
  clients_.clear();
  host_ = &host;
  outputs_ = outputs;
  running_ = true;
}

void DockerLogs::Stop() {
  running_ = false;
  for (auto& [key, log] : logs_) {
    CloseStream(*log);
    NoteSettled(*log);
  }
  dirty_->Close();
}

std::vector<DockerLogStatus> DockerLogs::Status() const {
  std::vector<DockerLogStatus> all;
  for (const auto& [key, log] : logs_) {
    all.push_back({log->wanted->target.path, log->wanted->target.job, log->received_bytes,
                   log->error, log->progress});
  }
  return all;
}

}  // namespace agent
