#include "outputs/json_lines/datagram_sender.h"

#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace agent::json_lines {
namespace {

using std::chrono::milliseconds;

// In which a closed port is answered for.
constexpr milliseconds kAnswerTime{100};
constexpr milliseconds kFullWait{10};    // The system has no room for more.
constexpr int kDatagramsPerTurn = 1024;  // Then others on the loop have theirs.

}  // namespace

DatagramSender::DatagramSender(Dependencies dependencies, Random random)
    : dependencies_(std::move(dependencies)),
      backoff_(dependencies_.options.min_backoff, dependencies_.options.max_backoff, random),
      timer_(dependencies_.loop) {}

DatagramSender::~DatagramSender() {
  Abandon();
}

void DatagramSender::Pump() {
  if (state_ == State::kClosed && (current_ || !dependencies_.queue.empty())) Open();
  if (state_ == State::kOpen) SendAll();
}

void DatagramSender::Open() {
  const HostPort& host = dependencies_.options.hosts[host_];
  state_ = State::kLookingUp;
  dependencies_.counters.requests.fetch_add(1, std::memory_order_relaxed);
  lookup_ = std::make_unique<HostLookup>(
      dependencies_.loop, host.host, host.port, SOCK_DGRAM,
      [this](Result<std::vector<SocketAddress>> found) { OnFound(std::move(found)); });
}

void DatagramSender::OnFound(Result<std::vector<SocketAddress>> found) {
  if (!found.ok()) return OnRefused(found.error().message);
  if (Status connected = Connect(found->front()); !connected.ok()) {
    return OnRefused(connected.error().message);
  }
  watcher_ = std::make_unique<FdWatcher>(dependencies_.loop, fd_.get());
  Ask();
}

Status DatagramSender::Connect(const SocketAddress& address) {
  watcher_.reset();
  fd_.Reset(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_.valid()) return ErrnoError(errno, "socket");
  const int buffer = static_cast<int>(dependencies_.options.send_buffer_bytes);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  // Connected, so that the answer of a closed port comes to it.
  if (::connect(fd_.get(), address.get(), address.size) != 0) {
    return ErrnoError(errno, "connect to " + address.text());
  }
  return {};
}

bool DatagramSender::TakeNext() {
  while (!current_ || current_->rest().empty()) {
    if (current_) {
      current_->Finish();
      current_.reset();
    }
    if (dependencies_.queue.empty()) return false;
    current_.emplace(std::move(dependencies_.queue.front()));
    dependencies_.queue.pop_front();
  }
  return true;
}

// Sends the first line, and waits for an answer that it is not wanted.
void DatagramSender::Ask() {
  state_ = State::kAsking;
  if (!TakeNext()) {
    state_ = State::kOpen;
    return dependencies_.finished();
  }
  const std::string_view rest = current_->rest();
  const std::size_t end = rest.find('\n');
  if (::send(fd_.get(), rest.data(), end, MSG_NOSIGNAL) < 0) {
    if (errno == EMSGSIZE) {
      current_->RefuseLine("too_large", "the datagram is too large for the network");
      return timer_.StartOnce(milliseconds(0), [this] { Ask(); });
    }
    return OnRefused(ErrnoError(errno, "send").message);
  }
  timer_.StartOnce(kAnswerTime, [this] { OnNoAnswer(); });
}

void DatagramSender::OnNoAnswer() {
  int problem = 0;
  socklen_t size = sizeof(problem);
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0) problem = errno;
  if (problem != 0) return OnRefused(ErrnoError(problem, "send").message);
  current_->Skip(current_->rest().find('\n') + 1);
  failures_ = 0;
  backoff_.Reset();
  last_error_.clear();
  state_ = State::kOpen;
  SendAll();
}

void DatagramSender::SendAll() {
  for (int i = 0; i < kDatagramsPerTurn; ++i) {
    if (!TakeNext()) {
      timer_.Stop();
      return dependencies_.finished();
    }
    if (!SendLine()) return;
  }
  timer_.StartOnce(milliseconds(0), [this] { Pump(); });
}

// One by one: of many at once, the system keeps to itself why it took some and not all.
bool DatagramSender::SendLine() {
  const std::string_view rest = current_->rest();
  const std::size_t end = rest.find('\n');
  if (::send(fd_.get(), rest.data(), end, MSG_NOSIGNAL) < 0) return OnSendError(errno);
  current_->Skip(end + 1);
  return true;
}

bool DatagramSender::OnSendError(int error_number) {
  switch (error_number) {
    case EINTR:
      return true;
    case EMSGSIZE:
      current_->RefuseLine("too_large", "the datagram is too large for the network");
      return true;
    case EAGAIN:
      WaitWritable();
      return false;
    case ENOBUFS:
      timer_.StartOnce(kFullWait, [this] { Pump(); });
      return false;
    default:
      OnRefused(ErrnoError(error_number, "send").message);
      return false;
  }
}

void DatagramSender::WaitWritable() {
  watcher_->Start(UV_WRITABLE, [this](int /*status*/, int /*events*/) {
    watcher_->Stop();
    Pump();
  });
}

// Another host at once, or the same one after a while.
void DatagramSender::OnRefused(const std::string& error) {
  const JsonLinesOptions& options = dependencies_.options;
  const HostPort& host = options.hosts[host_];
  dependencies_.counters.failed_requests.fetch_add(1, std::memory_order_relaxed);
  last_error_ = host.text() + ": " + error;
  host_ = (host_ + 1) % options.hosts.size();
  milliseconds wait{0};
  if (++failures_ % options.hosts.size() == 0) wait = backoff_.Next();
  dependencies_.logger.WriteLimited(
      LogLevel::kWarn, "lines_refused:" + options.name, "json_lines",
      "datagrams are refused: what was sent just before is lost, the rest is sent slowly",
      {{"output", options.name},
       {"host", host.text()},
       {"error", error},
       {"wait_ms", wait.count()}});
  if (watcher_ != nullptr) watcher_->Stop();
  state_ = State::kWaiting;
  retry_ns_ = dependencies_.clock.MonotonicNanos() + wait.count() * kNanosPerMilli;
  timer_.StartOnce(wait, [this] { Open(); });
  dependencies_.finished();
}

bool DatagramSender::IsHopeless(int64_t deadline_ns) const {
  return state_ == State::kWaiting && retry_ns_ > deadline_ns;
}

void DatagramSender::Abandon() {
  timer_.Stop();
  lookup_.reset();
  watcher_.reset();
  fd_.Reset();
  state_ = State::kClosed;
  if (current_) current_->Abandon();
  current_.reset();
}

void DatagramSender::AddStatus(LaneStatus& status) const {
  if (current_) {
    ++status.queued_batches;
    status.queued_bytes += current_->rest().size();
    status.oldest_ns = current_->batch().created_ns;
  }
  status.last_error = last_error_;
  status.attempts = static_cast<uint32_t>(failures_);
  status.state = last_error_.empty() ? "sending" : "retrying";
}

}  // namespace agent::json_lines
