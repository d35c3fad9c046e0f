#include "agent/receivers/syslog/syslog_text.h"

#include <string>

#include <catch2/catch.hpp>

namespace agent {
namespace {

TEST_CASE("syslog text: a message is written as Promtail writes it", "[syslog]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"<13>1 - - - - - - x", "<13>1 - - - - - - x"},
      {"<191>12 2023-05-06T07:08:09.100Z h a p m -  x",
       "<191>12 2023-05-06T07:08:09.1Z h a p m -  x"},
      {"<13>1 2023-05-06T07:08:09.123456+02:00 h a - - - x",
       "<13>1 2023-05-06T07:08:09.123456+02:00 h a - - - x"},
      {"<13>1 2023-05-06T07:08:09+00:00 - - - - - x", "<13>1 2023-05-06T07:08:09Z - - - - - x"},
      {"<13>1 2023-05-06T07:08:09.000-01:30 - - - - - x",
       "<13>1 2023-05-06T07:08:09-01:30 - - - - - x"},
      {"<13>1 2023-05-06T07:08:09.1234569Z - - - - - x",
       "<13>1 2023-05-06T07:08:09.123456Z - - - - - x"},
      {R"(<13>1 - - - - - [b z="1" a="q\"\]\\"][a x="" x="2"] x)",
       R"(<13>1 - - - - - [a x="2"][b a="q\"\]\\" z="1"] x)"},
  }));
  INFO(c.text);
  const auto message = ParseRfc5424(c.text);
  REQUIRE(message);
  REQUIRE(message->error.empty());

  CHECK(FormatRfc5424(*message) == c.want);
}

}  // namespace
}  // namespace agent
