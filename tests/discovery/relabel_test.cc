#include "discovery/relabel.h"

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "discovery/letter_case.h"
#include "discovery/md5.h"

namespace agent {
namespace {

using enum RelabelAction;

// "-" when the target was dropped.
std::string Relabeled(const std::vector<RelabelRule>& rules, Labels labels) {
  const auto relabeling = Relabeling::Compile(rules);
  INFO((relabeling.ok() ? "" : relabeling.error().message));
  REQUIRE(relabeling.ok());
  return (*relabeling)->Apply(labels) ? "-" : FormatLabels(labels);
}

RelabelRule Rule(RelabelAction action) {
  RelabelRule rule;
  rule.action = action;
  return rule;
}

RelabelRule Replace(std::vector<std::string> sources, std::string regex, std::string target,
                    std::string replacement) {
  RelabelRule rule = Rule(kReplace);
  rule.source_labels = std::move(sources);
  rule.regex = std::move(regex);
  rule.target_label = std::move(target);
  rule.replacement = std::move(replacement);
  return rule;
}

TEST_CASE("relabel: replace", "[relabel]") {
  const Labels labels = {{"a", "foo"}, {"b", "bar"}, {"c", "baz"}};
  struct Case {
    const char* name;
    RelabelRule rule;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"a reference to a group", Replace({"a"}, "f(.*)", "d", "ch${1}-ch${1}"),
       R"({a="foo", b="bar", c="baz", d="choo-choo"})"},
      {"joined with the separator", Replace({"a", "b"}, "foo;(.*)", "d", "$1"),
       R"({a="foo", b="bar", c="baz", d="bar"})"},
      {"an absent label counts as empty", Replace({"x", "b"}, ";(.*)", "d", "$1"),
       R"({a="foo", b="bar", c="baz", d="bar"})"},
      {"the whole text must match", Replace({"a"}, "o+", "d", "x"),
       R"({a="foo", b="bar", c="baz"})"},
      {"an empty result removes the target", Replace({"a"}, "(f).*", "b", "$2"),
       R"({a="foo", c="baz"})"},
      {"a constant", Replace({}, "(.*)", "d", "value"),
       R"({a="foo", b="bar", c="baz", d="value"})"},
      {"an empty constant removes", Replace({}, "(.*)", "a", ""), R"({b="bar", c="baz"})"},
      {"an explicit empty expression matches the empty text only", Replace({"a"}, "", "d", "x"),
       R"({a="foo", b="bar", c="baz"})"},
      {"a target from a group", Replace({"a", "b"}, "(.*);(.*)", "${1}_x", "$2"),
       R"({a="foo", b="bar", c="baz", foo_x="bar"})"},
      {"an invalid expanded target changes nothing", Replace({"a", "b"}, "(.*);(.*)", "${3}", "$2"),
       R"({a="foo", b="bar", c="baz"})"},
      {"$1x is the group called 1x", Replace({"a"}, "(.*)", "b", "$1x"), R"({a="foo", c="baz"})"},
      {"named groups", Replace({"a"}, "(?P<first>.)(?<rest>.*)", "d", "$rest$first"),
       R"({a="foo", b="bar", c="baz", d="oof"})"},
  }));
  INFO(c.name);

  CHECK(Relabeled({c.rule}, labels) == c.want);
}

TEST_CASE("relabel: the dot matches a newline", "[relabel]") {
  CHECK(Relabeled({Replace({"a"}, "x(.*)", "b", "$1")}, {{"a", "x\ny"}}) ==
        R"({a="x\ny", b="\ny"})");
}

TEST_CASE("relabel: keep and drop", "[relabel]") {
  RelabelRule keep = Rule(kKeep);
  keep.source_labels = {"app"};
  keep.regex = "web|db";
  RelabelRule drop = keep;
  drop.action = kDrop;

  CHECK(Relabeled({keep}, {{"app", "web"}}) == R"({app="web"})");
  CHECK(Relabeled({keep}, {{"app", "webx"}}) == "-");
  CHECK(Relabeled({keep}, {}) == "-");
  CHECK(Relabeled({drop}, {{"app", "web"}}) == "-");
  CHECK(Relabeled({drop}, {{"app", "webx"}}) == R"({app="webx"})");
}

