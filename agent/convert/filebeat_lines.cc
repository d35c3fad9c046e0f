// What an input says of its lines: encoding, JSON, multiline, filters; `parsers` of filestream.

#include <algorithm>
#include <array>
#include <cctype>

#include "agent/convert/filebeat_job.h"

namespace agent::convert {
namespace {

using enum FindingKind;

struct EncodingName {
  std::string_view theirs;
  std::string_view ours;  // Empty: none is needed.
};
constexpr std::array kEncodings = std::to_array<EncodingName>({
    {"plain", ""},
    {"utf-8", ""},
    {"nop", ""},
    {"latin1", "ISO-8859-1"},
    {"utf-16be-bom", "UTF-16"},
    {"utf-16le-bom", "UTF-16"},
    {"utf-16-bom", "UTF-16"},
    {"utf-16be", "UTF-16BE"},
    {"utf-16le", "UTF-16LE"},
    {"big5", "BIG5"},
    {"gb18030", "GB18030"},
    {"gbk", "GBK"},
    {"euc-kr", "EUC-KR"},
    {"euc-jp", "EUC-JP"},
    {"shift-jis", "Shift_JIS"},
});

void ConvertEncoding(Beat& beat, const BeatNode& input, Job& job) {
  const BeatNode* const node = input.Find("encoding");
  if (node == nullptr) return;
  const std::string name = input.Text("encoding");
  const auto* const known = std::ranges::find(kEncodings, name, &EncodingName::theirs);
  if (known != kEncodings.end()) {
    job.encoding = known->ours;
  } else if (name.starts_with("iso-8859-") || name.starts_with("windows-")) {
    job.encoding = name;
    if (name.starts_with("iso-8859-")) job.encoding.replace(0, 3, "ISO");
    // "iso-8859-6e" and the like are the same letters in another order of display.
    const char last = job.encoding.back();
    if (last == 'e' || last == 'i') job.encoding.pop_back();
  } else {
    beat.Say(kNoEquivalent, *node, "the encoding " + name + " is not known here");
  }
}

std::string Anchored(const std::vector<std::string>& patterns) {
  if (patterns.size() == 1) return patterns.front();
  std::string joined;
  for (const std::string& pattern : patterns)
    joined += (joined.empty() ? "(?:" : "|(?:") + pattern + ')';
  return joined;
}

// On the line, or on the member of a JSON line that is named as its message.
void Filter(Job& job, const std::vector<std::string>& patterns, bool keep,
            const std::string& message_key) {
  if (patterns.empty()) return;
  const std::string expression = Anchored(patterns);
  const std::string reason = keep ? "include_lines" : "exclude_lines";
  if (!message_key.empty()) {
    const std::string target = job.json_target.value_or("");
    const auto value = ExtractField(job, target.empty() ? message_key : target + '.' + message_key);
    const std::string source = value ? value->extracted : message_key;
    if (keep) {
      const std::string text = "(default \"\" (index . " + GoQuoted(source) + "))";
      job.AddStage(
          "template",
          YamlOut::Map({{"source", YamlOut::Text("left_out")},
                        {"template", YamlOut::Text("{{ if not (regexMatch " + GoQuoted(expression) +
                                                   ' ' + text + ") }}yes{{ end }}")}}));
      job.AddStage("drop", YamlOut::Map({{"source", YamlOut::Text("left_out")},
                                         {"value", YamlOut::Text("yes")},
                                         {"drop_counter_reason", YamlOut::Text(reason)}}));
    } else {
      job.AddStage("drop", YamlOut::Map({{"source", YamlOut::Text(source)},
                                         {"expression", YamlOut::Text(expression)},
                                         {"drop_counter_reason", YamlOut::Text(reason)}}));
    }
    return;
  }
  if (keep) {
    job.AddStage(
        "match",
        YamlOut::Map({{"selector", YamlOut::Text("{filename=~\".*\"} !~ " + GoQuoted(expression))},
                      {"action", YamlOut::Word("drop")},
                      {"drop_counter_reason", YamlOut::Text(reason)}}));
  } else {
    job.AddStage("drop", YamlOut::Map({{"expression", YamlOut::Text(expression)},
                                       {"drop_counter_reason", YamlOut::Text(reason)}}));
  }
}

void ConvertMultiline(Beat& beat, const BeatNode& multiline, Job& job) {
  const std::string type = multiline.Text("type", "pattern");
  const std::string pattern = multiline.Text("pattern");
  const bool negate = multiline.Bool("negate", false);
  const std::string match = multiline.Text("match", "after");
  for (const char* key : {"flush_pattern", "skip_newline", "count_lines", "lines_count"}) {
    const BeatNode* const node = multiline.Find(key);
    if (node == nullptr || multiline.Text(key) == "false") continue;
    beat.Say(kNoEquivalent, *node, "multiline has nothing like it");
  }
  if (type != "pattern" || pattern.empty()) {
    multiline.UseAll();
    return beat.Say(
        kNoEquivalent, multiline,
        "multiline by " + type +
            " is not known: entries begin with a line that "
            "matches `firstline`, or end before one that does not match `continuation`");
  }
  if (match != "after") {
    multiline.UseAll();
    return beat.Say(kNoEquivalent, multiline,
                    "match: before is not known: say what the first line of an entry looks like "
                    "(multiline, firstline)");
  }
  YamlOut body;
  body.Put(negate ? "firstline" : "continuation", YamlOut::Text(pattern));
  // What is usual there.
  body.Put("max_wait_time", YamlOut::Word(multiline.Text("timeout", "5s")));
  body.Put("max_lines", YamlOut::Word(multiline.Text("max_lines", "500")));
  job.AddStage("multiline", std::move(body));
}

// Keys that decoders of lines share.
LineJson ReadJson(Beat& beat, const BeatNode& node) {
  LineJson json;
  json.under_root = node.Bool("keys_under_root", false);
  json.overwrite = node.Bool("overwrite_keys", false);
  json.add_error = node.Bool("add_error_key", false);
  json.drop_line = true;
  for (const char* key : {"expand_keys", "ignore_decoding_error"})
    node.UseAll(key);
  if (const BeatNode* const id = node.Find("document_id")) {
    id->UseAll();
    beat.Say(kNoEquivalent, *id, "ids are made of the file and the offset (id_mode)");
  }
  return json;
}

void ConvertJson(Beat& beat, const BeatNode& node, Job& job, std::string& message_key) {
  const LineJson json = ReadJson(beat, node);
  message_key = node.Text("message_key");
  DecodeLines(job, json, json.under_root ? "" : "json");
}

void ConvertNdjson(Beat& beat, const BeatNode& node, Job& job, std::string& message_key) {
  LineJson json = ReadJson(beat, node);
  message_key = node.Text("message_key");
  const std::string target = node.Text("target");
  json.under_root = target.empty();
  DecodeLines(job, json, target);
}

void ConvertParsers(Beat& beat, const BeatNode& parsers, Job& job, std::string& message_key) {
  for (const BeatNode& item : parsers.items()) {
    for (const BeatNode& parser : item.below()) {
      if (parser.name() == "ndjson") {
        ConvertNdjson(beat, parser, job, message_key);
      } else if (parser.name() == "multiline") {
        ConvertMultiline(beat, parser, job);
      } else if (parser.name() == "container") {
        // Reads both formats, whichever `format` says.
        parser.UseAll();
        UnwrapContainerLines(job);
      } else if (parser.name() == "include_message") {
        Filter(job, parser.Texts("patterns"), /*keep=*/true, "");
      } else {
        parser.UseAll();
        beat.Say(kNoEquivalent, parser, "a parser that is not known here");
      }
    }
  }
}

}  // namespace

void DecodeLines(Job& job, const LineJson& json, const std::string& target) {
  job.document.json = json;
  job.document.json->under_root = target.empty();
  job.json_target = target;
  if (!target.empty() && target != "json") job.document.rename.emplace_back("json", target);
  if (!target.empty() || !json.overwrite) return;
  // A line that has an @timestamp may set the event's.
  YamlOut expressions = YamlOut::Map({{"timestamp", YamlOut::Text("\"@timestamp\"")}});
  job.AddStage("json", YamlOut::Map({{"expressions", std::move(expressions)}}));
  job.AddStage("timestamp", YamlOut::Map({{"source", YamlOut::Text("timestamp")},
                                          {"format", YamlOut::Text("RFC3339Nano")},
                                          {"action_on_failure", YamlOut::Text("skip")}}));
}

void UnwrapContainerLines(Job& job) {
  // Each leaves the other's lines as they are.
  job.AddStage("docker", YamlOut());
  job.AddStage("replace", YamlOut::Map({{"expression", YamlOut::Text("(\\n)$")},
                                        {"replace", YamlOut::Text("")}}));
  job.AddStage("cri", YamlOut());
  job.AddLabelPath("stream", "");
}

void ConvertLines(Beat& beat, const BeatNode& input, Job& job) {
  ConvertEncoding(beat, input, job);
  std::string message_key;
  if (const BeatNode* const parsers = input.Find("parsers")) {
    ConvertParsers(beat, *parsers, job, message_key);
  }
  const BeatNode* const multiline = input.Find("multiline");
  const BeatNode* const json = input.Find("json");
  if (multiline != nullptr && json != nullptr) {
    beat.Say(kDiffers, *multiline,
             "lines are put together before they are decoded; Filebeat decodes each first");
  }
  if (multiline != nullptr) ConvertMultiline(beat, *multiline, job);
  if (json != nullptr) ConvertJson(beat, *json, job, message_key);
  Filter(job, input.Texts("include_lines"), /*keep=*/true, message_key);
  Filter(job, input.Texts("exclude_lines"), /*keep=*/false, message_key);
  // Filebeat ships no empty lines.
  if (job.source_key != "journal" && job.source_key != "syslog") {
    job.AddStage("drop", YamlOut::Map({{"expression", YamlOut::Text("^$")},
                                       {"drop_counter_reason", YamlOut::Text("empty_line")}}));
  }
}

}  // namespace agent::convert
