#include "outputs/logstash/session.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace agent::logstash {
namespace {

using std::chrono::seconds;
using Due = Session::Due;

constexpr int64_t kSecond = 1'000'000'000;

Bytes Body(std::string_view text) {
  Bytes bytes{std::make_unique_for_overwrite<char[]>(text.size()), text.size()};
  std::memcpy(bytes.data.get(), text.data(), text.size());
  return bytes;
}

std::string Ack(uint32_t sequence) {
  std::string frame("2A\0\0\0\0", 6);
  for (int i = 5; i > 1; --i, sequence >>= 8)
    frame[static_cast<std::size_t>(i)] = static_cast<char>(sequence & 0xFF);
  return frame;
}

// A session with short limits, and what it has written.
struct Bed {
  SessionOptions options{.pipelining = 2,
                         .timeout = seconds(30),
                         .ack_stall_limit = seconds(0),
                         .idle_limit = seconds(45),
                         .ttl = seconds(0)};
  int64_t now = 0;
  std::string wire;
  std::optional<Session> opened;  // By the first session().

  Session& session() {
    if (!opened) opened.emplace(options, now);
    return *opened;
  }
  void Write(std::size_t most = SIZE_MAX) {
    while (most > 0 && !session().unwritten().empty()) {
      const std::string_view some = session().unwritten().substr(0, most);
      wire += some;
      most -= some.size();
      session().Wrote(some.size(), now);
    }
  }
  void Send(uint64_t id, uint32_t events, std::string_view body = "2Jx") {
    session().Send(id, events, Body(body), now);
    Write();
  }
  // "ID+EVENTS" of each, with "!" when the window is done; then the problem.
  std::string Receive(const std::string& bytes) {
    std::string text;
    for (const auto& acked : session().OnReceived(bytes, now)) {
      text += std::to_string(acked.window) + "+" + std::to_string(acked.events) +
              (acked.whole ? "! " : " ");
    }
    return text + session().problem();
  }
};

}  // namespace

TEST_CASE("session: windows go out whole, one behind the other", "[lumberjack]") {
  Bed bed;
  bed.session().Send(1, 2, Body("2Jfirst"), 0);
  bed.session().Send(2, 1, Body("second"), 0);

  bed.Write(3);
  CHECK(bed.wire == "2W" + std::string(1, '\0'));
  bed.Write();

  CHECK(bed.wire == std::string("2W\0\0\0\2"
                                "2Jfirst"
                                "2W\0\0\0\1"
                                "2C\0\0\0\6"
                                "second",
                                31));
  CHECK(bed.session().unwritten().empty());
}

TEST_CASE("session: so many windows at a time and no more", "[lumberjack]") {
  Bed bed;
  bed.options.pipelining = GENERATE(as<std::size_t>(), 0, 1, 2, 5);
  const std::size_t most = std::max<std::size_t>(1, bed.options.pipelining);
  for (std::size_t i = 0; i < most; ++i) {
    CHECK(bed.session().may_send(0));
    bed.Send(i, 1);
  }

  CHECK_FALSE(bed.session().may_send(0));
  bed.Receive(Ack(1));
  CHECK(bed.session().may_send(0));
}

TEST_CASE("session: what acknowledgements mean", "[lumberjack]") {
  struct Case {
    const char* name;
    std::string acks;
    std::string want;
  };
  const std::string_view more = "the server acknowledges more than was sent";
  const auto c = GENERATE_COPY(values<Case>({
      {"whole", Ack(5), "1+5! "},
      {"parts", Ack(2) + Ack(3) + Ack(5), "1+2 1+1 1+2! "},
      {"signs of life", Ack(0) + Ack(0) + Ack(5) + Ack(0), "1+5! "},
      {"both", Ack(5) + Ack(3), "1+5! 2+3! "},
      {"the same again", Ack(2) + Ack(2), "1+2 "},
      {"too high", Ack(6), std::string(more)},
      {"too high for the second", Ack(5) + Ack(4), "1+5! " + std::string(more)},
      {"back", Ack(4) + Ack(3), "1+4 the server takes an acknowledgement back"},
      {"one too many", Ack(5) + Ack(3) + Ack(1),
       "1+5! 2+3! the server acknowledges what was not sent"},
      {"no acknowledgement", Ack(2) + "HTTP/1.1", "1+2 the server does not speak lumberjack"},
  }));
  INFO(c.name);
  Bed bed;
  bed.Send(1, 5);
  bed.Send(2, 3);

  CHECK(bed.Receive(c.acks) == c.want);
}

