#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "agent/config/effective_yaml.h"
#include "tests/agent/config/load.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

LoadedConfig LoadOutput(const std::string& keys) {
  return LoadText("outputs: [{name: a, elasticsearch: {" + keys + "}}]\n");
}

ElasticsearchConfig Read(const std::string& keys) {
  const LoadedConfig loaded = LoadOutput(keys);
  INFO(Errors(loaded));
  REQUIRE_FALSE(loaded.problems.has_errors());
  return *loaded.config.outputs.at(0).elasticsearch;
}

std::string ErrorsOf(const std::string& keys) {
  return Errors(LoadOutput(keys));
}

TEST_CASE("elasticsearch: hosts in every spelling become URLs", "[config][elasticsearch]") {
  struct Case {
    const char* host;
    const char* url;
  };
  const auto c = GENERATE(values<Case>({
      {"es", "http://es:9200"},
      {"es:443", "http://es:443"},
      {"'https://es/prefix/'", "https://es:9200/prefix"},
      {"'https://es:443/prefix'", "https://es:443/prefix"},
      {"10.0.0.1", "http://10.0.0.1:9200"},
      {"'[::1]'", "http://[::1]:9200"},
      {"'[::1]:9201'", "http://[::1]:9201"},
      {"'https://[fe80::1]/p'", "https://[fe80::1]:9200/p"},
      {"'https://u:p@[::1]'", "https://u:p@[::1]:9200"},
      {"'https://u:p@es'", "https://u:p@es:9200"},
      {"'https://u:p@es:1'", "https://u:p@es:1"},
  }));
  INFO(c.host);

  CHECK(Read("hosts: [" + std::string(c.host) + "]").hosts.at(0) == c.url);
}

TEST_CASE("elasticsearch: a cloud id is a host", "[config][elasticsearch]") {
  struct Case {
    const char* id;
    const char* url;
  };
  const auto c = GENERATE(values<Case>({
      // "eu.cloud.example$es1$kb1", with and without padding, and ports in either part.
      {"shop:ZXUuY2xvdWQuZXhhbXBsZSRlczEka2Ix", "https://es1.eu.cloud.example:443"},
      {"ZXUuY2xvdWQuZXhhbXBsZSRlczE=", "https://es1.eu.cloud.example:443"},
      {"a:ZXUuY2xvdWQuZXhhbXBsZSRlczE", "https://es1.eu.cloud.example:443"},
      // "cloud.example:9243$es1$kb1", "cloud.example:9243$es1:9244$".
      {"x:Y2xvdWQuZXhhbXBsZTo5MjQzJGVzMSRrYjE=", "https://es1.cloud.example:9243"},
      {"x:Y2xvdWQuZXhhbXBsZTo5MjQzJGVzMTo5MjQ0JA==", "https://es1.cloud.example:9244"},
  }));
  INFO(c.id);

  CHECK(Read("cloud_id: '" + std::string(c.id) + "'").hosts == std::vector<std::string>{c.url});
  CHECK(Read("cloud.id: '" + std::string(c.id) + "'").hosts == std::vector<std::string>{c.url});
}

TEST_CASE("elasticsearch: a cloud id that is none", "[config][elasticsearch]") {
  CHECK_THAT(ErrorsOf("cloud_id: 'shop:!!'"), Catch::Contains("not a cloud id"));
  CHECK_THAT(ErrorsOf("cloud_id: 'shop:bm90aGluZw=='"), Catch::Contains("not a cloud id"));
  CHECK_THAT(ErrorsOf("hosts: [a], cloud_id: 'x:ZXUuY2xvdWQuZXhhbXBsZSRlczE='"),
             Catch::Contains("either hosts or a cloud id"));
}

TEST_CASE("elasticsearch: without setup nothing is set up", "[config][elasticsearch]") {
  CHECK_FALSE(Read("hosts: [es]").setup.has_value());
  CHECK_FALSE(Read("hosts: [es], version: 8").setup.has_value());
}

