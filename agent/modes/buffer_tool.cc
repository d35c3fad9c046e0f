#include "agent/modes/buffer_tool.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "agent/http/json_writer.h"
#include "base/clock.h"
#include "outputs/buffer/block_format.h"
#include "outputs/buffer/buffer_folder.h"
#include "outputs/buffer/segment_file.h"
#include "outputs/elasticsearch/bulk_body.h"
#include "outputs/file/frame_compressor.h"
#include "outputs/loki/push_request.h"

namespace agent {
namespace {

constexpr int kOk = 0;
constexpr int kDamaged = 1;
constexpr int kUsage = 2;
// Of one batch, decompressed.
constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;

constexpr std::string_view kHelp =
    "Usage: agent buffer ls|verify|cat DIR\n"
    "\n"
    "  ls      what is in the disk buffer of an output: segments, batches, entries, age, cursor\n"
    "  verify  reads everything; exits with 1 and says where, when something is damaged\n"
    "  cat     its entries that are not delivered, as NDJSON\n"
    "\n"
    "DIR is the folder of an output, such as buffer/NAME beside the positions file.\n";

void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// Prints the entries of a batch, each on a line.
using BatchPrinter = void (*)(const StoredBatch& batch);

void PrintLoki(const StoredBatch& batch) {
  loki::PushRequest request;
  const Status parsed = request.Parse({batch.body.data.get(), batch.body.size});
  if (!parsed.ok()) return;
  for (uint32_t i = 0; i < request.entries.size() && i < batch.origins.size(); ++i) {
    const loki::DecodedEntry entry = request.Decode(i);
    const EntryOrigin& origin = batch.origins[i];
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
    json.Key("job").String(origin.pin < batch.jobs.size() ? batch.jobs[origin.pin] : "");
    json.Key("offset").Number(origin.offset).EndObject();
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
    if (matched) {
      const EntryOrigin& origin = batch.origins[i];
      json.Key("job").String(origin.pin < batch.jobs.size() ? batch.jobs[origin.pin] : "");
      json.Key("offset").Number(origin.offset);
    }
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
    const EntryOrigin& origin = batch.origins[i];
    JsonWriter json;
    json.BeginObject();
    json.Key("index").String(elasticsearch::ActionValue(document.action, "_index"));
    const std::string id = elasticsearch::ActionValue(document.action, "_id");
    if (!id.empty()) json.Key("id").String(id);
    json.Key("job").String(origin.pin < batch.jobs.size() ? batch.jobs[origin.pin] : "");
    json.Key("offset").Number(origin.offset).EndObject();
    std::string line = json.Take();
    line.pop_back();
    line += ",\"document\":" + std::string(document.document) + "}\n";
    Print(line);
  }
}

struct KnownKind {
  std::string_view kind;
  BatchPrinter print;
};
// One row for each kind of output whose batches can be shown.
constexpr std::array<KnownKind, 4> kKinds = {{
    {"elasticsearch", PrintElasticsearch},
    {"file", PrintFile},
    {"loki", PrintLoki},
    {"stdout", PrintFile},
}};

BatchPrinter PrinterOf(const std::string& kind) {
  const auto* const found = std::find_if(
      kKinds.begin(), kKinds.end(), [&](const KnownKind& known) { return known.kind == kind; });
  return found != kKinds.end() ? found->print : PrintSizes;
}

std::string Age(int64_t since_wall_ns) {
  if (since_wall_ns == 0) return "-";
  const int64_t age = SystemClock().WallNanos() - since_wall_ns;
  return std::to_string(std::max<int64_t>(0, age) / kNanosPerSecond) + "s";
}

int List(const std::vector<std::string>& lanes) {
  std::printf("%-24s %-14s %8s %12s %10s %10s %10s %12s\n", "TENANT", "KIND", "SEGMENTS", "BYTES",
              "BATCHES", "ENTRIES", "OLDEST", "CURSOR");
  for (const std::string& lane : lanes) {
    if (!IsInUse(lane)) continue;
    const FolderSummary summary = Summarize(lane, /*check_payloads=*/false);
    const std::string tenant = TenantIn(lane);
    std::printf(
        "%-24s %-14s %8llu %12llu %10llu %10llu %10s %12llu\n",
        tenant.empty() ? "-" : tenant.c_str(), summary.kind.empty() ? "-" : summary.kind.c_str(),
        static_cast<unsigned long long>(summary.segments),
        static_cast<unsigned long long>(summary.bytes),
        static_cast<unsigned long long>(summary.batches),
        static_cast<unsigned long long>(summary.entries), Age(summary.oldest_wall_ns).c_str(),
        static_cast<unsigned long long>(summary.cursor));
  }
  return kOk;
}

int Verify(const std::vector<std::string>& lanes) {
  uint64_t damaged = 0;
  uint64_t batches = 0;
  for (const std::string& lane : lanes) {
    for (const std::string& path : ListSegments(lane)) {
      auto file = SegmentFile::Open(path);
      if (!file) {
        Print(path + ": " + file.error().message + "\n");
        ++damaged;
        continue;
      }
      if (!file->Header()) {
        Print(path + ": the header is damaged\n");
        ++damaged;
      }
      file->Walk(/*check_payloads=*/true, [&](const SegmentFile::Visit& visit) {
        if (visit.header) return void(++batches);
        Print(path + ": " + std::to_string(visit.size) + " bytes are damaged at offset " +
              std::to_string(visit.offset) + "\n");
        ++damaged;
      });
    }
  }
  Print(std::to_string(batches) + " whole batches, " + std::to_string(damaged) +
        " damaged places\n");
  return damaged == 0 ? kOk : kDamaged;
}

int Cat(const std::vector<std::string>& lanes) {
  bool damaged = false;
  BlockCodec codec;
  for (const std::string& lane : lanes) {
    const uint64_t cursor = Summarize(lane, /*check_payloads=*/false).cursor;
    for (const std::string& path : ListSegments(lane)) {
      auto file = SegmentFile::Open(path);
      if (!file) continue;
      const auto header = file->Header();
      const BatchPrinter print = PrinterOf(header ? header->kind : "");
      file->Walk(/*check_payloads=*/false, [&](const SegmentFile::Visit& visit) {
        if (visit.header && visit.header->id <= cursor) return;
        auto batch = visit.header
                         ? codec.Decode(*visit.header, file->Payload(visit.offset, *visit.header))
                         : Result<StoredBatch>(Error{ErrorCode::kInvalid, ""});
        if (batch.ok()) return print(*batch);
        damaged = true;
        std::fprintf(stderr, "%s: damaged at offset %llu\n", path.c_str(),
                     static_cast<unsigned long long>(visit.offset));
      });
    }
  }
  return damaged ? kDamaged : kOk;
}

}  // namespace

int RunBufferTool(std::span<const char* const> arguments) {
  const std::string_view what = arguments.empty() ? "" : arguments[0];
  if (what == "-h" || what == "-help" || what == "--help") {
    Print(std::string(kHelp));
    return kOk;
  }
  const bool known = what == "ls" || what == "verify" || what == "cat";
  if (!known || arguments.size() != 2) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stderr);
    return kUsage;
  }
  const std::string folder = arguments[1];
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    std::fprintf(stderr, "%s: %s\n", folder.c_str(),
                 error ? error.message().c_str() : "not a folder");
    return kUsage;
  }
  const std::vector<std::string> lanes = LaneFolders(folder);
  if (what == "ls") return List(lanes);
  return what == "verify" ? Verify(lanes) : Cat(lanes);
}

}  // namespace agent
