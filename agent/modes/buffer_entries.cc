#include "agent/modes/buffer_entries.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "agent/http/json_writer.h"
#include "outputs/elasticsearch/bulk_body.h"
#include "outputs/file/frame_compressor.h"
#include "outputs/logstash/frames.h"
#include "outputs/loki/push_request.h"

namespace agent {
namespace {

// Of one batch, decompressed.
constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// Where an entry is from, into an object that is open.
void AppendOrigin(const StoredBatch& batch, std::size_t entry, JsonWriter& json) {
  const EntryOrigin& origin = batch.origins[entry];
  json.Key("job").String(origin.pin < batch.jobs.size() ? batch.jobs[origin.pin] : "");
  json.Key("offset").Number(origin.offset);
}

// A document, which is JSON already, behind what `json` has in an object that is open.
void PrintDocument(JsonWriter& json, std::string_view document) {
  json.EndObject();
  std::string line = json.Take();
  line.pop_back();
  line += ",\"document\":";
  line += document;
  Print(line + "}\n");
}

void PrintLoki(const StoredBatch& batch) {
  loki::PushRequest request;
  const Status parsed = request.Parse({batch.body.data.get(), batch.body.size});
  if (!parsed.ok()) return;
  for (uint32_t i = 0; i < request.entries.size() && i < batch.origins.size(); ++i) {
    const loki::DecodedEntry entry = request.Decode(i);
    JsonWriter json;
    json.BeginObject().Key("tenant").String(batch.tenant);
    json.Key("labels").String(request.StreamOf(i).labels);
    json.Key("timestamp_ns").String(std::to_string(entry.timestamp_ns));
    json.Key("line").String(entry.line);
    if (!entry.metadata.empty()) {
      json.Key("structured_metadata").BeginObject();
      for (const auto& [name, value] : entry.metadata)
        json.Key(name).String(value);
      json.EndObject();
    }
    AppendOrigin(batch, i, json);
    json.EndObject();
    Print(json.Take() + "\n");
  }
}

// Lines as they would be in the file.
void PrintFile(const StoredBatch& batch) {
  const auto text = file::Decompress({batch.body.data.get(), batch.body.size}, kMaxFileBytes);
  if (!text.ok()) return;
  // With one line for each entry it is known where it is from.
  const auto lines = static_cast<std::size_t>(std::count(text->begin(), text->end(), '\n'));
  const bool matched = lines == batch.origins.size();
  std::string_view rest = *text;
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    JsonWriter json;
    json.BeginObject().Key("path").String(batch.tenant);
    json.Key("line").String(rest.substr(0, end));
    if (matched) AppendOrigin(batch, i, json);
    json.EndObject();
    Print(json.Take() + "\n");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// What is stored of an output that nobody here can read: as it goes over the wire.
void PrintSizes(const StoredBatch& batch) {
  JsonWriter json;
  json.BeginObject().Key("tenant").String(batch.tenant);
  json.Key("entries").Number(uint64_t{batch.origins.size()});
  json.Key("body_bytes").Number(uint64_t{batch.body.size}).EndObject();
  Print(json.Take() + "\n");
}

bool LooksLikeGzip(const Bytes& body) {
  return body.size > 2 && body.data[0] == '\x1f' && body.data[1] == '\x8b';
}

// Documents are JSON already.
void PrintElasticsearch(const StoredBatch& batch) {
  const auto body =
      elasticsearch::BulkBody::Parse(batch.body, batch.raw_size, LooksLikeGzip(batch.body));
  if (!body) return PrintSizes(batch);
  for (uint32_t i = 0; i < body->size() && i < batch.origins.size(); ++i) {
    const elasticsearch::BulkBody::Document document = body->At(i);
    JsonWriter json;
    json.BeginObject();
    json.Key("index").String(elasticsearch::ActionValue(document.action, "_index"));
    const std::string id = elasticsearch::ActionValue(document.action, "_id");
    if (!id.empty()) json.Key("id").String(id);
    AppendOrigin(batch, i, json);
    PrintDocument(json, document.document);
  }
}

// So are events.
void PrintLumberjack(const StoredBatch& batch) {
  const auto frames = logstash::FrameList::Parse(batch.body, batch.raw_size);
  if (!frames) return PrintSizes(batch);
  for (std::size_t i = 0; i < frames->size() && i < batch.origins.size(); ++i) {
    JsonWriter json;
    json.BeginObject();
    AppendOrigin(batch, i, json);
    PrintDocument(json, frames->At(i));
  }
}

void PrintJsonLines(const StoredBatch& batch) {
  std::string_view rest(batch.body.data.get(), batch.body.size);
  for (std::size_t i = 0; !rest.empty() && i < batch.origins.size(); ++i) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    JsonWriter json;
    json.BeginObject();
    AppendOrigin(batch, i, json);
    PrintDocument(json, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

struct KnownKind {
  std::string_view kind;
  BatchPrinter print;
};
// One row for each kind of output whose batches can be shown.
constexpr std::array<KnownKind, 6> kKinds = {{
    {"elasticsearch", PrintElasticsearch},
    {"file", PrintFile},
    {"json_lines", PrintJsonLines},
    {"loki", PrintLoki},
    {"lumberjack", PrintLumberjack},
    {"stdout", PrintFile},
}};

}  // namespace

BatchPrinter PrinterOf(const std::string& kind) {
  const auto* const found = std::find_if(
      kKinds.begin(), kKinds.end(), [&](const KnownKind& known) { return known.kind == kind; });
  return found != kKinds.end() ? found->print : PrintSizes;
}

}  // namespace agent
