// `processors`, one row a processor.

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {
namespace {

using enum FindingKind;

struct Processor {
  Beat& beat;
  const BeatNode& body;
  const BeatNode* when;  // Null: always.
  Job& job;
};

void AddConstant(Processor& processor, Constant constant) {
  Job& job = processor.job;
  if (processor.when == nullptr) {
    job.constants.push_back(std::move(constant));
    return;
  }
  const auto condition = TemplateCondition(processor.beat, *processor.when, job);
  if (!condition) {
    return processor.beat.Say(kNoEquivalent, processor.body,
                              constant.path + " is not added: its condition is not known here");
  }
  const std::string text =
      "{{ if " + *condition + " }}{{ " + GoQuoted(constant.text) + " }}{{ end }}";
  job.AddStage("template", YamlOut::Map({{"source", YamlOut::Text(constant.path)},
                                         {"template", YamlOut::Text(text)}}));
  job.fields.push_back(constant.path + (constant.type.empty() ? ":string" : ':' + constant.type));
}

void AddFields(Processor& processor) {
  const bool has_target = processor.body.Find("target") != nullptr;
  std::string target = has_target ? processor.body.Text("target") : "fields";
  if (!target.empty()) target += '.';
  const BeatNode* const fields = processor.body.Find("fields");
  if (fields == nullptr) return;
  fields->ForEachLeaf([&](const std::string& path, const BeatNode& value) {
    if (value.is_scalar()) return AddConstant(processor, ToConstant(target + path, value));
    if (!value.items().empty()) {
      value.UseAll();
      processor.beat.Say(kNoEquivalent, value, "a list is no value of a field here");
    }
  });
}

void AddLabels(Processor& processor) {
  const BeatNode* const labels = processor.body.Find("labels");
  if (labels == nullptr) return;
  labels->ForEachLeaf([&](const std::string& path, const BeatNode& value) {
    std::string name = path;
    std::replace(name.begin(), name.end(), '.', '_');
    Constant constant = ToConstant("labels." + name, value);
    constant.type.clear();
    AddConstant(processor, std::move(constant));
  });
}

// What is of the output's documents cannot depend on a line.
bool IsConditional(Processor& processor) {
  if (processor.when == nullptr) return false;
  processor.body.UseAll();
  processor.beat.Say(kNoEquivalent, processor.body,
                     "is left out: with a condition there is nothing like it");
  return true;
}

void AddTags(Processor& processor) {
  if (IsConditional(processor)) return;
  const std::string target = processor.body.Text("target", "tags");
  const std::vector<std::string> tags = processor.body.Texts("tags");
  if (target != "tags") {
    return processor.beat.Say(kNoEquivalent, processor.body, "tags go to `tags` alone");
  }
  std::vector<std::string>& all = processor.job.document.tags;
  all.insert(all.end(), tags.begin(), tags.end());
}

void DropFields(Processor& processor) {
  if (IsConditional(processor)) return;
  processor.body.UseAll("ignore_missing");
  for (const std::string& field : processor.body.Texts("fields")) {
    if (field.starts_with('/')) {
      processor.beat.Say(kNoEquivalent, processor.body,
                         "fields are removed by name: what does " + field + " mean?");
    } else if (field != "@timestamp") {
      processor.job.document.remove.push_back(field);
    }
  }
}

void ForEachFromTo(const Processor& processor,
                   const std::function<void(const BeatNode& item, const std::string& from,
                                            const std::string& to)>& visit) {
  for (const char* key : {"ignore_missing", "fail_on_error", "ignore_failure", "tag", "mode"})
    processor.body.UseAll(key);
  const BeatNode* const fields = processor.body.Find("fields");
  if (fields == nullptr) return;
  for (const BeatNode& item : fields->items()) {
    const std::string from = item.Text("from");
    visit(item, from, item.Text("to", from));
  }
}

void Rename(Processor& processor) {
  if (IsConditional(processor)) return;
  ForEachFromTo(processor, [&](const BeatNode&, const std::string& from, const std::string& to) {
    processor.job.document.rename.emplace_back(from, to);
  });
}

// Makes `to` an extracted value that has what the field has.
bool CopyValue(Processor& processor, const BeatNode& item, const std::string& from,
               const std::string& to) {
  Job& job = processor.job;
  const auto value = ExtractField(job, from);
  if (!value) {
    processor.beat.Say(kNoEquivalent, item, "nothing here has the field " + from);
    return false;
  }
  if (value->extracted == to) return true;
  const std::string text = value->constant ? GoQuoted(*value->constant)
                           : value->is_line
                               ? ".Entry"
                               : "default \"\" (index . " + GoQuoted(value->extracted) + ')';
  job.AddStage("template", YamlOut::Map({{"source", YamlOut::Text(to)},
                                         {"template", YamlOut::Text("{{ " + text + " }}")}}));
  job.extracted.push_back(to);
  return true;
}

void CopyFields(Processor& processor) {
  if (IsConditional(processor)) return;
  ForEachFromTo(processor,
                [&](const BeatNode& item, const std::string& from, const std::string& to) {
                  if (CopyValue(processor, item, from, to)) processor.job.fields.push_back(to);
                });
}

void Convert(Processor& processor) {
  if (IsConditional(processor)) return;
  ForEachFromTo(processor,
                [&](const BeatNode& item, const std::string& from, const std::string& to) {
                  std::string type = item.Text("type", "string");
                  if (type == "integer" || type == "long") type = "int";
                  if (type == "float" || type == "double") type = "float";
                  if (type == "boolean") type = "bool";
                  if (type == "ip") type = "string";
                  if (!CopyValue(processor, item, from, to)) return;
                  processor.job.AddStage("convert", YamlOut::Map({{to, YamlOut::Text(type)}}));
                  processor.job.fields.push_back(to);
                });
}

void DecodeJson(Processor& processor) {
  if (IsConditional(processor)) return;
  const BeatNode& body = processor.body;
  const std::vector<std::string> fields = body.Texts("fields");
  LineJson json;
  json.overwrite = body.Bool("overwrite_keys", false);
  json.add_error = body.Bool("add_error_key", false);
  const bool has_target = body.Find("target") != nullptr;
  const std::string target = body.Text("target");
  for (const char* key : {"process_array", "max_depth", "expand_keys", "ignore_missing"})
    body.UseAll(key);
  if (const BeatNode* const id = body.Find("document_id")) {
    id->UseAll();
    processor.beat.Say(kNoEquivalent, *id, "ids are made of the file and the offset (id_mode)");
  }
  if (fields.size() != 1 || fields.front() != "message") {
    return processor.beat.Say(kNoEquivalent, body,
                              "of a document only the line, `message`, is decoded");
  }
  if (!has_target) {
    return processor.beat.Say(kNoEquivalent, body,
                              "an object does not take the place of `message`: give it a target, "
                              "such as \"\"");
  }
  if (processor.job.document.json) {
    return processor.beat.Say(kNoEquivalent, body, "the line is decoded already");
  }
  DecodeLines(processor.job, json, target);
}

void Dissect(Processor& processor) {
  if (IsConditional(processor)) return;
  const BeatNode& body = processor.body;
  Job& job = processor.job;
  const bool has_prefix = body.Find("target_prefix") != nullptr;
  const std::string prefix = has_prefix ? body.Text("target_prefix") : "dissect";
  const std::string field = body.Text("field", "message");
  const std::string tokenizer = body.Text("tokenizer");
  for (const char* key : {"ignore_failure", "overwrite_keys", "trim_values", "trim_chars"})
    body.UseAll(key);
  std::vector<std::string> fields;
  const std::string pattern = GrokOfDissect(tokenizer, prefix, fields);
  const auto value = ExtractField(job, field);
  if (pattern.empty() || !value || value->constant) {
    return processor.beat.Say(kNoEquivalent, body,
                              pattern.empty() ? "of this tokenizer no expression can be made: "
                                                "write one (regex, grok)"
                                              : "nothing here has the field " + field);
  }
  YamlOut grok = YamlOut::Map({{"pattern", YamlOut::Text(pattern)}});
  if (!value->is_line) grok.Put("source", YamlOut::Text(value->extracted));
  job.AddStage("grok", std::move(grok));
  job.fields.insert(job.fields.end(), fields.begin(), fields.end());
  job.extracted.insert(job.extracted.end(), fields.begin(), fields.end());
}

void Timestamp(Processor& processor) {
  if (IsConditional(processor)) return;
  const BeatNode& body = processor.body;
  const std::string field = body.Text("field");
  const std::string target = body.Text("target_field", "@timestamp");
  std::vector<std::string> layouts = body.Texts("layouts");
  for (const char* key : {"ignore_missing", "ignore_failure", "test"})
    body.UseAll(key);
  const std::string zone = body.Text("timezone");
  const auto value = ExtractField(processor.job, field);
  if (!value || value->constant || target != "@timestamp" || layouts.empty()) {
    return processor.beat.Say(
        kNoEquivalent, body,
        value ? "only @timestamp is set" : "nothing here has the field " + field);
  }
  for (std::string& layout : layouts) {
    if (layout == "UNIX") layout = "Unix";
    if (layout == "UNIX_MS") layout = "UnixMs";
  }
  std::string source = value->extracted;
  if (value->is_line) {
    source = "time_of_line";
    processor.job.AddStage("template", YamlOut::Map({{"source", YamlOut::Text(source)},
                                                     {"template", YamlOut::Text("{{ .Entry }}")}}));
  }
  YamlOut stage =
      YamlOut::Map({{"source", YamlOut::Text(source)}, {"format", YamlOut::Text(layouts.front())}});
  layouts.erase(layouts.begin());
  if (!layouts.empty()) stage.Put("fallback_formats", YamlOut::Texts(layouts));
  if (!zone.empty()) stage.Put("location", YamlOut::Text(zone));
  stage.Put("action_on_failure", YamlOut::Text("skip"));
  processor.job.AddStage("timestamp", std::move(stage));
}

void TruncateFields(Processor& processor) {
  if (IsConditional(processor)) return;
  const BeatNode& body = processor.body;
  const std::vector<std::string> fields = body.Texts("fields");
  for (const char* key : {"fail_on_error", "ignore_missing"})
    body.UseAll(key);
  const std::string characters = body.Text("max_characters");
  const std::string bytes = body.Text("max_bytes", characters);
  if (fields.size() != 1 || fields.front() != "message" || bytes.empty()) {
    return processor.beat.Say(kNoEquivalent, body, "only `message` is cut");
  }
  if (!characters.empty()) {
    processor.beat.Say(kDiffers, body, "what is counted are bytes, not characters");
  }
  processor.job.document.max_message_size = bytes;
}

// "100/s", "6000/m", "1/h".
void RateLimit(Processor& processor) {
  if (IsConditional(processor)) return;
  const std::string limit = processor.body.Text("limit");
  const std::string burst = processor.body.Text("burst_multiplier", "1");
  const BeatNode* const fields = processor.body.Find("fields");
  if (fields != nullptr) {
    fields->UseAll();
    processor.beat.Say(kNoEquivalent, *fields, "the limit is of the whole job");
  }
  double rate = 0;
  const auto number = std::from_chars(limit.data(), limit.data() + limit.size(), rate);
  const std::string unit(number.ptr, limit.data() + limit.size());
  const double seconds = unit == "/s" ? 1 : unit == "/m" ? 60 : unit == "/h" ? 3600 : 0;
  double times = 1;
  std::from_chars(burst.data(), burst.data() + burst.size(), times);
  if (number.ec != std::errc() || seconds == 0 || !(rate > 0) || rate > 1e9) {
    return processor.beat.Say(kNoEquivalent, processor.body, "expected such as 100/s");
  }
  const double at_once = std::max(1.0, std::min(rate * std::max(times, 1.0), 1e9));
  YamlOut stage =
      YamlOut::Map({{"rate", YamlOut::Word(std::to_string(rate / seconds))},
                    {"burst", YamlOut::Word(std::to_string(static_cast<int64_t>(at_once)))},
                    {"drop", YamlOut::Bool(true)}});
  processor.job.AddStage("limit", std::move(stage));
}

void DropEvent(Processor& processor) {
  if (processor.when != nullptr) {
    return ConvertDropEvent(processor.beat, *processor.when, processor.job);
  }
  processor.body.Use();
  processor.beat.Say(kNoEquivalent, processor.body, "without a condition it would drop everything");
}

// Chosen where the source is.
void OfSource(Processor& processor) {
  processor.body.UseAll();
  const std::string& key = processor.job.source_key;
  if (key != "docker_sd_configs" && key != "kubernetes_sd_configs" && !key.empty()) {
    processor.beat.Say(
        kDiffers, processor.body,
        "finds nothing for the lines of job " + processor.job.name + ": they are of no container");
  }
}

void HostMetadata(Processor& processor) {
  processor.body.UseAll();
  processor.beat.Say(kDiffers, processor.body,
                     "host.name is in each document; what else is said of the host (os, ip, mac, "
                     "architecture) is not");
}

struct Row {
  std::string_view name;
  void (*convert)(Processor& processor);
};
constexpr std::array kProcessors = std::to_array<Row>({
    {"add_docker_metadata", OfSource},
    {"add_fields", AddFields},
    {"add_host_metadata", HostMetadata},
    {"add_kubernetes_metadata", OfSource},
    {"add_labels", AddLabels},
    {"add_tags", AddTags},
    {"convert", Convert},
    {"copy_fields", CopyFields},
    {"decode_json_fields", DecodeJson},
    {"dissect", Dissect},
    {"drop_event", DropEvent},
    {"drop_fields", DropFields},
    {"rate_limit", RateLimit},
    {"rename", Rename},
    {"timestamp", Timestamp},
    {"truncate_fields", TruncateFields},
});

struct Hint {
  std::string_view name;
  std::string_view message;
};
constexpr std::array kHints = std::to_array<Hint>({
    {"add_cloud_metadata", "nothing is asked of the cloud: name what you need with add_fields"},
    {"add_id", "documents have ids made of the file and the offset (id_mode)"},
    {"fingerprint", "documents have ids made of the file and the offset (id_mode)"},
    {"include_fields", "fields are not chosen: document.remove takes out what is not wanted"},
    {"replace", "the stage `replace` changes a line or an extracted value: write it by hand"},
    {"script", "no scripts: the stages template, regex and drop do most of what they do"},
    {"syslog", "give the messages to a job with `syslog`, or use grok with SYSLOGLINE"},
    {"add_locale", "times are UTC: event.timezone is not in documents"},
    {"add_process_metadata", "nothing is asked about processes"},
    {"dns", "no names are looked up"},
});

}  // namespace

bool HasProcessor(const Beat& beat, const BeatNode& input, std::string_view name) {
  const auto has = [name](const BeatNode* list) {
    return list != nullptr &&
           std::any_of(list->items().begin(), list->items().end(), [name](const BeatNode& item) {
             return std::any_of(item.below().begin(), item.below().end(),
                                [name](const BeatNode& node) { return node.name() == name; });
           });
  };
  return has(input.Find("processors")) || has(beat.root.Find("processors"));
}

void ConvertProcessors(Beat& beat, const BeatNode& list, Job& job) {
  for (const BeatNode& item : list.items()) {
    if (item.Has("if")) {
      item.UseAll();
      beat.Say(kNoEquivalent, item, "`if` of processors is not known: give each its `when`");
      continue;
    }
    for (const BeatNode& node : item.below()) {
      const auto* const known = std::ranges::find(kProcessors, node.name(), &Row::name);
      if (known != kProcessors.end()) {
        node.Use();
        Processor processor{beat, node, node.Find("when"), job};
        known->convert(processor);
        if (processor.when != nullptr) processor.when->UseAll();
        continue;
      }
      node.UseAll();
      const auto* const hint = std::ranges::find(kHints, node.name(), &Hint::name);
      beat.Say(
          kNoEquivalent, node,
          hint == kHints.end() ? "a processor that is not known here" : std::string(hint->message));
    }
  }
}

}  // namespace agent::convert
