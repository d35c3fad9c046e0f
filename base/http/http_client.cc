#include "base/http/http_client.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>

#include <curl/curl.h>

#include "base/check.h"
#include "base/http/curl_multi.h"
#include "base/http/http_auth.h"
#include "base/http/http_tls.h"
#include "base/http/http_url.h"
#include "base/read_file.h"

namespace agent {
namespace {

constexpr long kUploadBufferBytes = 1L << 20;
constexpr int kMaxRedirects = 10;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, FreeList>;

void Append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  CHECK(longer != nullptr);
  static_cast<void>(list.release());
  list.reset(longer);
}

// An empty value has a spelling of its own: "name:" would take the header away.
std::string HeaderLine(const std::string& name, const std::string& value) {
  std::string line = name;
  line += value.empty() ? ";" : ": ";
  line += value;
  return line;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool HasHeader(const HttpRequest& request, const std::string& name) {
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
    return ::strcasecmp(header.first.c_str(), name.c_str()) == 0;
  });
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

const char* Environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing of ours sets it.
  return value == nullptr ? "" : value;
}

// As Go does: upper case first, then lower.
std::string EitherCase(const char* upper, const char* lower) {
  const std::string value = Environment(upper);
  return value.empty() ? Environment(lower) : value;
}

}  // namespace

struct HttpClient::Impl {
  struct Transfer {
    Impl* client = nullptr;
    Id id = 0;
    HttpRequest request;
    Done done;
    std::unique_ptr<CURL, FreeEasy> easy;
    List headers;
    List connect_headers;
    List connect_to;
    std::string url;  // Of this try: the request's, or where it was redirected to.
    std::string authorization;
    HttpResponse response;
    std::size_t answer_bytes = 0;
    bool answered = false;  // The head of a final answer is complete.
    bool streams = false;   // The body goes to `on_data`.
    bool paused = false;
    bool any_answer_byte = false;
    bool fresh_connection = false;
    bool token_renewed = false;
    int redirects = 0;
    int64_t start_ns = 0;
    std::array<char, CURL_ERROR_SIZE> error{};
  };

  Impl(Loop& loop, const Clock& clock_in, Logger& logger_in, HttpOptions options_in)
      : clock(clock_in),
        logger(logger_in),
        options(std::move(options_in)),
        tls(options.tls),
        auth(loop, clock_in, logger_in, options.auth),
        delivery(loop),
        multi(loop, [this](CURL* easy, int code) { OnFinished(easy, code); }) {}

  ~Impl() {
    for (auto& [id, transfer] : transfers)
      if (transfer->easy != nullptr) multi.Remove(transfer->easy.get());
  }

  void Start(Id id);
  void Authorized(Id id, const Result<std::string>& authorization);
  Status SetUp(Transfer& transfer);
  Status SetHeaders(Transfer& transfer);
  void SetProxy(Transfer& transfer);
  void SetServerName(Transfer& transfer) const;
  void OnFinished(CURL* easy, int code);
  bool TryAgain(Transfer& transfer, CURLcode code);
  bool Redirected(Transfer& transfer);
  void Fail(Transfer& transfer, std::string error);
  void Deliver();

  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* userdata);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* userdata);

  const Clock& clock;
  Logger& logger;
  const HttpOptions options;
  HttpTls tls;
  std::map<Id, std::unique_ptr<Transfer>> transfers;
  std::vector<Id> ready;  // Done; their callbacks run on the loop's next turn.
  Id next_id = 1;
  HttpAuth auth;
  Timer delivery;
  CurlMulti multi;
};

HttpClient::HttpClient(Loop& loop, const Clock& clock, Logger& logger, HttpOptions options)
    : impl_(std::make_unique<Impl>(loop, clock, logger, std::move(options))) {}

HttpClient::~HttpClient() = default;

