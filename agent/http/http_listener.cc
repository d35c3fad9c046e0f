#include "agent/http/http_listener.h"

#include <microhttpd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/http/listen.h"
#include "agent/http/tls.h"
#include "base/check.h"

namespace agent {
namespace {

// Of a request's head and the answer's, per connection.
constexpr std::size_t kConnectionMemoryBytes = std::size_t{32} << 10U;
// Where the configuration sets no limit: descriptors must not run out.
constexpr uint32_t kDefaultConnectionLimit = 256;

unsigned WholeSeconds(std::chrono::nanoseconds duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return static_cast<unsigned>(std::clamp<int64_t>(seconds, 0, 86400));
}

std::string HeaderOf(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string() : value;
}

MHD_Result AddQuery(void* request, MHD_ValueKind /*kind*/, const char* key, const char* value) {
  static_cast<ServerRequest*>(request)->query[key] = value == nullptr ? "" : value;
  return MHD_YES;
}

ServerResponse TooLarge() {
  return {.status = 413, .body = "the body is too large\n"};
}

ServerResponse Busy() {
  return {.status = 503,
          .body = "too many requests at once\n",
          .headers = {{MHD_HTTP_HEADER_RETRY_AFTER, "1"}}};
}

// One request and its answer on the way.
struct Call {
  MHD_Connection* connection = nullptr;
  ServerRequest request;
  std::string_view route;  // The handler's.
  uint64_t discarded_bytes = 0;
  int64_t begun_ns = 0;
  bool dispatched = false;
  bool suspended = false;
  std::optional<ServerResponse> response;
};

}  // namespace

class HttpListener::Connections {
 public:
  Connections(const ServerConfig& config, BodyLimits limits, Dependencies dependencies)
      : config_(config), limits_(limits), dependencies_(dependencies), timer_(dependencies.loop) {}
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  Status Start();
  [[nodiscard]] uint16_t port() const { return port_; }

 private:
  using CallPtr = std::shared_ptr<Call>;  // Shared with the reply, which may come later or never.

  Status StartDaemon(UniqueFd socket, const ServerTls* tls);
  void Run();

  MHD_Result OnRequest(MHD_Connection* connection, const char* url, const char* method,
                       std::string_view body, std::size_t* body_size, void** state);
  MHD_Result Begin(MHD_Connection* connection, const char* url, const char* method, void** state);
  std::optional<ServerResponse> RefuseHead(const Call& call, uint64_t body_bytes);
  MHD_Result TakeBody(Call& call, std::string_view piece);
  MHD_Result Answer(const CallPtr& call);
  void Dispatch(const CallPtr& call);
  MHD_Result Queue(Call& call);
  void OnReply(const CallPtr& call, ServerResponse response);
  void OnEnd(Call& call);
  [[nodiscard]] uint32_t connection_limit() const {
    return config_.http_listen_conn_limit == 0 ? kDefaultConnectionLimit
                                               : config_.http_listen_conn_limit;
  }