TEST_CASE("relabel: keepequal and dropequal", "[relabel]") {
  RelabelRule keep = Rule(kKeepEqual);
  keep.source_labels = {"port"};
  keep.target_label = "wanted";
  RelabelRule drop = keep;
  drop.action = kDropEqual;
  const Labels equal = {{"port", "80"}, {"wanted", "80"}};
  const Labels different = {{"port", "80"}, {"wanted", "81"}};

  CHECK(Relabeled({keep}, equal) != "-");
  CHECK(Relabeled({keep}, different) == "-");
  CHECK(Relabeled({drop}, equal) == "-");
  CHECK(Relabeled({drop}, different) != "-");
}

TEST_CASE("relabel: hashmod gives the number that everybody gives", "[relabel]") {
  RelabelRule rule = Rule(kHashMod);
  rule.source_labels = {"c"};
  rule.target_label = "d";
  rule.separator = ";";
  rule.modulus = 1000;

  CHECK(Relabeled({rule}, {{"c", "baz"}}) == R"({c="baz", d="976"})");
  CHECK(Relabeled({rule}, {{"c", "foo\nbar"}}) == R"({c="foo\nbar", d="734"})");
}

TEST_CASE("relabel: labelmap copies labels by their names", "[relabel]") {
  RelabelRule rule = Rule(kLabelMap);
  rule.regex = "__meta_(my.*)";
  const Labels labels = {
      {"a", "foo"}, {"__meta_my_bar", "aaa"}, {"__meta_my_baz", "bbb"}, {"__meta_other", "ccc"}};

  CHECK(Relabeled({rule}, labels) ==
        R"({__meta_my_bar="aaa", __meta_my_baz="bbb", __meta_other="ccc", a="foo", )"
        R"(my_bar="aaa", my_baz="bbb"})");
  rule.replacement = "new_$1";
  rule.regex = "(a)";
  CHECK(Relabeled({rule}, {{"a", "1"}}) == R"({a="1", new_a="1"})");
}

TEST_CASE("relabel: labeldrop and labelkeep look at names", "[relabel]") {
  RelabelRule drop = Rule(kLabelDrop);
  drop.regex = "b.*";
  RelabelRule keep = drop;
  keep.action = kLabelKeep;
  const Labels labels = {{"a", "1"}, {"b", "2"}, {"b1", "3"}, {"ab", "4"}};

  CHECK(Relabeled({drop}, labels) == R"({a="1", ab="4"})");
  CHECK(Relabeled({keep}, labels) == R"({b="2", b1="3"})");
}

TEST_CASE("relabel: letter case", "[relabel]") {
  RelabelRule lower = Rule(kLowercase);
  lower.source_labels = {"a"};
  lower.target_label = "b";
  RelabelRule upper = lower;
  upper.action = kUppercase;
  upper.target_label = "c";

  CHECK(Relabeled({lower, upper}, {{"a", "bAr123Foo"}}) ==
        R"({a="bAr123Foo", b="bar123foo", c="BAR123FOO"})");
  CHECK(ToLowercase("ÀÉ日") == "àé日");
  CHECK(ToUppercase("àéß\xff") == "ÀÉß\xef\xbf\xbd");
}

TEST_CASE("relabel: rules run in order, and a drop ends it", "[relabel]") {
  RelabelRule drop = Rule(kDrop);
  drop.source_labels = {"b"};
  drop.regex = "x.*";
  const auto relabeling = Relabeling::Compile({Replace({"a"}, "(.*)", "b", "x$1"), drop,
                                               Replace({}, "(.*)", "c", "never")})
                              .value();
  Labels labels = {{"a", "1"}};

  CHECK(relabeling->Apply(labels) == 1);
  CHECK(FormatLabels(labels) == R"({a="1", b="x1"})");
  CHECK(relabeling->Describe(1) == "relabel_configs[1] (action drop)");
}

TEST_CASE("relabel: empty labels are no labels", "[relabel]") {
  CHECK(Relabeled({}, {{"a", ""}, {"b", "1"}}) == R"({b="1"})");
}

