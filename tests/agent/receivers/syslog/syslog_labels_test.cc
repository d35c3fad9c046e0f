#include "agent/receivers/syslog/syslog_labels.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

const SyslogPeer kPeer = {"10.0.0.1", "a.example.,b"};

RelabelRule Rule(RelabelAction action, std::vector<std::string> sources, std::string target = "",
                 std::string regex = "(.*)") {
  RelabelRule rule;
  rule.action = action;
  rule.source_labels = std::move(sources);
  rule.target_label = std::move(target);
  rule.regex = std::move(regex);
  return rule;
}

RelabelRule MapAll() {
  return Rule(RelabelAction::kLabelMap, {}, "", "__syslog_(.+)");
}

std::string Show(SyslogLabels& labels, const SyslogMessage* message,
                 const SyslogPeer& peer = kPeer) {
  const auto& set = labels.For(peer, message);
  return set != nullptr ? FormatLabels(*set) : "dropped";
}

}  // namespace

TEST_CASE("syslog labels: rules see everything about the message and its sender", "[syslog]") {
  const std::string text = R"(<165>1 - host app proc id [x@1 k="v" e=""][y k="w"] text)";
  const auto message = ParseRfc5424(text);
  SyslogLabels labels({{"job", "j"}, {"empty", ""}, {"__hidden", "h"}}, {MapAll()}, true);

  CHECK(Show(labels, &*message) ==
        R"({connection_hostname="a.example.,b", connection_ip_address="10.0.0.1", job="j", )"
        R"(message_app_name="app", message_facility="local4", message_hostname="host", )"
        R"(message_msg_id="id", message_proc_id="proc", message_sd_x_1_k="v", message_sd_y_k="w", )"
        R"(message_severity="notice"})");
}

TEST_CASE("syslog labels: structured data is no label unless asked for", "[syslog]") {
  const auto message = ParseRfc5424(R"(<165>1 - - - - - [x k="v"] text)");
  SyslogLabels labels({}, {Rule(RelabelAction::kReplace, {"__syslog_message_sd_x_k"}, "k")}, false);

  CHECK(Show(labels, &*message) == "{}");
}

TEST_CASE("syslog labels: without rules there are those of the job", "[syslog]") {
  const auto message = ParseRfc5424("<165>1 - host - - - - text");
  SyslogLabels labels({{"job", "j"}, {"__x", "y"}, {"z", ""}}, {}, true);

  CHECK(Show(labels, &*message) == R"({job="j"})");
  CHECK(labels.For(kPeer, &*message) == labels.For({"10.0.0.2", ""}, nullptr));
  CHECK(labels.remembered() == 1);
  CHECK_FALSE(labels.needs_hostname());
  CHECK(FormatLabels(labels.common()) == R"({job="j"})");
}

TEST_CASE("syslog labels: a message of which nothing could be read has its sender", "[syslog]") {
  SyslogLabels labels({{"job", "j"}}, {MapAll()}, true);

  CHECK(Show(labels, nullptr) ==
        R"({connection_hostname="a.example.,b", connection_ip_address="10.0.0.1", job="j"})");
}

TEST_CASE("syslog labels: a rule drops a message, and not the next one", "[syslog]") {
  const auto debug = ParseRfc5424("<7>1 - - - - - - text");
  const auto error = ParseRfc5424("<3>1 - - - - - - text");
  SyslogLabels labels({{"job", "j"}},
                      {Rule(RelabelAction::kDrop, {"__syslog_message_severity"}, "", "debug")},
                      false);

  for (int i = 0; i < 2; ++i) {
    CHECK(Show(labels, &*debug) == "dropped");
    CHECK(Show(labels, &*error) == R"({job="j"})");
  }
}

TEST_CASE("syslog labels: messages that differ only in what no rule reads share a set",
          "[syslog]") {
  SyslogLabels labels({}, {Rule(RelabelAction::kReplace, {"__syslog_message_hostname"}, "host")},
                      false);
  const auto one = ParseRfc5424("<7>1 - h app 1 - - text");
  const auto other = ParseRfc5424("<8>1 - h bpp 2 x - text");
  const auto elsewhere = ParseRfc5424("<8>1 - i bpp 2 x - text");

  const auto first = labels.For(kPeer, &*one);
  CHECK(labels.For({"10.0.0.9", ""}, &*other) == first);
  CHECK(labels.remembered() == 1);
  CHECK(Show(labels, &*elsewhere) == R"({host="i"})");
  CHECK(labels.For(kPeer, &*one) == first);
}

TEST_CASE("syslog labels: ever new values do not fill the memory", "[syslog]") {
  SyslogLabels labels({}, {Rule(RelabelAction::kReplace, {"__syslog_message_proc_id"}, "pid")},
                      false);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = "<7>1 - - - " + std::to_string(i) + " - - text";
    const auto message = ParseRfc5424(text);
    REQUIRE(labels.For(kPeer, &*message)->Value("pid") == std::to_string(i));
  }

  CHECK(labels.remembered() <= 4096);
}

TEST_CASE("syslog labels: the name of the address is wanted when a rule reads it", "[syslog]") {
  const auto needs = [](std::vector<RelabelRule> rules) {
    return SyslogLabels({}, rules, false).needs_hostname();
  };
  CHECK(needs({MapAll()}));
  CHECK(needs({Rule(RelabelAction::kReplace, {"__syslog_connection_hostname"}, "host")}));
  CHECK(needs({Rule(RelabelAction::kDropEqual, {"a"}, "__syslog_connection_hostname")}));
  CHECK_FALSE(needs({Rule(RelabelAction::kReplace, {"__syslog_message_hostname"}, "host")}));
  CHECK_FALSE(needs({Rule(RelabelAction::kLabelMap, {}, "", "__syslog_message_(.+)")}));
}

}  // namespace agent
