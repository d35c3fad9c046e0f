#include "outputs/document/document_writer.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <simdjson.h>

#include "base/utf8.h"
#include "outputs/document/json_text.h"

namespace agent {
namespace {

// Numbers of holes: these, then metadata, then fields.
constexpr uint32_t kTimestamp = 0;
constexpr uint32_t kMessage = 1;
constexpr uint32_t kOffset = 2;
constexpr uint32_t kPath = 3;
constexpr uint32_t kFirstName = 4;
// A hole whose text is written in lower case; one whose value becomes a text.
constexpr uint32_t kLower = uint32_t{1} << 31;
constexpr uint32_t kText = uint32_t{1} << 30;

// More shapes than this, and none is worth keeping.
constexpr std::size_t kMaxShapes = 4096;

constexpr std::string_view kEcsVersion = "8.11.0";

// Names under which labels and metadata come, and what the Elastic Common Schema and Beats call
// them.
struct KnownName {
  std::string_view name;
  std::string_view path;
};
constexpr std::array<KnownName, 10> kKnownMetadata = {{
    {"trace_id", "trace.id"},
    {"traceID", "trace.id"},
    {"traceId", "trace.id"},
    {"trace.id", "trace.id"},
    {"span_id", "span.id"},
    {"spanID", "span.id"},
    {"spanId", "span.id"},
    {"span.id", "span.id"},
    {"level", "log.level"},
    {"detected_level", "log.level"},
}};
constexpr std::array<KnownName, 6> kKubernetesLabels = {{
    {"namespace", "kubernetes.namespace"},
    {"pod", "kubernetes.pod.name"},
    {"pod_uid", "kubernetes.pod.uid"},
    {"node_name", "kubernetes.node.name"},
    {"node", "kubernetes.node.name"},
    {"container", "kubernetes.container.name"},
}};
constexpr std::array<KnownName, 5> kContainerLabels = {{
    {"container", "container.name"},
    {"container_name", "container.name"},
    {"container_id", "container.id"},
    {"image", "container.image.name"},
    {"stream", "stream"},
}};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : static_cast<char>(c);
  });
  return lower;
}

// `name` came from a log: its dots make objects, unless `de_dot` takes their place, or an object
// would have no name.
std::string Under(std::string_view target, std::string_view name, char de_dot) {
  std::string path(name);
  const bool nameless = name.empty() || name.front() == '.' || name.back() == '.' ||
                        name.find("..") != std::string_view::npos;
  if (de_dot == '\0' && nameless) de_dot = '_';
  if (de_dot != '\0') std::replace(path.begin(), path.end(), '.', de_dot);
  if (path.empty()) path = "_";
  return target.empty() ? path : std::string(target) + '.' + path;
}

// Elasticsearch allows no objects under `labels`.
std::string LabelPath(std::string_view name) {
  std::string path(name);
  std::replace(path.begin(), path.end(), '.', '_');
  return "labels." + path;
}

int64_t FirstOffset(const Entry& entry) {
  const uint64_t offset = entry.holds.empty() ? entry.offset : entry.holds.front()->offset();
  return static_cast<int64_t>(offset);
}

std::optional<double> NumberOf(const Value& value) {
  if (!value.is_string()) return value.usable() ? std::optional(value.number()) : std::nullopt;
  double number = 0;
  const std::string_view text = value.text();
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

void AppendAsInteger(GrowingBuffer& to, const Value& value, double number) {
  constexpr double kTooLarge = 9223372036854775808.0;  // 2^63.
  int64_t integer = 0;
  const std::string_view text = value.text();
  const auto exact = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (value.type() == ValueType::kInteger) {
    integer = value.integer();
  } else if (text.empty() || exact.ec != std::errc() || exact.ptr != text.data() + text.size()) {
    if (!(std::abs(number) < kTooLarge)) return AppendJsonString(to, text);
    integer = static_cast<int64_t>(number);
  }
  AppendJsonInteger(to, integer);
}

void AppendAsBool(GrowingBuffer& to, const Value& value) {
  const std::string_view text = value.text();
  const bool yes =
      value.is_string() ? text == "true" || text == "1" || text == "True" : value.number() != 0;
  const bool no = !value.is_string() || text == "false" || text == "0" || text == "False";
  to.Append(yes ? "true" : no ? "false" : "null");
}

// Numbers as they were written, where that is known.
void AppendAsString(GrowingBuffer& to, const Value& value) {
  if (value.has_text()) return AppendJsonString(to, value.text());
  to.Append("\"");
  if (value.usable()) AppendJsonValue(to, value);
  to.Append("\"");
}

// Places that a line must not take: the entry's time, what Logstash is told apart from the event,
// and objects where `message` is a text.
bool IsOurs(std::string_view path) {
  const std::string_view root = path.substr(0, path.find('.'));
  return root == "@timestamp" || root == "@metadata" || (root == "message" && root != path);
}

bool IsPrivate(std::string_view label) {
  return label.starts_with("__");
}

}  // namespace

