#include "agent/config/loader.h"

// clang-format off: its CHECK must come before Catch's.
#include "base/check.h"
// clang-format on

#include <chrono>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/agent/config/load.h"
#include "tests/support/temp_dir.h"

namespace agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kJob =
    "scrape_configs: [{job_name: j, static_configs: [{labels: {__path__: /x}}]}]\n";

TEST_CASE("loader: without a file there are defaults and flags", "[config][loader]") {
  const LoadedConfig loaded =
      LoadConfig(FlagsOf({"-client.url=http://l/p"}), nullptr, NoVariables());

  REQUIRE(Errors(loaded).empty());
  CHECK(loaded.config.server.http_listen_address == "127.0.0.1");
  CHECK(loaded.config.server.http_listen_port == 9080);
  CHECK(loaded.config.positions.filename == "/var/log/positions.yaml");
  CHECK(loaded.config.dead_letter.path == "/var/log/dead-letter");
  CHECK(loaded.config.dead_letter.max_size_bytes == 256U << 20U);
  CHECK(loaded.config.target.sync_period == seconds(10));
  CHECK(loaded.config.limits.memory_budget_bytes == 0);
  CHECK(loaded.config.limits.max_label_values == 1000);
  CHECK(loaded.config.limits.on_excess == OnExcess::kNone);
  CHECK(loaded.config.file_watch.min_poll_frequency == milliseconds(250));
}

TEST_CASE("loader: a server section means Promtail's defaults", "[config][loader]") {
  const auto address = [](const LoadedConfig& loaded) {
    CHECK(Errors(loaded).empty());
    return loaded.config.server.http_listen_address + ":" +
           std::to_string(loaded.config.server.http_listen_port);
  };
  CHECK(address(LoadText(kClients)) == "127.0.0.1:9080");
  CHECK(address(LoadText(kClients + "server: {http_listen_port: 3101}\n")) == ":3101");
  CHECK(address(LoadText(kClients + "server: {log_level: debug}\n")) == ":80");
  CHECK(address(LoadText(kClients + "server:\n")) == ":80");
  CHECK(address(LoadText(kClients, {"-server.http-listen-port=9"})) == ":9");
  CHECK(address(LoadText(kClients, {"-server.http-listen-address=::1"})) == "::1:80");
  CHECK(address(LoadText(kClients + "server: {http_listen_port: 1}\n",
                         {"-server.http-listen-port=2"})) == ":2");
}

