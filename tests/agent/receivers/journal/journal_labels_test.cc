#include "agent/receivers/journal/journal_labels.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace agent {
namespace {

using Rules = std::vector<RelabelRule>;
using Outcome = JournalLabels::Outcome;

RelabelRule Copy(std::string from, std::string to) {
  RelabelRule rule;
  rule.source_labels = {std::move(from)};
  rule.target_label = std::move(to);
  return rule;
}

JournalLabels Make(Labels constant, const Rules& rules) {
  auto relabeling = Relabeling::Compile(rules);
  REQUIRE(relabeling.ok());
  return {std::move(constant), rules, std::move(*relabeling)};
}

JournalFields Fields(const Labels& named) {
  JournalFields fields;
  for (const Label& field : named)
    fields.Add(field.name, field.value);
  return fields;
}

}  // namespace

TEST_CASE("journal labels: by the rules, from the fields of the entry", "[journal]") {
  JournalLabels labels = Make({{"job", "systemd"}}, {Copy("__journal__systemd_unit", "unit"),
                                                     Copy("__journal_priority_keyword", "level")});
  CHECK_FALSE(labels.wants_all());
  CHECK(labels.wanted() == std::vector<std::string>{"PRIORITY", "_SYSTEMD_UNIT"});

  const auto& found =
      labels.Find(Fields({{"MESSAGE", "m"}, {"PRIORITY", "3"}, {"_SYSTEMD_UNIT", "ssh.service"}}));
  CHECK(found.outcome == Outcome::kLabels);
  CHECK(found.labels == Labels{{"job", "systemd"}, {"level", "error"}, {"unit", "ssh.service"}});
  // An entry of the same stream, and one that lacks a field.
  CHECK(&labels.Find(Fields(
            {{"MESSAGE", "n"}, {"PRIORITY", "3"}, {"_SYSTEMD_UNIT", "ssh.service"}})) == &found);
  CHECK(labels.Find(Fields({{"_SYSTEMD_UNIT", "ssh.service"}})).labels ==
        Labels{{"job", "systemd"}, {"unit", "ssh.service"}});
}

TEST_CASE("journal labels: an empty field is not a missing one, nor part of the next",
          "[journal]") {
  JournalLabels labels = Make({}, {Copy("__journal_a", "a"), Copy("__journal_b", "b")});
  CHECK(labels.Find(Fields({{"A", "x"}, {"B", "yz"}})).labels == Labels{{"a", "x"}, {"b", "yz"}});
  CHECK(labels.Find(Fields({{"A", "xy"}, {"B", "z"}})).labels == Labels{{"a", "xy"}, {"b", "z"}});
  CHECK(labels.Find(Fields({{"B", "z"}})).labels == Labels{{"b", "z"}});
  CHECK(labels.Find(Fields({{"A", ""}, {"B", "z"}})).labels == Labels{{"b", "z"}});
}

TEST_CASE("journal labels: dropped by a rule, or none left", "[journal]") {
  RelabelRule keep = Copy("__journal__transport", "");
  keep.action = RelabelAction::kKeep;
  keep.regex = "stdout";
  JournalLabels labels = Make({{"job", "j"}}, {keep});
  CHECK(labels.Find(Fields({{"_TRANSPORT", "kernel"}})).outcome == Outcome::kDropped);
  CHECK(labels.Find(Fields({{"_TRANSPORT", "stdout"}})).outcome == Outcome::kLabels);

  JournalLabels none = Make({}, {});
  CHECK(none.Find(Fields({{"MESSAGE", "m"}})).outcome == Outcome::kNone);
}

TEST_CASE("journal labels: labelmap sees every field, constants go over them", "[journal]") {
  RelabelRule map;
  map.action = RelabelAction::kLabelMap;
  map.regex = "__journal__(.+)";
  JournalLabels labels = Make({{"__journal__comm", "mine"}}, {map});
  CHECK(labels.wants_all());
  CHECK(labels.Find(Fields({{"MESSAGE", "m"}, {"_COMM", "sshd"}, {"_PID", "7"}})).labels ==
        Labels{{"comm", "mine"}, {"pid", "7"}});
}

TEST_CASE("journal labels: what a rule compares with is read as well", "[journal]") {
  RelabelRule rule = Copy("__journal_a", "__journal_b");
  rule.action = RelabelAction::kDropEqual;
  JournalLabels labels = Make({{"job", "j"}}, {rule});
  CHECK(labels.wanted() == std::vector<std::string>{"A", "B"});
  CHECK(labels.Find(Fields({{"A", "x"}, {"B", "x"}})).outcome == Outcome::kDropped);
  CHECK(labels.Find(Fields({{"A", "x"}, {"B", "y"}})).outcome == Outcome::kLabels);
}

TEST_CASE("journal labels: what is known is bounded", "[journal]") {
  JournalLabels labels = Make({}, {Copy("__journal_message", "message")});
  const std::string long_text(100'000, 'x');
  for (int i = 0; i < 1000; ++i) {
    labels.Trim();
    CHECK(labels.Find(Fields({{"MESSAGE", long_text + std::to_string(i)}})).outcome ==
          Outcome::kLabels);
    REQUIRE(labels.known_bytes() < (std::size_t{2} << 20));
  }
}

}  // namespace agent
