#include "base/http/http_client.h"

#include <fcntl.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/http/http_auth.h"
#include "base/unique_fd.h"
#include "tests/support/scriptable_sink.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;

struct Bench {
  explicit Bench(HttpOptions options = HttpOptions())
      : client(loop, clock, logger, std::move(options)) {
    tick.StartRepeating(milliseconds(10), [] {});
  }

  // Runs the loop until the answer is there.
  HttpResponse Post(const std::string& url, std::string_view body = "body",
                    std::vector<std::pair<std::string, std::string>> headers = {}) {
    std::optional<HttpResponse> got;
    HttpRequest request;
    request.url = url;
    request.body = body;
    request.headers = std::move(headers);
    client.Send(std::move(request), [&](const HttpResponse& response) {
      CHECK_FALSE(got.has_value());
      got = response;
    });
    CHECK_FALSE(got.has_value());  // Never from within.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!got.has_value() && std::chrono::steady_clock::now() < deadline)
      uv_run(loop.uv(), UV_RUN_ONCE);
    REQUIRE(got.has_value());
    return *got;
  }

  SystemClock clock;
  UniqueFd null{::open("/dev/null", O_WRONLY)};
  Logger logger{null.get(), LogLevel::kError, LogFormat::kLogfmt};
  Loop loop;
  Timer tick{loop};  // A turn of the loop never lasts longer.
  HttpClient client;
};

SinkAnswer Answer(int status, std::string body = "") {
  SinkAnswer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}