TEST_CASE("loader: all sections are read", "[config][loader]") {
  const LoadedConfig loaded = LoadText(R"(
server:
  disable: true
  http_listen_address: 10.0.0.1
  http_listen_port: 0
  http_path_prefix: logs/
  external_url: http://x/
  http_server_read_timeout: 1s
  http_server_write_timeout: 2s
  http_server_idle_timeout: 3s
  http_server_read_header_timeout: 4s
  graceful_shutdown_timeout: 5s
  log_level: warn
  log_format: json
  health_check_target: false
  enable_runtime_reload: true
  profiling_enabled: true
  register_instrumentation: false
  http_tls_config: {cert_file: /c, key_file: /k, client_auth_type: RequireAndVerifyClientCert, client_ca_file: /a}
  tls_min_version: VersionTLS12
  grpc_listen_port: 0
  log_source_ips_enabled: true
  healthcheck: {enabled: true}
  data_pages: false
  data_pages_token: secret
clients: [{url: http://l/p, name: main}]
positions: {filename: /p/positions.yaml, sync_period: 1s, ignore_invalid_yaml: true}
target_config: {sync_period: 2s, stdin: true}
limits_config:
  readline_rate_enabled: true
  readline_rate: 1.5
  readline_burst: 3
  readline_rate_drop: false
  max_streams: 4
  max_line_size: 256kb
  max_line_size_truncate: true
  memory_budget: 64MiB
  workers: 2
  max_label_values: 50
  on_excess: bucket
global: {file_watch_config: {min_poll_frequency: 1s, max_poll_frequency: 2s}}
dead_letter: {max_size: 1MiB}
options: {}
tracing: {enabled: false}
scrape_configs:
  - job_name: files
    static_configs:
      - targets: [localhost]
        labels: {job: x, __path__: /var/log/*.log, n: 5}
      - labels: {__path__: /y}
    relabel_configs: [{target_label: a, replacement: b}]
    pipeline_stages: [{docker: }]
    outputs: [main]
    encoding: UTF-8
    decompression: {enabled: false, format: gz}
  - job_name: none
    static_configs: [{labels: {__path__: /z}}]
    pipeline_stages:
)");

  REQUIRE(Errors(loaded).empty());
  const Config& config = loaded.config;
  CHECK(config.server.disable);
  CHECK(config.server.http_listen_port == 0);
  CHECK(config.server.http_path_prefix == "/logs");
  CHECK(config.server.http_read_header_timeout == seconds(4));
  CHECK(config.server.log_level == LogLevel::kWarn);
  CHECK(config.server.log_format == LogFormat::kJson);
  CHECK_FALSE(config.server.health_check_target);
  CHECK_FALSE(config.server.register_instrumentation);
  CHECK(config.server.enable_runtime_reload);
  CHECK(config.server.http_tls.enabled());
  CHECK_FALSE(config.server.data_pages);
  CHECK(config.server.data_pages_token == "secret");
  CHECK(config.positions.filename == "/p/positions.yaml");
  CHECK(config.positions.ignore_invalid_yaml);
  CHECK(config.target.stdin_target);
  CHECK(config.limits.readline_rate == 1.5);
  CHECK(config.limits.readline_burst == 3);
  CHECK_FALSE(config.limits.readline_rate_drop);
  CHECK(config.limits.max_line_size_bytes == 256 * 1024);
  CHECK(config.limits.memory_budget_bytes == 64U << 20U);
  CHECK(config.limits.workers == 2);
  CHECK(config.limits.max_label_values == 50);
  CHECK(config.limits.on_excess == OnExcess::kBucket);
  CHECK(config.file_watch.max_poll_frequency == seconds(2));
  CHECK(config.dead_letter.path == "/p/dead-letter");
  CHECK(config.dead_letter.max_size_bytes == 1U << 20U);
  REQUIRE(config.scrape_configs.size() == 2);
  const ScrapeConfig& job = config.scrape_configs[0];
  CHECK(job.path == "scrape_configs[0]");
  CHECK(job.static_configs.at(0).targets == std::vector<std::string>{"localhost"});
  CHECK(FormatLabels(job.static_configs.at(0).labels) ==
        "{__path__=\"/var/log/*.log\", job=\"x\", n=\"5\"}");
  CHECK(job.static_configs.size() == 2);
  CHECK(job.relabel_configs.size() == 1);
  CHECK(job.outputs == std::vector<std::string>{"main"});
  REQUIRE(job.pipeline_stages != nullptr);
  CHECK(job.pipeline_stages->items().size() == 1);
  CHECK(job.pipeline_path == "scrape_configs[0].pipeline_stages");
  CHECK(config.scrape_configs[1].pipeline_stages == nullptr);
}

TEST_CASE("loader: what is wrong anywhere is said, with its place", "[config][loader]") {
  struct Case {
    std::string text;
    std::string want;
  };
  const auto c = GENERATE(values<Case>({
      {"scrape_config: []\n", "2:1 : unknown key 'scrape_config'; did you mean 'scrape_configs'?"},
      {"x-foo: 1\n", "2:1 : unknown key 'x-foo'"},
      {"server: {http_listen_prot: 1}\n",
       "2:10 server: unknown key 'http_listen_prot'; did you mean 'http_listen_port'?"},
      {"server: {http_listen_port: 70000}\n",
       "2:28 server.http_listen_port: expected 0 to 65535, got 70000"},
      {"server: {log_level: loud}\n",
       "2:21 server.log_level: expected one of debug, info, warn, error, got 'loud'"},
      {"server: {http_tls_config: {cert_file: x}}\n",
       "2:27 server.http_tls_config: a certificate and its key go together; give cert_file and "
       "key_file"},
      {"server: {data_pages_token: a, data_pages_token_file: b}\n",
       "2:54 server.data_pages_token_file: at most one of data_pages_token and "
       "data_pages_token_file"},
      {"server: []\n", "2:9 server: expected a map, got a list"},
      {"positions: {filename: ''}\n", "2:23 positions.filename: must not be empty"},
      {"positions: {sync_period: 0s}\n", "2:26 positions.sync_period: must be more than 0"},
      {"positions: {sync_period: 10x}\n",
       "2:26 positions.sync_period: expected a duration, got '10x'; a duration is a number with a "
       "unit: "
       "500ms, 10s, 1m30s, 1h"},
      {"target_config: {sync_period: 0}\n", "2:30 target_config.sync_period: must be more than 0"},
      {"limits_config: {max_line_size: big}\n",
       "2:32 limits_config.max_line_size: expected a size, got 'big'; a size is a whole number of "
       "bytes, "
       "or one with a unit: 256KiB, 4MiB, 1GiB"},
      {"limits_config: {on_excess: drop_labels}\n",
       "2:28 limits_config.on_excess: expected one of none, structured_metadata, bucket, "
       "drop_label, got 'drop_labels'; did you mean 'drop_label'?"},
      {"limits_config: {readline_rate: -1}\n",
       "2:32 limits_config.readline_rate: expected at least 0, got -1"},
      {"limits_config: {workers: 5000}\n",
       "2:26 limits_config.workers: expected 0 to 1024, got 5000"},
      {"global: {file_watch_config: {min_poll_frequency: 2s, max_poll_frequency: 1s}}\n",
       "0:0 global.file_watch_config: min_poll_frequency must be more than 0, and "
       "max_poll_frequency not "
       "below it"},
      {"dead_letter: {max_size: 0}\n", "2:25 dead_letter.max_size: must be more than 0"},
      {"outputs: [{name: a}]\n",
       "2:11 outputs[0]: an output needs its kind: elasticsearch, file, logstash or stdout"},
      {"outputs: [{name: a, file: {path: /a/../b}}]\n",
       "2:34 outputs[0].file.path: must not have '..' in it; write the folder that is meant"},
      {"outputs: [{name: a, file: {path: /a/b/}}]\n",
       "2:34 outputs[0].file.path: is a folder; put a name behind it: …/%{+yyyy-MM-dd}.ndjson"},
      {"outputs: [{name: a, file: {path: /a, format: raw, document: {}}}]\n",
       "2:61 outputs[0].file.document: only ndjson has documents; format: ndjson"},
      {"outputs: [{name: a, file: {path: /a, compression_level: 3}}]\n",
       "2:57 outputs[0].file.compression_level: nothing is compressed; compression: gzip or zstd"},
      {"outputs: [{name: a, file: {path: /a, mode: 0999}}]\n",
       "2:44 outputs[0].file.mode: expected octal digits up to 0777, got '0999'; mode: \"0640\""},
      {"outputs: [{name: a, file: {path: /a, owner: nobody-of-that-name}}]\n",
       "2:45 outputs[0].file.owner: there is no user 'nobody-of-that-name'; owner: USER:GROUP"},
      {"outputs: [{name: a, file: {path: /a, keep: 3}}]\n",
       "2:44 outputs[0].file.keep: nothing is rotated; add rotate_size or rotate_interval"},
      {"outputs: [{name: a, file: {path: /a}}, {name: b, file: {path: /a}}]\n",
       "2:63 outputs[1].file.path: the output 'a' writes to this path already"},
      {"outputs: [{name: a, stdout: }, {name: b, stdout: {}}]\n",
       "2:50 outputs[1].stdout: the output 'a' writes to standard output already"},
      {"outputs: [{name: a, file: {path: '/l/%{[x]}.log'}}]\n"
       "scrape_configs: [{job_name: j, static_configs: [{labels: {__path__: "
       "'/l/**/*.{txt,log}'}}]}]\n",
       "2:34 outputs[0].file.path: job 'j' reads what is written here: lines would come again and "
       "again; write to another folder, or add __path_exclude__ to the job"},
      {"outputs: [{name: a, elasticsearch: {}}]\n",
       "2:36 outputs[0].elasticsearch.hosts: at least one host is needed; hosts: "
       "[https://es-1:9200]"},
      {"outputs: [{name: a, elasticsearch: {hosts: [x], index: 'a-%{b}'}}]\n",
       "2:56 outputs[0].elasticsearch.index: '%{b}' is neither %{[field]}, %{[field]:default} nor "
       "%{+yyyy.MM.dd}"},
      {"outputs: [{name: a, elasticsearch: {hosts: [x], username: u, api_key: k}}]\n",
       "2:36 outputs[0].elasticsearch: more than one way to log in; keep one of username, api_key, "
       "bearer_token, …"},
      {"outputs: [{name: a, elasticsearch: {hosts: [x], document: {fields: ['n:number']}}}]\n",
       "2:68 outputs[0].elasticsearch.document.fields: 'number' is no type; NAME:TYPE with int, "
       "float, bool or string"},
      {"scrape_configs: {}\n",
       "2:17 scrape_configs: expected a list, got a map; put '- ' before its first key"},
      {"scrape_configs: [{static_configs: [{}]}]\n",
       "2:18 scrape_configs[0].job_name: job_name is empty; every job needs a name of its own"},
      {"scrape_configs: [{job_name: a}]\n",
       "2:18 scrape_configs[0]: no valid target scrape config defined for \"a\"; add "
       "static_configs with a "
       "label __path__"},
      {"scrape_configs: [{job_name: a, static_configs: [{}]}, {job_name: a, static_configs: "
       "[{}]}]\n",
       "2:66 scrape_configs[1].job_name: found multiple scrape configs with job name \"a\"; the "
       "first is "
       "scrape_configs[0]"},
      {"scrape_configs: [{job_name: a, static_configs: [~]}]\n",
       "2:49 scrape_configs[0].static_configs[0]: empty or null section in static_configs"},
      {"scrape_configs: [{job_name: a, static_configs: [{labels: {a b: c}}]}]\n",
       "2:59 scrape_configs[0].static_configs[0].labels: 'a b' is not a valid label name; letters, "
       "digits "
       "and '_' only, and no digit first"},
      {"scrape_configs: [{job_name: a, static_configs: [{target: [x]}]}]\n",
       "2:50 scrape_configs[0].static_configs[0]: unknown key 'target'; did you mean 'targets'?"},
      {"scrape_configs: [{job_name: a, static_configs: [{}], pipeline_stages: {json: }}]\n",
       "2:71 scrape_configs[0].pipeline_stages: expected a list of stages, got a map; put '- ' "
       "before each "
       "stage"},
      {"scrape_configs: [{job_name: a, static_configs: [{}], encoding: UTF-32}]\n",
       "2:64 scrape_configs[0].encoding: encoding 'UTF-32': its lines do not end in the byte 0x0A; "
       "UTF-16 is the one exception; a name such as UTF-16, UTF-16LE, ISO-8859-1, windows-1252 or "
       "Shift_JIS"},
      {"scrape_configs: [{job_name: a, static_configs: [{}], decompression: {enabled: true}}]\n",
       "2:69 scrape_configs[0].decompression: format is missing: it says how the files are "
       "compressed; one of bz2, gz, z, zst"},
      {"scrape_configs: [{job_name: a, static_configs: [{}], outputs: [nope]}]\n",
       "2:64 scrape_configs[0].outputs[0]: there is no output called 'nope'; they are named with "
       "`name` in clients and outputs"},
      {"clients: []\n", "2:1 : the key 'clients' is given twice; first in line 1, column 1"},
      {"a: [\n", "3:1 : expected ',' or ']'"},
  }));
  INFO(c.text);

  CHECK(Errors(LoadText(kClients + c.text)) == c.want);
}