TEST_CASE("elasticsearch: setup is named after where documents go", "[config][elasticsearch]") {
  struct Case {
    const char* keys;
    const char* name;
    const char* pattern;
    LifecycleMode mode;
  };
  const auto c = GENERATE(values<Case>({
      {"setup: {}", "log-agent", "log-agent-*", LifecycleMode::kOff},
      {"index: 'logs-%{[labels.app]}-%{+yyyy}', setup: {}", "logs", "logs-*", LifecycleMode::kOff},
      {"index: Plain, setup: {}", "plain", "plain", LifecycleMode::kOff},
      {"data_stream: {dataset: shop}, setup: {}", "logs-shop", "logs-shop-*", LifecycleMode::kAuto},
      {"setup: {ilm: {rollover_alias: shop}}", "shop", "shop-*", LifecycleMode::kAuto},
      {"setup: {ilm: {enabled: true}}", "log-agent", "log-agent-*", LifecycleMode::kOn},
      {"setup: {template: {name: t, pattern: 'x*'}}", "t", "x*", LifecycleMode::kOff},
  }));
  INFO(c.keys);

  const ElasticsearchSetup setup = *Read("hosts: [es], " + std::string(c.keys)).setup;

  CHECK(setup.index_template.name == c.name);
  CHECK(setup.index_template.pattern == c.pattern);
  CHECK(setup.lifecycle.policy_name == c.name);
  CHECK(setup.lifecycle.mode == c.mode);
}

TEST_CASE("elasticsearch: with an alias documents go to it alone", "[config][elasticsearch]") {
  const ElasticsearchConfig config = Read("hosts: [es], setup: {ilm: {rollover_alias: shop}}");

  CHECK(config.index == "shop");
  CHECK(config.require_alias);
  CHECK(config.setup->lifecycle.pattern == "{now/d}-000001");
}

TEST_CASE("elasticsearch: setup is the same in every spelling", "[config][elasticsearch]") {
  const ElasticsearchSetup want =
      *Read(
           "hosts: [es], setup: {template: {name: t, settings: {index: {a: 1, b: x}}}, "
           "ilm: {rollover_alias: r, pattern: '01'}}")
           .setup;
  const auto keys = GENERATE(
      "setup.template: {name: t, settings: {index.a: 1, index.b: x}}, setup.ilm: "
      "{rollover_alias: r, pattern: '01'}",
      "setup.template.name: t, setup.template.settings: {index.a: 1, index.b: x}, "
      "setup.ilm.rollover_alias: r, setup.ilm.pattern: '01'",
      "setup: {template.name: t, template.settings.index.a: 1, template.settings.index.b: x, "
      "ilm.rollover_alias: r, ilm.pattern: '01'}",
      "setup.template.settings.index: {a: 1, b: x}, setup: {template: {name: t}, "
      "ilm.rollover_alias: r}, setup.ilm: {pattern: '01'}");
  INFO(keys);

  CHECK(*Read("hosts: [es], " + std::string(keys)).setup == want);
}