SinkAnswer Way(SinkAnswer::Way way, int status = 204) {
  SinkAnswer answer = Answer(status);
  answer.way = way;
  return answer;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

TEST_CASE("http client: one connection serves request after request", "[http]") {
  ScriptableSink sink;
  Bench bench;
  for (int i = 0; i < 3; ++i)
    CHECK(bench.Post(sink.push_url(), "abc").status == 204);

  CHECK(sink.connections() == 1);
  const SinkRequest request = sink.requests().front();
  CHECK(request.method == "POST");
  CHECK(request.body == "abc");
  CHECK(request.headers.at("content-length") == "3");
  CHECK(request.headers.count("expect") == 0);
  CHECK(request.headers.count("transfer-encoding") == 0);
}

TEST_CASE("http client: a large body goes out without asking first", "[http]") {
  ScriptableSink sink;
  Bench bench;
  const std::string body(3'000'000, 'x');
  CHECK(bench.Post(sink.push_url(), body).status == 204);
  CHECK(sink.requests().front().body == body);
  CHECK(sink.requests().front().headers.count("expect") == 0);
}

TEST_CASE("http client: an answer's start is kept, its rest is read up to a bound", "[http]") {
  ScriptableSink sink;
  Bench bench;
  sink.Script({Answer(500, std::string(30'000, 'e')), Answer(500, std::string(3'000'000, 'e'))});

  const HttpResponse small = bench.Post(sink.push_url());
  CHECK(small.status == 500);
  CHECK(small.status_text == "500 Scripted");
  CHECK(small.body.size() == 1024);
  const HttpResponse large = bench.Post(sink.push_url());
  CHECK(large.status == 500);
  CHECK(large.body.size() == 1024);
  CHECK(sink.connections() == 1);  // The first was read to its end: the connection was kept.
  CHECK(bench.Post(sink.push_url()).status == 204);
  CHECK(sink.connections() == 2);  // The second was not.
}

TEST_CASE("http client: a kept connection that was closed is replaced at once", "[http]") {
  ScriptableSink sink;
  Bench bench;
  sink.Script({Way(SinkAnswer::Way::kAnswerAndClose), Way(SinkAnswer::Way::kAnswer)});
  CHECK(bench.Post(sink.push_url()).status == 204);

  CHECK(bench.Post(sink.push_url()).status == 204);

  CHECK(sink.requests().size() == 2);
  CHECK(sink.connections() == 2);
}

TEST_CASE("http client: failures without an answer say why", "[http]") {
  struct Case {
    const char* name;
    SinkAnswer answer;
  };
  SinkAnswer reset = Way(SinkAnswer::Way::kResetInBody);
  reset.read_bytes = 100;
  const auto c = GENERATE_COPY(values<Case>({{"hang up", Way(SinkAnswer::Way::kHangUp)},
                                             {"reset", reset},
                                             {"half", Way(SinkAnswer::Way::kHalfAnswer)},
                                             {"stall", Way(SinkAnswer::Way::kStall)}}));
  INFO(c.name);
  ScriptableSink sink;
  HttpOptions options;
  options.timeout = milliseconds(300);
  Bench bench(options);
  sink.SetDefault(c.answer);

  const HttpResponse response = bench.Post(sink.push_url(), std::string(2'000'000, 'x'));

  CHECK(response.status == 0);
  CHECK_FALSE(response.error.empty());
  CHECK(sink.requests().size() == 1);  // A new connection that breaks is not tried again.
}

TEST_CASE("http client: an answer whose body is cut short counts by its status", "[http]") {
  ScriptableSink sink;
  Bench bench;
  SinkAnswer cut = Answer(200, "0123456789");
  cut.way = SinkAnswer::Way::kCutBody;
  sink.Script({cut});
  CHECK(bench.Post(sink.push_url()).status == 200);
}

TEST_CASE("http client: nobody listens", "[http]") {
  Bench bench;
  const HttpResponse response = bench.Post("http://127.0.0.1:1/");
  CHECK(response.status == 0);
  CHECK(response.error.find("connect") != std::string::npos);
}

TEST_CASE("http client: a cancelled request never calls back", "[http]") {
  ScriptableSink sink;
  sink.Script({Way(SinkAnswer::Way::kStall)});
  Bench bench;
  bool called = false;
  HttpRequest request;
  request.url = sink.push_url();
  const HttpClient::Id id =
      bench.client.Send(std::move(request), [&](const HttpResponse&) { called = true; });
  while (sink.request_count() == 0)
    uv_run(bench.loop.uv(), UV_RUN_ONCE);
  bench.client.Cancel(id);
  CHECK(bench.Post(sink.push_url()).status == 204);
  CHECK_FALSE(called);
}

TEST_CASE("http client: credentials are read for each request", "[http]") {
  TempDir folder;
  ScriptableSink sink;
  HttpOptions options;
  const std::string file = folder.path() + "/secret";
  WriteFile(file, "one\n");

  SECTION("basic") {
    options.auth.kind = HttpAuthKind::kBasic;
    options.auth.basic.username = "user";
    options.auth.basic.password_file = file;
    Bench bench(options);
    bench.Post(sink.push_url());
    WriteFile(file, "second\n");
    bench.Post(sink.push_url());
    CHECK(sink.requests()[0].headers.at("authorization") == "Basic " + Base64("user:one"));
    CHECK(sink.requests()[1].headers.at("authorization") == "Basic " + Base64("user:second"));
  }
  SECTION("token") {
    options.auth.kind = HttpAuthKind::kCredentials;
    options.auth.credentials_file = file;
    Bench bench(options);
    bench.Post(sink.push_url());
    CHECK(sink.requests()[0].headers.at("authorization") == "Bearer one");
    std::filesystem::remove(file);
    const HttpResponse response = bench.Post(sink.push_url());
    CHECK(response.status == 0);
    CHECK(response.error.find(file) != std::string::npos);
  }
}

TEST_CASE("http client: configured headers are added, but never win", "[http]") {
  TempDir folder;
  WriteFile(folder.path() + "/h", " from file \n");
  ScriptableSink sink;
  HttpOptions options;
  options.headers = {{"X-Extra", "1"}, {"content-type", "no"}};
  options.http_headers = {{"X-Many", {"a", "b"}, {}}, {"X-File", {}, {folder.path() + "/h"}}};
  Bench bench(options);

  bench.Post(sink.push_url(), "x", {{"Content-Type", "application/x-protobuf"}});

  const auto headers = sink.requests().front().headers;
  CHECK(headers.at("x-extra") == "1");
  CHECK(headers.at("content-type") == "application/x-protobuf");
  CHECK(headers.at("x-many") == "b");  // The sink keeps the last of several.
  CHECK(headers.at("x-file") == "from file");
}

TEST_CASE("http client: 307 and 308 are followed with the body, others are answers", "[http]") {
  ScriptableSink sink;
  ScriptableSink other;
  HttpOptions options;
  options.auth.kind = HttpAuthKind::kCredentials;
  options.auth.credentials = "t";
  SinkAnswer moved = Answer(308);
  moved.headers["Location"] = other.Url("/elsewhere");
  SinkAnswer found = Answer(302);
  found.headers["Location"] = other.Url("/elsewhere");

  SECTION("followed") {
    Bench bench(options);
    sink.Script({moved, found});
    CHECK(bench.Post(sink.push_url(), "payload").status == 204);
    CHECK(other.requests().front().path == "/elsewhere");
    CHECK(other.requests().front().body == "payload");
    CHECK(bench.Post(sink.push_url()).status == 302);
  }
  SECTION("switched off") {
    options.follow_redirects = false;
    Bench bench(options);
    sink.Script({moved});
    CHECK(bench.Post(sink.push_url()).status == 308);
  }
  SECTION("a circle ends") {
    Bench bench(options);
    moved.headers["Location"] = sink.push_url();
    sink.SetDefault(moved);
    CHECK(bench.Post(sink.push_url()).status == 308);
    CHECK(sink.requests().size() == 11);
  }
}

TEST_CASE("http client: OAuth 2.0 tokens are fetched once and renewed on 401", "[http]") {
  ScriptableSink sink;
  sink.SetRoute("/token",
                Answer(200, R"({"access_token":"abc","token_type":"bearer","expires_in":3600})"));
  HttpOptions options;
  options.auth.kind = HttpAuthKind::kOauth2;
  options.auth.oauth2.client_id = "id";
  options.auth.oauth2.client_secret = "s&cret";
  options.auth.oauth2.token_url = sink.Url("/token");
  options.auth.oauth2.scopes = {"a", "b"};
  options.auth.oauth2.endpoint_params = {{"audience", "x y"}};
  Bench bench(options);

  CHECK(bench.Post(sink.push_url()).status == 204);
  CHECK(bench.Post(sink.push_url()).status == 204);

  auto requests = sink.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].path == "/token");
  CHECK(requests[0].body == "grant_type=client_credentials&scope=a+b&audience=x+y");
  CHECK(requests[0].headers.at("authorization") == "Basic " + Base64("id:s%26cret"));
  CHECK(requests[1].headers.at("authorization") == "Bearer abc");
  CHECK(requests[2].headers.at("authorization") == "Bearer abc");

  sink.SetRoute("/token", Answer(200, R"({"access_token":"new"})"));
  sink.Script({Answer(401)});
  CHECK(bench.Post(sink.push_url()).status == 204);
  requests = sink.requests();
  CHECK(requests.back().headers.at("authorization") == "Bearer new");
  CHECK(requests.size() == 6);
}

TEST_CASE("http client: a token endpoint that fails is a failed request", "[http]") {
  ScriptableSink sink;
  sink.SetRoute("/token", Answer(GENERATE(400, 503, 200), "{}"));
  HttpOptions options;
  options.auth.kind = HttpAuthKind::kOauth2;
  options.auth.oauth2.token_url = sink.Url("/token");
  Bench bench(options);

  const HttpResponse response = bench.Post(sink.push_url());

  CHECK(response.status == 0);
  CHECK(response.error.find("oauth2") != std::string::npos);
}

TEST_CASE("http client: a proxy gets the request, and only if configured", "[http]") {
  ScriptableSink proxy;
  HttpOptions options;
  SECTION("configured") {
    options.proxy.proxy_url = proxy.Url("");
    Bench bench(options);
    CHECK(bench.Post("http://loki.invalid:3100/push").status == 204);
    CHECK(proxy.requests().front().path == "http://loki.invalid:3100/push");
  }
  SECTION("the environment does not count by itself") {
    ScriptableSink sink;
    ::setenv("http_proxy", proxy.Url("").c_str(), 1);
    Bench bench(options);
    CHECK(bench.Post(sink.push_url()).status == 204);
    ::unsetenv("http_proxy");
    CHECK(proxy.requests().empty());
  }
  SECTION("the environment, asked for") {
    ::setenv("HTTP_PROXY", proxy.Url("").c_str(), 1);
    options.proxy.from_environment = true;
    Bench bench(options);
    CHECK(bench.Post("http://loki.invalid:3100/push").status == 204);
    ::unsetenv("HTTP_PROXY");
    CHECK(proxy.requests().size() == 1);
  }
}

// Certificates made with openssl's program: a CA, a server's, a client's, and a stranger's CA.
class Certificates {
 public:
  Certificates() {
    MakeCa("ca");
    MakeCa("stranger");
    Sign("server", "loki.example", "subjectAltName=DNS:loki.example,IP:127.0.0.1");
    Sign("other", "other.example", "subjectAltName=DNS:other.example");
    Sign("client", "agent", "subjectAltName=DNS:agent");
  }
  [[nodiscard]] std::string Path(const std::string& name) const {
    return folder_.path() + "/" + name;
  }
  [[nodiscard]] ScriptableSink::Options ServerOptions() const {
    ScriptableSink::Options options;
    options.certificate = Path("server.pem");
    options.key = Path("server.key");
    return options;
  }
  static void Run(const std::string& command) {
    REQUIRE(std::system((command + " >/dev/null 2>&1").c_str()) == 0);  // NOLINT(cert-env33-c)
  }
  void Sign(const std::string& name, const std::string& subject, const std::string& extension) {
    WriteFile(Path(name + ".ext"), extension);
    Run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " +
        Path(name + ".key") + " -out " + Path(name + ".csr") + " -subj /CN=" + subject);
    Run("openssl x509 -req -in " + Path(name + ".csr") + " -CA " + Path("ca.pem") + " -CAkey " +
        Path("ca.key") + " -CAcreateserial -days 2 -extfile " + Path(name + ".ext") + " -out " +
        Path(name + ".pem"));
  }

 private:
  void MakeCa(const std::string& name) {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=" +
        name + " -keyout " + Path(name + ".key") + " -out " + Path(name + ".pem"));
  }
  TempDir folder_;
};

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("http client: TLS checks who answers", "[http][tls]") {
  const Certificates certificates;
  ScriptableSink sink(certificates.ServerOptions());
  HttpOptions options;

  SECTION("by a CA from a file") {
    options.tls.ca_file = certificates.Path("ca.pem");
    Bench bench(options);
    CHECK(bench.Post(sink.push_url()).status == 204);
    CHECK(bench.Post(sink.push_url()).status == 204);
    CHECK(sink.connections() == 1);
  }
  SECTION("by a CA in the configuration") {
    options.tls.ca = TextOf(certificates.Path("ca.pem"));
    Bench bench(options);
    CHECK(bench.Post(sink.push_url()).status == 204);
  }
  SECTION("a stranger is refused") {
    options.tls.ca_file = certificates.Path("stranger.pem");
    Bench bench(options);
    const HttpResponse response = bench.Post(sink.push_url());
    CHECK(response.status == 0);
    CHECK(response.error.find("certificate") != std::string::npos);
  }
  SECTION("unless told not to look") {
    options.tls.insecure_skip_verify = true;
    Bench bench(options);
    CHECK(bench.Post(sink.push_url()).status == 204);
  }
  SECTION("by another name") {
    options.tls.ca_file = certificates.Path("ca.pem");
    options.tls.server_name = "loki.example";
    Bench bench(options);
    CHECK(bench.Post(sink.push_url()).status == 204);
    CHECK(sink.requests().front().headers.at("host") == "127.0.0.1:" + std::to_string(sink.port()));
    options.tls.server_name = "other.example";
    Bench wrong(options);
    CHECK(wrong.Post(sink.push_url()).status == 0);
  }
  SECTION("a file that is not there") {
    options.tls.ca_file = certificates.Path("missing.pem");
    Bench bench(options);
    CHECK(bench.Post(sink.push_url()).error.find("missing.pem") != std::string::npos);
  }
  SECTION("versions") {
    options.tls.ca_file = certificates.Path("ca.pem");
    options.tls.min_version = "TLS12";
    options.tls.max_version = "TLS12";
    Bench bench(options);
    CHECK(bench.Post(sink.push_url()).status == 204);
    options.tls.min_version = "TLS9";
    Bench wrong(options);
    CHECK(wrong.Post(sink.push_url()).error.find("TLS version") != std::string::npos);
  }
}

TEST_CASE("http client: mutual TLS, with files that change", "[http][tls]") {
  Certificates certificates;
  ScriptableSink::Options server = certificates.ServerOptions();
  server.client_ca = certificates.Path("ca.pem");
  ScriptableSink sink(server);
  HttpOptions options;
  options.tls.ca_file = certificates.Path("ca.pem");
  Bench without(options);
  CHECK(without.Post(sink.push_url()).status == 0);

  options.tls.cert_file = certificates.Path("client.pem");
  options.tls.key_file = certificates.Path("client.key");
  Bench bench(options);
  CHECK(bench.Post(sink.push_url()).status == 204);
  const uint64_t before = sink.connections();

  certificates.Sign("client", "agent-2", "subjectAltName=DNS:agent-2");
  CHECK(bench.Post(sink.push_url()).status == 204);
  CHECK(sink.connections() == before + 1);  // The old connection has the old certificate.
}

}  // namespace
}  // namespace agent