TEST_CASE("loader: sources that are not built are named as such", "[config][loader]") {
  const auto* key =
      GENERATE("gelf", "kafka", "windows_events", "cloudflare", "gcplog", "heroku_drain",
               "azure_event_hubs", "consul_sd_configs", "dns_sd_configs", "ec2_sd_configs");
  INFO(key);
  CHECK(Errors(LoadText(kClients + "scrape_configs:\n- job_name: a\n  " + key +
                        ": {anything: 1}\n")) ==
        "4:3 scrape_configs[0]." + std::string(key) + ": " + key +
            " is not built yet; files are read with static_configs");
}

TEST_CASE("loader: everything is reported in one run", "[config][loader]") {
  const LoadedConfig loaded = LoadText(
      "clients: [{}]\nserver: {http_listen_port: x}\npositons: {}\nscrape_configs: [{job_name: "
      "a}]\n");
  CHECK(loaded.problems.error_count() == 4);
}

TEST_CASE("loader: stages are checked by whom it concerns", "[config][loader]") {
  std::string seen;
  const StageChecker checker = [&](const ConfigNode& stages, const std::string& path,
                                   const std::string& job, Problems& problems) {
    seen += path + " " + job + " " + std::to_string(stages.items().size());
    problems.Error(stages.place(), path, "no good");
  };

  const LoadedConfig loaded = LoadConfigText("c.yaml",
                                             kClients +
                                                 "scrape_configs: [{job_name: j, static_configs: "
                                                 "[{}], pipeline_stages: [{a: }, {b: }]}]\n",
                                             Flags{}, checker, NoVariables());

  CHECK(seen == "scrape_configs[0].pipeline_stages j 2");
  CHECK(Errors(loaded) == "2:71 scrape_configs[0].pipeline_stages: no good");
}