DocumentWriter::DocumentWriter(const DocumentOptions& options, LabelSets& sets)
    : options_(options), sets_(sets), epoch_(sets.epoch()) {
  wants_all_ = std::any_of(options.fields.begin(), options.fields.end(),
                           [](const DocumentField& field) { return field.name == "*"; });
}

// An address may be another source's by now: the name is compared as well.
void DocumentWriter::EnterSource(const SourceProgress* source) {
  if (source == source_ && (source == nullptr || source->identity().name == source_name_)) return;
  source_ = source;
  if (source == nullptr) return;
  source_name_ = source->identity().name;
  source_path_ = JsonString(source_name_);
}

void DocumentWriter::Append(GrowingBuffer& to, const Entry& entry, const SourceProgress* source) {
  EnterSource(source);
  if (options_.layout == DocumentLayout::kRaw && AppendRaw(to, entry)) return;
  line_is_json_ = options_.json && line_.Parse(entry.line);
  const Shape& shape = ShapeOf(entry);
  for (const DocumentPiece& piece : shape.pieces) {
    to.Append(piece.text);
    if (piece.hole != DocumentPiece::kNoHole) Fill(to, piece.hole, entry, shape);
  }
}

const DocumentWriter::Shape& DocumentWriter::ShapeOf(const Entry& entry) {
  if (epoch_ != sets_.epoch() || shape_count_ > kMaxShapes) {
    shapes_.clear();
    shape_count_ = 0;
    last_ = nullptr;
    epoch_ = sets_.epoch();
  }
  if (last_ != nullptr && Fits(*last_, entry)) return *last_;
  // Pointers to shapes must stay good: a bucket is asked for before one is added to it.
  std::vector<Shape>& bucket = shapes_[KeyOf(entry)];
  const auto known = std::find_if(bucket.begin(), bucket.end(),
                                  [&](const Shape& shape) { return Fits(shape, entry); });
  if (known != bucket.end()) {
    last_ = &*known;
  } else {
    bucket.push_back(MakeShape(entry));
    ++shape_count_;
    last_ = &bucket.back();
  }
  return *last_;
}

bool DocumentWriter::Fits(const Shape& shape, const Entry& entry) const {
  if (shape.labels != entry.labels || shape.has_source != (source_ != nullptr)) return false;
  if (shape.metadata != entry.metadata.size() || shape.fields != entry.fields.size()) return false;
  if (shape.line_is_json != line_is_json_) return false;
  const std::span<const JsonLine::Member> members = LineMembers();
  if (shape.names.size() != shape.metadata + shape.fields + members.size()) return false;
  std::size_t next = 0;
  for (const Metadata& pair : entry.metadata) {
    if (shape.names[next++] != pair.name) return false;
  }
  for (const Field& field : entry.fields) {
    if (shape.names[next++] != field.name) return false;
  }
  for (const JsonLine::Member& member : members) {
    if (shape.names[next++] != member.path) return false;
  }
  return true;
}

uint64_t DocumentWriter::KeyOf(const Entry& entry) const {
  uint64_t key = entry.labels * uint64_t{2} + (source_ != nullptr ? 1 : 0);
  const auto mix = [&key](std::string_view name) {
    key = XXH3_64bits_withSeed(name.data(), name.size(), key);
  };
  for (const Metadata& pair : entry.metadata)
    mix(pair.name);
  mix("|");
  for (const Field& field : entry.fields)
    mix(field.name);
  mix(line_is_json_ ? "{" : "|");
  for (const JsonLine::Member& member : LineMembers())
    mix(member.path);
  return key;
}