TEST_CASE("session: nothing is done that was not written", "[lumberjack]") {
  struct Case {
    const char* name;
    char first;             // Of the body: what is not compressed begins with '2'.
    std::size_t written;    // Of 6 or 12, and 100.
    uint32_t acknowledged;  // Of 3.
    bool good;
  };
  const auto c = GENERATE(values<Case>({
      {"all of it", '2', 106, 3, true},
      {"all but the last byte", '2', 105, 3, false},
      {"a part of it", '2', 105, 2, true},
      {"room for one", '2', 18, 1, true},
      {"no room for two", '2', 18, 2, false},
      {"all of a compressed frame", 'x', 112, 3, true},
      {"a part of one", 'x', 111, 1, false},
  }));
  INFO(c.name);
  Bed bed;
  bed.session().Send(1, 3, Body(std::string(100, c.first)), 0);
  bed.Write(c.written);

  bed.Receive(Ack(c.acknowledged));

  CHECK(bed.session().problem().empty() == c.good);
}

TEST_CASE("session: without a sign of life it is over after the timeout", "[lumberjack]") {
  Bed bed;
  bed.Send(1, 2);
  CHECK(bed.session().deadline() == 30 * kSecond);
  bed.now = 29 * kSecond;
  CHECK(bed.session().Check(bed.now) == Due::kNothing);
  bed.Receive(Ack(0));
  CHECK(bed.session().deadline() == 59 * kSecond);
  bed.now = 59 * kSecond;
  CHECK(bed.session().Check(bed.now) == Due::kTimedOut);
}

TEST_CASE("session: a server that still reads is alive", "[lumberjack]") {
  Bed bed;
  bed.session().Send(1, 2, Body(std::string(100, '2')), 0);
  bed.now = 20 * kSecond;
  bed.Write(10);
  CHECK(bed.session().Check(49 * kSecond) == Due::kNothing);
  CHECK(bed.session().Check(50 * kSecond) == Due::kTimedOut);
}

TEST_CASE("session: signs of life alone are borne as long as one likes", "[lumberjack]") {
  Bed bed;
  bed.options.ack_stall_limit = GENERATE(seconds(0), seconds(100));
  bed.Send(1, 2);
  for (; bed.now < 99 * kSecond; bed.now += 3 * kSecond)
    CHECK(bed.Receive(Ack(0)).empty());

  CHECK(bed.session().Check(bed.now) == Due::kNothing);
  bed.Receive(Ack(1));
  bed.now += 99 * kSecond;
  bed.Receive(Ack(0));
  CHECK(bed.session().Check(bed.now) == Due::kNothing);
  bed.now += kSecond;
  CHECK((bed.session().Check(bed.now) == Due::kStalled) ==
        (bed.options.ack_stall_limit > seconds(0)));
}

TEST_CASE("session: idle for long, it is closed in good order", "[lumberjack]") {
  Bed bed;
  bed.Send(1, 1);
  bed.now = 10 * kSecond;
  bed.Receive(Ack(1));
  CHECK(bed.session().deadline() == 55 * kSecond);
  CHECK(bed.session().Check(54 * kSecond) == Due::kNothing);
  CHECK(bed.session().Check(55 * kSecond) == Due::kClose);
}

TEST_CASE("session: after its time it takes nothing more, and is closed when all is done",
          "[lumberjack]") {
  Bed bed;
  bed.options.ttl = seconds(20);
  bed.Send(1, 1);
  CHECK(bed.session().may_send(19 * kSecond));
  bed.now = 20 * kSecond;
  CHECK_FALSE(bed.session().may_send(bed.now));
  CHECK(bed.session().Check(bed.now) == Due::kNothing);
  bed.Receive(Ack(1));
  CHECK(bed.session().Check(bed.now) == Due::kClose);
}

TEST_CASE("session: whose fault an end is", "[lumberjack]") {
  Bed bed;
  CHECK(bed.session().may_end());
  bed.Send(1, 2);
  CHECK_FALSE(bed.session().may_end());  // Not a word yet: a server that refuses everybody.
  bed.Receive(Ack(1));
  CHECK_FALSE(bed.session().may_end());
  bed.Receive(Ack(2));
  CHECK(bed.session().may_end());
  bed.Send(2, 2);
  CHECK(bed.session().may_end());  // It may have been closing.
  bed.Receive(Ack(0));
  CHECK_FALSE(bed.session().may_end());
}

TEST_CASE("session: what is unfinished, the oldest first", "[lumberjack]") {
  Bed bed;
  bed.Send(7, 2);
  bed.Send(9, 2);
  bed.Receive(Ack(1));
  CHECK(bed.session().unfinished() == std::vector<uint64_t>{7, 9});
  bed.Receive(Ack(2));
  CHECK(bed.session().unfinished() == std::vector<uint64_t>{9});
}

}  // namespace agent::logstash
