#include "agent/convert/filebeat.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "agent/config/loader.h"
#include "agent/stage_check.h"

namespace agent::convert {
namespace {

using enum FindingKind;

const std::string kOutput = "output.logstash.hosts: [stash:5044]\n";

Conversion Convert(const std::string& text) {
  return ConvertFilebeat("/etc/filebeat.yml", text);
}

std::string Input(const std::string& keys) {
  return "filebeat.inputs:\n- type: log\n  paths: [/var/log/a.log]\n" + keys + kOutput;
}

// What was written loads, with its stages and rules.
void CheckLoads(const Conversion& conversion) {
  Flags flags;
  flags.expand_env = conversion.text.find("-config.expand-env") != std::string::npos;
  const LoadedConfig loaded =
      LoadConfigText("out.yaml", conversion.text, flags, CheckStages,
                     [](const std::string& /*name*/) { return std::nullopt; });
  INFO(conversion.text);
  INFO(loaded.problems.Format(/*color=*/false));
  CHECK_FALSE(loaded.problems.has_errors());
}

bool Says(const Conversion& conversion, FindingKind kind, const std::string& key) {
  return std::any_of(
      conversion.findings.begin(), conversion.findings.end(),
      [&](const Finding& finding) { return finding.kind == kind && finding.key == key; });
}

bool Has(const Conversion& conversion, const std::string& part) {
  return conversion.text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("filebeat: files and an output, field for field", "[convert]") {
  const Conversion conversion =
      Convert(Input("  fields: {service: shop}\n  tags: [a]\n  json.keys_under_root: true\n"
                    "  json.add_error_key: true\n") +
              "output.logstash.compression_level: 3\n");

  CHECK(conversion.text ==
        "# Made from filebeat.yml of Filebeat.\n\n"
        "positions:\n  filename: /var/lib/log-agent/positions.yaml\n\n"
        "outputs:\n"
        "  - name: logstash\n"
        "    logstash:\n"
        "      hosts: ['stash:5044']\n"
        "      compression_level: 3\n"
        "      index: filebeat\n"
        "      document:\n"
        "        json: {keys_under_root: true, add_error_key: true, drop_line: true}\n"
        "        tags: [a]\n"
        "        add: {input.type: log, fields.service: shop}\n"
        "        remove: [labels.filename]\n\n"
        "scrape_configs:\n"
        "  - job_name: log\n"
        "    static_configs:\n"
        "      - {targets: [localhost], labels: {__path__: /var/log/a.log}}\n"
        "    pipeline_stages:\n"
        "      - drop: {expression: '^$', drop_counter_reason: empty_line}\n");
  CHECK(CountOf(conversion.findings, kNoEquivalent) == 0);
  CheckLoads(conversion);
}

TEST_CASE("filebeat: dotted and nested names are the same", "[convert]") {
  const Conversion dotted = Convert("filebeat.inputs:\n- type: log\n  paths: [/a]\n" + kOutput);
  const Conversion nested = Convert(
      "filebeat:\n  inputs:\n  - {type: log, paths: /a}\noutput: {logstash: {hosts: "
      "stash:5044}}\n");

  CHECK(dotted.text == nested.text);
}

TEST_CASE("filebeat: nothing is dropped in silence", "[convert]") {
  const Conversion conversion =
      Convert(Input("  what.is.this: 1\n  json: {keys_under_root: true, odd: 2}\n") +
              "output.logstash.proxy_url: socks5://p\nother: {a: 1, b: [2]}\n");

  CHECK(Says(conversion, kNoEquivalent, "filebeat.inputs[0].what"));
  CHECK(Says(conversion, kNoEquivalent, "filebeat.inputs[0].json.odd"));
  CHECK(Says(conversion, kNoEquivalent, "output.logstash.proxy_url"));
  CHECK(Says(conversion, kNoEquivalent, "other"));
  CHECK(CountOf(conversion.findings, kNoEquivalent) == 4);
  CHECK(conversion.findings[0].place.line > 0);
}

TEST_CASE("filebeat: what belongs to one input alone is a label, and stands where it did",
          "[convert]") {
  const Conversion conversion = Convert(
      "filebeat.inputs:\n"
      "- {type: log, id: a, paths: [/a], fields: {app.tier: x}, fields_under_root: true}\n"
      "- {type: log, id: b, paths: [/b], fields: {n: 7, quoted: '7'}}\n" +
      kOutput + "fields: {env: prod}\n");

  CHECK(Has(conversion, "labels: {__path__: /a, app_tier: x}"));
  CHECK(Has(conversion, "labels.app_tier: app.tier"));
  CHECK(Has(conversion, "fields_quoted: '7'"));
  CHECK(Has(conversion, "- template: {source: fields.n, template: '7'}"));
  CHECK(Has(conversion, "'fields.n:int'"));
  CheckLoads(conversion);
}

TEST_CASE("filebeat: inputs whose documents differ have outputs of their own", "[convert]") {
  const Conversion conversion = Convert(
      "filebeat.inputs:\n- {type: log, paths: [/a], tags: [x]}\n- {type: log, paths: [/b]}\n" +
      kOutput);

  CHECK(Has(conversion, "- name: logstash\n"));
  CHECK(Has(conversion, "- name: logstash-2\n"));
  CHECK(Has(conversion, "job_name: log-2\n    outputs: [logstash-2]"));
  CheckLoads(conversion);
}

TEST_CASE("filebeat: multiline of both kinds", "[convert]") {
  CHECK(Has(Convert(Input("  multiline: {pattern: '^\\[', negate: true, match: after}\n")),
            "- multiline: {firstline: '^\\[', max_wait_time: 5s, max_lines: 500}"));
  const Conversion continued = Convert(
      Input("  multiline.pattern: '^\\s'\n  multiline.match: after\n  multiline.timeout: 2s\n"));
  CHECK(Has(continued, "- multiline: {continuation: '^\\s', max_wait_time: 2s, max_lines: 500}"));
  CheckLoads(continued);
  for (const char* other : {"{pattern: x, match: before}", "{type: count, count_lines: 3}",
                            "{pattern: x, "
                            "flush_pattern: y}"}) {
    INFO(other);
    CHECK(CountOf(Convert(Input("  multiline: " + std::string(other) + "\n")).findings,
                  kNoEquivalent) > 0);
  }
}

TEST_CASE("filebeat: lines are chosen and files left out", "[convert]") {
  const Conversion conversion =
      Convert(Input("  include_lines: ['^ERR', '\"x']\n  exclude_lines: ['^DBG']\n"
                    "  exclude_files: ['\\.gz$', 'a.*b']\n"));

  CHECK(Has(conversion, R"x(selector: '{filename=~".*"} !~ "(?:^ERR)|(?:\"x)"')x"));
  CHECK(Has(conversion, "drop: {expression: '^DBG', drop_counter_reason: exclude_lines}"));
  CHECK(Has(conversion, "__path_exclude__: /**/*.gz"));
  CHECK(Says(conversion, kDiffers, "filebeat.inputs[0].exclude_files"));
  CheckLoads(conversion);
}

TEST_CASE("filebeat: conditions of drop_event", "[convert]") {
  struct Case {
    const char* when;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"contains: {message: 'a.b'}", R"(expression: 'a\.b')"},
      {"equals.message: x", "drop: {source: message, value: x, "},
      {"regexp: {level: '^d'}", "drop: {source: level, expression: '^d', "},
      {"equals: {http.code: 200}", "drop: {source: http.code, value: '200', "},
      {"or: [{equals: {level: a}}, {equals: {level: b}}]", "drop: {source: level, value: b, "},
      {"not: {equals: {level: a}}", R"((not (eq (default "" (index . "level")) "a")))"},
      {"range: {code: {gte: 400}}",
       R"((ge (float64 (default "" (index . "code"))) (float64 "400")))"},
      {"has_fields: [user]", R"((ne (default "" (index . "user")) ""))"},
      {"and: [{equals: {a: x}}, {contains: {b: y}}]",
       R"((contains "y" (default "" (index . "b")))"},
      {"equals: {fields.env: prod}", R"((eq "prod" "prod"))"},
  }));
  INFO(c.when);

  const Conversion conversion =
      Convert(Input("  json: {keys_under_root: true}\n  fields: {env: prod}\n  processors:\n"
                    "  - drop_event: {when: {" +
                    std::string(c.when) + "}}\n"));

  INFO(conversion.text);
  CHECK(Has(conversion, c.want));
  CHECK(CountOf(conversion.findings, kNoEquivalent) == 0);
  CheckLoads(conversion);
}

TEST_CASE("filebeat: a condition on what nobody knows is said, and drops nothing", "[convert]") {
  const Conversion conversion =
      Convert(Input("  processors:\n  - drop_event.when.equals.nobody.knows: x\n"));

  CHECK(CountOf(conversion.findings, kNoEquivalent) > 0);
  CHECK_FALSE(Has(conversion, "drop_event"));
}

TEST_CASE("filebeat: processors", "[convert]") {
  struct Case {
    const char* processor;
    const char* want;
  };
  const auto c = GENERATE(values<Case>({
      {"add_fields: {target: '', fields: {a.b: c}}", "a.b: c"},
      {"add_fields: {fields: {a: c}}", "fields.a: c"},
      {"add_labels: {labels: {a.b: c}}", "labels.a_b: c"},
      {"add_tags: {tags: [x, z]}", "tags: [x, z]"},
      {"drop_fields: {fields: [log.offset, '@timestamp']}",
       "remove: [labels.filename, log.offset]"},
      {"rename: {fields: [{from: a, to: b.c}]}", "rename: {a: b.c}"},
      {"copy_fields: {fields: [{from: message, to: event.original}]}",
       "template: {source: event.original, template: '{{ .Entry }}'}"},
      {"truncate_fields: {fields: [message], max_bytes: 99}", "max_message_size: 99"},
      {"rate_limit: {limit: 600/m}", "limit: {rate: 10.000000, burst: 600, drop: true}"},
      {"dissect: {tokenizer: '%{a} %{b|integer}'}",
       "pattern: '^%{DATA:[dissect][a]} %{GREEDYDATA:[dissect][b]:int}$'"},
      {"decode_json_fields: {fields: [message], target: ''}", "json: {keys_under_root: true}"},
      {"decode_json_fields: {fields: [message], target: j}", "json: j"},
      {"timestamp: {field: message, layouts: [UNIX_MS]}", "format: UnixMs"},
  }));
  INFO(c.processor);

  const Conversion conversion =
      Convert(Input("  processors:\n  - " + std::string(c.processor) + "\n"));

  INFO(conversion.text);
  INFO(FormatFindings("f", conversion.findings, false));
  CHECK(Has(conversion, c.want));
  CHECK(CountOf(conversion.findings, kNoEquivalent) == 0);
  CheckLoads(conversion);
}

TEST_CASE("filebeat: processors that have no equivalent are named", "[convert]") {
  const auto* const processor = GENERATE(
      "script: {lang: javascript}", "include_fields: {fields: [a]}", "add_cloud_metadata: ~",
      "fingerprint: {fields: [a]}", "nobody_knows: {a: 1}", "dissect: {tokenizer: '%{+a} %{b}'}",
      "drop_event: {}", "add_tags: {tags: [x], when: {equals: {message: y}}}",
      "decode_json_fields: {fields: [other], target: ''}");
  INFO(processor);

  const Conversion conversion =
      Convert(Input("  processors:\n  - " + std::string(processor) + "\n"));

  CHECK(CountOf(conversion.findings, kNoEquivalent) == 1);
  CheckLoads(conversion);
}

TEST_CASE("filebeat: containers of Docker and Kubernetes", "[convert]") {
  const Conversion docker = Convert(
      "filebeat.inputs:\n- type: container\n  paths: ['/var/lib/docker/containers/*/*.log']\n"
      "  stream: stderr\nprocessors: [{add_docker_metadata: ~}]\n" +
      kOutput);
  const Conversion pods = Convert(
      "filebeat.inputs:\n- type: container\n  paths: ['/var/log/containers/web-*_shop_*.log']\n"
      "  processors: [{add_kubernetes_metadata: {host: x}}]\n" +
      kOutput);
  const Conversion files = Convert(
      "filebeat.inputs:\n- type: container\n  paths: ['/var/log/containers/*.log']\n" + kOutput);

  CHECK(Has(docker, "docker_sd_configs"));
  CHECK(Has(docker, "regex: stderr"));
  CheckLoads(docker);
  CHECK(Has(pods, "kubernetes_sd_configs"));
  CHECK(Has(pods, "regex: web-.*"));
  CHECK(Has(pods, "regex: shop"));
  CheckLoads(pods);
  CHECK(Has(files, "__path__: /var/log/containers/*.log"));
  CHECK(Has(files,
            "- docker: {}\n      - replace: {expression: '(\\n)$', replace: ''}\n      - cri: {}"));
  CheckLoads(files);
}

TEST_CASE("filebeat: autodiscovery by hints and by conditions", "[convert]") {
  const Conversion hints = Convert(
      "filebeat.autodiscover.providers:\n- {type: kubernetes, hints.enabled: true}\n" + kOutput);
  const Conversion chosen = Convert(
      "filebeat.autodiscover.providers:\n- type: docker\n  templates:\n"
      "  - condition.contains.docker.container.labels.app: web\n"
      "    config: [{type: container, exclude_lines: ['^x']}]\n"
      "  - condition.contains.docker.container.image: redis\n"
      "    config: [{type: container}]\n" +
      kOutput);

  CHECK(Has(hints, "co_elastic_logs_enabled"));
  CheckLoads(hints);
  CHECK(Has(chosen, "regex: '.*web.*'"));
  CHECK(Says(chosen, kNoEquivalent, "filebeat.autodiscover.providers[0].templates[1].condition"));
  CHECK_FALSE(Has(chosen, "docker-2"));
  CheckLoads(chosen);
}

TEST_CASE("filebeat: variables have our form, and nothing else is expanded", "[convert]") {
  const Conversion conversion =
      Convert(Input("  exclude_lines: ['a\\\\b$${c}', 'x\\/y', '\\d+']\n") +
              "output.logstash.index: ${IDX:logs}\nname: ${HOST}\n");

  CHECK(Has(conversion, "# Start with -config.expand-env=true."));
  CHECK(Has(conversion, "index: '${IDX:-logs}'"));
  CHECK(Has(conversion, "agent.name: '${HOST}'"));
  Flags flags;
  flags.expand_env = true;
  const LoadedConfig loaded = LoadConfigText(
      "out.yaml", conversion.text, flags, CheckStages,
      [](const std::string& name) { return name == "HOST" ? std::optional("h") : std::nullopt; });
  INFO(conversion.text);
  INFO(loaded.problems.Format(false));
  CHECK_FALSE(loaded.problems.has_errors());
  REQUIRE(loaded.config.outputs.size() == 1);
  CHECK(loaded.config.outputs[0].logstash->index == "logs");
}

TEST_CASE("filebeat: Elasticsearch with template, alias and ids", "[convert]") {
  const Conversion index = Convert(
      "filebeat.inputs: [{type: log, paths: [/a], fields: {app: web}}]\noutput.elasticsearch:\n"
      "  hosts: ['https://es:9200']\n  index: '%{[fields.app]}-%{[agent.version]}-%{+yyyy.MM}'\n"
      "  indices: [{index: w, when.contains: {message: WARN}}]\n"
      "  ssl: {verification_mode: none, certificate_authorities: [/ca.pem]}\n"
      "  headers: {X-A: b}\n  worker: 2\n  backoff.init: 2s\n"
      "setup.template: {name: web, pattern: 'web-*', settings: {index.number_of_shards: 1}}\n");
  const Conversion alias = Convert(
      "filebeat.inputs: [{type: log, paths: [/a]}]\noutput.elasticsearch.hosts: [es:9200]\n"
      "setup.ilm: {enabled: true, rollover_alias: logs, pattern: '{now/d}-000001'}\n");

  CHECK(Has(index, "index: 'web-%{+yyyy.MM}'"));
  CHECK(Has(index, "workers: 2"));
  CheckLoads(index);
  CHECK(Has(alias, "rollover_alias: logs"));
  CHECK_FALSE(Has(alias, "index: filebeat"));
  CheckLoads(alias);
}

TEST_CASE("filebeat: a name that stands for itself is put in once", "[convert]") {
  const Conversion conversion = Convert(
      "filebeat.inputs: [{type: log, paths: [/a], fields: {a: 'x%{[fields.a]}'}}]\n"
      "output.elasticsearch: {hosts: [es:9200], index: '%{[fields.a]}-y'}\n");

  CHECK(Has(conversion, "index: 'x%{[fields.a]}-y'"));
}

TEST_CASE("filebeat: other outputs", "[convert]") {
  const std::string inputs = "filebeat.inputs: [{type: log, paths: [/a]}]\n";
  const Conversion file = Convert(inputs + "output.file: {path: /out, filename: all}\n");
  const Conversion console = Convert(inputs + "output.console.pretty: true\n");
  const Conversion kafka = Convert(inputs + "output.kafka: {hosts: [k:9092], topic: t}\n");

  CHECK(Has(file, "path: /out/all.ndjson"));
  CheckLoads(file);
  CHECK(Has(console, "stdout:"));
  CheckLoads(console);
  CHECK(Says(kafka, kNoEquivalent, "output.kafka"));
  CHECK(Says(kafka, kNoEquivalent, "output"));
}

TEST_CASE("filebeat: other inputs", "[convert]") {
  const Conversion conversion = Convert(
      "filebeat.inputs:\n- {type: journald, seek: tail, units: [a.service]}\n"
      "- {type: syslog, protocol.tcp.host: '0.0.0.0:9000'}\n- {type: kafka}\n"
      "- {type: log, enabled: false, paths: [/x]}\n" +
      kOutput);

  CHECK(Has(conversion, "matches: '_SYSTEMD_UNIT=a.service'"));
  CHECK(Has(conversion, "listen_address: '0.0.0.0:9000'"));
  CHECK(Says(conversion, kNoEquivalent, "filebeat.inputs[2]"));
  CHECK(Says(conversion, kNoEffect, "filebeat.inputs[3]"));
  CheckLoads(conversion);
}

TEST_CASE("filebeat: a text that is no YAML says where", "[convert]") {
  CHECK(Convert("a: [1\n").error.find("filebeat.yml:") != std::string::npos);
  CHECK(Convert("- a\n").error.find("expected a map") != std::string::npos);
}

}  // namespace agent::convert
