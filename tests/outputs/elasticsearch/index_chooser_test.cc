#include "outputs/elasticsearch/index_chooser.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/clock.h"

namespace agent::elasticsearch {
namespace {

using Outcome = IndexChooser::Outcome;

std::string Named(std::string name) {
  MakeIndexName(name);
  return name;
}

ElasticsearchOptions WithIndex(const std::string& pattern) {
  ElasticsearchOptions options;
  options.index = *EventPattern::Parse(pattern);
  return options;
}

}  // namespace

TEST_CASE("index name: is made one that Elasticsearch takes", "[es]") {
  CHECK(Named("logs-2024.05.01") == "logs-2024.05.01");
  CHECK(Named("Logs") == "logs");
  CHECK(Named("l-ÜBER") == "l-über");
  CHECK(Named("a/b\\c*d?e\"f<g>h|i j,k#l:m") == "a_b_c_d_e_f_g_h_i_j_k_l_m");
  CHECK(Named("-_+x") == "x");
  CHECK(Named("..") == "unnamed");
  CHECK(Named("") == "unnamed");
  CHECK(Named("___") == "unnamed");
  CHECK(Named(std::string(300, 'x')).size() == 255);
  CHECK(Named("a\xff"
              "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(Named(std::string(254, 'x') + "ü").size() == 254);
}

TEST_CASE("index chooser: says what it had to do", "[es]") {
  const ElasticsearchOptions options = WithIndex("l-%{[app]}");
  IndexChooser chooser(options);
  CHECK(chooser.Choose({}, {{"app", "x"}}, 0) == Outcome::kAsIs);
  CHECK(chooser.name() == "l-x");
  CHECK(chooser.Choose({}, {{"app", "a b"}}, 0) == Outcome::kRepaired);
  CHECK(chooser.name() == "l-a_b");
  CHECK(chooser.Choose({}, {}, 0) == Outcome::kNone);
}

TEST_CASE("index chooser: the fallback is for a missing value, and for too many indices", "[es]") {
  ElasticsearchOptions options = WithIndex("l-%{[app]}");
  options.index_fallback = "others";
  options.max_indices_per_hour = 2;
  IndexChooser chooser(options);
  CHECK(chooser.Choose({}, {}, 0) == Outcome::kFallback);
  CHECK(chooser.name() == "others");
  CHECK(chooser.Choose({}, {{"app", "1"}}, 0) == Outcome::kAsIs);
  CHECK(chooser.Choose({}, {{"app", "2"}}, 0) == Outcome::kAsIs);
  CHECK(chooser.Choose({}, {{"app", "3"}}, 0) == Outcome::kFallback);
  CHECK(chooser.name() == "others");
  CHECK(chooser.Choose({}, {{"app", "1"}}, 0) == Outcome::kAsIs);
  const int64_t hour = 3600 * kNanosPerSecond;
  CHECK(chooser.Choose({}, {{"app", "3"}}, hour) == Outcome::kAsIs);
  CHECK(chooser.name() == "l-3");
}

TEST_CASE("index chooser: the first rule that fits decides", "[es]") {
  ElasticsearchOptions options = WithIndex("rest");
  options.indices.push_back({*EventPattern::Parse("errors"), "level", "error", std::nullopt});
  options.indices.push_back({*EventPattern::Parse("shop"), "labels.app", std::nullopt, "shop"});
  IndexChooser chooser(options);
  const auto index = [&chooser](const Labels& labels) {
    chooser.Choose({}, labels, 0);
    return std::string(chooser.name());
  };
  CHECK(index({{"level", "error"}, {"app", "my-shop"}}) == "errors");
  CHECK(index({{"level", "info"}, {"app", "my-shop-1"}}) == "shop");
  CHECK(index({{"level", "info"}}) == "rest");
}

}  // namespace agent::elasticsearch