TEST_CASE("relabel: what breaks the rules of an action is refused", "[relabel]") {
  struct Case {
    RelabelAction action;
    void (*change)(RelabelRule&);
    const char* field;  // Empty: valid.
  };
  const auto c = GENERATE(values<Case>({
      {kReplace, [](RelabelRule&) {}, "target_label"},
      {kReplace, [](RelabelRule& r) { r.target_label = "a-b"; }, "target_label"},
      {kReplace, [](RelabelRule& r) { r.target_label = "${1}_b"; }, ""},
      {kReplace, [](RelabelRule& r) { r.target_label = "1$1"; }, "target_label"},
      {kReplace, [](RelabelRule& r) { r.target_label = "a", r.regex = "("; }, "regex"},
      {kKeep, [](RelabelRule&) {}, ""},
      {kKeep, [](RelabelRule& r) { r.regex = "a)(b"; }, ""},
      {kHashMod, [](RelabelRule& r) { r.target_label = "a"; }, "modulus"},
      {kHashMod, [](RelabelRule& r) { r.modulus = 3; }, "target_label"},
      {kKeepEqual, [](RelabelRule& r) { r.target_label = "a", r.regex = "x"; }, "regex"},
      {kDropEqual, [](RelabelRule& r) { r.target_label = "a", r.separator = "x"; }, "separator"},
      {kLowercase, [](RelabelRule& r) { r.target_label = "a", r.replacement = "x"; },
       "replacement"},
      {kLowercase, [](RelabelRule& r) { r.target_label = "$1"; }, "target_label"},
      {kLabelDrop, [](RelabelRule& r) { r.source_labels = {"a"}; }, "source_labels"},
      {kLabelKeep, [](RelabelRule& r) { r.modulus = 1; }, "modulus"},
      {kLabelMap, [](RelabelRule& r) { r.replacement = "a b"; }, "replacement"},
      {kLabelMap, [](RelabelRule&) {}, ""},
  }));
  RelabelRule rule = Rule(c.action);
  c.change(rule);
  INFO(RelabelActionName(c.action) << " " << c.field);

  const auto problem = CheckRelabelRule(rule);

  CHECK((problem ? problem->field : "") == c.field);
  CHECK(Relabeling::Compile({rule}).ok() == !problem);
}

TEST_CASE("relabel: the rules of the usual Kubernetes chart", "[relabel]") {
  const std::vector<RelabelRule> rules = {
      Replace({"__meta_controller"}, "([0-9a-z-.]+?)(-[0-9a-f]{8,10})?", "__tmp_controller", "$1"),
      Replace({"__meta_label_name", "__meta_label_app", "__tmp_controller", "__meta_pod"},
              "^;*([^;]+)(;.*)?$", "app", "$1"),
      Replace({"__meta_label_instance"}, "^;*([^;]+)(;.*)?$", "instance", "$1"),
  };

  CHECK(Relabeled(rules, {{"__meta_controller", "shop-5d4f8c7b9a"}, {"__meta_pod", "p"}}) ==
        R"({__meta_controller="shop-5d4f8c7b9a", __meta_pod="p", __tmp_controller="shop", )"
        R"(app="shop"})");
}

TEST_CASE("relabel: ten thousand targets in less than a second", "[relabel]") {
  std::vector<RelabelRule> rules(12, Replace({"a", "b"}, "^;*([^;]+)(;.*)?$", "app", "$1"));
  const auto relabeling = Relabeling::Compile(rules).value();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) {
    Labels labels = {{"a", "target"}, {"b", std::to_string(i)}};
    REQUIRE_FALSE(relabeling->Apply(labels));
  }
  // Ten times what it takes where nothing else runs, and this build is not optimised.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
}

TEST_CASE("md5: the examples of RFC 1321", "[relabel]") {
  const auto hex = [](std::string_view text) {
    std::string out;
    for (const uint8_t byte : Md5(text)) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
    return out;
  };
  CHECK(hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(hex("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK(hex("12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
        "57edf4a22be3c955ac49da2e2107b67a");
}

}  // namespace
}  // namespace agent
