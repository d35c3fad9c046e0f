#include "outputs/elasticsearch/setup.h"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "outputs/elasticsearch/setup_bodies.h"

namespace agent::elasticsearch {
namespace {

using Outcome = SetupNote::Outcome;

HttpResponse Answer(int status, std::string body = "{}") {
  HttpResponse response;
  response.status = status;
  response.status_text = "Text";
  response.body = std::move(body);
  if (status == 0) response.error = "connection refused";
  return response;
}

const char* const kMissing = R"({"error":{"type":"resource_not_found_exception"},"status":404})";
const char* const kForbidden =
    R"({"error":{"type":"security_exception","reason":"no privilege"},"status":403})";

// With an alias: all there is.
SetupOptions Options(std::string version = "8.17") {
  SetupOptions options;
  options.version = std::move(version);
  options.index_template.name = "t";
  options.index_template.pattern = "logs-*";
  options.lifecycle.mode = LifecycleMode::kAuto;
  options.lifecycle.policy_name = "p q";
  options.lifecycle.rollover_alias = "logs";
  options.lifecycle.pattern = "{now/d}-000001";
  return options;
}

// Method and path of what is asked next; "" when nothing is.
std::string Asked(const Setup& setup) {
  const SetupCall call = setup.Call();
  return call.method.empty() ? "" : call.method + " " + call.path;
}

// What is asked, answered in turn.
std::vector<std::string> Run(Setup& setup, const std::vector<HttpResponse>& answers) {
  std::vector<std::string> asked;
  for (const HttpResponse& answer : answers) {
    asked.push_back(Asked(setup));
    setup.OnAnswer(answer);
  }
  return asked;
}

std::string Notes(const Setup& setup) {
  std::string text;
  for (const SetupNote& note : setup.notes())
    text += std::string(note.what) + " " + std::string(OutcomeName(note.outcome)) + "\n";
  return text;
}

TEST_CASE("setup: makes what is missing, in the order in which it is needed",
          "[elasticsearch][setup]") {
  Setup setup(Options(""));

  const auto asked =
      Run(setup, {Answer(200, R"({"version":{"number":"8.1.0"}})"), Answer(404, kMissing),
                  Answer(200), Answer(404), Answer(200), Answer(404, kMissing), Answer(200)});

  CHECK(asked == std::vector<std::string>{
                     "GET /", "GET /_ilm/policy/p%20q", "PUT /_ilm/policy/p%20q",
                     "GET /_index_template/t?filter_path=index_templates.name,error,status",
                     "PUT /_index_template/t?create=true", "GET /_alias/logs",
                     "PUT /%3Clogs-%7Bnow%2Fd%7D-000001%3E"});
  CHECK(setup.done());
  CHECK(Notes(setup) == "policy made\ntemplate made\nalias made\n");
  CHECK(setup.receiver() == "Elasticsearch 8.1.0");
  CHECK_FALSE(setup.anything_failed());
}

TEST_CASE("setup: asks only, where everything is there", "[elasticsearch][setup]") {
  Setup setup(Options());

  Run(setup, {Answer(200), Answer(200), Answer(200)});

  CHECK(setup.done());
  CHECK(Notes(setup) == "policy exists\ntemplate exists\nalias exists\n");
}

TEST_CASE("setup: what another agent makes at the same time is as good as ours",
          "[elasticsearch][setup]") {
  Setup setup(Options());
  const HttpResponse taken = Answer(
      400, R"({"error":{"type":"resource_already_exists_exception","reason":"already exists"}})");

  Run(setup, {Answer(404, kMissing), Answer(409), Answer(404), taken, Answer(404, kMissing), taken,
              Answer(200)});

  CHECK(setup.done());
  CHECK(Notes(setup) == "policy exists\ntemplate exists\nalias exists\n");
}

TEST_CASE("setup: a first index that is there without the alias is a failure that is named",
          "[elasticsearch][setup]") {
  Setup setup(Options());
  const HttpResponse taken = Answer(
      400, R"({"error":{"type":"resource_already_exists_exception","reason":"already exists"}})");

  Run(setup, {Answer(200), Answer(200), Answer(404, kMissing), taken, Answer(404, kMissing)});

  REQUIRE(setup.done());
  CHECK(setup.notes().back().outcome == Outcome::kRefused);
  CHECK_THAT(setup.notes().back().detail, Catch::Contains("<logs-{now/d}-000001> exists"));
}

TEST_CASE("setup: what is forbidden is noted, and the rest is done", "[elasticsearch][setup]") {
  Setup setup(Options(""));

  Run(setup, {Answer(403, kForbidden), Answer(403, kForbidden), Answer(403, kForbidden),
              Answer(404, kMissing), Answer(200)});

  CHECK(setup.done());
  CHECK(Notes(setup) == "policy forbidden\ntemplate forbidden\nalias made\n");
  CHECK(setup.notes()[0].detail == "403 security_exception: no privilege");
  CHECK(setup.anything_forbidden());
  CHECK(setup.receiver() == "Elasticsearch 8 (assumed)");
}

TEST_CASE("setup: an answer that says nothing is asked for again, and what was done is seen first",
          "[elasticsearch][setup]") {
  Setup setup(Options());
  for (const int status : {0, 408, 429, 500, 502, 503}) {
    CHECK_FALSE(setup.OnAnswer(Answer(status)));
    CHECK(Asked(setup) == "GET /_ilm/policy/p%20q");
  }
  Run(setup, {Answer(200), Answer(404)});
  CHECK_FALSE(setup.OnAnswer(Answer(0)));
  CHECK_THAT(Asked(setup), Catch::StartsWith("GET /_index_template/t"));

  Run(setup, {Answer(200), Answer(404, kMissing)});
  CHECK_FALSE(setup.OnAnswer(Answer(500)));

  CHECK(Asked(setup) == "GET /_alias/logs");
  Run(setup, {Answer(200)});
  CHECK(setup.done());
}

TEST_CASE("setup: a receiver without policies gets a template without one",
          "[elasticsearch][setup]") {
  const auto answer =
      GENERATE(Answer(400, R"({"error":"no handler found for uri [/_ilm/policy/p]"})"),
               Answer(400, R"({"error":{"type":"invalid_index_name_exception"}})"), Answer(405),
               Answer(410), Answer(404, "page not found"));
  Setup setup(Options());

  Run(setup, {answer, Answer(404)});

  CHECK(setup.Call().body.find("lifecycle") == std::string::npos);
  CHECK(Notes(setup) == "policy skipped\n");
  CHECK_FALSE(setup.anything_failed());

  SetupOptions insisting = Options();
  insisting.lifecycle.mode = LifecycleMode::kOn;
  Setup strict(insisting);
  Run(strict, {answer});
  CHECK(strict.anything_failed());
}

TEST_CASE("setup: overwrites when told, and what it does not check it does not make",
          "[elasticsearch][setup]") {
  SetupOptions options = Options("opensearch 2");
  options.index_template.overwrite = true;
  options.lifecycle.overwrite = true;
  Setup setup(options);

  const auto asked = Run(setup, {Answer(200, R"({"_seq_no":7,"_primary_term":2})"), Answer(200),
                                 Answer(200), Answer(200), Answer(200)});

  CHECK(asked[1] == "PUT /_plugins/_ism/policies/p%20q?if_seq_no=7&if_primary_term=2");
  CHECK(asked[3] == "PUT /_index_template/t");
  CHECK(Notes(setup) == "policy replaced\ntemplate replaced\nalias exists\n");

  options.lifecycle.check_exists = false;
  CHECK(Asked(Setup(options)) == "PUT /_plugins/_ism/policies/p%20q");
  options.lifecycle.overwrite = false;
  const Setup unchecked(options);
  CHECK(Notes(unchecked) == "policy skipped\n");
}

TEST_CASE("setup: nothing to make is nothing to ask", "[elasticsearch][setup]") {
  SetupOptions options;
  options.version = "9";
  options.index_template.enabled = false;

  const Setup setup(options);

  CHECK(setup.done());
}

TEST_CASE("setup: the product is known by what it says", "[elasticsearch][setup]") {
  struct Case {
    const char* body;
    bool opensearch;
    int major;
    int minor;
    const char* text;
  };
  const auto c = GENERATE(values<Case>({
      {R"({"version":{"number":"7.17.28"},"tagline":"You Know, for Search"})", false, 7, 17,
       "Elasticsearch 7.17.28"},
      {R"({"version":{"number":"2.19.1","distribution":"opensearch"}})", true, 2, 19,
       "OpenSearch 2.19.1"},
      {R"({"version":{"number":"7.10.2"},"tagline":"The OpenSearch Project: https://opensearch.org/"})",
       true, 2, 0, "OpenSearch 7.10.2"},
      {"{}", false, 8, 0, "Elasticsearch 8 (assumed)"},
      {"<html>", false, 8, 0, "Elasticsearch 8 (assumed)"},
      {"", false, 8, 0, "Elasticsearch 8 (assumed)"},
  }));
  INFO(c.body);

  const Product product = ParseProduct(c.body);

  CHECK(product.opensearch == c.opensearch);
  CHECK(product.major == c.major);
  CHECK(product.minor == c.minor);
  CHECK(product.text == c.text);
}

TEST_CASE("setup: a version in the configuration", "[elasticsearch][setup]") {
  for (const char* good : {"7", "8.17.0", "9.0", "opensearch", "opensearch 2", "opensearch-3.1"})
    CHECK(IsProduct(good));
  for (const char* bad : {"", "new", "opensearch x", "v8"})
    CHECK_FALSE(IsProduct(bad));
  CHECK(ProductOf("opensearch").major == 2);
  CHECK(ProductOf("opensearch-3.1").major == 3);
  CHECK(ProductOf("7.12").minor == 12);
}

TEST_CASE("setup: the policy has the words of the version", "[elasticsearch][setup]") {
  const auto body = [](const char* version) {
    return PolicyBody(Options(version), ProductOf(version));
  };
  CHECK_THAT(body("7.12"), Catch::Contains(R"("max_size":"50gb")"));
  CHECK_THAT(body("7.17"), Catch::Contains(R"("max_primary_shard_size":"50gb")"));
  CHECK_THAT(body("opensearch 1.3"), Catch::Contains(R"("min_size":"50gb")"));
  CHECK_THAT(body("opensearch 2"), Catch::Contains(R"("min_primary_shard_size":"50gb")"));

  SetupOptions own = Options();
  own.lifecycle.policy = R"({"phases":{"delete":{"policy":1}}})";
  CHECK(PolicyBody(own, {}) == R"({"policy":{"phases":{"delete":{"policy":1}}}})");
  own.lifecycle.policy = R"({"policy":{"phases":{}}})";
  CHECK(PolicyBody(own, {}) == own.lifecycle.policy);
}

TEST_CASE("setup: settings of the configuration win, and fields with dots are objects",
          "[elasticsearch][setup]") {
  SetupOptions options = Options();
  options.index_template.settings = {{"index.lifecycle.name", "theirs"},
                                     {"_source.enabled", "false"}};
  options.index_template.append_fields = {{"log.size", {{"type", "long"}, {"index", "false"}}}};

  const std::string body = TemplateBody(options, {}, /*with_policy=*/true);

  CHECK_THAT(body, Catch::Contains(R"("index.lifecycle.name":"theirs")"));
  CHECK(body.find("p q") == std::string::npos);
  CHECK_THAT(body, Catch::Contains(R"("_source":{"enabled":false})"));
  CHECK_THAT(body, Catch::Contains(R"("size":{"type":"long","index":false}})"));
  CHECK(body.find("data_stream\":{}") == std::string::npos);
}

}  // namespace
}  // namespace agent::elasticsearch
