#include "agent/modes/inspect/trace_json.h"

#include <cmath>
#include <string_view>

#include "agent/http/json_writer.h"
#include "base/go_format.h"
#include "pipeline/time/rfc3339.h"

namespace agent {
namespace {

std::string_view NameOf(Change::What what) {
  switch (what) {
    case Change::What::kLine:
      return "line";
    case Change::What::kTimestamp:
      return "timestamp";
    case Change::What::kLabel:
      return "label";
    case Change::What::kMetadata:
      return "structured_metadata";
    case Change::What::kExtracted:
      break;
  }
  return "extracted";
}

std::string_view NameOf(TraceStep::Outcome outcome) {
  switch (outcome) {
    case TraceStep::Outcome::kPassed:
      return "passed";
    case TraceStep::Outcome::kDropped:
      return "dropped";
    case TraceStep::Outcome::kKept:
      return "kept_back";
    case TraceStep::Outcome::kAbsorbed:
      return "joined";
    case TraceStep::Outcome::kEmerged:
      break;
  }
  return "came_out";
}

std::string_view NameOf(EntryTrace::End end) {
  switch (end) {
    case EntryTrace::End::kSent:
      return "sent";
    case EntryTrace::End::kDropped:
      return "dropped";
    case EntryTrace::End::kKept:
      return "kept_back";
    case EntryTrace::End::kAbsorbed:
      return "joined";
    case EntryTrace::End::kRateLimited:
      break;
  }
  return "rate_limited";
}

std::string_view NameOf(BlockCause cause) {
  switch (cause) {
    case BlockCause::kLines:
      return "lines";
    case BlockCause::kDeadline:
      return "deadline";
    case BlockCause::kEndOfInput:
      return "end_of_input";
    case BlockCause::kEndOfSource:
      break;
  }
  return "end_of_file";
}

void WriteValue(const Value& value, JsonWriter& json) {
  if (value.is_string()) {
    json.String(value.text());
  } else if (value.type() == ValueType::kBool) {
    json.Bool(value.boolean());
  } else if (value.type() == ValueType::kInteger) {
    json.Number(value.integer());
  } else if (value.type() != ValueType::kNumber) {
    json.Null();
  } else if (std::isfinite(value.number())) {
    json.Number(value.number());
  } else {
    std::string text;
    AppendGoFloat(value.number(), text);
    json.String(text);
  }
}

void WriteOrigins(std::string_view key, const std::vector<LineOrigin>& origins, JsonWriter& json) {
  json.Key(key).BeginArray();
  for (const LineOrigin& origin : origins) {
    json.BeginObject().Key("source").String(origin.source);
    if (origin.line) json.Key("line").Number(*origin.line);
    json.Key("offset").Number(origin.offset).EndObject();
  }
  json.EndArray();
}

void WriteChange(const Change& change, JsonWriter& json) {
  json.BeginObject().Key("what").String(NameOf(change.what));
  if (change.what == Change::What::kTimestamp) {
    json.Key("before").String(FormatRfc3339(change.before_ns));
    json.Key("after").String(FormatRfc3339(change.after_ns));
    json.EndObject();
    return;
  }
  if (change.what != Change::What::kLine) json.Key("name").String(change.name);
  if (change.before.present()) WriteValue(change.before, json.Key("before"));
  if (change.after.present()) WriteValue(change.after, json.Key("after"));
  json.EndObject();
}

// What every object begins with.
void Begin(std::string_view kind, const EntryTrace& trace, JsonWriter& json) {
  json.BeginObject().Key("inspect").String(kind);
  json.Key("entry").Number(trace.number);
  json.Key("job").String(trace.job);
}

std::string FormatStep(const EntryTrace& trace, const TraceStep& step) {
  JsonWriter json;
  Begin("stage", trace, json);
  json.Key("stage").String(step.stage->index);
  json.Key("name").String(step.stage->name);
  json.Key("path").String(step.stage->path);
  json.Key("outcome").String(NameOf(step.outcome));
  if (step.outcome == TraceStep::Outcome::kDropped) json.Key("reason").String(step.reason);
  json.Key("changes").BeginArray();
  for (const Change& change : step.changes)
    WriteChange(change, json);
  json.EndArray();
  if (!step.failures.empty()) {
    json.Key("failures").BeginArray();
    for (const std::string_view failure : step.failures)
      json.String(failure);
    json.EndArray();
  }
  if (!step.joined.empty()) WriteOrigins("joined", step.joined, json);
  if (step.into) WriteOrigins("joined_to", {*step.into}, json);
  json.EndObject();
  return json.Take() + "\n";
}

std::string FormatEntry(const EntryTrace& trace) {
  const EntryState& last = trace.last;
  JsonWriter json;
  Begin("entry", trace, json);
  WriteOrigins("lines", trace.origins, json);
  json.Key("cause").String(NameOf(trace.cause));
  json.Key("outcome").String(NameOf(trace.end));
  json.Key("read").String(trace.first.line);
  json.Key("line").String(last.line);
  json.Key("timestamp").String(FormatRfc3339(last.timestamp_ns));
  json.Key("labels").BeginObject();
  for (const auto& [name, value] : last.labels)
    json.Key(name).String(value);
  json.EndObject().Key("structured_metadata").BeginObject();
  for (const Metadata& pair : last.metadata)
    json.Key(pair.name).String(pair.value);
  json.EndObject().Key("extracted").BeginObject();
  for (const auto& [name, value] : last.extracted)
    WriteValue(value, json.Key(name));
  json.EndObject().EndObject();
  return json.Take() + "\n";
}

}  // namespace

std::string FormatTraceJson(const EntryTrace& trace) {
  std::string text;
  for (const TraceStep& step : trace.steps)
    text += FormatStep(trace, step);
  return text + FormatEntry(trace);
}

}  // namespace agent