  const ServerConfig config_;
  const BodyLimits limits_;
  const Dependencies dependencies_;
  ClientAuth client_auth_ = ClientAuth::kNone;
  MHD_Daemon* daemon_ = nullptr;
  uint16_t port_ = 0;
  Timer timer_;
  std::unique_ptr<FdWatcher> watcher_;
  std::set<CallPtr> suspended_;
  uint64_t bodies_bytes_ = 0;  // Of all requests under way.
};

Status HttpListener::Connections::Start() {
  std::optional<ServerTls> tls;
  if (config_.http_tls.enabled()) {
    auto loaded = LoadServerTls(config_);
    if (!loaded.ok()) return std::move(loaded).error().Wrap("HTTP server");
    tls = std::move(*loaded);
    client_auth_ = tls->client_auth;
    if (!config_.tls_cipher_suites.empty()) {
      dependencies_.logger.Warn("http", "tls_cipher_suites is not used: GnuTLS chooses",
                                {{"hint", "set tls_min_version: VersionTLS13"}});
    }
  }
  auto socket = ListenOn(config_.http_listen_address, config_.http_listen_port);
  if (!socket.ok()) return std::move(socket).error().Wrap("HTTP server");
  port_ = BoundPort(*socket);
  return StartDaemon(std::move(*socket), tls ? &*tls : nullptr);
}

Status HttpListener::Connections::StartDaemon(UniqueFd socket, const ServerTls* tls) {
  using Option = MHD_OptionItem;
  std::vector<Option> options = {
      Option{MHD_OPTION_LISTEN_SOCKET, socket.get(), nullptr},
      Option{MHD_OPTION_CONNECTION_LIMIT, connection_limit(), nullptr},
      Option{MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemoryBytes, nullptr},
      Option{MHD_OPTION_CONNECTION_TIMEOUT, WholeSeconds(config_.http_read_timeout), nullptr},
  };
  const auto pem = [&options](MHD_OPTION option, const std::string& text) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): the library only reads it.
    if (!text.empty()) options.push_back(Option{option, 0, const_cast<char*>(text.c_str())});
  };
  if (tls != nullptr) {
    pem(MHD_OPTION_HTTPS_MEM_CERT, tls->cert);
    pem(MHD_OPTION_HTTPS_MEM_KEY, tls->key);
    pem(MHD_OPTION_HTTPS_MEM_TRUST, tls->client_ca);
    pem(MHD_OPTION_HTTPS_PRIORITIES, tls->priorities);
  }
  options.push_back(Option{MHD_OPTION_END, 0, nullptr});

  const auto on_request = [](void* self, MHD_Connection* connection, const char* url,
                             const char* method, const char* /*version*/, const char* body,
                             std::size_t* body_size, void** state) {
    return static_cast<Connections*>(self)->OnRequest(
        connection, url, method, std::string_view(body, body == nullptr ? 0 : *body_size),
        body_size, state);
  };
  const auto on_end = [](void* self, MHD_Connection* /*connection*/, void** state,
                         MHD_RequestTerminationCode /*why*/) {
    const std::unique_ptr<CallPtr> call(static_cast<CallPtr*>(*state));
    *state = nullptr;
    if (call != nullptr) static_cast<Connections*>(self)->OnEnd(**call);
  };
  const unsigned flags =
      MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls != nullptr ? unsigned{MHD_USE_TLS} : 0U);
  daemon_ =
      MHD_start_daemon(flags, 0, nullptr, nullptr, +on_request, this, MHD_OPTION_NOTIFY_COMPLETED,
                       static_cast<MHD_RequestCompletedCallback>(on_end), this, MHD_OPTION_ARRAY,
                       options.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return Error{ErrorCode::kInvalid, tls != nullptr
                                          ? "HTTP server: the certificate or its key is no good"
                                          : "HTTP server: cannot be started"};
  }
  static_cast<void>(socket.Release());  // The daemon closes it.
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  CHECK(info != nullptr);
  watcher_ = std::make_unique<FdWatcher>(dependencies_.loop, info->epoll_fd);
  watcher_->Start(UV_READABLE, [this](int /*status*/, int /*events*/) { Run(); });
  return {};
}

HttpListener::Connections::~Connections() {
  watcher_.reset();  // Before its descriptor is closed.
  if (daemon_ == nullptr) return;
  for (const CallPtr& call : std::set<CallPtr>(suspended_))
    OnReply(call, {.status = 503, .body = "the agent is stopping\n"});
  MHD_run(daemon_);
  MHD_stop_daemon(daemon_);
}

void HttpListener::Connections::Run() {
  loop_thread.Assert();
  MHD_run(daemon_);
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(daemon_, &milliseconds) == MHD_YES) {
    timer_.StartOnce(std::chrono::milliseconds(milliseconds), [this] { Run(); });
  } else {
    timer_.Stop();
  }
}

// Called when the head of a request is there, with each piece of its body, and once without.
MHD_Result HttpListener::Connections::OnRequest(MHD_Connection* connection, const char* url,
                                                const char* method, std::string_view body,
                                                std::size_t* body_size, void** state) {
  if (*state == nullptr) return Begin(connection, url, method, state);
  const CallPtr& call = *static_cast<CallPtr*>(*state);
  if (body.empty()) return Answer(call);
  *body_size = 0;
  return TakeBody(*call, body);
}

MHD_Result HttpListener::Connections::Begin(MHD_Connection* connection, const char* url,
                                            const char* method, void** state) {
  auto call = std::make_shared<Call>();
  call->connection = connection;
  call->begun_ns = dependencies_.clock.MonotonicNanos();
  ServerRequest& request = call->request;
  request.method = method;
  request.path = url;
  request.accept = HeaderOf(connection, MHD_HTTP_HEADER_ACCEPT);
  request.authorization = HeaderOf(connection, MHD_HTTP_HEADER_AUTHORIZATION);
  request.content_type = HeaderOf(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
  request.content_encoding = HeaderOf(connection, MHD_HTTP_HEADER_CONTENT_ENCODING);
  request.tenant = HeaderOf(connection, "X-Scope-OrgID");
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, AddQuery, &request);
  call->route = dependencies_.handler.RouteName(request.path);
  dependencies_.metrics.RequestBegun(request.method, call->route);
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): owned by the library until on_end.
  *state = new CallPtr(call);
  MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                            WholeSeconds(config_.http_read_timeout));

  const std::string length = HeaderOf(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  const uint64_t body_bytes = std::strtoull(length.c_str(), nullptr, 10);
  call->response = RefuseHead(*call, body_bytes);
  if (!call->response) {
    request.body.reserve(body_bytes);
    return MHD_YES;
  }
  // Who is still sending does not look for an answer, and closing the connection would take it
  // away: hence the body is read to its end, unless it is long or waits for a word from here.
  const bool asks_first = !HeaderOf(connection, MHD_HTTP_HEADER_EXPECT).empty();
  return asks_first || body_bytes > limits_.max_discarded_bytes ? Queue(*call) : MHD_YES;
}

