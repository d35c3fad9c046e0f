#include "pipeline/template/datum.h"

#include <algorithm>
#include <utility>

namespace agent {
namespace {

bool EqualLists(const DatumList& a, const DatumList& b, int depth) {
  const auto equal = [depth](const Datum& x, const Datum& y) { return DeepEqual(x, y, depth); };
  return a.type == b.type &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
}

bool EqualDicts(const DatumDict& a, const DatumDict& b, int depth) {
  const auto equal = [depth](const auto& x, const auto& y) {
    return x.first == y.first && DeepEqual(x.second, y.second, depth);
  };
  return a.type == b.type &&
         std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), equal);
}

}  // namespace

std::string_view DatumPool::Keep(std::string text) {
  Charge(text.size() + sizeof(std::string));
  return texts_.emplace_back(std::move(text));
}

DatumList* DatumPool::NewList(DatumList::Type type) {
  Charge(sizeof(DatumList));
  DatumList& list = lists_.emplace_back();
  list.type = type;
  return &list;
}

DatumDict* DatumPool::NewDict(DatumDict::Type type) {
  Charge(sizeof(DatumDict));
  DatumDict& dict = dicts_.emplace_back();
  dict.type = type;
  return &dict;
}

const DatumTime* DatumPool::Keep(DatumTime time) {
  Charge(sizeof(time));
  return &times_.emplace_back(time);
}

const DatumVersion* DatumPool::Keep(DatumVersion version) {
  Charge(sizeof(version));
  return &versions_.emplace_back(std::move(version));
}

bool DatumPool::Charge(std::size_t bytes) {
  // Saturating: a hostile count must not wrap.
  bytes_ = bytes > kMaxBytes ? kMaxBytes + 1 : bytes_ + bytes;
  return !exhausted();
}

void DatumPool::Clear() {
  if (bytes_ == 0) return;
  bytes_ = 0;
  texts_.clear();
  lists_.clear();
  dicts_.clear();
  times_.clear();
  versions_.clear();
}

bool IsTruthy(const Datum& datum) {
  switch (datum.kind()) {
    case Datum::Kind::kNil:
      return false;
    case Datum::Kind::kFloat:
      return datum.real() != 0;
    case Datum::Kind::kString:
      return !datum.text().empty();
    case Datum::Kind::kList:
      return !datum.list().items.empty();
    case Datum::Kind::kDict:
      return !datum.dict().items.empty();
    case Datum::Kind::kTime:
    case Datum::Kind::kVersion:
      return true;
    default:
      return datum.integer() != 0;
  }
}

bool IsEmpty(const Datum& datum) {
  return !IsTruthy(datum);
}

std::string_view TypeName(const Datum& datum) {
  switch (datum.kind()) {
    case Datum::Kind::kNil:
      return "<nil>";
    case Datum::Kind::kBool:
      return "bool";
    case Datum::Kind::kInt:
      return "int";
    case Datum::Kind::kInt64:
      return "int64";
    case Datum::Kind::kInt32:
      return "int32";
    case Datum::Kind::kUint8:
      return "uint8";
    case Datum::Kind::kMonth:
      return "time.Month";
    case Datum::Kind::kWeekday:
      return "time.Weekday";
    case Datum::Kind::kFloat:
      return "float64";
    case Datum::Kind::kString:
      return "string";
    case Datum::Kind::kList: {
      constexpr std::string_view kNames[] = {"[]interface {}", "[]string", "[]int",
                                             "[][]interface {}"};
      return kNames[static_cast<std::size_t>(datum.list().type)];
    }
    case Datum::Kind::kDict:
      return datum.dict().type == DatumDict::Type::kAny ? "map[string]interface {}"
                                                        : "map[string]string";
    case Datum::Kind::kTime:
      return "time.Time";
    case Datum::Kind::kVersion:
      break;
  }
  return "*semver.Version";
}

std::string_view KindName(const Datum& datum) {
  switch (datum.kind()) {
    case Datum::Kind::kNil:
      return "invalid";
    case Datum::Kind::kList:
      return "slice";
    case Datum::Kind::kDict:
      return "map";
    case Datum::Kind::kTime:
      return "struct";
    case Datum::Kind::kVersion:
      return "ptr";
    case Datum::Kind::kMonth:
    case Datum::Kind::kWeekday:
      return "int";
    default:
      return TypeName(datum);
  }
}

bool DeepEqual(const Datum& a, const Datum& b, int depth) {
  if (a.kind() != b.kind() || depth > kMaxDatumDepth) return false;
  switch (a.kind()) {
    case Datum::Kind::kNil:
      return true;
    case Datum::Kind::kFloat:
      return a.real() == b.real();
    case Datum::Kind::kString:
      return a.text() == b.text();
    case Datum::Kind::kList:
      return EqualLists(a.list(), b.list(), depth + 1);
    case Datum::Kind::kDict:
      return EqualDicts(a.dict(), b.dict(), depth + 1);
    case Datum::Kind::kTime:
      return a.time().unix_seconds == b.time().unix_seconds && a.time().nanos == b.time().nanos;
    case Datum::Kind::kVersion:
      return a.version().original == b.version().original;
    default:
      return a.integer() == b.integer();
  }
}

}  // namespace agent