HttpClient::Id HttpClient::Send(HttpRequest request, Done done) {
  const Id id = impl_->next_id++;
  auto transfer = std::make_unique<Impl::Transfer>();
  transfer->client = impl_.get();
  transfer->id = id;
  transfer->url = request.url;
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  transfer->start_ns = impl_->clock.MonotonicNanos();
  impl_->transfers.emplace(id, std::move(transfer));
  impl_->Start(id);
  return id;
}

void HttpClient::Cancel(Id id) {
  const auto found = impl_->transfers.find(id);
  if (found == impl_->transfers.end()) return;
  if (found->second->easy != nullptr) impl_->multi.Remove(found->second->easy.get());
  impl_->transfers.erase(found);
}

void HttpClient::Pause(Id id) {
  const auto found = impl_->transfers.find(id);
  if (found != impl_->transfers.end()) found->second->paused = true;
}

void HttpClient::Resume(Id id) {
  const auto found = impl_->transfers.find(id);
  if (found == impl_->transfers.end() || !found->second->paused) return;
  found->second->paused = false;
  if (found->second->easy != nullptr) curl_easy_pause(found->second->easy.get(), CURLPAUSE_CONT);
}

void HttpClient::Impl::Start(Id id) {
  auth.Authorize(
      [this, id](const Result<std::string>& authorization) { Authorized(id, authorization); });
}

void HttpClient::Impl::Authorized(Id id, const Result<std::string>& authorization) {
  const auto found = transfers.find(id);
  if (found == transfers.end()) return;  // Cancelled while the token was fetched.
  Transfer& transfer = *found->second;
  if (!authorization.ok()) {
    Fail(transfer, authorization.error().message);
    return;
  }
  transfer.authorization = *authorization;
  const Status set_up = SetUp(transfer);
  if (!set_up.ok()) {
    Fail(transfer, set_up.error().message);
    return;
  }
  multi.Add(transfer.easy.get());
}

Status HttpClient::Impl::SetUp(Transfer& transfer) {
  transfer.easy.reset(curl_easy_init());
  CHECK(transfer.easy != nullptr);
  CURL* const easy = transfer.easy.get();
  transfer.response = HttpResponse();
  transfer.answer_bytes = 0;
  transfer.answered = false;
  transfer.streams = false;
  transfer.any_answer_byte = false;
  transfer.error.fill('\0');

  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error.data());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_URL, transfer.url.c_str());
  if (!options.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options.unix_socket.c_str());
  }
  const std::string& method = transfer.request.method;
  if (method == "GET") {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.request.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(transfer.request.body.size()));
    if (method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(options.connect_timeout.count()));
  const auto timeout = transfer.request.timeout.value_or(options.timeout);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, transfer.fresh_connection ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Impl::OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Impl::OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);

  Status secured = tls.Apply(easy);
  if (!secured.ok()) return secured;
  transfer.headers.reset();
  SetProxy(transfer);
  SetServerName(transfer);
  return SetHeaders(transfer);
}

Status HttpClient::Impl::SetHeaders(Transfer& transfer) {
  List& list = transfer.headers;
  // An empty one takes away what libcurl would send: it waits for "100 Continue" otherwise.
  Append(list, "Expect:");
  Append(list, "Accept:");
  for (const auto& [name, value] : transfer.request.headers) {
    Append(list, HeaderLine(name, value));
    // Who asks for it compressed gets the text all the same.
    if (name == "Accept-Encoding") {
      curl_easy_setopt(transfer.easy.get(), CURLOPT_ACCEPT_ENCODING, value.c_str());
    }
  }
  if (!transfer.authorization.empty() && !HasHeader(transfer.request, "Authorization")) {
    Append(list, "Authorization: " + transfer.authorization);
  }
  for (const auto& [name, value] : options.headers) {
    if (HasHeader(transfer.request, name)) {
      logger.WriteLimited(LogLevel::kWarn, "http_header:" + name, "http",
                          "configured header is not sent: the agent sets it itself",
                          {{"header", name}});
      continue;
    }
    Append(list, HeaderLine(name, value));
  }
  for (const HttpHeaderValues& header : options.http_headers) {
    if (HasHeader(transfer.request, header.name)) continue;
    for (const std::string& value : header.values)
      Append(list, HeaderLine(header.name, value));
    for (const std::string& file : header.files) {
      Result<std::string> value = ReadSecretFile(file);
      if (!value.ok()) return std::move(value).error();
      Append(list, HeaderLine(header.name, *value));
    }
  }
  curl_easy_setopt(transfer.easy.get(), CURLOPT_HTTPHEADER, list.get());
  return {};
}

