#include "tests/support/scriptable_sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>

#include "base/check.h"
#include "base/unique_fd.h"
#include "tests/support/sink_stream.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

Context MakeContext(const ScriptableSink::Options& options) {
  if (options.certificate.empty()) return nullptr;
  Context context(SSL_CTX_new(TLS_server_method()));
  CHECK(context != nullptr);
  CHECK(SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) == 1);
  CHECK(SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) == 1);
  if (!options.client_ca.empty()) {
    CHECK(SSL_CTX_load_verify_file(context.get(), options.client_ca.c_str()) == 1);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

UniqueFd Listen(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(fd.valid());
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(::listen(fd.get(), 128) == 0);
  return fd;
}

uint16_t PortOf(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// "POST /path HTTP/1.1\r\nName: value\r\n…", without the empty line.
SinkRequest ParseHead(std::string_view head) {
  SinkRequest request;
  std::size_t end = head.find("\r\n");
  const std::string_view first = head.substr(0, end);
  const std::size_t space = first.find(' ');
  request.method = first.substr(0, space);
  request.path = first.substr(space + 1, first.rfind(' ') - space - 1);
  while (end != std::string_view::npos) {
    head.remove_prefix(end + 2);
    end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' '))
      value.remove_prefix(1);
    request.headers[Lower(line.substr(0, colon))] = value;
  }
  const auto tenant = request.headers.find("x-scope-orgid");
  if (tenant != request.headers.end()) request.tenant = tenant->second;
  return request;
}

std::string FormatAnswer(const SinkAnswer& answer) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Scripted\r\n";
  for (const auto& [name, value] : answer.headers)
    text += name + ": " + value + "\r\n";
  if (answer.status != 204)
    text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  return text + "\r\n" + (answer.status == 204 ? "" : answer.body);
}

}  // namespace

struct ScriptableSink::Impl {
  explicit Impl(const Options& options_in)
      : options(options_in),
        context(MakeContext(options_in)),
        listener(Listen(options_in.port)),
        port(PortOf(listener.get())) {
    ::signal(SIGPIPE, SIG_IGN);  // Of a TLS connection that the other side has closed.
    accepting = std::thread([this] { Accept(); });
  }

  ~Impl() {
    stop = true;
    accepting.join();
    for (std::thread& thread : threads)
      thread.join();
  }

