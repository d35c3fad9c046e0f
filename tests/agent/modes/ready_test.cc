#include "agent/modes/ready.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

struct Case {
  std::string address;
  std::string certificate;
  std::string prefix;
  std::string url;
};

}  // namespace

TEST_CASE("ready: asks where the agent of a configuration listens, from its own host", "[ready]") {
  const auto c = GENERATE(values<Case>({
      {"", "", "", "http://127.0.0.1:9080/ready"},
      {"0.0.0.0", "", "/agent", "http://127.0.0.1:9080/agent/ready"},
      {"10.1.2.3", "/tls.crt", "", "https://10.1.2.3:9080/ready"},
      {"::", "", "", "http://[::1]:9080/ready"},
      {"fe80::1", "", "", "http://[fe80::1]:9080/ready"},
      {"localhost", "", "", "http://localhost:9080/ready"},
  }));
  ServerConfig server;
  server.http_listen_address = c.address;
  server.http_tls.cert_file = c.certificate;
  server.http_path_prefix = c.prefix;

  const Result<std::string> url = ReadyUrl(server);

  REQUIRE(url.ok());
  CHECK(*url == c.url);
}

TEST_CASE("ready: a server that is not there, or anywhere, cannot be asked", "[ready]") {
  ServerConfig server;
  server.disable = true;
  CHECK_FALSE(ReadyUrl(server).ok());
  server = {};
  server.http_listen_port = 0;
  CHECK_FALSE(ReadyUrl(server).ok());
}

}  // namespace agent
