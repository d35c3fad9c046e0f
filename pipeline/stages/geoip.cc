// `geoip` looks an IP address up in a MaxMind database and sets labels from what it says.
//
//   - geoip:
//       db: /var/lib/GeoIP/GeoLite2-City.mmdb
//       db_type: city                # or asn
//       source: client_ip            # The extracted value that holds the address.
//
// An entry without an address, or with one that the database does not know, stays as it is.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipeline/geo/geo_databases.h"
#include "pipeline/stage_failure.h"
#include "pipeline/stages/geo_labels.h"
#include "pipeline/stages/stages.h"

namespace agent {
namespace {

constexpr std::size_t kCachedAddresses = 512;  // A power of two.
constexpr std::size_t kMaxCachedRecords = 4096;

// The labels of one record of the database.
struct GeoRecord {
  std::vector<std::string> values;

  // Where they have led the last time.
  LabelSetId from = 0;
  LabelSetId to = 0;
  std::optional<uint64_t> epoch;
};

// What the database says of an address, with the latest answers at hand: the same addresses come
// again and again, and many share a record.
class GeoLookup {
 public:
  GeoLookup(const GeoDatabase& database, GeoKind kind, std::string job, Logger& logger)
      : database_(database),
        kind_(kind),
        job_(std::move(job)),
        logger_(logger),
        cache_(kCachedAddresses) {}

  struct Answer {
    GeoRecord* record = nullptr;  // Null: nothing is known. Valid until the next call.
    bool failed = false;          // It is no address, or the database is damaged there.
  };
  Answer Find(std::string_view address) {
    if (address.empty() || address.size() > GeoDatabase::kMaxAddressBytes) return {.failed = true};
    Cached& cached = cache_[std::hash<std::string_view>()(address) % kCachedAddresses];
    if (cached.address() != address) cached.Set(address, Read(address));  // May empty the cache.
    return cached.answer;
  }

 private:
  struct Cached {
    [[nodiscard]] std::string_view address() const { return {text.data(), size}; }
    void Set(std::string_view address, const Answer& found) {
      std::memcpy(text.data(), address.data(), address.size());
      size = static_cast<uint8_t>(address.size());
      answer = found;
    }

    std::array<char, GeoDatabase::kMaxAddressBytes> text{};
    uint8_t size = 0;
    Answer answer;
  };

  Answer Read(std::string_view address) {
    const auto found = database_.Find(address);
    if (!found.ok()) {
      logger_.WriteLimited(LogLevel::kError, "geoip " + database_.path(), "pipeline",
                           "the geo database is damaged: an address gets no labels",
                           {{"db", database_.path()},
                            {"job", job_},
                            {"error", found.error().message},
                            {"hint", "fetch the database again, then reload"}});
      return {.failed = true};
    }
    if (!*found) return {.failed = !GeoDatabase::IsAddress(address)};
    const auto known = records_.find(**found);
    if (known != records_.end()) return {.record = &known->second};
    if (records_.size() == kMaxCachedRecords) {
      records_.clear();
      cache_.assign(kCachedAddresses, {});
    }
    GeoRecord& record = records_[**found];
    record.values = ReadGeoLabels(kind_, database_, **found);
    return {.record = &record};
  }

  const GeoDatabase& database_;
  const GeoKind kind_;
  const std::string job_;
  Logger& logger_;
  std::vector<Cached> cache_;  // By hash of the address.
  std::unordered_map<GeoDatabase::Record, GeoRecord> records_;
};

class GeoipStage final : public Stage {
 public:
  GeoipStage(Slot source, GeoKind kind, const GeoDatabase& database, StageContext& context)
      : source_(source),
        lookup_(database, kind, context.job, context.logger),
        sets_(context.label_sets),
        transition_(sets_, GeoLabelNames(kind)),
        not_found_(context, "address", "the value is no address that can be looked up") {}