  void Accept() {
    while (!stop) {
      pollfd poll_fd{.fd = listener.get(), .events = POLLIN, .revents = 0};
      if (::poll(&poll_fd, 1, 50) <= 0) continue;
      UniqueFd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) continue;
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      const std::lock_guard<std::mutex> lock(mutex);
      const uint64_t number = ++connection_count;
      threads.emplace_back([this, number, raw = std::make_shared<UniqueFd>(std::move(fd))] {
        Serve(std::move(*raw), number);
      });
    }
  }

  void Serve(UniqueFd fd, uint64_t number) {
    const int raw = fd.get();
    {
      const std::lock_guard<std::mutex> lock(mutex);
      open_fds.insert(raw);
    }
    {
      SinkStream stream(std::move(fd), context.get(), stop);
      std::string buffer;
      bool more = stream.Open();
      while (more && !stop)
        more = ServeOne(stream, buffer, number);
      const std::lock_guard<std::mutex> lock(mutex);
      open_fds.erase(raw);
    }
  }

  // False: the connection is to be closed.
  bool ServeOne(SinkStream& stream, std::string& buffer, uint64_t number) {
    std::size_t head_end = 0;
    while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!stream.Read(buffer, 65536)) return false;
    }
    SinkRequest request = ParseHead(std::string_view(buffer).substr(0, head_end));
    buffer.erase(0, head_end + 4);
    request.arrived = std::chrono::steady_clock::now();
    request.connection = number;
    const bool control = options.control && request.path.starts_with("/__");
    const SinkAnswer answer = control ? SinkAnswer() : AnswerFor(request.path);
    if (!ReadBody(stream, buffer, request, answer)) return false;
    if (control) return stream.Write(FormatAnswer(options.control(request)));
    return Answer(stream, std::move(request), answer);
  }

  SinkAnswer AnswerFor(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto route = routes.find(path);
    if (route != routes.end()) return route->second;
    if (script.empty()) return default_answer;
    SinkAnswer answer = std::move(script.front());
    script.pop_front();
    return answer;
  }

  bool ReadBody(SinkStream& stream, std::string& buffer, SinkRequest& request,
                const SinkAnswer& answer) {
    const auto length = request.headers.find("content-length");
    const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
    if (answer.way == SinkAnswer::Way::kResetInBody) {
      while (buffer.size() < std::min(size, answer.read_bytes))
        if (!stream.Read(buffer, answer.read_bytes)) return false;
      stream.ResetOnClose();
      Record(std::move(request), 0);
      return false;
    }
    const std::size_t step =
        answer.read_bytes_per_second == 0 ? 65536 : answer.read_bytes_per_second / 10 + 1;
    while (buffer.size() < size) {
      if (!stream.Read(buffer, std::min(step, size - buffer.size()))) return false;
      if (answer.read_bytes_per_second != 0) Pause(milliseconds(100));
    }
    request.body_bytes = size;
    const std::string body = buffer.substr(0, size);
    buffer.erase(0, size);
    if (auto entries = DecodePush(body, &request.streams)) {
      request.decoded = true;
      request.entries = std::move(*entries);
      for (PushedEntry& entry : request.entries)
        entry.tenant = request.tenant;
    } else {
      request.body = body;
    }
    return true;
  }

  bool Answer(SinkStream& stream, SinkRequest request, const SinkAnswer& answer) {
    using Way = SinkAnswer::Way;
    Pause(answer.delay);
    const std::string text = FormatAnswer(answer);
    switch (answer.way) {
      case Way::kHangUp:
        Record(std::move(request), 0);
        return false;
      case Way::kStall:
        Record(std::move(request), 0);
        stream.WaitForClose();
        return false;
      case Way::kHalfAnswer:
        Record(std::move(request), 0);
        stream.Write(std::string_view(text).substr(0, 12));
        return false;
      case Way::kCutBody:
        Record(std::move(request), answer.status);
        stream.Write(std::string_view(text).substr(0, text.size() - answer.body.size() / 2));
        return false;
      default:
        break;
    }
    // Recorded before the answer: whoever has the answer finds the request.
    Record(std::move(request), answer.status);
    return stream.Write(text) && answer.way == Way::kAnswer;
  }

  void Pause(milliseconds duration) {
    std::unique_lock<std::mutex> lock(mutex);
    for (const auto until = std::chrono::steady_clock::now() + duration;
         !stop && std::chrono::steady_clock::now() < until;)
      changed.wait_until(lock,
                         std::min(until, std::chrono::steady_clock::now() + milliseconds(50)));
  }

  void Record(SinkRequest request, int status) {
    request.status = status;
    const std::lock_guard<std::mutex> lock(mutex);
    ++request_count;
    if (status / 100 == 2 && status != 260) {
      accepted_count += request.entries.size();
      if (options.keep_requests) {
        accepted.insert(accepted.end(), request.entries.begin(), request.entries.end());
      }
    }
    if (options.keep_requests) requests.push_back(std::move(request));
    changed.notify_all();
  }

  const Options options;
  const Context context;
  const UniqueFd listener;
  const uint16_t port;
  std::atomic<bool> stop{false};
  std::thread accepting;

  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::vector<std::thread> threads;
  std::set<int> open_fds;
  uint64_t connection_count = 0;
  std::deque<SinkAnswer> script;
  SinkAnswer default_answer;
  std::map<std::string, SinkAnswer> routes;
  uint64_t request_count = 0;
  std::vector<SinkRequest> requests;
  std::vector<PushedEntry> accepted;
  uint64_t accepted_count = 0;
};

ScriptableSink::ScriptableSink(const Options& options) : impl_(std::make_unique<Impl>(options)) {}

ScriptableSink::~ScriptableSink() = default;

uint16_t ScriptableSink::port() const {
  return impl_->port;
}

std::string ScriptableSink::Url(const std::string& path) const {
  const std::string scheme = impl_->context == nullptr ? "http" : "https";
  return scheme + "://127.0.0.1:" + std::to_string(impl_->port) + path;
}

std::string ScriptableSink::push_url() const {
  return Url("/loki/api/v1/push");
}

void ScriptableSink::Script(std::vector<SinkAnswer> answers) {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  for (SinkAnswer& answer : answers)
    impl_->script.push_back(std::move(answer));
}

void ScriptableSink::SetDefault(SinkAnswer answer) {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->default_answer = std::move(answer);
}

void ScriptableSink::SetRoute(const std::string& path, SinkAnswer answer) {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->routes[path] = std::move(answer);
}

void ScriptableSink::HangUp() {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  for (const int fd : impl_->open_fds)
    ::shutdown(fd, SHUT_RDWR);
}

std::vector<SinkRequest> ScriptableSink::requests() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->requests;
}

std::vector<PushedEntry> ScriptableSink::accepted() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->accepted;
}

uint64_t ScriptableSink::accepted_entries() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->accepted_count;
}

uint64_t ScriptableSink::connections() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->connection_count;
}

uint64_t ScriptableSink::request_count() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->request_count;
}

bool ScriptableSink::WaitForRequests(std::size_t count, milliseconds timeout) const {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  return impl_->changed.wait_for(lock, timeout, [&] { return impl_->request_count >= count; });
}

void ScriptableSink::Clear() {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->script.clear();
  impl_->default_answer = SinkAnswer();
  impl_->requests.clear();
  impl_->accepted.clear();
  impl_->request_count = 0;
  impl_->accepted_count = 0;
}

}  // namespace agent
