#include "agent/receivers/syslog/syslog_framing.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

struct Outcome {
  std::vector<std::string> messages;
  SyslogFraming::Status status = SyslogFraming::Status::kGoOn;
  bool ended_well = false;
};

// `step` bytes at a time.
Outcome Cut(std::string_view stream, std::size_t step, std::size_t max = 100) {
  SyslogFraming framing({max, max});
  Outcome outcome;
  const auto sink = [&](std::string_view message) { outcome.messages.emplace_back(message); };
  for (std::size_t at = 0; at < stream.size(); at += step) {
    outcome.status = framing.Add(stream.substr(at, step), sink);
    if (outcome.status != SyslogFraming::Status::kGoOn) return outcome;
  }
  outcome.ended_well = framing.End(sink);
  return outcome;
}

}  // namespace

TEST_CASE("syslog framing: messages come out whole, however the bytes arrive", "[syslog]") {
  struct Case {
    std::string stream;
    std::vector<std::string> want;
  };
  const auto c = GENERATE(values<Case>({
      {"<1>a\n<2>b\n", {"<1>a", "<2>b"}},
      {"<1>a\n<2>no newline", {"<1>a", "<2>no newline"}},
      {"<1>a\n\n\n<2>b\n", {"<1>a\n\n", "<2>b"}},
      {"<1>a\n at b\nat c\n<2>b\n\n", {"<1>a\n at b\nat c", "<2>b\n"}},
      {"<1>a\n\n", {"<1>a\n"}},
      {"<1>a <2>\n<3>", {"<1>a <2>", "<3>"}},
      {"4 <1>a4 <2>b", {"<1>a", "<2>b"}},
      {"6 <1>a\nb4 <2>c", {"<1>a\nb", "<2>c"}},
      {"4 <1>a\n4 <2>b\n", {"<1>a", "<2>b"}},
      {"0 4 <1>a", {"<1>a"}},
  }));
  const auto step = GENERATE(as<std::size_t>(), 1, 2, 3, 1000);
  CAPTURE(c.stream, step);

  const Outcome outcome = Cut(c.stream, step);

  CHECK(outcome.messages == c.want);
  CHECK(outcome.ended_well);
}

TEST_CASE("syslog framing: a message that is too long is cut, the next one is whole", "[syslog]") {
  const std::string text(300, 'x');

  CHECK(Cut("<1>" + text + "\n<2>b\n", 7, 10).messages ==
        std::vector<std::string>{"<1>xxxxxxx", "<2>b"});
  CHECK(Cut("303 <1>" + text + "4 <2>b", 7, 10).messages ==
        std::vector<std::string>{"<1>xxxxxxx", "<2>b"});
}

TEST_CASE("syslog framing: what is no stream of messages is told", "[syslog]") {
  CHECK(Cut("GET / HTTP/1.1\n", 100).status == SyslogFraming::Status::kUnknown);
  CHECK(Cut("4x<1>a", 1).status == SyslogFraming::Status::kBadLength);
  CHECK(Cut("99999999999 <1>a", 1).status == SyslogFraming::Status::kBadLength);
  CHECK(Cut("4 <1>a<2>b", 1).status == SyslogFraming::Status::kBadLength);
  CHECK_FALSE(Cut("4 <1>a12", 1).ended_well);
}

TEST_CASE("syslog framing: of a message that ends too early there is what has come", "[syslog]") {
  const Outcome outcome = Cut("9 <1>half", 1);

  CHECK(outcome.messages == std::vector<std::string>{"<1>half"});
  CHECK_FALSE(Cut("99 <1>half", 1).ended_well);
  CHECK(Cut("99 <1>half", 3).messages == std::vector<std::string>{"<1>half"});
}

TEST_CASE("syslog framing: after a while without more, whole lines are a message", "[syslog]") {
  SyslogFraming framing({100, 100});
  std::vector<std::string> messages;
  const auto sink = [&](std::string_view message) { messages.emplace_back(message); };

  framing.Add("<1>a\n", sink);
  CHECK(framing.waits());
  CHECK(messages.empty());
  framing.Flush(sink);
  CHECK(messages == std::vector<std::string>{"<1>a"});
  CHECK_FALSE(framing.waits());

  framing.Add("<2>b", sink);
  CHECK_FALSE(framing.waits());
  framing.Flush(sink);
  framing.Add("c\n", sink);
  framing.Flush(sink);
  CHECK(messages == std::vector<std::string>{"<1>a", "<2>bc"});
}

TEST_CASE("syslog framing: an endless message takes no more memory than one may", "[syslog]") {
  SyslogFraming framing({64, 64});
  const std::string bytes = "<1>" + std::string(10'000, 'x');

  for (int i = 0; i < 100; ++i)
    framing.Add(bytes, [](std::string_view) { FAIL("no message has ended"); });

  CHECK(framing.pending_bytes() == 65);
}

}  // namespace agent