void HttpClient::Impl::SetProxy(Transfer& transfer) {
  CURL* const easy = transfer.easy.get();
  std::string proxy = options.proxy.proxy_url;
  std::string no_proxy = options.proxy.no_proxy;
  if (options.proxy.from_environment) {
    const bool secure = Lower(transfer.url).starts_with("https:");
    proxy =
        secure ? EitherCase("HTTPS_PROXY", "https_proxy") : EitherCase("HTTP_PROXY", "http_proxy");
    no_proxy = EitherCase("NO_PROXY", "no_proxy");
  }
  // An empty text keeps libcurl from looking at the environment by itself.
  curl_easy_setopt(easy, CURLOPT_PROXY, proxy.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, no_proxy.c_str());
  transfer.connect_headers.reset();
  if (proxy.empty() || options.proxy.connect_headers.empty()) return;
  for (const auto& [name, value] : options.proxy.connect_headers)
    Append(transfer.connect_headers, HeaderLine(name, value));
  curl_easy_setopt(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  curl_easy_setopt(easy, CURLOPT_PROXYHEADER, transfer.connect_headers.get());
}

// The certificate is checked against the URL's host: the URL gets the wanted name, and the
// connection still goes to the real host.
void HttpClient::Impl::SetServerName(Transfer& transfer) const {
  transfer.connect_to.reset();
  if (tls.server_name().empty()) return;
  const std::optional<UrlHost> host = HostOf(transfer.url);
  if (!host.has_value() || !host->secure) return;
  const std::string renamed = WithHost(transfer.url, tls.server_name());
  Append(transfer.connect_to,
         tls.server_name() + ":" + host->port + ":" + host->name + ":" + host->port);
  curl_easy_setopt(transfer.easy.get(), CURLOPT_URL, renamed.c_str());
  curl_easy_setopt(transfer.easy.get(), CURLOPT_CONNECT_TO, transfer.connect_to.get());
  if (!HasHeader(transfer.request, "Host")) {
    Append(transfer.headers, "Host: " + host->as_written);
  }
}

std::size_t HttpClient::Impl::OnHeader(char* data, std::size_t size, std::size_t count,
                                       void* userdata) {
  auto& transfer = *static_cast<Transfer*>(userdata);
  const std::string_view line(data, size * count);
  transfer.any_answer_byte = true;
  if (line.starts_with("HTTP/")) {
    // Again after "100 Continue" and after a proxy's answer.
    transfer.response.headers.clear();
    transfer.answered = false;
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos)
      transfer.response.status_text = Trimmed(line.substr(space));
  } else if (Trimmed(line).empty()) {
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    transfer.answered = status >= 200;
    transfer.streams = status >= 200 && status < 300 && transfer.request.on_data != nullptr;
    if (transfer.streams && transfer.request.on_head) transfer.request.on_head();
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    transfer.response.headers[Lower(line.substr(0, colon))] = Trimmed(line.substr(colon + 1));
  }
  return line.size();
}

