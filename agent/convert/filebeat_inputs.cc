// `filebeat.inputs`, one row a type.

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {
namespace {

using enum FindingKind;

// Keys that say how files are kept open, found again and forgotten: none of it has to be said here.
constexpr std::array<std::string_view, 24> kOwnBusiness = {"harvester_limit",
                                                           "harvester_buffer_size",
                                                           "buffer_size",
                                                           "backoff",
                                                           "max_backoff",
                                                           "backoff_factor",
                                                           "close_inactive",
                                                           "close_renamed",
                                                           "close_removed",
                                                           "close_eof",
                                                           "close_timeout",
                                                           "close",
                                                           "clean_inactive",
                                                           "clean_removed",
                                                           "file_identity",
                                                           "recursive_glob",
                                                           "take_over",
                                                           "rotation",
                                                           "line_terminator",
                                                           "symlinks",
                                                           "scan",
                                                           "keep_null",
                                                           "allow_deprecated_use",
                                                           "allow_deprecated_id_duplication"};

void ConvertIgnored(Beat& beat, const BeatNode& input) {
  for (const std::string_view key : kOwnBusiness) {
    const BeatNode* const node = input.Find(key);
    if (node == nullptr) continue;
    node->UseAll();
    beat.Say(kNoEffect, *node,
             key == "symlinks" ? "links to files are followed"
                               : "files are opened, closed and forgotten as needed");
  }
  const std::string older = input.Text("ignore_older", "0");
  if (older != "0" && older != "0s") {
    beat.Say(kNoEquivalent, *input.Find("ignore_older"),
             "old files are read as well: leave them out of the pattern, or drop their lines by "
             "time (drop, older_than)");
  }
  for (const char* key : {"tail_files", "ignore_inactive"}) {
    if (!input.Has(key) || input.Text(key) == "false") continue;
    beat.Say(kNoEquivalent, *input.Find(key),
             "a file that is found for the first time is read from its beginning");
  }
}

void ConvertScan(Beat& beat, const BeatNode& input) {
  std::string interval = input.Text("scan_frequency");
  if (interval.empty()) interval = input.Text("prospector.scanner.check_interval");
  input.UseAll("prospector.scanner.symlinks");
  input.UseAll("prospector.scanner.fingerprint");
  input.UseAll("prospector.scanner.resend_on_touch");
  // Not a question of how soon lines are seen: files are watched.
  if (!interval.empty() && interval != "10s") beat.sync_period = interval;
}

// `\.gz$` and the like.
std::optional<std::string> SuffixOf(std::string_view expression) {
  if (!expression.ends_with('$')) return std::nullopt;
  expression.remove_suffix(1);
  while (expression.starts_with(".*"))
    expression.remove_prefix(2);
  std::string suffix;
  if (expression.starts_with("\\.")) {
    expression.remove_prefix(2);
    suffix = ".";
  } else if (expression.starts_with('.')) {
    expression.remove_prefix(1);
    suffix = "?";
  }
  const bool simple = std::all_of(expression.begin(), expression.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  if (!simple || expression.empty()) return std::nullopt;
  return suffix + std::string(expression);
}

void ConvertFiles(Beat& beat, const BeatNode& input, Job& job) {
  job.source_key = "static_configs";
  job.source = YamlOut::List();
  const std::string exclude = ExcludedFiles(beat, input, job);
  if (const BeatNode* const include = input.Find("prospector.scanner.include_files")) {
    include->UseAll();
    beat.Say(kNoEquivalent, *include, "files are chosen by the pattern of paths alone");
  }
  for (const std::string& path : input.Texts("paths")) {
    YamlOut labels = YamlOut::Map({{"__path__", YamlOut::Text(path)}});
    if (!exclude.empty()) labels.Put("__path_exclude__", YamlOut::Text(exclude));
    job.source.Add(
        YamlOut::Map({{"targets", YamlOut::Texts({"localhost"})}, {"labels", std::move(labels)}}));
  }
  if (job.source.items().empty()) beat.Say(kNoEquivalent, input, "there are no paths");
}

void ConvertStdin(Beat& beat, const BeatNode& input, Job& job) {
  job.source_key = "static_configs";
  job.source = YamlOut::List();
  job.source.Add(YamlOut::Map({{"targets", YamlOut::Texts({"localhost"})},
                               {"labels", YamlOut::Map({{"job", YamlOut::Text("stdin")}})}}));
  beat.Say(kDiffers, input,
           "standard input is read with the flag -stdin, through the first job's stages, and "
           "nothing else is then");
}

void ConvertJournald(Beat& beat, const BeatNode& input, Job& job) {
  job.source_key = "journal";
  job.label_home = LabelHome::kSource;
  const std::vector<std::string> paths = input.Texts("paths");
  if (!paths.empty()) job.source.Put("path", YamlOut::Text(paths.front()));
  if (paths.size() > 1) {
    beat.Say(kNoEquivalent, *input.Find("paths"), "a job reads one folder: the first is taken");
  }
  std::vector<std::string> matches = input.Texts("include_matches");
  const std::vector<std::string> more = input.Texts("include_matches.match");
  matches.insert(matches.end(), more.begin(), more.end());
  for (const auto& [key, field] :
       {std::pair("units", "_SYSTEMD_UNIT="), std::pair("syslog_identifiers", "SYSLOG_IDENTIFIER="),
        std::pair("transports", "_TRANSPORT=")}) {
    for (const std::string& value : input.Texts(key))
      matches.push_back(field + value);
  }
  std::string joined;
  for (const std::string& match : matches)
    joined += (joined.empty() ? "" : " ") + match;
  if (!joined.empty()) job.source.Put("matches", YamlOut::Text(joined));
  const std::string seek = input.Text("seek", "head");
  input.UseAll("cursor_seek_fallback");
  // Where there is no position yet.
  if (seek == "tail") job.source.Put("max_age", YamlOut::Word("1s"));
  if (seek == "head") job.source.Put("max_age", YamlOut::Word("87600h"));
  for (const auto& [source, label, path] :
       {std::tuple("__journal__systemd_unit", "systemd_unit", "systemd.unit"),
        std::tuple("__journal_syslog_identifier", "syslog_identifier", "log.syslog.appname"),
        std::tuple("__journal__hostname", "hostname", "host.hostname"),
        std::tuple("__journal_priority_keyword", "level", "")}) {
    job.AddRelabel(YamlOut::Map(
        {{"source_labels", YamlOut::Texts({source})}, {"target_label", YamlOut::Text(label)}}));
    job.AddLabelPath(label, path);
  }
  beat.Say(kDiffers, input,
           "of an entry's fields the unit, identifier, host name and level are in documents: add "
           "others with relabel_configs, or all of them with `json: true`");
}

void ConvertSyslog(Beat& beat, const BeatNode& input, Job& job) {
  job.source_key = "syslog";
  job.label_home = LabelHome::kSource;
  const bool udp = input.Has("protocol.udp");
  const std::string protocol = udp ? "protocol.udp" : "protocol.tcp";
  const std::string address = input.Text(protocol + ".host");
  job.source.Put("listen_address", YamlOut::Text(address));
  if (udp) job.source.Put("listen_protocol", YamlOut::Text("udp"));
  const std::string format = input.Text("format", "rfc3164");
  job.source.Put("syslog_format", YamlOut::Text(format == "rfc5424" ? format : "rfc3164"));
  if (format == "auto") {
    beat.Say(
        kNoEquivalent, *input.Find("format"),
        "one format at a time: RFC 3164 is taken; rfc5424 needs a job, and a port, of its own");
  }
  job.source.Put("use_incoming_timestamp", YamlOut::Bool(true));
  for (const char* key : {"max_message_size", "timeout", "read_buffer", "max_connections",
                          "framing", "line_delimiter", "network"}) {
    const BeatNode* const node = input.Find(protocol + '.' + key);
    if (node == nullptr) continue;
    node->UseAll();
    beat.Say(kNoEffect, *node, "the defaults of `syslog` are taken");
  }
  if (const BeatNode* const zone = input.Find("timezone")) {
    zone->UseAll();
    beat.Say(kNoEquivalent, *zone, "times without a zone are UTC");
  }
  if (address.empty()) beat.Say(kNoEquivalent, input, "listens over tcp or udp alone");
  for (const auto& [source, label, path] :
       {std::tuple("__syslog_message_hostname", "sender", "hostname"),
        std::tuple("__syslog_message_app_name", "app_name", "process.program"),
        std::tuple("__syslog_message_severity", "severity", "syslog.severity_label"),
        std::tuple("__syslog_message_facility", "facility", "syslog.facility_label"),
        std::tuple("__syslog_connection_ip_address", "source_ip", "log.source.address")}) {
    job.AddRelabel(YamlOut::Map(
        {{"source_labels", YamlOut::Texts({source})}, {"target_label", YamlOut::Text(label)}}));
    job.AddLabelPath(label, path);
  }
  beat.Say(kDiffers, input,
           "host name, program, severity and facility are in documents, as words; numbers and the "
           "process id are not");
}

struct Row {
  std::string_view type;
  void (*convert)(Beat& beat, const BeatNode& input, Job& job);
};
constexpr std::array kInputs = std::to_array<Row>({
    {"container", ConvertContainerInput},
    {"docker", ConvertContainerInput},
    {"filestream", ConvertFiles},
    {"journald", ConvertJournald},
    {"log", ConvertFiles},
    {"stdin", ConvertStdin},
    {"syslog", ConvertSyslog},
});

// What was renamed or removed by a processor is so where it is made.
void ApplyToConstants(Job& job) {
  for (const auto& [from, to] : job.document.rename) {
    for (Constant& constant : job.constants) {
      if (constant.path == from) constant.path = to;
      if (constant.path.starts_with(from + '.')) constant.path.replace(0, from.size(), to);
    }
  }
  for (const std::string& path : job.document.remove) {
    std::erase_if(job.constants, [&path](const Constant& constant) {
      return constant.path == path || constant.path.starts_with(path + '.');
    });
  }
}

void AddFields(Beat& beat, const BeatNode& from, Job& job) {
  const BeatNode* const fields = from.Find("fields");
  const std::string target = from.Bool("fields_under_root", false) ? "" : "fields.";
  if (fields == nullptr) return;
  fields->ForEachLeaf([&](const std::string& path, const BeatNode& value) {
    if (value.is_scalar()) {
      Constant constant = ToConstant(target + path, value);
      // Those of an input come before those of the whole.
      const bool known =
          std::any_of(job.constants.begin(), job.constants.end(),
                      [&constant](const Constant& other) { return other.path == constant.path; });
      if (!known) job.constants.push_back(std::move(constant));
    } else if (!value.items().empty()) {
      value.UseAll();
      beat.Say(kNoEquivalent, value, "a list is no value of a field here");
    }
  });
}

}  // namespace

std::string ExcludedFiles(Beat& beat, const BeatNode& input, Job& job) {
  const bool own = input.Has("exclude_files");
  const std::string key = own ? "exclude_files" : "prospector.scanner.exclude_files";
  std::vector<std::string> globs;
  for (const std::string& expression : input.Texts(key)) {
    if (const auto suffix = SuffixOf(expression)) {
      globs.push_back("/**/*" + *suffix);
      continue;
    }
    job.AddStage(
        "match",
        YamlOut::Map({{"selector", YamlOut::Text("{filename=~" +
                                                 GoQuoted("(?s).*(?:" + expression + ").*") + '}')},
                      {"action", YamlOut::Word("drop")},
                      {"drop_counter_reason", YamlOut::Text("exclude_files")}}));
    beat.Say(kDiffers, *input.Find(key),
             "files that match " + expression + " are read, and their lines dropped");
  }
  if (globs.size() == 1) return globs.front();
  std::string all;
  for (const std::string& glob : globs)
    all += (all.empty() ? "{" : ",") + glob;
  return all.empty() ? "" : all + '}';
}

void ConvertEvent(Beat& beat, const BeatNode& input, Job& job) {
  AddFields(beat, input, job);
  AddFields(beat, beat.root, job);
  for (const BeatNode* const from : {&input, &beat.root}) {
    const std::vector<std::string> tags = from->Texts("tags");
    job.document.tags.insert(job.document.tags.end(), tags.begin(), tags.end());
  }
  if (const std::string name = beat.root.Text("name"); !name.empty()) {
    job.constants.push_back({"agent.name", name, ""});
  }
  job.document.index = input.Text("index");
  job.document.pipeline = input.Text("pipeline");
  const std::string longest = input.Text("max_bytes", input.Text("message_max_bytes"));
  if (!longest.empty()) job.document.max_message_size = longest;
  if (input.Bool("publisher_pipeline.disable_host", false)) {
    job.document.remove.emplace_back("host");
  }
  for (const BeatNode* const from : {&input, &beat.root}) {
    if (const BeatNode* const list = from->Find("processors")) ConvertProcessors(beat, *list, job);
  }
  ApplyToConstants(job);
}

void ConvertInput(Beat& beat, const BeatNode& input, std::string_view name) {
  const std::string type = input.Text("type", input.Text("input_type", "log"));
  if (!input.Bool("enabled", true)) {
    input.UseAll();
    return beat.Say(kNoEffect, input, "is not enabled, and left out");
  }
  const auto* const known = std::ranges::find(kInputs, type, &Row::type);
  if (known == kInputs.end()) {
    input.UseAll();
    return beat.Say(kNoEquivalent, input,
                    "there is no input like " + type +
                        ": let its sender write files, or speak syslog or Loki's push API");
  }
  Job job;
  job.name = UnusedJobName(beat, input.Text("id", name.empty() ? type : std::string(name)));
  known->convert(beat, input, job);
  job.constants.push_back({"input.type", type, ""});
  ConvertScan(beat, input);
  ConvertIgnored(beat, input);
  ConvertLines(beat, input, job);
  ConvertEvent(beat, input, job);
  beat.jobs.push_back(std::move(job));
}

void ConvertInputs(Beat& beat) {
  for (const char* key : {"filebeat.inputs", "filebeat.prospectors"}) {
    const BeatNode* const inputs = beat.root.Find(key);
    if (inputs == nullptr) continue;
    for (const BeatNode& input : inputs->items())
      ConvertInput(beat, input, "");
  }
}

}  // namespace agent::convert
