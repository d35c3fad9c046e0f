#include "agent/receivers/syslog/syslog_entries.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/clock.h"

namespace agent {
namespace {

constexpr int64_t kNow = 1'767'312'000 * kNanosPerSecond;  // 2026-01-02.
const SyslogPeer kPeer = {"10.0.0.1", ""};

RelabelRule SeverityRule() {
  RelabelRule rule;
  rule.source_labels = {"__syslog_message_severity"};
  rule.target_label = "severity";
  return rule;
}

struct Bed {
  explicit Bed(const SyslogConfig& config) : entries(config, {SeverityRule()}) {}

  std::string Line(std::string_view text) {
    const std::size_t before = made.size();
    entries.Add(kPeer, text, kNow, made);
    if (made.size() == before) return "nothing";
    return FormatLabels(*made.back().labels) + " " + made.back().line;
  }

  SyslogEntries entries;
  std::vector<ReceivedEntry> made;
};

}  // namespace

TEST_CASE("syslog entries: the text of a message is the line", "[syslog]") {
  Bed bed({});

  CHECK(bed.Line("<11>1 2023-05-06T07:08:09Z h a p m - two\nlines") ==
        "{severity=\"error\"} two\nlines");
  CHECK(bed.Line("<13>1 2023-05-06T07:08:09Z h a p m - next") == R"({severity="notice"} next)");

  CHECK(bed.made[0].timestamp_ns == kNow);
  CHECK(bed.made[1].timestamp_ns == kNow + 1);  // In order, and not the same.
  CHECK(bed.entries.counters().entries == 2);
  CHECK(bed.entries.counters().parsing_errors == 0);
}

TEST_CASE("syslog entries: an empty message is counted, and not shipped", "[syslog]") {
  Bed bed({});

  CHECK(bed.Line("<11>1 - - - - - -") == "nothing");
  CHECK(bed.Line("<11>1 - - - - - - ") == "nothing");

  CHECK(bed.entries.counters().empty_messages == 2);
  CHECK(bed.entries.counters().entries == 0);
}

TEST_CASE("syslog entries: what could not be read is the line, and counted", "[syslog]") {
  Bed bed({});

  CHECK(bed.Line("<11>1 yesterday h a p m - x") == R"({severity="error"} yesterday h a p m - x)");
  CHECK(bed.Line("no syslog") == "{} no syslog");
  CHECK(bed.Line("<11>1") == R"({severity="error"} <11>1)");

  CHECK(bed.entries.counters().parsing_errors == 3);
  CHECK(bed.entries.counters().entries == 3);
}

TEST_CASE("syslog entries: the sender's time is used when it is wanted and there", "[syslog]") {
  SyslogConfig config;
  config.use_incoming_timestamp = true;
  Bed bed(config);

  bed.Line("<11>1 2023-05-06T07:08:09.5Z - - - - - x");
  bed.Line("<11>1 - - - - - - x");

  CHECK(bed.made[0].timestamp_ns == 1'683'356'889'500'000'000);
  CHECK(bed.made[1].timestamp_ns >= kNow);
}

TEST_CASE("syslog entries: the line is the whole message when it is wanted", "[syslog]") {
  SyslogConfig config;
  config.use_rfc5424_message = true;
  Bed bed(config);

  CHECK(bed.Line("<11>1 2023-05-06T07:08:09.50Z h - - - - x") ==
        R"({severity="error"} <11>1 2023-05-06T07:08:09.5Z h - - - - x)");
  CHECK(bed.Line("<11>1 broken") == R"({severity="error"} <11>1 broken)");
  CHECK(bed.Line("<11>1 - - - - - -") == "nothing");
}

TEST_CASE("syslog entries: RFC 3164", "[syslog]") {
  SyslogConfig config;
  config.rfc3164 = true;
  config.use_rfc5424_message = true;  // Has no meaning for it.
  config.use_incoming_timestamp = true;
  Bed bed(config);

  CHECK(bed.Line("<11>Dec 31 23:59:59 host app[1]: text") == R"({severity="error"} text)");
  CHECK(bed.made[0].timestamp_ns == kNow - (24 * 3600 + 1) * kNanosPerSecond);
}

}  // namespace agent