std::size_t HttpClient::Impl::OnBody(char* data, std::size_t size, std::size_t count,
                                     void* userdata) {
  auto& transfer = *static_cast<Transfer*>(userdata);
  const std::size_t bytes = size * count;
  if (transfer.streams) {
    if (transfer.paused) return CURL_WRITEFUNC_PAUSE;
    transfer.request.on_data({data, bytes});
    return bytes;
  }
  const std::size_t keep = transfer.request.keep_bytes;
  std::string& body = transfer.response.body;
  if (body.size() < keep) body.append(data, std::min(bytes, keep - body.size()));
  transfer.answer_bytes += bytes;
  // Less than `bytes` ends the transfer and the connection.
  return transfer.answer_bytes > std::max(kMaxAnswerBytes, keep) ? 0 : bytes;
}

void HttpClient::Impl::OnFinished(CURL* easy, int code_number) {
  const auto code = static_cast<CURLcode>(code_number);
  Transfer* found = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &found);
  Transfer& transfer = *found;
  long status = 0;
  if (transfer.answered) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  // A head that has come whole is an answer, whatever became of the rest.
  if (status == 0 && TryAgain(transfer, code)) return;
  if (status == 401 && !transfer.token_renewed && auth.ForgetToken()) {
    transfer.token_renewed = true;
    transfer.easy.reset();
    Start(transfer.id);
    return;
  }
  transfer.response.status = static_cast<int>(status);
  long request_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  transfer.response.never_sent = request_bytes == 0;
  if ((status == 307 || status == 308) && options.follow_redirects && Redirected(transfer)) return;
  if (status == 0 || (transfer.streams && code != CURLE_OK)) {
    const char* detail = transfer.error.data();
    transfer.response.error = *detail != '\0' ? detail : curl_easy_strerror(code);
  }
  transfer.easy.reset();
  ready.push_back(transfer.id);
  delivery.StartOnce(std::chrono::milliseconds(0), [this] { Deliver(); });
}

// A kept connection may have been closed by the other side in the meantime: that is no failure.
bool HttpClient::Impl::TryAgain(Transfer& transfer, CURLcode code) {
  const bool broken =
      code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
  if (!broken || transfer.any_answer_byte || transfer.fresh_connection) return false;
  long connects = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_NUM_CONNECTS, &connects);
  if (connects != 0) return false;
  transfer.fresh_connection = true;
  curl_easy_setopt(transfer.easy.get(), CURLOPT_FRESH_CONNECT, 1L);
  multi.Add(transfer.easy.get());
  return true;
}

bool HttpClient::Impl::Redirected(Transfer& transfer) {
  char* target = nullptr;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_REDIRECT_URL, &target);
  if (target == nullptr || ++transfer.redirects > kMaxRedirects) return false;
  const std::optional<UrlHost> from = HostOf(transfer.url);
  const std::string url = target;
  const std::optional<UrlHost> to = HostOf(url);
  if (!from.has_value() || !to.has_value()) return false;
  // Credentials are for the host that they were configured for.
  if (from->name != to->name || (from->secure && !to->secure)) transfer.authorization.clear();
  transfer.url = url;
  const Status set_up = SetUp(transfer);
  if (!set_up.ok()) {
    Fail(transfer, set_up.error().message);
  } else {
    multi.Add(transfer.easy.get());
  }
  return true;
}

void HttpClient::Impl::Fail(Transfer& transfer, std::string error) {
  transfer.easy.reset();
  transfer.response = HttpResponse();
  transfer.response.error = std::move(error);
  transfer.response.never_sent = true;
  ready.push_back(transfer.id);
  delivery.StartOnce(std::chrono::milliseconds(0), [this] { Deliver(); });
}

void HttpClient::Impl::Deliver() {
  std::vector<Id> ids;
  ids.swap(ready);
  for (const Id id : ids) {
    const auto found = transfers.find(id);
    if (found == transfers.end()) continue;  // Cancelled by a callback before.
    const std::unique_ptr<Transfer> transfer = std::move(found->second);
    transfers.erase(found);
    transfer->response.duration =
        std::chrono::nanoseconds(clock.MonotonicNanos() - transfer->start_ns);
    transfer->done(transfer->response);
  }
}

}  // namespace agent
