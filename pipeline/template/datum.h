// What template expressions compute with: Go's values, as far as a template can meet them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

class Datum;
class Location;

struct DatumList {
  // What Go calls its type.
  enum class Type : uint8_t { kAny, kString, kInt, kAnyList };

  Type type = Type::kAny;
  std::vector<Datum> items;
};

struct DatumDict {
  enum class Type : uint8_t { kAny, kString };

  Type type = Type::kAny;
  std::map<std::string, Datum, std::less<>> items;  // In Go's order of printing.
};

struct DatumTime {
  int64_t unix_seconds = 0;
  int32_t nanos = 0;
  // In which it is shown; null: a fixed offset, or UTC. Outlives the template.
  Location* location = nullptr;
  int32_t offset_seconds = 0;
  bool fixed_zone = false;
  std::string_view zone_name;  // Of a fixed zone; lies where texts of the execution do.
};

struct DatumVersion {  // Of the semver functions.
  int64_t major = 0;
  int64_t minor = 0;
  int64_t patch = 0;
  std::string prerelease;
  std::string metadata;
  std::string original;
};

// One value. Texts, lists and the rest are not owned: they lie in the DatumPool of the execution,
// in its data, or in the template.
class Datum {
 public:
  enum class Kind : uint8_t {
    kNil,  // No value: a missing key, nil.
    kBool,
    kInt,
    kInt64,
    kInt32,
    kUint8,
    kMonth,
    kWeekday,
    kFloat,
    kString,
    kList,
    kDict,
    kTime,
    kVersion,
  };

  Datum() = default;
  static Datum Bool(bool value) { return Integer(Kind::kBool, value ? 1 : 0); }
  static Datum Int(int64_t value) { return Integer(Kind::kInt, value); }
  static Datum Int64(int64_t value) { return Integer(Kind::kInt64, value); }
  static Datum Integer(Kind kind, int64_t value) {
    Datum datum(kind);
    datum.value_.integer = value;
    return datum;
  }
  static Datum Float(double value) {
    Datum datum(Kind::kFloat);
    datum.value_.real = value;
    return datum;
  }
  static Datum String(std::string_view text) {
    Datum datum(Kind::kString);
    datum.value_.text = text.data();
    datum.size_ = text.size();
    return datum;
  }
  static Datum List(DatumList* list) {
    Datum datum(Kind::kList);
    datum.value_.list = list;
    return datum;
  }
  static Datum Dict(DatumDict* dict) {
    Datum datum(Kind::kDict);
    datum.value_.dict = dict;
    return datum;
  }
  static Datum Time(const DatumTime* time) {
    Datum datum(Kind::kTime);
    datum.value_.time = time;
    return datum;
  }
  static Datum Version(const DatumVersion* version) {
    Datum datum(Kind::kVersion);
    datum.value_.version = version;
    return datum;
  }

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_nil() const { return kind_ == Kind::kNil; }
  [[nodiscard]] bool is_string() const { return kind_ == Kind::kString; }
  [[nodiscard]] bool is_signed_integer() const {
    return kind_ >= Kind::kInt && kind_ <= Kind::kWeekday && kind_ != Kind::kUint8;
  }
  [[nodiscard]] bool is_integer() const { return kind_ >= Kind::kInt && kind_ <= Kind::kWeekday; }

  // Each only of its kind.
  [[nodiscard]] bool boolean() const { return value_.integer != 0; }
  [[nodiscard]] int64_t integer() const { return value_.integer; }
  [[nodiscard]] double real() const { return value_.real; }
  [[nodiscard]] std::string_view text() const { return {value_.text, size_}; }
  [[nodiscard]] DatumList& list() const { return *value_.list; }
  [[nodiscard]] DatumDict& dict() const { return *value_.dict; }
  [[nodiscard]] const DatumTime& time() const { return *value_.time; }
  [[nodiscard]] const DatumVersion& version() const { return *value_.version; }

 private:
  explicit Datum(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::kNil;
  std::size_t size_ = 0;
  union {
    int64_t integer;
    double real;
    const char* text;
    DatumList* list;
    DatumDict* dict;
    const DatumTime* time;
    const DatumVersion* version;
  } value_ = {0};
};

// Owns what the values of one execution point to.
class DatumPool {
 public:
  static constexpr std::size_t kMaxBytes = 8 << 20;

  std::string_view Keep(std::string text);
  DatumList* NewList(DatumList::Type type = DatumList::Type::kAny);
  DatumDict* NewDict(DatumDict::Type type = DatumDict::Type::kAny);
  const DatumTime* Keep(DatumTime time);
  const DatumVersion* Keep(DatumVersion version);

  // Whoever makes much says so before: false when it is too much, and nothing more should be made.
  bool Charge(std::size_t bytes);
  [[nodiscard]] bool exhausted() const { return bytes_ > kMaxBytes; }
  void Clear();

 private:
  std::size_t bytes_ = 0;
  std::deque<std::string> texts_;
  std::deque<DatumList> lists_;
  std::deque<DatumDict> dicts_;
  std::deque<DatumTime> times_;
  std::deque<DatumVersion> versions_;
};

// Values may contain themselves (`set $d "me" $d`); nothing looks deeper than this.
constexpr int kMaxDatumDepth = 100;

// What Go's templates hold to be true: not empty, not zero, not false, not nil.
bool IsTruthy(const Datum& datum);
// Sprig's `empty`: the opposite, except that times and versions are never empty.
bool IsEmpty(const Datum& datum);
// "string", "[]interface {}": Go's %T. "<nil>" for nil.
std::string_view TypeName(const Datum& datum);
// "string", "slice", "map": Go's reflect kind. "invalid" for nil.
std::string_view KindName(const Datum& datum);
// reflect.DeepEqual: types count.
bool DeepEqual(const Datum& a, const Datum& b, int depth = 0);

}  // namespace agent