TEST_CASE("loader: a job without a path is warned of", "[config][loader]") {
  CHECK(Warnings(LoadText(
            kClients + "scrape_configs: [{job_name: j, static_configs: [{labels: {a: b}}]}]\n")) ==
        "2:48 scrape_configs[0].static_configs: no label __path__: no file is read; add __path__: "
        "/var/log/app/*.log to labels");
}

TEST_CASE("loader: a unit that is missing is explained", "[config][loader]") {
  CHECK(Warnings(LoadText("clients: [{url: http://l/p, batchwait: 5}]\n")) ==
        "1:40 clients[0].batchwait: 5 without a unit is 5 nanoseconds; did you mean 5s?");
}

TEST_CASE("loader: the hash tells whether the text has changed", "[config][loader]") {
  CHECK(LoadText(kClients).config.text_hash == LoadText(kClients).config.text_hash);
  CHECK(LoadText(kClients).config.text_hash != LoadText(kClients + "\n").config.text_hash);
}

TEST_CASE("loader: the first file of the list that exists is loaded", "[config][loader]") {
  const TempDir dir;
  const std::string path = std::string(dir.path()) + "/a.yaml";
  std::ofstream(path) << kClients << kJob;
  const std::string list = "/nonexistent.yaml, " + path + " ,/other.yaml";

  const LoadedConfig loaded =
      LoadConfig(FlagsOf({"-config.file", list.c_str()}), nullptr, NoVariables());

  CHECK(Errors(loaded).empty());
  CHECK(loaded.config.file == path);
  CHECK(loaded.config.scrape_configs.size() == 1);
}

