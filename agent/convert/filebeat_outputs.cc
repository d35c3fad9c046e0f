// `output`: one row a kind. Inputs whose documents are made in different ways get outputs of
// their own to the same receiver.

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/convert/filebeat_documents.h"

namespace agent::convert {
namespace {

using enum FindingKind;

// A key that is the same, and how it is written.
enum class Form : uint8_t { kText, kTexts, kWord };
struct SameKey {
  std::string_view theirs;
  std::string_view ours;
  Form form;
};

void CopySame(const BeatNode& from, std::span<const SameKey> keys, YamlOut& to) {
  for (const SameKey& key : keys) {
    if (!from.Has(key.theirs)) continue;
    if (key.form == Form::kTexts) {
      to.Put(key.ours, YamlOut::Texts(from.Texts(key.theirs)));
    } else {
      const std::string text = from.Text(key.theirs);
      to.Put(key.ours, key.form == Form::kWord ? YamlOut::Word(text) : YamlOut::Text(text));
    }
  }
}

constexpr std::array kSsl = std::to_array<SameKey>({
    {"enabled", "enabled", Form::kWord},
    {"certificate_authorities", "certificate_authorities", Form::kTexts},
    {"certificate", "certificate", Form::kText},
    {"key", "key", Form::kText},
    {"key_passphrase", "key_passphrase", Form::kText},
    {"verification_mode", "verification_mode", Form::kText},
    {"supported_protocols", "supported_protocols", Form::kTexts},
});

void CopySsl(const BeatNode& from, YamlOut& to) {
  const BeatNode* const ssl = from.Find("ssl");
  if (ssl == nullptr) return;
  YamlOut out;
  CopySame(*ssl, kSsl, out);
  to.Put("ssl", std::move(out));
}

void CopyBackoff(const BeatNode& from, YamlOut& to) {
  YamlOut backoff;
  for (const char* key : {"init", "max"}) {
    if (from.Has(std::string("backoff.") + key)) {
      backoff.Put(key, YamlOut::Word(from.Text(std::string("backoff.") + key)));
    }
  }
  if (!backoff.empty()) to.Put("backoff", std::move(backoff));
}

// What "%{[field]}" of a name becomes: what it always is, or where it is found here.
std::string ConvertReference(Beat& beat, const std::string& field, const Profile& profile) {
  std::string name = field;
  for (const std::size_t index : profile.jobs) {
    const auto value = ExtractField(beat.jobs[index], field);
    if (!value || !value->constant) continue;
    if (AllHave(beat, profile, {field, *value->constant, ""})) return *value->constant;
    name = "labels." + LabelName(field);
  }
  return "%{[" + name + "]}";
}

// The index of documents: "%{[fields.app]}-%{+yyyy.MM.dd}".
std::string ConvertPattern(Beat& beat, const BeatNode& at, std::string_view pattern,
                           const Profile& profile) {
  std::string converted;
  while (true) {
    const std::size_t begin = pattern.find("%{[");
    const std::size_t end = begin == std::string_view::npos ? begin : pattern.find("]}", begin);
    if (end == std::string_view::npos) break;
    converted += pattern.substr(0, begin);
    const std::string field(pattern.substr(begin + 3, end - begin - 3));
    pattern.remove_prefix(end + 2);
    if (field == "agent.version" || field == "beat.version" || field == "agent.name") {
      beat.Say(kDiffers, at, "%{[" + field + "]} is of Filebeat: left out of the name");
      if (converted.ends_with('-')) converted.pop_back();
    } else {
      converted += ConvertReference(beat, field, profile);
    }
  }
  converted += pattern;
  return converted.empty() ? "filebeat" : converted;
}

constexpr std::array kLogstash = std::to_array<SameKey>({
    {"hosts", "hosts", Form::kTexts},
    {"loadbalance", "load_balance", Form::kWord},
    {"worker", "workers", Form::kWord},
    {"workers", "workers", Form::kWord},
    {"compression_level", "compression_level", Form::kWord},
    {"bulk_max_size", "bulk_max_size", Form::kWord},
    {"pipelining", "pipelining", Form::kWord},
    {"slow_start", "slow_start", Form::kWord},
    {"ttl", "ttl", Form::kWord},
    {"timeout", "timeout", Form::kWord},
});

YamlOut ConvertLogstash(Beat& beat, const BeatNode& output, const Profile& profile) {
  YamlOut out;
  CopySame(output, kLogstash, out);
  CopySsl(output, out);
  CopyBackoff(output, out);
  // What Logstash's usual configuration makes the index of.
  out.Put("index",
          YamlOut::Text(ConvertPattern(beat, output, output.Text("index", "filebeat"), profile)));
  if (!profile.document.pipeline.empty()) {
    out.Put("pipeline", YamlOut::Text(profile.document.pipeline));
  }
  for (const char* key : {"max_retries", "escape_html"}) {
    if (const BeatNode* const node = output.Find(key)) {
      node->UseAll();
      beat.Say(kNoEffect, *node, "as with Filebeat, Logstash is tried for ever");
    }
  }
  beat.Say(kDiffers, output,
           "%{[@metadata][version]} is the agent's version, agent.type is log-agent: an index "
           "whose name is made of them has another name");
  return out;
}

constexpr std::array kElasticsearch = std::to_array<SameKey>({
    {"hosts", "hosts", Form::kTexts},
    {"protocol", "protocol", Form::kText},
    {"path", "path", Form::kText},
    {"username", "username", Form::kText},
    {"password", "password", Form::kText},
    {"api_key", "api_key", Form::kText},
    {"loadbalance", "load_balance", Form::kWord},
    {"worker", "workers", Form::kWord},
    {"workers", "workers", Form::kWord},
    {"bulk_max_size", "bulk_max_size", Form::kWord},
    {"compression_level", "compression_level", Form::kWord},
    {"timeout", "timeout", Form::kWord},
    {"proxy_url", "proxy_url", Form::kText},
});

void ConvertIndices(Beat& beat, const BeatNode& output, const Profile& profile, YamlOut& out) {
  const BeatNode* const indices = output.Find("indices");
  if (indices == nullptr) return;
  YamlOut list = YamlOut::List();
  for (const BeatNode& item : indices->items()) {
    const BeatNode* const when = item.Find("when");
    const bool one = when != nullptr && when->below().size() == 1;
    const std::string op = one ? when->below().front().name() : "";
    YamlOut rule = YamlOut::Map(
        {{"index", YamlOut::Text(ConvertPattern(beat, item, item.Text("index"), profile))}});
    item.UseAll();
    YamlOut fields;
    if (one) {
      when->below().front().ForEachLeaf([&](const std::string& field, const BeatNode& leaf) {
        fields.Put(field, YamlOut::Text(leaf.text()));
      });
    }
    if ((op != "equals" && op != "contains") || fields.pairs().size() != 1) {
      beat.Say(kNoEquivalent, item, "one field that equals or contains a text is known here");
      continue;
    }
    rule.Put("when", YamlOut::Map({{op, std::move(fields)}}));
    list.Add(std::move(rule));
  }
  if (!list.items().empty()) out.Put("indices", std::move(list));
}

void CopySetup(Beat& beat, YamlOut& out) {
  const BeatNode* const setup = beat.root.Find("setup");
  YamlOut to;
  constexpr std::array kTemplate = std::to_array<SameKey>({
      {"template.enabled", "enabled", Form::kWord},
      {"template.name", "name", Form::kText},
      {"template.pattern", "pattern", Form::kText},
      {"template.priority", "priority", Form::kWord},
      {"template.overwrite", "overwrite", Form::kWord},
  });
  constexpr std::array kIlm = std::to_array<SameKey>({
      {"ilm.enabled", "enabled", Form::kText},
      {"ilm.rollover_alias", "rollover_alias", Form::kText},
      {"ilm.pattern", "pattern", Form::kText},
      {"ilm.policy_name", "policy_name", Form::kText},
      {"ilm.policy_file", "policy_file", Form::kText},
      {"ilm.check_exists", "check_exists", Form::kWord},
      {"ilm.overwrite", "overwrite", Form::kWord},
  });
  YamlOut shape;
  YamlOut ilm;
  if (setup != nullptr) {
    CopySame(*setup, kTemplate, shape);
    CopySame(*setup, kIlm, ilm);
    const BeatNode* const settings = setup->Find("template.settings");
    if (settings != nullptr) {
      YamlOut values;
      settings->ForEachLeaf([&values](const std::string& path, const BeatNode& leaf) {
        leaf.Use();
        values.Put(path,
                   leaf.is_quoted() ? YamlOut::Text(leaf.text()) : YamlOut::Word(leaf.text()));
      });
      shape.Put("settings", std::move(values));
    }
  }
  if (shape.empty()) shape.Put("enabled", YamlOut::Bool(true));
  to.Put("template", std::move(shape));
  if (!ilm.empty()) to.Put("ilm", std::move(ilm));
  out.Put("setup", std::move(to));
}

YamlOut ConvertElasticsearch(Beat& beat, const BeatNode& output, const Profile& profile) {
  YamlOut out;
  CopySame(output, kElasticsearch, out);
  for (const auto& [theirs, ours] :
       {std::pair("cloud.id", "cloud_id"), std::pair("cloud.auth", "cloud_auth")}) {
    if (beat.root.Has(theirs)) out.Put(ours, YamlOut::Text(beat.root.Text(theirs)));
  }
  CopySsl(output, out);
  CopyBackoff(output, out);
  if (const BeatNode* const headers = output.Find("headers")) {
    YamlOut map;
    headers->ForEachLeaf([&map](const std::string& name, const BeatNode& leaf) {
      leaf.Use();
      map.Put(name, YamlOut::Text(leaf.text()));
    });
    out.Put("headers", std::move(map));
  }
  const std::string pipeline =
      profile.document.pipeline.empty() ? output.Text("pipeline") : profile.document.pipeline;
  output.UseAll("pipeline");
  if (!pipeline.empty()) out.Put("pipeline", YamlOut::Text(pipeline));
  std::string index = profile.document.index;
  if (index.empty()) index = output.Text("index");
  output.UseAll("index");
  const bool alias = beat.root.Has("setup.ilm.rollover_alias");
  if (index.empty() && !alias) {
    index = "filebeat-%{+yyyy.MM.dd}";
    beat.Say(kDiffers, output,
             "without an index Filebeat writes to filebeat-VERSION: written out as an index of the "
             "day. A data_stream, or setup.ilm.rollover_alias, is the other way");
  }
  if (!index.empty() && alias) {
    beat.Say(kDiffers, output, "setup.ilm.rollover_alias is where documents go, not index");
  } else if (!index.empty()) {
    out.Put("index", YamlOut::Text(ConvertPattern(beat, output, index, profile)));
  }
  ConvertIndices(beat, output, profile, out);
  CopySetup(beat, out);
  for (const char* key : {"max_retries", "escape_html", "allow_older_versions", "preset",
                          "non_indexable_policy", "idle_connection_timeout"}) {
    if (const BeatNode* const node = output.Find(key)) {
      node->UseAll();
      beat.Say(kNoEffect, *node,
               "what is refused for now is sent again, what is refused for good goes to the dead "
               "letter");
    }
  }
  return out;
}

YamlOut ConvertFile(Beat& beat, const BeatNode& output, const Profile& /*profile*/) {
  const std::string folder = output.Text("path", ".");
  const std::string name = output.Text("filename", "filebeat");
  YamlOut out = YamlOut::Map({{"path", YamlOut::Text(folder + '/' + name + ".ndjson")}});
  out.Put("rotate_size", YamlOut::Word(output.Text("rotate_every_kb", "10240") + "KiB"));
  out.Put("keep", YamlOut::Word(output.Text("number_of_files", "7")));
  out.Put("mode", YamlOut::Text(output.Text("permissions", "0600")));
  output.UseAll("rotate_on_startup");
  if (const BeatNode* const codec = output.Find("codec")) {
    codec->UseAll();
    beat.Say(kDiffers, *codec, "a line is a JSON document (format: raw is the line alone)");
  }
  beat.Say(kDiffers, output, "rotated files have the time in their names");
  return out;
}

YamlOut ConvertConsole(Beat& beat, const BeatNode& output, const Profile& /*profile*/) {
  output.UseAll();
  beat.Say(kDiffers, output, "documents are written a line each");
  return YamlOut::Map({{"format", YamlOut::Text("ndjson")}});
}

struct Row {
  std::string_view theirs;
  std::string_view ours;
  YamlOut (*convert)(Beat& beat, const BeatNode& output, const Profile& profile);
};
constexpr std::array kOutputs = std::to_array<Row>({
    {"console", "stdout", ConvertConsole},
    {"elasticsearch", "elasticsearch", ConvertElasticsearch},
    {"file", "file", ConvertFile},
    {"logstash", "logstash", ConvertLogstash},
});

// One for each profile.
void AddOutputs(Beat& beat, const BeatNode& output, const Row& kind,
                const std::vector<Profile>& profiles, const std::vector<YamlOut>& documents,
                YamlOut& list) {
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    const std::string name = std::string(kind.ours) + (i == 0 ? "" : '-' + std::to_string(i + 1));
    YamlOut body = kind.convert(beat, output, profiles[i]);
    if (!documents[i].empty()) body.Put("document", documents[i]);
    YamlOut item = YamlOut::Map({{"name", YamlOut::Text(name)}, {std::string(kind.ours), body}});
    if (profiles.size() > 1) {
      // As with Filebeat: files wait while the receiver is down.
      item.Put("buffer", YamlOut::Map({{"type", YamlOut::Word("none")}}));
      for (const std::size_t index : profiles[i].jobs)
        beat.jobs[index].outputs.push_back(name);
      if (i == 1) item.Comment("The same receiver: documents of other inputs are made otherwise.");
    }
    list.Add(std::move(item));
  }
}

}  // namespace

YamlOut ConvertOutputs(Beat& beat) {
  YamlOut list = YamlOut::List();
  const BeatNode* const all = beat.root.Find("output");
  const std::vector<Profile> profiles = ProfilesOf(beat.jobs);
  std::vector<YamlOut> documents;
  documents.reserve(profiles.size());
  for (const Profile& profile : profiles)
    documents.push_back(WriteDocument(beat, profile));
  if (all == nullptr) return list;
  for (const BeatNode& output : all->below()) {
    if (!output.Bool("enabled", true)) {
      output.UseAll();
      continue;
    }
    const auto* const known = std::ranges::find(kOutputs, output.name(), &Row::theirs);
    if (known == kOutputs.end()) {
      output.UseAll();
      beat.Say(kNoEquivalent, output,
               "there is no output to it: what reads from it can read from "
               "Logstash, Elasticsearch, Loki or files");
      continue;
    }
    AddOutputs(beat, output, *known, profiles, documents, list);
  }
  return list;
}

}  // namespace agent::convert