DocumentWriter::Shape DocumentWriter::MakeShape(const Entry& entry) const {
  Shape shape;
  shape.labels = entry.labels;
  shape.has_source = source_ != nullptr;
  shape.metadata = entry.metadata.size();
  shape.fields = entry.fields.size();
  shape.line_is_json = line_is_json_;
  for (const Metadata& pair : entry.metadata)
    shape.names.emplace_back(pair.name);
  for (const Field& field : entry.fields)
    shape.names.emplace_back(field.name);
  for (const JsonLine::Member& member : LineMembers())
    shape.names.push_back(member.path);
  const auto first_member = static_cast<uint32_t>(kFirstName + shape.metadata + shape.fields);

  DocumentTree tree;
  if (options_.for_logstash) tree.ForLogstash();
  tree.Remove(options_.remove);
  tree.Rename(options_.rename);
  tree.AddHole("@timestamp", kTimestamp);
  // Of two values for one place the first stays: what the configuration names comes before what
  // a line brings along.
  const bool line_first = line_is_json_ && options_.json->overwrite;
  if (line_first) {
    AddConstants(tree);
    AddFields(tree, entry);
    AddLine(tree, first_member);
  }
  if (!(line_is_json_ && options_.json->drop_line)) tree.AddHole("message", kMessage);
  AddConstants(tree);
  const bool ecs = options_.layout == DocumentLayout::kEcs;
  if (source_ != nullptr) {
    tree.AddHole("log.offset", kOffset);
    tree.AddHole("log.file.path", kPath);
  }
  if (ecs) AddEcs(tree, entry);
  if (!line_first) AddFields(tree, entry);
  AddMetadata(tree, entry);
  for (const Label& label : sets_.Get(entry.labels)) {
    if (IsPrivate(label.name)) continue;
    tree.AddText(ecs ? LabelPath(label.name) : Under("", label.name, options_.de_dot),
                 JsonString(label.value));
  }
  if (line_is_json_ && !line_first) AddLine(tree, first_member);
  if (!line_is_json_ && options_.json && options_.json->add_error) {
    tree.AddText("error.message", "\"the line is no JSON object\"");
    tree.AddText("error.type", "\"json\"");
  }
  shape.pieces = tree.Pieces();
  return shape;
}

void DocumentWriter::AddEcs(DocumentTree& tree, const Entry& entry) const {
  if (!options_.host_name.empty()) tree.AddText("host.name", JsonString(options_.host_name));
  tree.AddText("agent.type", "\"log-agent\"");
  tree.AddText("agent.version", JsonString(options_.agent_version));
  tree.AddText("ecs.version", JsonString(kEcsVersion));
  if (!options_.tags.empty()) {
    std::string tags = "[";
    for (const std::string& tag : options_.tags)
      tags += (tags.size() > 1 ? "," : "") + JsonString(tag);
    tree.AddText("tags", tags + ']');
  }
  AddKnownLabels(tree, sets_.Get(entry.labels));
}

void DocumentWriter::AddKnownLabels(DocumentTree& tree, const Labels& labels) const {
  const auto add = [&](std::span<const KnownName> names) {
    for (const KnownName& known : names) {
      const std::string* const value = labels.Find(known.name);
      if (value != nullptr) tree.AddText(known.path, JsonString(*value));
    }
  };
  if (labels.Find("pod") != nullptr) add(kKubernetesLabels);
  add(kContainerLabels);
  for (const std::string_view name : {"level", "detected_level"}) {
    const std::string* const value = labels.Find(name);
    if (value != nullptr) tree.AddText("log.level", JsonString(Lower(*value)));
  }
}

void DocumentWriter::AddConstants(DocumentTree& tree) const {
  for (const auto& [path, text] : options_.add)
    tree.AddText(path, JsonString(text));
}

void DocumentWriter::AddFields(DocumentTree& tree, const Entry& entry) const {
  auto hole = static_cast<uint32_t>(kFirstName + entry.metadata.size());
  for (const Field& field : entry.fields) {
    if (IsWanted(field.name)) {
      tree.AddHole(Under(options_.fields_target, field.name, options_.de_dot), hole);
    }
    ++hole;
  }
}

void DocumentWriter::AddMetadata(DocumentTree& tree, const Entry& entry) const {
  const bool ecs = options_.layout == DocumentLayout::kEcs;
  uint32_t hole = kFirstName;
  for (const Metadata& pair : entry.metadata) {
    const auto* const known =
        std::find_if(kKnownMetadata.begin(), kKnownMetadata.end(),
                     [&pair](const KnownName& name) { return name.name == pair.name; });
    if (ecs && known != kKnownMetadata.end()) {
      const bool lower = known->path == "log.level";
      tree.AddHole(known->path, lower ? hole | kLower : hole);
    } else {
      tree.AddHole(Under(ecs ? options_.metadata_target : "", pair.name, options_.de_dot), hole);
    }
    ++hole;
  }
}

