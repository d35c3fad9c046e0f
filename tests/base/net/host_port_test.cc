#include "base/net/host_port.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {

TEST_CASE("host and port: taken apart", "[net]") {
  struct Case {
    std::string text;
    std::string host;
    uint16_t port;
    std::string shown;
  };
  const auto c = GENERATE(values<Case>({
      {"logstash", "logstash", 5044, "logstash:5044"},
      {"logstash:1", "logstash", 1, "logstash:1"},
      {"10.0.0.1:65535", "10.0.0.1", 65535, "10.0.0.1:65535"},
      {"[::1]", "::1", 5044, "[::1]:5044"},
      {"[::1]:9", "::1", 9, "[::1]:9"},
      {"fe80::1", "fe80::1", 5044, "[fe80::1]:5044"},
  }));
  INFO(c.text);

  const auto parsed = ParseHostPort(c.text, 5044);

  REQUIRE(parsed.ok());
  CHECK(parsed->host == c.host);
  CHECK(parsed->port == c.port);
  CHECK(parsed->text() == c.shown);
}

TEST_CASE("host and port: what is none is refused", "[net]") {
  const std::string text = GENERATE("", ":5044", "a:", "a:0", "a:65536", "a:x", "a:5044x", "[::1",
                                    "[::1]x", "[]:1", "tcp://a:1", "a/b", "a b:1", "user@a:1");
  INFO(text);

  CHECK_FALSE(ParseHostPort(text, 5044).ok());
}

TEST_CASE("host and port: without a default a port is needed", "[net]") {
  CHECK_FALSE(ParseHostPort("a", 0).ok());
  CHECK(ParseHostPort("a:1", 0).ok());
}

}  // namespace agent
