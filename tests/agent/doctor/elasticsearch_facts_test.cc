#include "agent/doctor/elasticsearch_facts.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/doctor/fetch.h"
#include "tests/agent/doctor/doctor_bed.h"

namespace agent::doctor {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using Strings = std::vector<std::string>;

const char* const kWatermarks =
    R"({"defaults":{"cluster.routing.allocation.disk.watermark.low":"85%",
        "cluster.routing.allocation.disk.watermark.flood_stage":"95%","cluster.max_shards_per_node":"1000",
        "action.auto_create_index":"true"}})";

}  // namespace

TEST_CASE("doctor Elasticsearch: names that documents may go to", "[doctor]") {
  ElasticsearchConfig config;
  config.index = "logs-%{[labels.app]}%{[labels.env]}-%{+yyyy.MM.dd}";
  config.indices.push_back({"errors", "level", "error", std::nullopt});
  config.index_fallback = "errors";

  CHECK_THAT(IndexPatterns(config), Equals(Strings{"logs-*-*", "errors"}));

  config.data_stream = DataStreamConfig{};
  CHECK_THAT(IndexPatterns(config), Equals(Strings{"logs-generic-default"}));
}

TEST_CASE("doctor Elasticsearch: health and shards", "[doctor]") {
  struct Case {
    const char* health;
    Strings want;
  };
  const auto c = GENERATE(values<Case>({
      {R"({"cluster_name":"a","status":"green","number_of_data_nodes":1,"active_shards":10})", {}},
      {R"({"cluster_name":"a","status":"yellow","number_of_data_nodes":1,"active_shards":10})",
       {"note elasticsearch.health"}},
      {R"({"cluster_name":"a","status":"red","number_of_data_nodes":1,"active_shards":10})",
       {"failure elasticsearch.health"}},
      {R"({"cluster_name":"a","status":"green","number_of_data_nodes":1,"active_shards":950})",
       {"warning elasticsearch.shards"}},
      {"<html>", {}},
  }));
  INFO(c.health);
  Findings findings;

  ReportHealth(ParseAnswer(c.health), ParseAnswer(kWatermarks), Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(c.want));
}

TEST_CASE("doctor Elasticsearch: rights that are missing are named", "[doctor]") {
  const std::string answer =
      R"({"username":"shipper","has_all_requested":false,"cluster":{"manage_index_templates":false},
          "index":{"logs-*":{"create_doc":false,"auto_configure":true}},"application":{}})";
  Findings findings;

  ReportPrivileges(ParseAnswer(answer), Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure elasticsearch.privileges",
                                                  "warning elasticsearch.privileges"}));
  CHECK_THAT(FindingOf(findings, "elasticsearch.privileges").text,
             Contains("shipper has no right to create_doc at logs-*"));
}

TEST_CASE("doctor Elasticsearch: all rights are there, or nothing is known of them", "[doctor]") {
  Findings findings;

  ReportPrivileges(ParseAnswer(R"({"username":"a","has_all_requested":true})"),
                   Group(findings, "Output"));
  ReportPrivileges(ParseAnswer(R"({"error":"no handler found"})"), Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(Strings{}));
}

TEST_CASE("doctor Elasticsearch: disks against the watermarks", "[doctor]") {
  struct Case {
    const char* available;
    Strings want;
  };
  const auto c = GENERATE(values<Case>({{"500", {}},
                                        {"100", {"warning elasticsearch.disk"}},
                                        {"40", {"failure elasticsearch.disk"}}}));
  INFO(c.available);
  const std::string stats = std::string(R"({"nodes":{"x":{"name":"n","fs":{"total":)") +
                            R"({"total_in_bytes":1000,"available_in_bytes":)" + c.available +
                            "}}}}}";
  Findings findings;

  ReportDisks(ParseAnswer(stats), ParseAnswer(kWatermarks), Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(c.want));
}

TEST_CASE("doctor Elasticsearch: an index that is blocked, with the call that opens it",
          "[doctor]") {
  const std::string settings =
      R"({"logs-1":{"settings":{"index.blocks.read_only_allow_delete":"true","index.x":"true"}}})";
  Findings findings;

  ReportBlocks(ParseAnswer(settings), Group(findings, "Output"));

  CHECK_THAT(Complaints(findings), Equals(Strings{"failure elasticsearch.block"}));
  CHECK_THAT(FindingOf(findings, "elasticsearch.block").fix,
             Contains(R"(PUT logs-1/_settings {"index.blocks.read_only_allow_delete": null})"));
}

TEST_CASE("doctor Elasticsearch: indices that are not made by themselves", "[doctor]") {
  const ElasticsearchConfig config;
  Findings off;
  Findings on;

  ReportAutoCreate(ParseAnswer(R"({"persistent":{"action.auto_create_index":"false"}})"), config,
                   {"logs-*"}, ConfigNode(), Group(off, "Output"));
  ReportAutoCreate(ParseAnswer(kWatermarks), config, {"logs-*"}, ConfigNode(), Group(on, "Output"));

  CHECK_THAT(Complaints(off), Equals(Strings{"warning elasticsearch.auto_create"}));
  CHECK_THAT(Complaints(on), Equals(Strings{}));
}

}  // namespace agent::doctor