// Members of a line that is a JSON object.
void DocumentWriter::AddLine(DocumentTree& tree, uint32_t hole) const {
  const std::string_view target = options_.json->under_root ? "" : "json";
  for (const JsonLine::Member& member : line_.members()) {
    const std::string path = Under(target, member.path, '\0');
    // Receivers know `message` as a text.
    if (!IsOurs(path)) tree.AddHole(path, path == "message" ? hole | kText : hole);
    ++hole;
  }
}

void DocumentWriter::Fill(GrowingBuffer& to, uint32_t hole, const Entry& entry,
                          const Shape& shape) {
  switch (hole) {
    case kTimestamp:
      return AppendJsonTime(to, entry.timestamp_ns);
    case kMessage:
      return AppendMessage(to, entry.line);
    case kOffset:
      return AppendJsonInteger(to, FirstOffset(entry));
    case kPath:
      return to.Append(source_path_);
    default:
      break;
  }
  const std::size_t index = (hole & ~(kLower | kText)) - kFirstName;
  if (index >= shape.metadata + shape.fields) {
    const JsonLine::Member& member = line_.members()[index - shape.metadata - shape.fields];
    if ((hole & kText) != 0) return AppendElementAsString(to, member.value);
    return AppendJsonElement(to, member.value);
  }
  if (index >= shape.metadata) return AppendField(to, entry.fields[index - shape.metadata]);
  const std::string_view value = entry.metadata[index].value;
  if ((hole & kLower) != 0) return AppendJsonString(to, Lower(value));
  AppendJsonString(to, value);
}

void DocumentWriter::AppendMessage(GrowingBuffer& to, std::string_view line) const {
  if (options_.max_message_bytes > 0 && line.size() > options_.max_message_bytes) {
    line = line.substr(0, options_.max_message_bytes);
    // Not in the middle of a rune.
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80)
      line.remove_suffix(1);
    if (!line.empty() && static_cast<unsigned char>(line.back()) >= 0xC0) line.remove_suffix(1);
  }
  AppendJsonString(to, line);
}

bool DocumentWriter::IsWanted(std::string_view name) const {
  return wants_all_ ||
         std::any_of(options_.fields.begin(), options_.fields.end(),
                     [name](const DocumentField& field) { return field.name == name; });
}

FieldType DocumentWriter::TypeOf(std::string_view name) const {
  for (const DocumentField& field : options_.fields) {
    if (field.name == name) return field.type;
  }
  return FieldType::kAsExtracted;
}

void DocumentWriter::AppendField(GrowingBuffer& to, const Field& field) const {
  const Value& value = field.value;
  switch (TypeOf(field.name)) {
    case FieldType::kAsExtracted:
      return AppendJsonValue(to, value);
    case FieldType::kString:
      return AppendAsString(to, value);
    case FieldType::kBool:
      return AppendAsBool(to, value);
    case FieldType::kInteger:
    case FieldType::kFloat:
      break;
  }
  const std::optional<double> number = NumberOf(value);
  if (!number) return to.Append("null");
  if (TypeOf(field.name) == FieldType::kFloat) return AppendJsonDouble(to, *number);
  AppendAsInteger(to, value, *number);
}

bool DocumentWriter::AppendRaw(GrowingBuffer& to, const Entry& entry) {
  simdjson::dom::object object;
  // The bytes that simdjson may read after the line are there: see Entry::line.
  auto parsed = parser_.parse(entry.line.data(), entry.line.size(), /*realloc_if_needed=*/false);
  if (parsed.get_object().get(object) != simdjson::SUCCESS) return false;
  // What Logstash is told apart from the event is not a line's to say.
  if (object["@metadata"].error() == simdjson::SUCCESS) return false;
  const std::size_t start = to.size();
  to.Append("{");
  if (object["@timestamp"].error() != simdjson::SUCCESS) {
    to.Append("\"@timestamp\":");
    AppendJsonTime(to, entry.timestamp_ns);
    if (object.size() > 0) to.Append(",");
  }
  to.Ensure(entry.line.size() + simdjson::SIMDJSON_PADDING);
  std::size_t size = 0;
  const auto error = simdjson::minify(entry.line.data(), entry.line.size(), to.end(), size);
  if (error != simdjson::SUCCESS) {
    to.ShrinkTo(start);
    return false;
  }
  std::memmove(to.end(), to.end() + 1, size - 1);  // Its brace is there already.
  to.Extend(size - 1);
  return true;
}

}  // namespace agent
