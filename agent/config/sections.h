// Readers of the parts of a configuration, one file each; loader.h puts them together. All report
// what is wrong and go on with defaults.

#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "base/config/field_reader.h"
#include "base/config/problems.h"
#include "base/config/yaml.h"
#include "base/labels.h"

namespace agent {

// `server`, the agent's or a receiver's, from Promtail's defaults (all interfaces, port 80).
ServerConfig ReadServer(const ConfigNode& node, const std::string& path, Problems& problems);
// What it listens on when there is a section that does not say, or a flag about it.
void UsePromtailsAddress(ServerConfig& server);
// Makes it "", or "/x" without a slash at its end.
void CompletePathPrefix(std::string& prefix);

// An item of `clients`, or `client`. The name may be empty still.
ClientConfig ReadClient(const ConfigNode& node, const std::string& path, Problems& problems);

// The keys that every HTTP client has, out of the map that `fields` reads.
HttpClientConfig ReadHttpClient(FieldReader& fields);

// `buffer` of the output that `fields` reads.
BufferConfig ReadBuffer(FieldReader& parent);
// One spelling for one folder: "/a/b" of "/a//b/" and "/a/./b".
std::string NormalFolder(const std::string& path);

// `tls_config` of the map that `fields` reads.
TlsConfig ReadTls(FieldReader& parent);

// `ssl` of the map that `fields` reads, into what `tls_config` gave. False where there is none, or
// it is not enabled.
bool ReadSsl(FieldReader& parent, TlsConfig& tls);

// Why a text is no URL of a server ("http://host:port/path"); empty when it is one.
std::string WhatIsWrongWithUrl(const std::string& url);

// `relabel_configs` of the map that `fields` reads.
std::vector<RelabelRule> ReadRelabelRules(FieldReader& fields);

// `docker_sd_configs` and `file_sd_configs` of the job that `fields` reads.
std::vector<DockerSdConfig> ReadDockerSd(FieldReader& fields);
std::vector<FileSdConfig> ReadFileSd(FieldReader& fields);

// `loki_push_api` of the job that `fields` reads.
std::optional<LokiPushConfig> ReadLokiPush(FieldReader& fields);

// `kubernetes_sd_configs` of the map that `fields` reads.
std::vector<KubernetesSdConfig> ReadKubernetesSd(FieldReader& fields);

// `journal` of the job that `fields` reads.
std::optional<JournalConfig> ReadJournal(FieldReader& fields);

// `syslog` of the job that `fields` reads.
std::optional<SyslogConfig> ReadSyslog(FieldReader& fields);

// A map of labels; names are checked.
Labels ReadLabels(FieldReader& fields, std::string_view key);

// An item of `scrape_configs`; `tree` is the whole file, of which it keeps a part. The stages are
// not looked into.
ScrapeConfig ReadScrape(const ConfigNode& node, const std::string& path,
                        const std::shared_ptr<const ConfigNode>& tree, Problems& problems);

// `outputs`; their names must differ from the clients'.
std::vector<OutputConfig> ReadOutputs(FieldReader& top, const std::vector<ClientConfig>& clients);

// `elasticsearch` of the output that `parent` reads, where there is one.
ElasticsearchConfig ReadElasticsearch(FieldReader& parent);

// `logstash` of the output that `parent` reads, where there is one.
LogstashConfig ReadLogstash(FieldReader& parent);

// The one of several names of a key that is used; the first when none is.
std::string NameUsed(FieldReader& fields, std::initializer_list<std::string_view> names);
// `backoff` of the map that `parent` reads.
void ReadOutputBackoff(FieldReader& parent, BackoffConfig& backoff);

// `file` and `stdout` of the output that `parent` reads, where there is one.
FileConfig ReadFile(FieldReader& parent);
FileConfig ReadStdout(FieldReader& parent);
// Refuses files that a job would read again: a loop. `root`: the whole configuration.
void CheckFileLoops(const ConfigNode& root, const Config& config, Problems& problems);

// `document` of the output that `parent` reads.
DocumentConfig ReadDocument(FieldReader& parent);

}  // namespace agent
