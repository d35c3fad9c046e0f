// Answers without an end, over a Unix socket.

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "base/http/http_client.h"
#include "base/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

// A server for one connection, driven by the test between turns of the loop.
class UnixServer {
 public:
  explicit UnixServer(const std::string& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
  }

  // Takes the connection and what has come of a request; true when its head is whole.
  bool TakeRequest() {
    if (!connection_.valid()) connection_ = UniqueFd(::accept(listener_.get(), nullptr, nullptr));
    std::array<char, 4096> bytes{};
    if (!connection_.valid()) return false;
    const ssize_t n = ::recv(connection_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n > 0) request_.append(bytes.data(), static_cast<std::size_t>(n));
    return request_.find("\r\n\r\n") != std::string::npos;
  }
  void Send(std::string_view text) const {
    REQUIRE(::send(connection_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(text.size()));
  }
  // How much goes into the connection until nobody takes it any more.
  [[nodiscard]] std::size_t Fill(std::string_view piece) const {
    std::size_t sent = 0;
    while (true) {
      const ssize_t n =
          ::send(connection_.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) return sent;
      sent += static_cast<std::size_t>(n);
    }
  }
  void Close() { connection_.Reset(); }
  [[nodiscard]] const std::string& request() const { return request_; }

 private:
  UniqueFd listener_;
  UniqueFd connection_;
  std::string request_;
};

HttpOptions Over(const std::string& socket) {
  HttpOptions options;
  options.unix_socket = socket;
  options.timeout = milliseconds(50);
  return options;
}

struct Bench {
  Bench()
      : server(dir.path() + "/s.sock"), client(loop, clock, logger, Over(dir.path() + "/s.sock")) {
    tick.StartRepeating(milliseconds(5), [] {});
  }

  HttpClient::Id Follow() {
    HttpRequest request;
    request.method = "GET";
    request.url = "http://docker/events";
    request.timeout = milliseconds(0);
    request.on_head = [this] { ++heads; };
    request.on_data = [this](std::string_view data) {
      got += data;
      if (pause_at > 0 && got.size() >= pause_at) client.Pause(id);
    };
    id = client.Send(std::move(request), [this](const HttpResponse& response) { end = response; });
    RunUntil([this] { return server.TakeRequest(); });
    return id;
  }

  template <typename Condition>
  bool RunUntil(Condition condition, milliseconds patience = milliseconds(10'000)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) return true;
      uv_run(loop.uv(), UV_RUN_ONCE);
    }
    return condition();
  }

  TempDir dir;
  SystemClock clock;
  UniqueFd null{::open("/dev/null", O_WRONLY)};
  Logger logger{null.get(), LogLevel::kError, LogFormat::kLogfmt};
  Loop loop;
  Timer tick{loop};
  UnixServer server;
  HttpClient client;
  HttpClient::Id id = 0;
  int heads = 0;
  std::string got;
  std::size_t pause_at = 0;
  std::optional<HttpResponse> end;
};

constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST_CASE("http client: an endless answer comes piece by piece, for longer than the time limit",
          "[http]") {
  Bench bench;
  bench.Follow();
  CHECK(bench.server.request().starts_with("GET /events HTTP/1.1\r\nHost: docker\r\n"));

  bench.server.Send(kHead);
  CHECK(bench.RunUntil([&] { return bench.heads == 1; }));
  bench.server.Send("5\r\nhello\r\n");
  CHECK(bench.RunUntil([&] { return bench.got == "hello"; }));
  bench.RunUntil([] { return false; }, milliseconds(120));
  CHECK_FALSE(bench.end.has_value());

  bench.server.Send("1\r\n!\r\n");
  CHECK(bench.RunUntil([&] { return bench.got == "hello!"; }));
  bench.server.Close();
  REQUIRE(bench.RunUntil([&] { return bench.end.has_value(); }));
  CHECK(bench.end->status == 200);
  CHECK_FALSE(bench.end->error.empty());
  CHECK(bench.heads == 1);
}

TEST_CASE("http client: a body that says no is handed back, not streamed", "[http]") {
  Bench bench;
  bench.Follow();
  bench.server.Send("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone");
  REQUIRE(bench.RunUntil([&] { return bench.end.has_value(); }));
  CHECK(bench.end->status == 404);
  CHECK(bench.end->body == "gone");
  CHECK(bench.got.empty());
  CHECK(bench.heads == 0);
}

TEST_CASE("http client: who pauses is sent no more, and nothing is lost", "[http]") {
  Bench bench;
  bench.pause_at = 1;
  const HttpClient::Id id = bench.Follow();
  bench.server.Send("HTTP/1.1 200 OK\r\n\r\n");  // Ends with the connection.
  const std::string piece(10'000, 'x');
  std::size_t sent = bench.server.Fill(piece);
  REQUIRE(bench.RunUntil([&] { return !bench.got.empty(); }));
  const std::size_t before = bench.got.size();
  bench.RunUntil([] { return false; }, milliseconds(50));
  sent += bench.server.Fill(piece);
  CHECK(bench.got.size() == before);
  CHECK(bench.got.size() < sent);

  bench.pause_at = 0;
  bench.client.Resume(id);
  REQUIRE(bench.RunUntil([&] { return bench.got.size() == sent; }));
  bench.server.Close();
  CHECK(bench.RunUntil([&] { return bench.end.has_value(); }));
}

}  // namespace
}  // namespace agent