TEST_CASE("elasticsearch: what does not go together in setup is told", "[config][elasticsearch]") {
  struct Case {
    const char* keys;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"setup: {ilm: {rollover_alias: r}}, index: i",
       "elasticsearch.index: with setup.ilm.rollover_alias all documents go to the alias"},
      {"setup: {ilm: {rollover_alias: r}}, data_stream: {}",
       "setup.ilm.rollover_alias: a data stream rolls over without an alias"},
      {"setup: {ilm: {rollover_alias: r, enabled: false}}", "has no effect with enabled: false"},
      {"setup: {ilm: {enabled: true}}, index: i", "an index with a policy needs an alias"},
      {"setup: {ilm: {enabled: perhaps}}", "setup.ilm.enabled"},
      {"setup: {ilm: {rollover_alias: 'R x'}}", "'R x' cannot be a name; such as r_x"},
      {"setup: {ilm: {rollover_alias: 'r-%{[a]}'}}", "has no values of entries in it"},
      {"setup: {ilm: {rollover_alias: r, pattern: '{now/d}'}}", "must end with a number"},
      {"setup: {ilm: {policy_file: /nowhere}}", "setup.ilm.policy_file"},
      {"setup: {template: {data_stream: false}}, data_stream: {}", "contradicts data_stream"},
      {"setup: {}, index: '%{[a]:b}'", "setup.template.pattern: missing"},
      {"setup: {template: {settings: {a: [1]}}}", "settings are texts, numbers, true or false"},
      {"setup: {template: {append_fields: [{name: a}]}}", "append_fields[0].type: missing"},
      {"setup: {template: {nmae: x}}", "did you mean 'name'"},
      {"setup.template.nmae: x", "did you mean 'setup.template.name'"},
      {"setup.template.name: x, setup: {template: {name: y}}", "is given twice"},
      {"version: newest", "'newest' is no version"},
  }));
  INFO(c.keys);

  CHECK_THAT(ErrorsOf("hosts: [es], " + std::string(c.keys)), Catch::Contains(c.want));
}

TEST_CASE("elasticsearch: setup beside outputs is told where it belongs",
          "[config][elasticsearch]") {
  CHECK_THAT(
      Errors(LoadText(kClients + "setup.ilm.enabled: true\n")),
      Catch::Contains("setup.ilm.enabled: is of an output; put it, as it is, under outputs"));
  CHECK_THAT(Warnings(LoadOutput("hosts: [es], setup.kibana.host: 'k:5601'")),
             Catch::Contains("no dashboards are made"));
}

TEST_CASE("elasticsearch: a policy of one's own comes from a file", "[config][elasticsearch]") {
  const TempDir dir;
  const std::string path = dir.path() + "/policy.json";
  const std::string keys =
      "hosts: [es], setup: {ilm: {rollover_alias: r, policy_file: " + path + "}}";
  std::ofstream(path) << R"({"phases": {}})";
  CHECK(Read(keys).setup->lifecycle.policy == R"({"phases": {}})");

  std::ofstream(path) << "phases:";

  CHECK_THAT(ErrorsOf(keys), Catch::Contains("is not a JSON object"));
}

TEST_CASE("elasticsearch: the effective configuration has the setup, and loads again",
          "[config][elasticsearch]") {
  const LoadedConfig loaded = LoadOutput(
      "hosts: [es], version: 7.17, setup: {template: {settings: {index.codec: x}, append_fields: "
      "[{name: a, type: long, index: false}]}, ilm: {rollover_alias: r, enabled: true}}");
  const std::string text = EffectiveYaml(loaded.config);
  INFO(text);

  const LoadedConfig again = LoadText(text);

  CHECK(Errors(again).empty());
  CHECK(again.config.outputs.at(0) == loaded.config.outputs.at(0));
}

TEST_CASE("outputs: no two of them share a folder for their buffer", "[config][buffer]") {
  const std::string other =
      "outputs: [{name: a, elasticsearch: {hosts: [x]}, buffer: {path: /b/one/}}";
  CHECK_THAT(
      Errors(LoadText("clients: [{name: main, url: 'http://l/p', buffer: {path: /b/./one}}]\n" +
                      other + "]\n")),
      Catch::Contains("outputs[0].buffer.path: a buffer is for one output: /b/one/ is "
                      "taken; by 'main'"));
  CHECK_THAT(Errors(LoadText(other + ", {name: b, elasticsearch: {hosts: [x]}, buffer: {path: "
                                     "/b//one}}]\n")),
             Catch::Contains("outputs[1].buffer.path: a buffer is for one output"));
  CHECK(Errors(LoadText(other + ", {name: b, elasticsearch: {hosts: [x]}, buffer: {path: "
                                "/b/two}}]\n"))
            .empty());
}

}  // namespace
}  // namespace agent