TEST_CASE("loader: a file that is missing or cannot be read is an error", "[config][loader]") {
  CHECK(Errors(LoadConfig(FlagsOf({"-config.file=/a.yaml,/b.yaml"}), nullptr, NoVariables())) ==
        "0:0 : /a.yaml,/b.yaml does not exist, set config.file for custom config path");
  const TempDir dir;
  const std::string folder = dir.path();
  const LoadedConfig loaded =
      LoadConfig(FlagsOf({"-config.file", folder.c_str()}), nullptr, NoVariables());
  CHECK(Errors(loaded).find("cannot be read: Is a directory") != std::string::npos);
}

TEST_CASE("loader: an empty file is a configuration", "[config][loader]") {
  CHECK(Errors(LoadText("", {"-client.url=http://l/p"})).empty());
  CHECK(Errors(LoadText("# nothing\n", {"-client.url=http://l/p"})).empty());
}

TEST_CASE("check-syntax: says so when all is well, and counts warnings", "[config][check-syntax]") {
  const TempDir dir;
  const std::string path = std::string(dir.path()) + "/a.yaml";
  const Flags flags = FlagsOf({"-config.file", path.c_str()});

  std::ofstream(path) << kClients << kJob;
  const SyntaxReport good = CheckSyntax(flags, nullptr, NoVariables(), /*color=*/false);
  CHECK(good.text == "Valid config file! No syntax issues found\n");
  CHECK(good.exit_code == 0);

  std::ofstream(path) << "clients: [{url: http://l/p, batchwait: 5}]\n" << kJob;
  const SyntaxReport warned = CheckSyntax(flags, nullptr, NoVariables(), false);
  CHECK(warned.text ==
        path +
            ":1:40: warning: clients[0].batchwait: 5 without a unit is 5 nanoseconds\n"
            "    1 | clients: [{url: http://l/p, batchwait: 5}]\n"
            "      |                                        ^ did you mean 5s?\n"
            "\nValid config file! No syntax issues found\n1 warning\n");
  CHECK(warned.exit_code == 0);

  std::ofstream(path) << "clients: [{ulr: http://l/p}]\n" << kJob;
  const SyntaxReport bad = CheckSyntax(flags, nullptr, NoVariables(), false);
  CHECK(bad.text.find("^~~ did you mean 'url'?\n") != std::string::npos);
  CHECK(bad.text.find("\nInvalid config file: 2 errors\n") != std::string::npos);
  CHECK(bad.exit_code == 1);
  CHECK(CheckSyntax(flags, nullptr, NoVariables(), /*color=*/true).text.find('\x1b') !=
        std::string::npos);

  CHECK(CheckSyntax(Flags{}, nullptr, NoVariables(), false).text == "Invalid config file\n");
  CHECK(CheckSyntax(Flags{}, nullptr, NoVariables(), false).exit_code == 1);
}

}  // namespace
}  // namespace agent