std::optional<ServerResponse> HttpListener::Connections::RefuseHead(const Call& call,
                                                                    uint64_t body_bytes) {
  if (!IsClientAccepted(call.connection, client_auth_)) {
    return ServerResponse{.status = 403, .body = "a client certificate is needed\n"};
  }
  if (body_bytes > limits_.max_body_bytes) return TooLarge();
  if (bodies_bytes_ > 0 && bodies_bytes_ + body_bytes > limits_.max_bodies_bytes) return Busy();
  return dependencies_.handler.Refuse(call.request);
}

MHD_Result HttpListener::Connections::TakeBody(Call& call, std::string_view piece) {
  std::string& body = call.request.body;
  if (!call.response && body.size() + piece.size() > limits_.max_body_bytes) {
    call.response = TooLarge();
  } else if (!call.response && bodies_bytes_ > body.size() &&
             bodies_bytes_ + piece.size() > limits_.max_bodies_bytes) {
    call.response = Busy();
  }
  if (!call.response) {
    body.append(piece);
    bodies_bytes_ += piece.size();
    return MHD_YES;
  }
  bodies_bytes_ -= body.size();
  body = std::string();
  call.discarded_bytes += piece.size();
  // In the middle of a body the library takes no answer: hang up.
  return call.discarded_bytes > limits_.max_discarded_bytes ? MHD_NO : MHD_YES;
}

MHD_Result HttpListener::Connections::Answer(const CallPtr& call) {
  if (!call->dispatched && !call->response) {
    call->dispatched = true;
    Dispatch(call);
  }
  if (call->response) return Queue(*call);
  call->suspended = true;
  suspended_.insert(call);
  MHD_suspend_connection(call->connection);
  return MHD_YES;
}

void HttpListener::Connections::Dispatch(const CallPtr& call) {
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  dependencies_.metrics.SetConnections(info == nullptr ? 0 : info->num_connections,
                                       connection_limit());
  // By the time of a late answer the client may have gone, and with it the server.
  dependencies_.handler.Dispatch(call->request,
                                 [this, weak = std::weak_ptr<Call>(call)](ServerResponse response) {
                                   if (const CallPtr waiting = weak.lock())
                                     OnReply(waiting, std::move(response));
                                 });
}

void HttpListener::Connections::OnReply(const CallPtr& call, ServerResponse response) {
  if (call->response) return;
  call->response = std::move(response);
  if (!call->suspended) return;
  call->suspended = false;
  suspended_.erase(call);
  MHD_resume_connection(call->connection);
  timer_.StartOnce(std::chrono::milliseconds(0), [this] { Run(); });
}

MHD_Result HttpListener::Connections::Queue(Call& call) {
  ServerResponse& from = *call.response;
  MHD_Response* response =
      MHD_create_response_from_buffer(from.body.size(), from.body.data(), MHD_RESPMEM_PERSISTENT);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, from.content_type.c_str());
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : from.headers)
    MHD_add_response_header(response, name.c_str(), value.c_str());
  MHD_set_connection_option(call.connection, MHD_CONNECTION_OPTION_TIMEOUT,
                            WholeSeconds(config_.http_write_timeout));
  const MHD_Result queued = MHD_queue_response(call.connection, from.status, response);
  MHD_destroy_response(
      response);  // Ours; the library keeps its own reference. The body is the call's.
  return queued;
}

void HttpListener::Connections::OnEnd(Call& call) {
  const double seconds =
      static_cast<double>(dependencies_.clock.MonotonicNanos() - call.begun_ns) / 1e9;
  dependencies_.metrics.RequestEnded(
      call.request.method, call.route,
      {.status = call.response ? call.response->status : 0,
       .seconds = seconds,
       .request_bytes = call.request.body.size() + call.discarded_bytes,
       .response_bytes = call.response ? call.response->body.size() : 0});
  bodies_bytes_ -= call.request.body.size();
  dependencies_.handler.OnAnswered(call.request, call.response ? call.response->status : 0);
  // Until the next request on this connection.
  MHD_set_connection_option(call.connection, MHD_CONNECTION_OPTION_TIMEOUT,
                            WholeSeconds(config_.http_idle_timeout));
}

Result<std::unique_ptr<HttpListener>> HttpListener::Open(const ServerConfig& config,
                                                         BodyLimits limits,
                                                         Dependencies dependencies) {
  auto connections = std::make_unique<Connections>(config, limits, dependencies);
  if (Status started = connections->Start(); !started.ok()) return std::move(started).error();
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(connections)));
}

HttpListener::HttpListener(std::unique_ptr<Connections> connections)
    : connections_(std::move(connections)) {}

HttpListener::~HttpListener() = default;

uint16_t HttpListener::port() const {
  return connections_->port();
}

}  // namespace agent
