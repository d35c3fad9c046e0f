#include "agent/http/router.h"

#include <fstream>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/http/fake_view.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using Catch::Contains;

struct Fixture {
  // Asks the router, which is made anew because the test may have changed `config`.
  ServerResponse Ask(ServerRequest request) {
    EndpointContext context{.view = view, .logger = logger, .config = config, .metrics = metrics};
    Router router(context);
    std::optional<ServerResponse> got;
    router.Dispatch(request, [&got](ServerResponse response) {
      CHECK_FALSE(got.has_value());
      got = std::move(response);
    });
    REQUIRE(got.has_value());
    return *got;
  }
  ServerResponse Get(const std::string& path) { return Ask({.method = "GET", .path = path}); }

  FakeView view;
  Logger logger{-1, LogLevel::kInfo, LogFormat::kLogfmt};
  ServerConfig config;
  HttpMetrics metrics;
};

std::string Header(const ServerResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST_CASE("router: the root leads to the targets", "[http]") {
  Fixture f;
  CHECK(f.Get("/").status == 303);
  CHECK(Header(f.Get("/"), "Location") == "/targets");
  f.config.http_path_prefix = "/logs";
  CHECK(Header(f.Get("/logs"), "Location") == "/logs/targets");
  CHECK(Header(f.Get("/logs/"), "Location") == "/logs/targets");
  f.config.external_url = "https://proxy/node-1/";
  CHECK(Header(f.Get("/logs/"), "Location") == "https://proxy/node-1/targets");
}

TEST_CASE("router: the prefix stands before every route", "[http]") {
  Fixture f;
  f.config.http_path_prefix = "/logs";
  CHECK(f.Get("/logs/ready").status == 200);
  CHECK(f.Get("/ready").status == 404);
  CHECK(f.Get("/logsready").status == 404);
}

TEST_CASE("router: what is not there is 404", "[http]") {
  Fixture f;
  const char* path = GENERATE("/nothing", "/ready/", "//", "/debug/pprof/", "/debug/fgprof",
                              "/reload", "/static/../config");
  INFO(path);
  CHECK(f.Get(path).status == 404);
}

TEST_CASE("router: other methods are 405 and say what is allowed", "[http]") {
  Fixture f;
  const ServerResponse response = f.Ask({.method = "POST", .path = "/ready"});
  CHECK(response.status == 405);
  CHECK(Header(response, "Allow") == "GET, HEAD");
  CHECK(f.Ask({.method = "HEAD", .path = "/ready"}).status == 200);
  CHECK(f.Ask({.method = "E", .path = "/ready"}).status == 405);
  CHECK(Header(f.Ask({.method = "PUT", .path = "/loglevel"}), "Allow") == "GET, HEAD, POST");
}

TEST_CASE("ready: 503 with the reason, unless the check is switched off", "[http]") {
  Fixture f;
  CHECK(f.Get("/ready").body == "Ready\n");
  f.view.readiness = {.ready = false, .reason = "no file matches /var/log/*.log"};
  CHECK(f.Get("/ready").status == 503);
  CHECK(f.Get("/ready").body == "Not ready: no file matches /var/log/*.log\n");
  f.config.health_check_target = false;
  CHECK(f.Get("/ready").status == 200);
}

TEST_CASE("metrics: the agent's, the process's, the log's; can be switched off", "[http]") {
  Fixture f;
  const ServerResponse response = f.Get("/metrics");
  CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK_THAT(response.body, Contains("\nagent_open_files 7\n"));
  CHECK_THAT(response.body, Contains("\nprocess_open_fds "));
  CHECK_THAT(response.body, Contains("\nloki_internal_log_messages_total{level=\"error\"} 0\n"));
  f.config.register_instrumentation = false;
  CHECK(f.Get("/metrics").status == 404);
}

TEST_CASE("loglevel: shown by GET, changed by POST, anything else refused", "[http]") {
  Fixture f;
  CHECK(f.Get("/loglevel").body == "info\n");
  CHECK(f.Ask({.method = "POST", .path = "/loglevel", .query = {{"level", "debug"}}}).body ==
        "debug\n");
  CHECK(f.logger.level() == LogLevel::kDebug);
  CHECK(f.Ask({.method = "POST", .path = "/loglevel", .body = "level=error&x=1"}).status == 200);
  CHECK(f.logger.level() == LogLevel::kError);
  CHECK(f.Ask({.method = "POST", .path = "/loglevel", .query = {{"level", "loud"}}}).status == 400);
  CHECK(f.Ask({.method = "POST", .path = "/loglevel"}).status == 400);
  CHECK(f.logger.level() == LogLevel::kError);
}

TEST_CASE("reload: only when enabled; 500 with the reason when refused", "[http]") {
  Fixture f;
  CHECK(f.Ask({.method = "POST", .path = "/reload"}).status == 404);
  CHECK(f.view.reloads == 0);

  f.config.enable_runtime_reload = true;
  const ServerResponse good = f.Get("/reload");
  CHECK(good.status == 200);
  CHECK(good.body.empty());

  f.view.reload_result = Error{ErrorCode::kInvalid, "a.yaml:1:1: unknown key 'x'"};
  const ServerResponse bad = f.Ask({.method = "PUT", .path = "/reload"});
  CHECK(bad.status == 500);
  CHECK(bad.body == "failed to reload config: a.yaml:1:1: unknown key 'x'\n");
  CHECK(f.view.reloads == 2);
}

TEST_CASE("data pages: switched off they do not exist", "[http]") {
  Fixture f;
  const char* path = GENERATE("/targets", "/service-discovery", "/config", "/ledger");
  CHECK(f.Get(path).status == 200);
  f.config.data_pages = false;
  CHECK(f.Get(path).status == 404);
  CHECK(f.Get("/ready").status == 200);
  CHECK(f.Get("/metrics").status == 200);
}

TEST_CASE("data pages: with a token only who has it gets in", "[http]") {
  Fixture f;
  f.config.data_pages_token = "s3cret";
  const char* path = GENERATE("/targets", "/service-discovery", "/config", "/ledger");
  const auto ask = [&f, path](const char* authorization) {
    return f.Ask({.method = "GET", .path = path, .authorization = authorization}).status;
  };

  CHECK(ask("Bearer s3cret") == 200);
  CHECK(ask("bearer s3cret") == 200);
  CHECK(ask("") == 401);
  CHECK(ask("Bearer") == 401);
  CHECK(ask("Bearer ") == 401);
  CHECK(ask("Bearer s3cre") == 401);
  CHECK(ask("Bearer s3crets3cret") == 401);
  CHECK(ask("Basic s3cret") == 401);
  CHECK(Header(f.Get(path), "WWW-Authenticate") == "Bearer realm=\"agent\"");
  CHECK(f.Get("/ready").status == 200);
  CHECK(f.Get("/metrics").status == 200);
}

TEST_CASE("loglevel: changing it needs the token, reading does not", "[http]") {
  Fixture f;
  f.config.data_pages_token = "s3cret";
  ServerRequest post{.method = "POST", .path = "/loglevel", .query = {{"level", "debug"}}};
  CHECK(f.Get("/loglevel").status == 200);
  CHECK(f.Ask(post).status == 401);
  CHECK(f.logger.level() == LogLevel::kInfo);
  post.authorization = "Bearer s3cret";
  CHECK(f.Ask(post).status == 200);
}

TEST_CASE("data pages: an empty or missing token file lets nobody in", "[http]") {
  TempDir folder;
  const std::string path = folder.path() + "/token";
  Fixture f;
  f.config.data_pages_token_file = path;
  const ServerRequest request{.method = "GET", .path = "/ledger", .authorization = "Bearer abc"};
  const ServerRequest empty{.method = "GET", .path = "/ledger", .authorization = "Bearer "};

  CHECK(f.Ask(request).status == 401);
  std::ofstream(path) << "\n";
  CHECK(f.Ask(request).status == 401);
  CHECK(f.Ask(empty).status == 401);
  std::ofstream(path) << "abc\n";
  CHECK(f.Ask(request).status == 200);
}

TEST_CASE("router: route names are those of the table, everything else is one", "[http]") {
  Fixture f;
  EndpointContext context{
      .view = f.view, .logger = f.logger, .config = f.config, .metrics = f.metrics};
  const Router router(context);
  CHECK(router.RouteName("/service-discovery") == "service_discovery");
  CHECK(router.RouteName("/") == "root");
  CHECK(router.RouteName("/x/y") == "other");
  CHECK(router.RouteName("/reload") == "other");
}

}  // namespace
}  // namespace agent