  void Process(Block& block) override {
    for (const EntryIndex entry : block.live()) {
      const std::optional<std::string_view> address = block.ExtractedText(entry, source_);
      if (!address) continue;
      const GeoLookup::Answer answer = lookup_.Find(*address);
      if (answer.failed) not_found_.Report(block, entry);
      if (answer.record == nullptr) continue;
      block.SetLabels(entry, Apply(*answer.record, block.LabelsOf(entry)));
    }
  }

 private:
  LabelSetId Apply(GeoRecord& record, LabelSetId from) {
    if (record.epoch == sets_.epoch() && record.from == from) return record.to;
    values_.clear();
    for (const std::string& value : record.values) {
      // Without data: the label stays as it is.
      if (value.empty()) {
        values_.emplace_back();
      } else {
        values_.emplace_back(value);
      }
    }
    record.to = transition_.Apply(from, values_);
    record.from = from;
    record.epoch = sets_.epoch();
    return record.to;
  }

  const Slot source_;
  GeoLookup lookup_;
  LabelSets& sets_;
  LabelTransition transition_;
  std::vector<std::string_view> values_;
  StageFailure not_found_;
};

// Without a source, or with a kind of database that there is not.
class IdleStage final : public Stage {
  void Process(Block& /*block*/) override {}
};

const GeoDatabase* ReadDatabase(StageFields& fields, StageContext& context) {
  const std::string path = fields.String("db");
  if (path.empty()) {
    fields.Error("db", "db path cannot be empty", "db: /var/lib/GeoIP/GeoLite2-City.mmdb");
    return nullptr;
  }
  const Result<const GeoDatabase*> database = context.geo_databases.Open(path);
  if (database.ok()) return *database;
  std::string hint = "let the agent read it, or correct the path";
  if (database.error().code == ErrorCode::kNotFound) {
    hint = "put a MaxMind database (.mmdb) there, or correct the path";
  } else if (database.error().code == ErrorCode::kInvalid) {
    hint = "give the path of a MaxMind database (.mmdb); if it is one, fetch it again";
  }
  fields.Error("db", database.error().message, hint);
  return nullptr;
}

// nullopt after a problem or a warning.
std::optional<GeoKind> ReadKind(StageFields& fields) {
  const std::string type = fields.String("db_type");
  if (type == "city") return GeoKind::kCity;
  if (type == "asn") return GeoKind::kAsn;
  if (type.empty()) {
    fields.Error("db_type", "db type should be either city or asn",
                 "city for a City, Country or Enterprise database, asn for an ASN or ISP database");
  } else {
    fields.Warning("db_type", "there is no db type '" + type + "': no label will be set",
                   "use city or asn");
  }
  return std::nullopt;
}

// nullopt after a problem or a warning.
std::optional<Slot> ReadSource(StageFields& fields, StageContext& context) {
  const ConfigNode* const node = fields.Node("source");
  if (node == nullptr || node->is_null()) {
    fields.Warning("source", "without a source there is no address: no label will be set",
                   "name the extracted value that holds the address");
    return std::nullopt;
  }
  const std::string source = fields.String("source");
  if (!source.empty()) return context.slots.Read(source);
  if (node->is_scalar() && node->text().empty()) {
    fields.Error("source", "source cannot be empty",
                 "name the extracted value that holds the address");
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Stage> MakeGeoipStage(const ConfigNode& node, StageContext& context) {
  StageFields fields(node, context);
  const GeoDatabase* const database = ReadDatabase(fields, context);
  const std::optional<GeoKind> kind = ReadKind(fields);
  const std::optional<Slot> source = ReadSource(fields, context);
  if (!fields.Finish() || database == nullptr) return nullptr;
  if (!kind || !source) return std::make_unique<IdleStage>();
  if (LacksGeoKind(database->type(), *kind)) {
    fields.Warning("db_type",
                   "a database of type '" + database->type() +
                       "' has no such values: no label "
                       "will be set",
                   *kind == GeoKind::kCity ? "use db_type: asn, or a City database"
                                           : "use db_type: city, or an ASN database");
  }
  return std::make_unique<GeoipStage>(*source, *kind, *database, context);
}

}  // namespace agent
