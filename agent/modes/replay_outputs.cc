#include "agent/modes/replay_outputs.h"

#include <algorithm>

#include "agent/runtime/line_options.h"
#include "agent/runtime/output_options.h"
#include "base/clock.h"
#include "base/entry.h"
#include "outputs/elasticsearch/bulk_replay.h"
#include "outputs/json_lines/line_replay.h"
#include "outputs/logstash/event_replay.h"

namespace agent {
namespace {

constexpr std::size_t kReadableBytes = 64;  // Behind a line.
// By which Loki outputs know an entry's tenant.
constexpr std::string_view kTenantLabel = "__tenant_id__";

// A running agent has the buffers; here all is delivered, or not settled.
Config WithoutBuffers(Config config) {
  config.positions.filename.clear();
  const auto change = [](auto& output) {
    output.buffer = BufferConfig();
    output.buffer.type = BufferType::kNone;
    output.required = true;
  };
  std::for_each(config.clients.begin(), config.clients.end(), change);
  std::for_each(config.outputs.begin(), config.outputs.end(), change);
  return config;
}

// Null: that kind sends no documents as they are.
std::unique_ptr<DocumentReplay> MakeDocumentReplay(const OutputConfig& output,
                                                   DocumentReplay::Dependencies dependencies) {
  const std::string no_host;  // Documents say already where they are from.
  if (output.elasticsearch) {
    return std::make_unique<elasticsearch::BulkReplay>(ToElasticsearchOptions(output, no_host),
                                                       std::move(dependencies));
  }
  if (!output.logstash) return nullptr;
  if (output.logstash->protocol == "json_lines") {
    return std::make_unique<json_lines::LineReplay>(ToJsonLinesOptions(output, no_host),
                                                    std::move(dependencies));
  }
  return std::make_unique<logstash::EventReplay>(ToLumberjackOptions(output, no_host),
                                                 std::move(dependencies));
}

}  // namespace

ReplayOutputs::ReplayOutputs(const Config& config, const GenerationDependencies& dependencies,
                             DeadLetter& dead_letter)
    : dependencies_(dependencies) {
  auto outputs = MakeClientOutputs(WithoutBuffers(config), dependencies, dead_letter);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    Lane& lane = lanes_.emplace_back();
    lane.output = std::move(outputs[i]);
    Output* const output = lane.output.get();
    const BatchSink sink = [output](Batch batch) { output->Enqueue(std::move(batch)); };
    lane.encoder = output->MakeEncoder(sets_, sink);
    const std::size_t clients = config.clients.size();
    if (i < clients) continue;
    lane.documents =
        MakeDocumentReplay(config.outputs[i - clients], {i, dependencies.budget, sink});
  }
}

ReplayOutputs::~ReplayOutputs() {
  for (const Lane& lane : lanes_) {
    lane.encoder->Abandon();
    if (lane.documents) lane.documents->Abandon();
  }
}

std::optional<std::size_t> ReplayOutputs::Find(const std::string& name) const {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].output->name() == name) return i;
  }
  return std::nullopt;
}

const std::string& ReplayOutputs::name(std::size_t output) const {
  return lanes_[output].output->name();
}

std::string ReplayOutputs::WhyNot(std::size_t output, const DeadLetterRecord& record) const {
  if (record.document.empty()) return {};
  const Lane& lane = lanes_[output];
  if (lane.documents == nullptr)
    return "'" + name(output) + "' does not send documents as they are";
  return lane.documents->WhyNot({record.index, record.id, record.document});
}

const std::shared_ptr<SourceProgress>& ReplayOutputs::SourceOf(const DeadLetterRecord& record) {
  auto& source = sources_[{record.job, record.source}];
  if (source == nullptr) {
    source = std::make_shared<SourceProgress>(record.job, std::vector<uint64_t>(lanes_.size(), 0),
                                              nullptr, SourceIdentity{.name = record.source});
  }
  return source;
}

void ReplayOutputs::Add(std::size_t output, const DeadLetterRecord& record) {
  Lane& lane = lanes_[output];
  const std::shared_ptr<SourceProgress>& source = SourceOf(record);
  if (lane.source != source.get()) {
    lane.source = source.get();
    lane.encoder->BeginSource(source);
    if (lane.documents) lane.documents->BeginSource(source);
  }
  Entry entry;
  entry.offset = record.offset;
  entry.source_bytes = 1;  // Entries are counted, not bytes.
  ++lane.given;
  const int64_t now = dependencies_.clock.MonotonicNanos();
  if (!record.document.empty()) {
    return lane.documents->Add({record.index, record.id, record.document}, entry, now);
  }
  Labels labels = record.labels;
  if (!record.tenant.empty()) labels.Set(kTenantLabel, record.tenant);
  const std::string padded = record.line + std::string(kReadableBytes, '\0');
  std::vector<Metadata> metadata;
  for (const auto& [key, value] : record.metadata)
    metadata.push_back({key, value});
  entry.labels = sets_.Intern(labels);
  entry.timestamp_ns = record.timestamp_ns;
  entry.line = {padded.data(), record.line.size()};
  entry.metadata = metadata;
  lane.encoder->Add(entry, now);
}

void ReplayOutputs::Flush(bool all) {
  const int64_t now = all ? INT64_MAX : dependencies_.clock.MonotonicNanos();
  for (const Lane& lane : lanes_) {
    lane.encoder->Flush(now);
    if (lane.documents) lane.documents->Flush(now);
  }
}

ReplayTally ReplayOutputs::Tally(std::size_t output) const {
  ReplayTally tally;
  tally.given = lanes_[output].given;
  for (const auto& [key, source] : sources_) {
    const LedgerBalance balance = source->Balance(output);
    tally.delivered += balance.settled;
    tally.refused += balance.dropped;
  }
  return tally;
}

bool ReplayOutputs::settled() const {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const ReplayTally tally = Tally(i);
    if (tally.delivered + tally.refused < tally.given) return false;
  }
  return true;
}

std::string ReplayOutputs::last_error(std::size_t output) const {
  for (const LaneStatus& lane : lanes_[output].output->Status()) {
    if (!lane.last_error.empty()) return lane.last_error;
  }
  return {};
}

}  // namespace agent
